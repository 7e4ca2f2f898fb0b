//! Timelines of specs.

use super::*;
use crate::language::diagnostic::code;

impl Builder<'_> {
    pub fn timeline(&mut self, pairs: Pairs, entries: &mut Vec<TimelineEntry>) {
        for pair in pairs.flat_map(Pair::into_inner) {
            if pair.as_rule() == Rule::entry {
                let entry = self.entry(pair);
                entries.extend(entry);
            }
        }
    }

    fn entry(&mut self, pair: Pair) -> Option<TimelineEntry> {
        let span = self.span(&pair);
        let mut event = None;
        let mut subject = None;
        let mut properties = Vec::new();
        let mut occurrences = Vec::new();
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::head => event = Some(self.name(&p)),
                Rule::held_out => event = Some(self.held_out(&p)),
                Rule::plain | Rule::text | Rule::text_wrong => subject = Some(self.word(&p)),
                Rule::where_clause => {
                    let filter = self.where_clause(p);
                    self.properties(filter, &mut properties);
                }
                Rule::occurrence => {
                    let occurrence = self.occurrence(p);
                    occurrences.extend(occurrence);
                }
                _ => {}
            }
        }
        Some(TimelineEntry { event: event?, subject, properties, occurrences, span })
    }

    /// `category = x and amount = 20`
    fn properties(&mut self, filter: Expr, out: &mut Vec<(Name, Expr)>) {
        let span = filter.span;
        match filter.kind {
            ExprKind::And(parts) => parts.into_iter().for_each(|p| self.properties(p.expr, out)),
            ExprKind::Phrase(p) => {
                let plain = p.quantifier.is_none() && p.subject.is_none() && p.filter.is_none() && p.window.is_none();
                match p.test {
                    Some(Test { kind: TestKind::Compare { op: Op::Eq, right }, .. }) if plain => {
                        out.push((p.name, right))
                    }
                    _ => self.no_property(span),
                }
            }
            ExprKind::Error => {}
            _ => self.no_property(span),
        }
    }

    fn no_property(&mut self, span: Span) {
        let d = self
            .error(code::spec::MALFORMED_TIMELINE, span, "a timeline gives properties as `name = value`")
            .label("expected `name = value`, several joined by `and`");
        self.say(d);
    }

    fn occurrence(&mut self, pair: Pair) -> Option<Occurrence> {
        let span = self.span(&pair);
        let mut when = None;
        let mut ago = false;
        let mut times = 1;
        for p in pair.into_inner() {
            match p.as_rule() {
                Rule::duration => when = Some(When::Ago(self.duration(&p))),
                Rule::kw_ago => ago = true,
                Rule::kw_at | Rule::kw_on => {}
                Rule::repeat => {
                    let place = self.span(&p);
                    times = self.small(p.as_str(), place).unwrap_or(1);
                }
                _ => {
                    let moment = self.moment(&p)?;
                    when = Some(When::At(moment));
                    ago = true;
                }
            }
        }
        if !ago {
            let behind = match &when {
                Some(When::Ago(d)) => self.behind(d.span),
                _ => self.behind(span),
            };
            let d = self
                .error(code::spec::MALFORMED_TIMELINE, behind, "`ago` is missing")
                .label("a duration in a timeline looks back")
                .fix("write `ago`", vec![(behind, " ago".to_string())]);
            self.say(d);
        }
        Some(Occurrence { when: when?, times, span })
    }
}
