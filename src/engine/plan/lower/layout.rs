//! The branches: which tables are read, and which events their rows may be.
//!
//! Owns: branches and kinds. Promises: as `lower`. Must not know: DataFusion, files.

use super::*;

impl Lowerer<'_> {
    /// One branch a source (and one more for each event whose repeats collapse), one for profiles, one a list.
    pub(super) fn lay_out(&mut self) {
        let catalog = self.catalog;
        for (s, source) in catalog.sources.iter().enumerate() {
            let of_source: Vec<(usize, &catalog::Event)> =
                catalog.events.iter().enumerate().filter(|(_, e)| e.source.index() == s).collect();
            if of_source.is_empty() {
                continue;
            }
            let table = Table::Source(s as u32);
            let recorded = catalog.history.is_some_and(|history| history.index() == s);
            let rows = if recorded { Rows::Recorded } else { Rows::Event };
            let main = self.branch(table, rows, &source.name.name, s as u32, true);
            for (e, event) in of_source {
                let own = event.event_id.is_some();
                let place = self.kind(main, e, event, own);
                if own {
                    let alone = self.branch(table, Rows::Event, &source.name.name, s as u32, false);
                    let place = self.kind(alone, e, event, false);
                    self.places.insert(Owner::Event(EventId(e as u32)), (alone, place));
                } else {
                    self.places.insert(Owner::Event(EventId(e as u32)), (main, place));
                }
            }
        }
        let next = catalog.sources.len() as u32;
        if catalog.profile.is_some() {
            let branch = self.branch(Table::Profile, Rows::Profile, "profiles", next, true);
            self.one_kind(branch);
            self.places.insert(Owner::Profile, (branch, 0));
        }
        for (l, list) in catalog.lists.iter().enumerate() {
            let branch = self.branch(Table::List(l as u32), Rows::List, &list.name.name, next + 1 + l as u32, true);
            self.one_kind(branch);
            self.places.insert(Owner::List(ListId(l as u32)), (branch, 0));
        }
        // The filters first need their columns; they are lowered here so that every branch has them, whatever the rules ask.
        for e in 0..catalog.events.len() {
            let id = EventId(e as u32);
            let filter = self.input.event_filters.get(e).and_then(Option::as_ref);
            let (Some(filter), Some(&(b, k))) = (filter, self.places.get(&Owner::Event(id))) else { continue };
            let lowered = self.pred(id, filter);
            if let Some(kind) = self.branches.get_mut(b).and_then(|b| b.branch.kinds.get_mut(k)) {
                kind.filter = Some(lowered);
            }
        }
        for e in 0..catalog.events.len() {
            self.lay_out_collapse(EventId(e as u32));
        }
    }

    pub(super) fn lay_out_collapse(&mut self, id: EventId) {
        let Some(event) = self.catalog.event(id) else { return };
        let (Some(column), Some(&(b, _))) = (&event.event_id, self.places.get(&Owner::Event(id))) else { return };
        let spec =
            ColumnSpec { empty_is_value: false, ..self.spec(event.source.index(), Type::Text, false, false, column) };
        let key = self.column(b, ColumnRef::Own(column.clone()), spec);
        let properties = (0..event.properties.len())
            .filter_map(|p| self.property_column(id, catalog::PropertyId(p as u32)).map(|(_, column, _)| column))
            .collect();
        if let Some(branch) = self.branches.get_mut(b) {
            branch.collapse = Some((key, properties));
        }
    }

    pub(super) fn branch(&mut self, table: Table, rows: Rows, label: &str, counter: u32, counts: bool) -> usize {
        let branch = Branch {
            rows,
            label: label.into(),
            counter,
            counts,
            sifted: false,
            columns: Vec::new(),
            kinds: Vec::new(),
            keep_all: false,
            as_of: self.clock.as_of,
            zone: self.clock.zone.name().into(),
        };
        let lowered = Lowered { branch, table, refs: Vec::new(), ints: Vec::new(), texts: Vec::new(), collapse: None };
        self.branches.push(lowered);
        self.columns.push(HashMap::new());
        self.branches.len() - 1
    }

    pub(super) fn kind(&mut self, branch: usize, e: usize, event: &catalog::Event, foreign: bool) -> usize {
        let (exact, prefixes) = match &event.raw {
            RawMatch::All => (None, Vec::new()),
            RawMatch::Names { exact, prefixes } => (Some(exact.clone()), prefixes.clone()),
        };
        self.push_kind(branch, Kind { event: Some(e as u32), exact, prefixes, foreign, ..Kind::default() })
    }

    pub(super) fn one_kind(&mut self, branch: usize) -> usize {
        self.push_kind(branch, Kind::default())
    }

    pub(super) fn push_kind(&mut self, branch: usize, kind: Kind) -> usize {
        self.branches.get_mut(branch).map_or(0, |b| {
            b.branch.kinds.push(kind);
            b.branch.kinds.len() - 1
        })
    }
}
