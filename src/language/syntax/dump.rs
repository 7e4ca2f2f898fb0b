//! The tree as one line of text, without places: what the formatter compares, and what tests and bug reports show.
//!
//! Owns: that form. Promises: two trees have one form only if they say the same.
//! Must not know: how a text was laid out.

use std::fmt::Write;

use super::ast::*;

mod campaign;

/// A whole file, one line an item.
pub fn file(file: &File) -> String {
    let mut d = Dump(String::new());
    for item in &file.items {
        d.item(item);
        d.0.push('\n');
    }
    d.0
}

/// One condition or value.
pub fn expr(expr: &Expr) -> String {
    let mut d = Dump(String::new());
    d.expr(expr);
    d.0
}

/// The entries of a timeline.
pub fn timeline(entries: &[TimelineEntry]) -> String {
    let mut d = Dump(String::new());
    for entry in entries {
        d.put(format_args!("(entry {}", entry.event.text));
        if let Some(s) = &entry.subject {
            d.0.push(' ');
            d.word(s);
        }
        for (name, value) in &entry.properties {
            d.put(format_args!(" {}=", name.text));
            d.expr(value);
        }
        for o in &entry.occurrences {
            match &o.when {
                When::Ago(x) => d.put(format_args!(" ago:{}{:?}", x.amount, x.unit)),
                When::At(m) => {
                    d.0.push_str(" at:");
                    d.moment(m);
                }
            }
            d.put(format_args!("x{}", o.times));
        }
        d.0.push_str(")\n");
    }
    d.0
}

struct Dump(String);

impl Dump {
    fn put(&mut self, args: std::fmt::Arguments) {
        // Writing to a string can't fail.
        let _ = self.0.write_fmt(args);
    }

