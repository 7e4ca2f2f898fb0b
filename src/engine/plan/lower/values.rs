//! Values and predicates over rows: measures, columns and what is asked of them.
//!
//! Owns: channels and columns. Promises: as `lower`. Must not know: DataFusion, files.

use super::*;

impl Lowerer<'_> {
    pub(super) fn value(&mut self, value: &Value) -> Val {
        match value {
            Value::Literal(literal) => Val::Literal(lit(literal)),
            Value::Attribute(id) => self.attribute(*id).map_or(MISSING_VALUE, |(term, ty)| Val::Term { term, ty }),
            Value::Aggregate { function, behaviour } => self.aggregate(*function, behaviour),
            Value::Rate { of, per } => {
                let (of, per) = (self.aggregate(Aggregate::Count, of), self.aggregate(Aggregate::Count, per));
                Val::Combine { op: Calculation::Divide, left: Box::new(of), right: Box::new(per) }
            }
            Value::Arithmetic { op, left, right } => {
                let (left, right) = (self.value(left), self.value(right));
                Val::Combine { op: (*op).into(), left: Box::new(left), right: Box::new(right) }
            }
            // What holds a rank is late.
            Value::Rank { .. } => MISSING_VALUE,
            Value::DaysSinceEvent { end, matching } if !on_rows(matching) => {
                let behaviour = Behaviour { matching: matching.clone(), window: Window::EVER, since: None };
                let fold = if *end == End::First { Fold::DaysSinceFirst } else { Fold::DaysSinceLast };
                self.folded(&behaviour, |_, _| fold)
            }
            Value::DaysSinceEvent { end, matching } => Val::DaysSince(self.picked(*end, matching)),
            Value::DaysSinceAttribute(id) => match self.attribute(*id) {
                Some((term, Ty::Date)) => Val::DaysSinceDate(term),
                Some((term, _)) => Val::DaysSince(term),
                None => MISSING_VALUE,
            },
        }
    }

    pub(super) fn attribute(&mut self, id: AttributeId) -> Option<(u32, Ty)> {
        let (branch, column, ty) = self.attribute_column(id)?;
        let channel = self.channel(branch, column, ty);
        let pattern = self.pattern(Owner::Profile, Pred::Const(true));
        let agg = if ty == Ty::Number { Agg::MinFloat(channel) } else { Agg::Min(channel) };
        Some((self.term(pattern, i64::MIN, i64::MAX, agg), ty))
    }

    pub(super) fn aggregate(&mut self, function: Aggregate, behaviour: &Behaviour) -> Val {
        if !at_once(behaviour) {
            return self.folded_aggregate(function, behaviour);
        }
        let typed = |me: &Self, p| me.property_type(behaviour.matching.event, p);
        let whole = |term| Val::Term { term, ty: Ty::Integer };
        match function {
            Aggregate::Count => whole(self.behaviour(behaviour, Agg::Count)),
            Aggregate::Distinct(p) => self.measured(behaviour, p, Agg::Distinct).map_or(MISSING_VALUE, whole),
            Aggregate::Sum(p) | Aggregate::Avg(p) => {
                let Some(ty) = typed(self, p) else { return MISSING_VALUE };
                let sum = if ty == Ty::Number { Agg::SumFloat } else { Agg::Sum };
                let Some(sum) = self.measured(behaviour, p, sum) else { return MISSING_VALUE };
                if matches!(function, Aggregate::Sum(_)) {
                    return Val::Term { term: sum, ty };
                }
                match self.measured(behaviour, p, Agg::CountKnown) {
                    Some(known) => Val::Average { sum, known, ty },
                    None => MISSING_VALUE,
                }
            }
            Aggregate::Percentile(..) | Aggregate::First(_) | Aggregate::Last(_) | Aggregate::MostFrequent(_) => {
                self.folded_aggregate(function, behaviour)
            }
            Aggregate::Min(p) | Aggregate::Max(p) => {
                let Some(ty) = typed(self, p) else { return MISSING_VALUE };
                let agg = match (function, ty) {
                    (Aggregate::Min(_), Ty::Number) => Agg::MinFloat,
                    (Aggregate::Min(_), _) => Agg::Min,
                    (_, Ty::Number) => Agg::MaxFloat,
                    _ => Agg::Max,
                };
                self.measured(behaviour, p, agg).map_or(MISSING_VALUE, |term| Val::Term { term, ty })
            }
        }
    }

    pub(super) fn measured(
        &mut self,
        behaviour: &Behaviour,
        p: catalog::PropertyId,
        agg: impl Fn(u32) -> Agg,
    ) -> Option<u32> {
        let (branch, column, ty) = self.property_column(behaviour.matching.event, p)?;
        let channel = self.channel(branch, column, ty);
        Some(self.behaviour(behaviour, agg(channel)))
    }

    pub(super) fn channel(&mut self, branch: usize, column: u32, ty: Ty) -> u32 {
        let Some(branch) = self.branches.get_mut(branch) else { return 0 };
        let (list, base) = if ty == Ty::Text { (&mut branch.texts, TEXT) } else { (&mut branch.ints, 0) };
        if let Some((channel, _)) = list.iter().find(|(_, c)| *c == column) {
            return *channel;
        }
        let channel = base + list.len() as u32;
        list.push((channel, column));
        channel
    }

    // --- rows

    pub(super) fn pred(&mut self, event: EventId, pred: &ir::Pred) -> Pred {
        match pred {
            ir::Pred::Const(yes) => Pred::Const(*yes),
            ir::Pred::And(all) => Pred::And(all.iter().map(|p| self.pred(event, p)).collect()),
            ir::Pred::Or(any) => Pred::Or(any.iter().map(|p| self.pred(event, p)).collect()),
            ir::Pred::Not(inner) => Pred::Not(Box::new(self.pred(event, inner))),
            ir::Pred::Test(test) => Pred::Test(self.map_test(test, |me, operand| match operand {
                ir::Operand::Literal(literal) => Operand::Literal(lit(literal)),
                ir::Operand::Property(p) => {
                    me.property_column(event, *p).map_or(MISSING_OPERAND, |(_, c, _)| Operand::Column(c))
                }
                ir::Operand::Hour => Operand::Hour,
                ir::Operand::Weekday => Operand::Weekday,
                ir::Operand::Date => Operand::Date,
                // What asks for the customer is split off before: see `deed`.
                ir::Operand::Customer(_) => MISSING_OPERAND,
            })),
        }
    }

    pub(super) fn property_type(&self, event: EventId, p: catalog::PropertyId) -> Option<Ty> {
        Some(ty(self.catalog.event(event)?.properties.get(p.index())?.ty))
    }

    pub(super) fn property_column(&mut self, event: EventId, p: catalog::PropertyId) -> Option<(usize, u32, Ty)> {
        let catalog = self.catalog;
        let owner = catalog.event(event)?;
        let property = owner.properties.get(p.index())?;
        let &(branch, _) = self.places.get(&Owner::Event(event))?;
        let column = match &property.column {
            ColumnRef::Own(column) | ColumnRef::Lookup { column, .. } => column,
        };
        let mut spec = self.spec(owner.source.index(), property.ty, property.fold, property.empty_is_value, column);
        if let ColumnRef::Lookup { lookup, .. } = &property.column
            && let Some(lookup) = catalog.lookups.get(lookup.index())
        {
            spec.label = format!("column `{column}` of look-up `{}`", lookup.name.name);
        }
        let ty = spec.ty;
        Some((branch, self.column(branch, property.column.clone(), spec), ty))
    }

    pub(super) fn attribute_column(&mut self, id: AttributeId) -> Option<(usize, u32, Ty)> {
        let catalog = self.catalog;
        let profile = catalog.profile.as_ref()?;
        let attribute = profile.attributes.get(id.index())?;
        let &(branch, _) = self.places.get(&Owner::Profile)?;
        let spec = ColumnSpec {
            ty: ty(attribute.ty),
            fold: attribute.fold,
            empty_is_value: attribute.empty_is_value,
            zone: profile.timezone.clone().unwrap_or_else(|| "UTC".into()),
            project_zone: self.clock.zone.name().into(),
            unit: None,
            label: format!("column `{}` of the profiles", attribute.column),
        };
        let ty = spec.ty;
        Some((branch, self.column(branch, ColumnRef::Own(attribute.column.clone()), spec), ty))
    }

    pub(super) fn spec(&self, source: usize, of: Type, fold: bool, empty_is_value: bool, column: &str) -> ColumnSpec {
        let source = self.catalog.sources.get(source);
        ColumnSpec {
            ty: ty(of),
            fold,
            empty_is_value,
            zone: source.and_then(|s| s.timezone.clone()).unwrap_or_else(|| "UTC".into()),
            project_zone: self.clock.zone.name().into(),
            unit: None,
            label: format!("column `{column}` of source `{}`", source.map_or("", |s| s.name.name.as_str())),
        }
    }

    pub(super) fn column(&mut self, branch: usize, at: ColumnRef, spec: ColumnSpec) -> u32 {
        let (Some(lowered), Some(known)) = (self.branches.get_mut(branch), self.columns.get_mut(branch)) else {
            return 0;
        };
        let next = lowered.branch.columns.len() as u32;
        *known.entry((at.clone(), spec.clone())).or_insert_with(|| {
            lowered.branch.columns.push(spec);
            lowered.refs.push(at);
            next
        })
    }
}
