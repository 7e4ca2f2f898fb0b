//! What a run writes of its decisions.
//!
//! Owns: the columns of decisions, of the history's contacts and holdouts, and of a campaign's audience. Promises: the same decisions
//! are the same rows in the same order. Must not know: files.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder,
    RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::verdict::{CONTACTED, HELD_OUT, Verdict};
use super::{Decided, Decisions, Input, Reason, words};
use crate::audience::history::history_schema;
use crate::audience::store::PII;
use crate::error::Error;
use crate::language::catalog::Type;
use crate::language::interpret::scalar::Scalar;
use crate::language::ir::{Action, Arm, PayloadOf};
use crate::language::num::{Num, PLACES};

/// The columns of the table of decisions; `customer` is as the project's ids are.
pub fn decisions_schema(customer: &DataType) -> SchemaRef {
    let text = |name: &str, missing| Field::new(name, DataType::Utf8, missing);
    Arc::new(Schema::new(vec![
        Field::new("customer", customer.clone(), false),
        text("campaign", false),
        text("outcome", false),
        text("arm", true),
        text("channel", true),
        text("action", true),
        text("detail", true),
    ]))
}

fn odd(why: impl std::fmt::Display) -> Error {
    Error::Engine { message: format!("decisions can't be written: {why}"), help: None }
}

/// The arm of who is contacted or held out.
fn arm<'a>(input: &Input<'a>, decided: &Decided, verdict: Verdict) -> Option<&'a Arm> {
    let arm = match verdict {
        Verdict::Sent { arm } => arm,
        Verdict::HeldOut { arm, .. } => arm?,
        Verdict::Stopped(..) => return None,
    };
    input.program.campaigns.get(decided.campaign)?.arms.get(usize::from(arm))
}

fn action<'a>(input: &Input<'a>, decided: &Decided, verdict: Verdict) -> Option<&'a Action> {
    arm(input, decided, verdict).map(|arm| &arm.action)
}

/// The columns that tell what is done: arm, channel, action.
fn what_is_done(input: &Input, decided: &Decided, verdicts: &[Verdict]) -> [ArrayRef; 3] {
    let texts = |of: &dyn Fn(Verdict) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(verdicts.iter().map(|&verdict| of(verdict))))
    };
    [
        texts(&|verdict| arm(input, decided, verdict).map(|arm| arm.name.clone())),
        texts(&|verdict| action(input, decided, verdict).and_then(|action| action.channel.clone())),
        texts(&|verdict| action(input, decided, verdict).map(words::action)),
    ]
}

fn customers(input: &Input, rows: &[u32]) -> Result<ArrayRef, Error> {
    take(input.customers, &UInt32Array::from_iter_values(rows.iter().copied()), None).map_err(odd)
}

fn repeated(text: &str, times: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, times)))
}

impl Decisions {
    /// Campaigns by name: the order of the table of decisions.
    fn by_name(&self) -> Vec<&Decided> {
        let mut all: Vec<&Decided> = self.campaigns.iter().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The table of decisions, a batch a campaign that somebody met the condition of; together they are in order of campaign and
    /// customer.
    pub fn table(&self, input: &Input) -> Result<Vec<RecordBatch>, Error> {
        let met = self.by_name().into_iter().filter(|decided| !decided.rows.is_empty());
        met.map(|decided| decided.table(input)).collect()
    }

    /// The rows of the history, in its order: the contacted before the held out, then by campaign and customer.
    pub fn history(&self, input: &Input) -> Result<Vec<RecordBatch>, Error> {
        let mut campaigns: Vec<&Decided> = self.campaigns.iter().collect();
        campaigns.sort_by(|a, b| a.key.cmp(&b.key));
        let mut batches = Vec::new();
        for event in [CONTACTED, HELD_OUT] {
            for decided in &campaigns {
                let batch = decided.history(input, event)?;
                if batch.num_rows() > 0 {
                    batches.push(batch);
                }
            }
        }
        Ok(batches)
    }
}

impl Decided {
    fn table(&self, input: &Input) -> Result<RecordBatch, Error> {
        let outcomes = StringArray::from_iter_values(self.verdicts.iter().map(|verdict| verdict.outcome()));
        let details = StringArray::from_iter(self.verdicts.iter().map(|&verdict| self.detail(verdict)));
        let [arm, channel, action] = what_is_done(input, self, &self.verdicts);
        let columns: Vec<ArrayRef> = vec![
            customers(input, &self.rows)?,
            repeated(&self.name, self.rows.len()),
            Arc::new(outcomes),
            arm,
            channel,
            action,
            Arc::new(details),
        ];
        RecordBatch::try_new(decisions_schema(input.customers.data_type()), columns).map_err(odd)
    }

    /// Rows and verdicts of some of the customers.
    fn only(&self, keep: impl Fn(Verdict) -> bool) -> (Vec<u32>, Vec<Verdict>) {
        self.pairs().filter(|(_, verdict)| keep(*verdict)).unzip()
    }

    fn history(&self, input: &Input, event: &str) -> Result<RecordBatch, Error> {
        let (rows, verdicts) = self.only(|verdict| match verdict {
            Verdict::Sent { .. } => event == CONTACTED,
            Verdict::HeldOut { .. } => event == HELD_OUT,
            Verdict::Stopped(..) => false,
        });
        let [arm, channel, action] = what_is_done(input, self, &verdicts);
        let at = TimestampMicrosecondArray::from_iter_values(std::iter::repeat_n(input.clock.as_of, rows.len()));
        let costs = Decimal128Array::from_iter(verdicts.iter().map(|&verdict| self.cost_of(verdict)));
        let columns: Vec<ArrayRef> = vec![
            customers(input, &rows)?,
            Arc::new(at.with_timezone("UTC")),
            repeated(event, rows.len()),
            repeated(&self.key, rows.len()),
            arm,
            channel,
            action,
            Arc::new(costs.with_precision_and_scale(38, PLACES as i8).map_err(odd)?),
        ];
        RecordBatch::try_new(history_schema(input.customers.data_type()), columns).map_err(odd)
    }

