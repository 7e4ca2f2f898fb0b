//! What a run decided about campaigns, as a table and as JSON.
//!
//! Owns: the two forms. Must not know: how it was decided.

use comfy_table::{Cell, CellAlignment};
use serde_json::{Value, json};

use super::super::show::{grouped, lined};
use crate::audience::turn::{Reached, Summary};

/// One line a campaign that was due; what the others are is said below.
pub fn table(summary: &Summary, width: Option<u16>) -> String {
    let (due, waits): (Vec<&Reached>, Vec<&Reached>) = summary.campaigns.iter().partition(|c| c.due);
    let mut out = String::new();
    if !due.is_empty() {
        let mut table = lined(width);
        table.set_header(["campaign", "met", "sent", "held out", "cost", "stopped by"]);
        for campaign in &due {
            let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
            table.add_row([
                Cell::new(&campaign.name),
                right(grouped(campaign.met)),
                right(sent(campaign)),
                right(grouped(campaign.held_out)),
                right(money(campaign.cost)),
                Cell::new(stopped(campaign)),
            ]);
        }
        out.push_str(&format!("{table}\n"));
    }
    if !waits.is_empty() {
        let names: Vec<&str> = waits.iter().map(|c| c.name.as_str()).collect();
        out.push_str(&format!("not due: {}\n", names.join(", ")));
    }
    out
}

/// `35`, `35 (a 17, b 18)`
pub fn sent(campaign: &Reached) -> String {
    let all = grouped(campaign.sent());
    if campaign.arms.len() < 2 {
        return all;
    }
    let arms: Vec<String> = campaign.arms.iter().map(|(arm, n)| format!("{arm} {}", grouped(*n))).collect();
    format!("{all} ({})", arms.join(", "))
}

/// `no consent 2, capped 1`
fn stopped(campaign: &Reached) -> String {
    let parts: Vec<String> =
        campaign.stopped.iter().map(|(reason, n)| format!("{} {}", reason.word(), grouped(*n))).collect();
    parts.join(", ")
}

/// Millionths as an amount with two decimals at least.
pub fn money(micros: i128) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let decimals = format!("{rest:06}");
    let decimals = decimals.trim_end_matches('0');
    format!("{whole}.{decimals:0<2}")
}

pub fn json(summary: &Summary) -> Value {
    let campaign = |campaign: &Reached| {
        let arms: serde_json::Map<String, Value> =
            campaign.arms.iter().map(|(arm, n)| (arm.clone(), json!(n))).collect();
        let stopped: serde_json::Map<String, Value> =
            campaign.stopped.iter().map(|(reason, n)| (reason.word().to_owned(), json!(n))).collect();
        json!({
            "name": campaign.name, "due": campaign.due, "met": campaign.met, "sent": campaign.sent(), "arms": arms,
            "held_out": campaign.held_out, "stopped": stopped, "cost": money(campaign.cost),
        })
    };
    summary.campaigns.iter().map(campaign).collect()
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn amounts_have_two_decimals_at_least() {
        for (micros, text) in
            [(0, "0.00"), (50_000, "0.05"), (2_500, "0.0025"), (1_000_000, "1.00"), (12_340_000, "12.34")]
        {
            assert_eq!(money(micros), text);
        }
    }
}
