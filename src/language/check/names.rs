//! The one namespace for what can stand as a condition or a value.

use std::collections::{BTreeSet, HashMap};

use unicode_security::confusable_detection::skeleton;

use crate::language::catalog::{AttributeId, Catalog, EventId, ListId, Named};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::ir::RuleId;
use crate::language::source::Span;
use crate::language::syntax::ast;

use super::Checker;
use super::items::Items;
use super::suggest::nearest;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Event(EventId),
    Attribute(AttributeId),
    List(ListId),
    /// Index into [`Items::traits`].
    Trait(usize),
    /// Index into [`Items::rules`].
    Segment(usize),
    /// Index into [`Items::stages`].
    Stages(usize),
    Campaign,
    /// A declaration that could not be read: nothing more is said about its uses.
    Broken,
}

impl Meaning {
    /// With its article.
    pub fn noun(self) -> &'static str {
        match self {
            Meaning::Event(_) => "an event",
            Meaning::Attribute(_) => "an attribute",
            Meaning::List(_) => "a list",
            Meaning::Trait(_) => "a trait",
            Meaning::Segment(_) => "a segment",
            Meaning::Stages(_) => "a set of stages",
            Meaning::Campaign => "a campaign",
            Meaning::Broken => "a declaration",
        }
    }
}

/// All names of a project.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    all: HashMap<&'a str, (Meaning, Span)>,
    /// Names of segments and campaigns: each is the name of an audience.
    campaigns: HashMap<&'a str, Span>,
    /// What segments and campaigns were called before.
    was: HashMap<&'a str, &'a str>,
    /// Who is the first to say that it was called so: the place of the former name.
    former: HashMap<&'a str, Span>,
    /// What would be taken for one another by eye.
    skeletons: HashMap<String, (&'a str, Span)>,
    stages: Vec<DeclaredStages<'a>>,
}

/// Stages, and the number that their first line has among the rules; the others follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeclaredStages<'a> {
    pub item: &'a ast::Stages,
    pub first: RuleId,
}

impl DeclaredStages<'_> {
    /// The rule of a line.
    pub fn line(&self, i: usize) -> RuleId {
        RuleId(self.first.0.saturating_add(i as u32))
    }

    /// Every customer has some stage.
    pub fn whole(&self) -> bool {
        self.item.lines.iter().any(|l| l.condition.is_none())
    }
}