    /// Whether the audience may be delivered: a campaign of which no arm has a channel is only listed.
    pub fn is_deliverable(&self, input: &Input) -> bool {
        let arms = input.program.campaigns.get(self.campaign).map_or([].as_slice(), |campaign| &campaign.arms);
        arms.iter().any(|arm| arm.action.channel.is_some())
    }

    /// The audience: who is contacted, with arm, channel, action and the payload of `with`, in the order of customers. Where no arm
    /// has a channel it is who would be, if there were one.
    pub fn audience(&self, input: &Input) -> Result<RecordBatch, Error> {
        let listed = !self.is_deliverable(input);
        let (rows, verdicts) = self.only(|verdict| match verdict {
            Verdict::Sent { .. } => true,
            Verdict::Stopped(Reason::NoChannel, _) => listed,
            _ => false,
        });
        let [arm, channel, action] = what_is_done(input, self, &verdicts);
        let mut fields = vec![Field::new("customer", input.customers.data_type().clone(), false)];
        fields.extend(["arm", "channel", "action"].map(|name| Field::new(name, DataType::Utf8, true)));
        let mut columns = vec![customers(input, &rows)?, arm, channel, action];
        let campaign = input.program.campaigns.get(self.campaign);
        for payload in campaign.map_or([].as_slice(), |campaign| &campaign.with) {
            let column = match payload.of {
                PayloadOf::Rule(rule) => {
                    let bits = input.members.get(rule.0 as usize).ok_or_else(|| odd("a payload's rule is missing"))?;
                    Arc::new(BooleanArray::from_iter(rows.iter().map(|&row| Some(bits.value(row as usize)))))
                        as ArrayRef
                }
                PayloadOf::Trait(place) => {
                    let ty = input.program.traits.get(place).map(|t| t.ty);
                    let (ty, values) = ty.zip(input.traits.get(place)).ok_or_else(|| odd("a payload is missing"))?;
                    if values.len() != input.customers.len() {
                        return Err(odd(format!("the payload `{}` was not evaluated", payload.name)));
                    }
                    typed(ty, rows.iter().map(|&row| values.get(row as usize).and_then(Option::as_ref)))?
                }
            };
            let marks: Vec<&str> = if payload.pii { vec![PII] } else { Vec::new() };
            let marks = marks.into_iter().map(|mark| (mark.to_owned(), true.to_string())).collect();
            fields.push(Field::new(&payload.name, column.data_type().clone(), true).with_metadata(marks));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(odd)
    }
}

/// Values as a column of their type. What does not fit the type is missing.
fn typed<'a>(ty: Type, values: impl Iterator<Item = Option<&'a Scalar>>) -> Result<ArrayRef, Error> {
    let num = |value: Option<&Scalar>| match value {
        Some(Scalar::Num(num)) => Some(*num),
        _ => None,
    };
    Ok(match ty {
        Type::Text => Arc::new(StringArray::from_iter(values.map(|value| match value {
            Some(Scalar::Text(text)) => Some(text.as_str()),
            _ => None,
        }))),
        Type::Integer => Arc::new(Int64Array::from_iter(
            values.map(|value| num(value).and_then(|num| i64::try_from(units(num, 0)?).ok())),
        )),
        Type::Money { scale } => {
            let units = Decimal128Array::from_iter(values.map(|value| num(value).and_then(|num| units(num, scale))));
            Arc::new(units.with_precision_and_scale(38, scale as i8).map_err(odd)?)
        }
        Type::Number => Arc::new(Float64Array::from_iter(values.map(|value| num(value).map(Num::to_f64)))),
        Type::YesNo => {
            let mut column = BooleanBuilder::new();
            values.for_each(|value| match value {
                Some(Scalar::YesNo(yes)) => column.append_value(*yes),
                _ => column.append_null(),
            });
            Arc::new(column.finish())
        }
        Type::Date => Arc::new(Date32Array::from_iter(values.map(|value| match value {
            Some(Scalar::Date(days)) => Some(*days),
            _ => None,
        }))),
        Type::Instant => {
            let instants = TimestampMicrosecondArray::from_iter(values.map(|value| match value {
                Some(Scalar::Instant(at)) => Some(*at),
                _ => None,
            }));
            Arc::new(instants.with_timezone("UTC"))
        }
        Type::TextList => {
            let mut column = ListBuilder::new(StringBuilder::new());
            values.for_each(|value| match value {
                Some(Scalar::Texts(texts)) => column.append_value(texts.iter().map(Some)),
                _ => column.append_null(),
            });
            Arc::new(column.finish())
        }
    })
}

/// A number in units of 10^-scale, rounded half away from zero where it has more decimals.
fn units(num: Num, scale: u8) -> Option<i128> {
    match num {
        Num::Exact { units, scale: has } if has <= scale => {
            units.checked_mul(10i128.checked_pow(u32::from(scale - has))?)
        }
        Num::Exact { units, scale: has } => {
            let down = 10i128.checked_pow(u32::from(has - scale))?;
            let (whole, rest) = (units / down, units % down);
            Some(if rest.abs() * 2 >= down { whole + rest.signum() } else { whole })
        }
        Num::Float(x) => {
            let scaled = (x * 10f64.powi(i32::from(scale))).round();
            (scaled.abs() < 1e37).then_some(scaled as i128)
        }
    }
}