    fn head(&mut self, what: &str, name: Option<&Name>, was: Option<&Name>, title: Option<&Word>, text: Option<&str>) {
        self.put(format_args!("({what}"));
        if let Some(n) = name {
            self.put(format_args!(" {}", n.text));
        }
        if let Some(n) = was {
            self.put(format_args!(" was:{}", n.text));
        }
        if let Some(t) = title {
            self.put(format_args!(" title:{:?}", t.text));
        }
        if let Some(t) = text {
            self.put(format_args!(" description:{t:?}"));
        }
        self.0.push(' ');
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Segment(s) => {
                self.head("segment", Some(&s.name), s.was.as_ref(), s.title.as_ref(), s.description.as_deref());
                self.expr(&s.condition);
            }
            Item::Trait(t) => {
                self.head("trait", Some(&t.name), None, t.title.as_ref(), t.description.as_deref());
                self.expr(&t.value);
            }
            Item::Campaign(c) => {
                self.head("campaign", Some(&c.name), c.was.as_ref(), c.title.as_ref(), c.description.as_deref());
                self.expr(&c.condition);
                self.arms(&c.arms);
                self.clauses(&c.clauses);
            }
            Item::Policy(p) => {
                self.head("policy", Some(&p.name), None, None, p.description.as_deref());
                for (i, rule) in p.rules.iter().enumerate() {
                    self.0.push_str(if i > 0 { " " } else { "" });
                    self.frequency(&rule.at_most);
                    rule.channels.iter().for_each(|c| self.put(format_args!(" by:{}", c.text)));
                }
            }
            Item::Bare(b) => {
                self.head("bare", None, None, None, b.description.as_deref());
                self.expr(&b.condition);
                self.arms(&b.arms);
                self.clauses(&b.clauses);
            }
            Item::Stages(s) => {
                self.head("stages", Some(&s.name), None, s.title.as_ref(), s.description.as_deref());
                for (i, line) in s.lines.iter().enumerate() {
                    self.0.push_str(if i > 0 { " " } else { "" });
                    self.put(format_args!("(stage {} ", line.stage.text));
                    match &line.condition {
                        Some(c) => self.expr(c),
                        None => self.0.push_str("otherwise"),
                    }
                    self.0.push(')');
                }
            }
            Item::Error { name, .. } => self.put(format_args!("(error {}", name.as_ref().map_or("", |n| &n.text))),
        }
        self.0.push(')');
    }

    fn word(&mut self, word: &Word) {
        if word.quoted {
            self.put(format_args!("{:?}", word.text));
        } else {
            self.put(format_args!("{}", word.text));
        }
    }

    fn list<'a>(&mut self, what: &str, parts: impl Iterator<Item = &'a Expr>) {
        self.put(format_args!("({what}"));
        for p in parts {
            self.0.push(' ');
            self.expr(p);
        }
        self.0.push(')');
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Or(parts) => self.list("or", parts.iter()),
            ExprKind::And(parts) => {
                self.0.push_str("(and");
                for p in parts {
                    self.0.push_str(if p.but { " but:" } else { " " });
                    self.expr(&p.expr);
                }
                self.0.push(')');
            }
            ExprKind::Not(e) => self.list("not", std::iter::once(&**e)),
            ExprKind::Paren(e) => self.list("paren", std::iter::once(&**e)),
            ExprKind::Everyone => self.0.push_str("everyone"),
            ExprKind::Phrase(p) => self.phrase(p),
            ExprKind::Test { left, test } => {
                self.0.push_str("(test ");
                self.expr(left);
                self.test(test);
                self.0.push(')');
            }
            ExprKind::KnownFor(d) => self.put(format_args!("(known-for {}{:?})", d.amount, d.unit)),
            ExprKind::Sequence(s) => self.sequence(s),
            ExprKind::Gathered(g) => {
                match g.by {
                    GatheredBy::Session => self.0.push_str("(session "),
                    GatheredBy::Any(d) => self.put(format_args!("(any:{}{:?} ", d.amount, d.unit)),
                }
                self.expr(&g.inside);
                if let Some(w) = &g.window {
                    self.window(w);
                }
                self.0.push(')');
            }
            ExprKind::Ranked(r) => {
                self.put(format_args!("({:?} ", r.end));
                match r.size {
                    RankSize::Share(n) => self.put(format_args!("%{n} ")),
                    RankSize::Number(n) => self.put(format_args!("{n} ")),
                }
                self.ranked(&r.by, r.among.as_ref());
            }
            ExprKind::Sample(s) => {
                self.put(format_args!("(sample %{}", s.share));
                if let Some(salt) = &s.salt {
                    self.0.push(' ');
                    self.word(salt);
                }
                self.0.push(')');
            }
            ExprKind::Anniversary(a) => {
                self.0.push_str("(anniversary ");
                if let Some(q) = &a.qualifier {
                    self.put(format_args!("{}.", q.text));
                }
                self.0.push_str(&a.name.text);
                if let Some(w) = &a.window {
                    self.window(w);
                }
                self.0.push(')');
            }
            ExprKind::Member(m) => {
                self.put(format_args!("(member {}", m.segment.text));
                if let Some(d) = m.long {
                    self.put(format_args!(" for:{}{:?}", d.amount, d.unit));
                }
                self.0.push(')');
            }
            ExprKind::Recorded(r) => {
                self.0.push('(');
                if let Some((q, _)) = r.quantifier {
                    self.put(format_args!("{q:?} "));
                }
                self.put(format_args!("{:?}:{}", r.what, r.name.text));
                if let Some(t) = &r.test {
                    self.test(t);
                }
                if let Some(w) = &r.window {
                    self.window(w);
                }
                self.0.push(')');
            }
            ExprKind::Rate(r) => {
                self.0.push_str("(rate ");
                self.phrase(&r.of);
                self.0.push_str(" per ");
                self.phrase(&r.per);
                if let Some(w) = &r.window {
                    self.window(w);
                }
                self.0.push(')');
            }
            ExprKind::RankOf(r) => {
                self.put(format_args!("({:?} ", r.scale));
                self.ranked(&r.by, r.among.as_ref());
            }
            ExprKind::Arithmetic { op, left, right } => {
                let sign = match op {
                    Arithmetic::Add => "+",
                    Arithmetic::Subtract => "-",
                    Arithmetic::Multiply => "*",
                    Arithmetic::Divide => "/",
                };
                self.list(sign, [&**left, &**right].into_iter());
            }
            ExprKind::Aggregate(a) => {
                self.put(format_args!("({:?}", a.function));
                if let Some((n, _)) = a.percent {
                    self.put(format_args!(" {n}"));
                }
                if let Some(p) = &a.property {
                    self.put(format_args!(" {} of", p.text));
                }
                self.0.push(' ');
                self.phrase(&a.behaviour);
                self.0.push(')');
            }
            ExprKind::DaysSince(d) => {
                self.0.push_str("(days-since ");
                if let Some(q) = d.which {
                    self.put(format_args!("{q:?} "));
                }
                self.phrase(&d.of);
                self.0.push(')');
            }
            ExprKind::Number(n) => self.put(format_args!("{n}")),
            // As a number with a mark, so that 20% and 0.2 differ.
            ExprKind::Percent(n) => self.put(format_args!("%{n}")),
            ExprKind::Text(t) => self.put(format_args!("{t:?}")),
            ExprKind::Date(d) => self.date(*d),
            ExprKind::Instant(i) => self.instant(*i),
            ExprKind::Error => self.0.push_str("(?)"),
        }
    }

    /// What is ranked, and among whom.
    fn ranked(&mut self, by: &Expr, among: Option<&Name>) {
        self.expr(by);
        if let Some(n) = among {
            self.put(format_args!(" among:{}", n.text));
        }
        self.0.push(')');
    }

    fn sequence(&mut self, s: &Sequence) {
        self.0.push_str("(sequence ");
        self.phrase(&s.first);
        for t in &s.then {
            self.0.push_str(" then:");
            self.phrase(&t.event);
            if let Some(d) = t.after {
                self.put(format_args!(" after:{}{:?}", d.amount, d.unit));
            }
            if let Some(d) = t.within {
                self.put(format_args!(" within:{}{:?}", d.amount, d.unit));
            }
            if let Some(w) = &t.without {
                self.0.push_str(" without:");
                self.phrase(w);
            }
        }
        if let Some(d) = s.all_within {
            self.put(format_args!(" all-within:{}{:?}", d.amount, d.unit));
        }
        if let Some(n) = &s.same {
            self.put(format_args!(" same:{}", n.text));
        }
        self.0.push(')');
    }

    fn date(&mut self, d: Date) {
        self.put(format_args!("{:04}-{:02}-{:02}", d.year, d.month, d.day));
    }

    fn instant(&mut self, i: Instant) {
        self.date(i.date);
        self.put(format_args!("T{:02}:{:02}:{:02}.{:06}", i.hour, i.minute, i.second, i.micros));
        if let Some(o) = i.offset {
            self.put(format_args!("{o:+}"));
        }
    }

    fn moment(&mut self, m: &Moment) {
        match m.kind {
            MomentKind::Date(d) => self.date(d),
            MomentKind::Instant(i) => self.instant(i),
        }
    }

    fn phrase(&mut self, p: &Phrase) {
        let bare = p.quantifier.is_none()
            && p.subject.is_none()
            && p.filter.is_none()
            && p.test.is_none()
            && p.same.is_none()
            && p.window.is_none()
            && p.without.is_none();
        if !bare {
            self.0.push('(');
        }
        if let Some((q, _)) = p.quantifier {
            self.put(format_args!("{q:?} "));
        }
        if let Some(q) = &p.qualifier {
            self.put(format_args!("{}.", q.text));
        }
        self.0.push_str(&p.name.text);
        if let Some(s) = &p.subject {
            self.0.push_str(if s.other_than { " other:" } else { " about:" });
            self.0.push_str(if s.parenthesised { "(" } else { "" });
            for (i, w) in s.words.iter().enumerate() {
                if i > 0 {
                    self.0.push('|');
                }
                self.word(w);
            }
            self.0.push_str(if s.parenthesised { ")" } else { "" });
        }
        if let Some(f) = &p.filter {
            self.0.push_str(" where:");
            self.expr(f);
        }
        if let Some(t) = &p.test {
            self.test(t);
        }
        if let Some(n) = &p.same {
            self.put(format_args!(" same:{}", n.text));
        }
        if let Some(w) = &p.window {
            self.window(w);
        }
        if let Some(w) = &p.without {
            self.0.push_str(" without:");
            self.phrase(w);
        }
        if !bare {
            self.0.push(')');
        }
    }

    fn test(&mut self, test: &Test) {
        match &test.kind {
            TestKind::Compare { op, right } => {
                self.put(format_args!(" {op:?} "));
                self.expr(right);
            }
            TestKind::Between { low, high } => {
                self.0.push_str(" between ");
                self.expr(low);
                self.0.push(' ');
                self.expr(high);
            }
            TestKind::OnPeriods { op, count, unit } => {
                self.put(format_args!(" on:{unit:?} {op:?} "));
                self.expr(count);
            }
            TestKind::OneOf { words, negated } => {
                self.0.push(' ');
                self.list(if *negated { "not-in" } else { "in" }, words.iter());
            }
            TestKind::Text { how, word } => {
                self.put(format_args!(" {how:?} "));
                self.word(word);
            }
            TestKind::Has(word) => {
                self.0.push_str(" has ");
                self.word(word);
            }
            TestKind::Known { negated } => self.0.push_str(if *negated { " unknown" } else { " known" }),
        }
    }

    fn window(&mut self, window: &Window) {
        self.0.push_str(" @");
        match &window.kind {
            WindowKind::In(d) => self.put(format_args!("in:{}{:?}", d.amount, d.unit)),
            WindowKind::BetweenAgo(a, b) => {
                self.put(format_args!("ago:{}{:?}:{}{:?}", a.amount, a.unit, b.amount, b.unit));
            }
            WindowKind::OverAgo(d) => self.put(format_args!("over:{}{:?}", d.amount, d.unit)),
            WindowKind::Since(m) => {
                self.0.push_str("since:");
                self.moment(m);
            }
            WindowKind::Before(m) => {
                self.0.push_str("before:");
                self.moment(m);
            }
            WindowKind::On(d) => {
                self.0.push_str("on:");
                self.date(*d);
            }
            WindowKind::Between(a, b) => {
                self.0.push_str("between:");
                self.moment(a);
                self.0.push(':');
                self.moment(b);
            }
            WindowKind::Ever => self.0.push_str("ever"),
            WindowKind::Within(d) => self.put(format_args!("within:{}{:?}", d.amount, d.unit)),
            WindowKind::This(unit) => self.put(format_args!("this:{unit:?}")),
            WindowKind::Previous(n, unit) => self.put(format_args!("previous:{n}{unit:?}")),
            WindowKind::EachOfPrevious(n, unit) => self.put(format_args!("each-previous:{n}{unit:?}")),
            WindowKind::Next(n, unit) => self.put(format_args!("next:{n}{unit:?}")),
            WindowKind::SinceEvent(s) => {
                self.put(format_args!("since:{:?}", s.which));
                if let Some(n) = s.back {
                    self.put(format_args!("{n}"));
                }
                self.0.push(':');
                self.phrase(&s.of);
            }
        }
    }
}