impl<'a> Names<'a> {
    /// Declares everything, and reports what is declared twice or looks like something else.
    pub fn declare(catalog: &'a Catalog, items: &Items<'a>, diagnostics: &mut Vec<Diagnostic>) -> Names<'a> {
        let mut names = Names::default();
        for (i, event) in catalog.events.iter().enumerate() {
            for name in std::iter::once(&event.name).chain(&event.aliases) {
                names.add_named(name, Meaning::Event(EventId(i as u32)), diagnostics);
            }
        }
        for (i, attribute) in catalog.attributes().iter().enumerate() {
            names.add_named(&attribute.name, Meaning::Attribute(AttributeId(i as u32)), diagnostics);
        }
        for (i, list) in catalog.lists.iter().enumerate() {
            names.add_named(&list.name, Meaning::List(ListId(i as u32)), diagnostics);
        }
        for (name, span) in &catalog.broken {
            names.all.entry(name).or_insert((Meaning::Broken, *span));
        }
        for (i, item) in items.traits.iter().enumerate() {
            names.add(&item.name.text, item.name.span, Meaning::Trait(i), diagnostics);
        }
        for (i, rule) in items.rules.iter().enumerate() {
            if let Some(was) = rule.was {
                names.was.insert(rule.name, &was.text);
                names.former.entry(&was.text).or_insert(was.span);
            }
            let meaning = if rule.is_campaign() { Meaning::Campaign } else { Meaning::Segment(i) };
            names.add(rule.name, rule.name_span, meaning, diagnostics);
        }
        let mut first = items.rules.len() as u32;
        for (i, item) in items.stages.iter().enumerate() {
            names.add(&item.name.text, item.name.span, Meaning::Stages(i), diagnostics);
            names.stages.push(DeclaredStages { item, first: RuleId(first) });
            first = first.saturating_add(item.lines.len() as u32);
        }
        for name in &items.broken {
            names.add(&name.text, name.span, Meaning::Broken, diagnostics);
        }
        names
    }

    fn add_named(&mut self, named: &'a Named, meaning: Meaning, diagnostics: &mut Vec<Diagnostic>) {
        self.add(&named.name, named.span, meaning, diagnostics);
    }

    fn add(&mut self, name: &'a str, span: Span, meaning: Meaning, diagnostics: &mut Vec<Diagnostic>) {
        // A campaign's name can't stand in a condition; it only must be the name of one audience.
        let before = match meaning {
            Meaning::Campaign => self
                .campaigns
                .get(name)
                .map(|s| (Meaning::Campaign, *s))
                .or_else(|| self.all.get(name).filter(|(m, _)| matches!(m, Meaning::Segment(_))).copied()),
            Meaning::Segment(_) => {
                self.all.get(name).copied().or_else(|| self.campaigns.get(name).map(|s| (Meaning::Campaign, *s)))
            }
            _ => self.all.get(name).copied(),
        };
        if let Some((earlier, place)) = before {
            // What could not be read has its own message.
            if meaning != Meaning::Broken && earlier != Meaning::Broken {
                diagnostics.push(
                    Diagnostic::new(code::check::DUPLICATE_NAME, span, format!("`{name}` is declared twice"))
                        .label(format!("{} here", meaning.noun()))
                        .also(place, format!("{} here", earlier.noun()))
                        .help(
                            match (meaning, earlier) {
                                (Meaning::Campaign, _) | (_, Meaning::Campaign) => {
                                    "segments and campaigns are audiences, and each has a name of its own; rename one of them"
                                }
                                _ => {
                                    "events, attributes, traits, segments, stages and lists share one set of names; rename one of them"
                                }
                            },
                        ),
                );
            }
            return;
        }
        if meaning == Meaning::Campaign {
            self.campaigns.insert(name, span);
        } else {
            self.all.insert(name, (meaning, span));
        }
        let shape: String = skeleton(name).collect();
        match self.skeletons.get(&shape) {
            Some((other, place)) if *other != name && !(name.is_ascii() && other.is_ascii()) => {
                diagnostics.push(
                    Diagnostic::new(
                        code::check::LOOK_ALIKE,
                        span,
                        format!("`{name}` looks like `{other}` and is another name"),
                    )
                    .label("some letters only look the same")
                    .also(*place, format!("`{other}` is declared here"))
                    .help("retype the name, or give one of them another"),
                );
            }
            Some(_) => {}
            None => {
                self.skeletons.insert(shape, (name, span));
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<Meaning> {
        self.all.get(name).map(|(m, _)| *m)
    }

    /// What a segment or campaign was called before.
    pub fn was(&self, name: &str) -> Option<&'a str> {
        self.was.get(name).copied()
    }

    /// Where something is first said to have been called so.
    pub fn formerly(&self, name: &str) -> Option<Span> {
        self.former.get(name).copied()
    }

    /// The place of a segment or campaign.
    pub fn audience(&self, name: &str) -> Option<Span> {
        let segment = || self.all.get(name).filter(|(m, _)| matches!(m, Meaning::Segment(_))).map(|(_, s)| *s);
        self.campaign(name).or_else(segment)
    }

    /// By the index of [`Meaning::Stages`].
    pub fn stages(&self, i: usize) -> Option<DeclaredStages<'a>> {
        self.stages.get(i).copied()
    }

    /// Stages that have a stage of this name, and that stage.
    fn stage_named(&self, name: &str) -> Option<(&'a str, &'a str)> {
        self.stages.iter().find_map(|s| {
            let line = s.item.lines.iter().find(|l| l.stage.text == name)?;
            Some((s.item.name.text.as_str(), line.stage.text.as_str()))
        })
    }

    pub fn campaign(&self, name: &str) -> Option<Span> {
        self.campaigns.get(name).copied()
    }

    /// In the order of the alphabet.
    pub fn campaign_names(&self) -> BTreeSet<&'a str> {
        self.campaigns.keys().copied().collect()
    }

    /// A declared name that an undeclared one looks like.
    fn look_alike(&self, name: &str) -> Option<&'a str> {
        if name.is_ascii() {
            // Only foreign letters in a declared name can be meant then.
            let shape: String = skeleton(name).collect();
            return self.skeletons.get(&shape).map(|(n, _)| *n).filter(|n| !n.is_ascii());
        }
        let shape: String = skeleton(name).collect();
        self.skeletons.get(&shape).map(|(n, _)| *n)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Meaning)> {
        self.all.iter().map(|(n, (m, _))| (*n, *m))
    }
}

