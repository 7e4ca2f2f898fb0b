//! Campaigns: what is done with whom, and within which bounds.

use super::rules::Writer;

impl Writer<'_> {
    /// A campaign for these people. What it asks beside its condition is judged like any rule.
    pub fn campaign(&mut self, name: &str, condition: &str) -> String {
        let mut text = format!("campaign {name} \"C\":\n  {condition}\n");
        let held = self.dice.chance(25);
        match self.dice.below(4) {
            0 => {
                let guards = 1 + self.dice.below(2);
                for _ in 0..guards {
                    text += &format!("  → when {}: call\n", self.condition(1));
                }
                text += "  → otherwise: offer serum-15 by push\n";
            }
            1 if held => text += "  → a 40%: offer serum-15\n  → b 50%: offer serum-20 by push\n",
            1 => text += "  → a 12.5%: offer\n  → b 87.5%: call\n",
            _ => text += "  → offer serum-15 by push\n",
        }
        if held {
            text += "  → hold out 10%\n";
        }
        for clause in 0..9 {
            if self.dice.chance(15) {
                let clause = self.campaign_clause(clause);
                text += &format!("  {clause}\n");
            }
        }
        text
    }

    fn campaign_clause(&mut self, which: usize) -> String {
        match which {
            0 => format!("priority {}", self.dice.below(100)),
            1 => format!("at most {} in {}d", 1 + self.dice.below(3), 1 + self.dice.below(60)),
            2 if self.dice.chance(50) => format!("limit 1_000 by {}", self.number()),
            2 => "limit 50".to_owned(),
            3 => format!("with {} as value, ({}) as answer", self.number(), self.condition(1)),
            4 => format!("goal {} within {}d", self.matching().trim_end(), 1 + self.dice.below(14)),
            5 => "every monday, friday at 09:00\n  from 2026-01-01 until 2027-12-31".to_owned(),
            6 => "cost 0.05 budget 5_000".to_owned(),
            7 if !self.segments.is_empty() => format!("except {}", self.dice.pick(&self.segments)),
            _ => "quiet 21:00 to 08:00".to_owned(),
        }
    }
}