impl Checker<'_> {
    /// Says that nothing declares a name. `wanted` is what kind of name would do here.
    pub(super) fn unknown_name(&self, name: &ast::Name, wanted: impl Fn(Meaning) -> bool) {
        let text = &name.text;
        if matches!(text.as_str(), "entered" | "left" | "contacted") {
            self.report(
                Diagnostic::new(code::check::RECORDED_NAME, name.span, format!("`{text}` says nothing by itself"))
                    .label("of which segment or campaign?")
                    .help(format!("name it: `{text} NAME in 30d`")),
            );
            return;
        }
        let d = Diagnostic::new(code::check::UNKNOWN_NAME, name.span, format!("nothing is called `{text}`"));
        if let Some(other) = self.names.look_alike(text) {
            self.report(
                d.label(format!("some letters only look like those of `{other}`"))
                    .help(format!("write `{other}`"))
                    .fix(format!("write `{other}`"), vec![(name.span, other.to_owned())]),
            );
            return;
        }
        if let Some((event, property, value)) = self.value_named(text) {
            self.report(
                d.label(format!("this is a known value of `{property}` of `{event}`"))
                    .help(format!("write what the customer did: `{event} {value}`")),
            );
            return;
        }
        if let Some((stages, stage)) = self.names.stage_named(text) {
            let cure = format!("{stages} = {}", super::words::word(stage));
            self.report(
                d.label(format!("this is a stage of `{stages}`"))
                    .help(format!("write `{cure}`"))
                    .fix(format!("write `{cure}`"), vec![(name.span, cure)]),
            );
            return;
        }
        if self.guesses.get() > 0
            && let Some((event, property)) = self.property_named(text)
        {
            self.report(
                d.label(format!("this is a property of `{event}`"))
                    .help(format!("say of which events: `{event} where ({property} …)`, or an aggregate of it")),
            );
            return;
        }
        // Ten thousand unknown names must not each gather all names there are: past the last guess there is none to gather.
        let names = self.names.iter().filter(|(_, m)| wanted(*m)).map(|(n, _)| n);
        let candidates: BTreeSet<&str> = if self.guesses.get() > 0 { names.collect() } else { BTreeSet::new() };
        let d = d.label("not an event, attribute, trait, segment or list of this project");
        self.report(match self.nearest(text, candidates) {
            Some(near) => d
                .help(format!("did you mean `{near}`? Otherwise declare it, or add it to `{}`", self.options.catalog))
                .fix(format!("write `{near}`"), vec![(name.span, near.to_owned())]),
            None => d.help(format!(
                "declare it as a segment or trait, or add it to `{}` as an event, attribute or list",
                self.options.catalog
            )),
        });
    }

    /// The nearest candidate. After many mistakes of one run no more is guessed: guessing costs time for every name there is.
    pub(super) fn nearest<'s>(&self, word: &str, candidates: impl IntoIterator<Item = &'s str>) -> Option<&'s str> {
        let left = self.guesses.get();
        self.guesses.set(left.saturating_sub(1));
        if left == 0 { None } else { nearest(word, candidates) }
    }

    /// An event that has a property of this name.
    fn property_named(&self, word: &str) -> Option<(&str, &str)> {
        self.catalog.events.iter().find_map(|event| {
            let property = event.properties.iter().find(|p| p.name.name == word)?;
            Some((event.name.name.as_str(), property.name.name.as_str()))
        })
    }

    /// An event that knows this word as a subject.
    fn value_named(&self, word: &str) -> Option<(String, String, String)> {
        self.catalog.events.iter().enumerate().find_map(|(i, event)| {
            event.subject.iter().find_map(|&p| {
                let index = self.known.property(EventId(i as u32), p)?;
                match index.find(word, false) {
                    super::known::Found::One(v) => Some((
                        event.name.name.clone(),
                        event.properties.get(p.index())?.name.name.clone(),
                        index.text(v).to_owned(),
                    )),
                    _ => None,
                }
            })
        })
    }
}
