//! The formatter over generated texts: idempotent, the same tree, every comment kept.

use crate::syntax_support::{CORPUS, Dice, check_promises, fmt, rounds, seed};

struct Writer<'a> {
    dice: &'a mut Dice,
    out: String,
}

impl Writer<'_> {
    /// White space, now and then with a comment in it.
    fn gap(&mut self) {
        match self.dice.below(40) {
            0 => self.out.push('\n'),
            1 => self.out.push_str("   "),
            2 => self.out.push_str(" # a comment\n"),
            3 => self.out.push_str("\n# own line\n\t"),
            4 => self.out.push_str("\n\n  # above\n#below\n\n"),
            _ => self.out.push(' '),
        }
    }

    fn put(&mut self, words: &[&str]) {
        for word in words {
            self.out.push_str(word);
            self.gap();
        }
    }

    fn name(&mut self) {
        let name = self.dice.pick(&[
            "purchased",
            "a",
            "open",
            "anti-âge",
            "viewed",
            "customer.country",
            "a_rather_long_name_of_an_event",
        ]);
        self.put(&[name]);
    }

    fn value(&mut self) {
        let value = self.dice.pick(&[
            "3",
            "-5",
            "20%",
            "1_000.50",
            "FR",
            "\"New York\"",
            "2026-01-01",
            "2026-01-01T08:00:00Z",
            "x.y",
        ]);
        self.put(&[value]);
    }

    fn test(&mut self) {
        match self.dice.below(8) {
            0 => self.put(&["in", "(", "a", ",", "\"b c\"", ",", "d", ")"]),
            1 => self.put(&[
                "not",
                "in",
                "(",
                "some_word",
                ",",
                "another_word",
                ",",
                "yet_another_word",
                ",",
                "and_one_more",
                ")",
            ]),
            2 => self.put(&["is", "known"]),
            3 => self.put(&["between", "2", "and", "5"]),
            4 => self.put(&["at", "least", "twice"]),
            5 => self.put(&["on", "≥", "3", "days"]),
            6 => self.put(&["starts", "with", "\"x\""]),
            _ => {
                let op = self.dice.pick(&["=", "≠", "!=", "<", "≤", ">", ">=", "≥"]);
                self.put(&[op]);
                self.value();
            }
        }
    }

    fn window(&mut self) {
        let window: &[&str] = match self.dice.below(15) {
            0 => &["in", "90d"],
            1 => &["in", "the", "last", "30 days"],
            2 => &["between", "30", "and", "60 days", "ago"],
            3 => &["over", "6w", "ago"],
            4 => &["since", "2026-01-01"],
            5 => &["between", "2026-01-01", "and", "2026-02-01"],
            6 => &["on", "2026-01-01"],
            7 => &["within", "30 days"],
            8 => &["in", "this", "month"],
            9 => &["in", "previous", "3 weeks"],
            10 => &["in", "each", "of", "previous", "3 months"],
            11 => &["in", "next", "quarter"],
            12 => &["since", "last", "sent", "where", "(", "channel", "=", "email", ")"],
            13 => &["since", "last", "3", "open"],
            _ => &["ever"],
        };
        self.put(window);
    }

    fn aggregate(&mut self, depth: usize) {
        let head: &[&str] = match self.dice.below(6) {
            0 => &["median", "(", "amount", "of"],
            1 => &["percentile", "(", "12.5", ",", "amount", "of"],
            2 => &["first", "(", "category", "of"],
            3 => &["most frequent", "(", "category", "of"],
            _ => &["sum", "(", "amount", "of"],
        };
        self.put(head);
        self.behaviour(depth, false);
        self.put(&[")"]);
    }

    fn calculation(&mut self, depth: usize) {
        for i in 0..=self.dice.below(4) {
            if i > 0 {
                let op = self.dice.pick(&["+", "-", "*", "/"]);
                self.put(&[op]);
            }
            match self.dice.below(6) {
                0 if depth > 0 => {
                    self.put(&["("]);
                    self.calculation(depth - 1);
                    self.put(&[")"]);
                }
                1 if depth > 0 => self.aggregate(depth - 1),
                2 => {
                    self.put(&["rate", "(", "open", "per", "sent", "where", "(", "a", "=", "b", ")", "in", "90d", ")"])
                }
                3 => self.put(&["quintile", "(", "age", "among", "vip", ")"]),
                4 => self.put(&["2.5"]),
                _ => self.put(&["points"]),
            }
        }
    }

    /// A step of a sequence, without its quantifier.
    fn step(&mut self, depth: usize) {
        self.put(&["a_rather_long_name"]);
        if self.dice.below(3) == 0 {
            self.put(&["serum"]);
        }
        if depth > 0 && self.dice.below(4) == 0 {
            self.put(&["where", "(", "a", "=", "1", "or", "b", "is", "known", ")"]);
        }
    }

    fn sequence(&mut self, depth: usize) {
        if self.dice.below(4) == 0 {
            self.put(&["last"]);
        }
        self.step(depth);
        if self.dice.below(2) == 0 {
            self.put(&["in", "3 days"]);
        }
        for _ in 0..=self.dice.below(3) {
            self.put(&["then"]);
            if self.dice.below(6) == 0 {
                self.put(&["first"]);
            }
            self.step(depth);
            if self.dice.below(4) == 0 {
                self.put(&["after", "1d"]);
            }
            if self.dice.below(3) == 0 {
                self.put(&["within", "7 days"]);
            }
            if self.dice.below(4) == 0 {
                self.put(&["without"]);
                self.step(depth);
            }
        }
        if self.dice.below(4) == 0 {
            self.put(&["then", "no", "returned", "within", "1h"]);
        }
        if self.dice.below(4) == 0 {
            self.put(&["all", "within", "14d"]);
        }
        if self.dice.below(4) == 0 {
            self.put(&["with", "same", "product"]);
        }
    }

    /// What has words of its own.
    fn special(&mut self, depth: usize) {
        match self.dice.below(8) {
            0 => {
                self.put(&["in", "one", "session", "("]);
                self.expr(depth);
                self.put(&[")", "in", "7d"]);
            }
            1 => {
                self.put(&["in", "any", "14 days", "("]);
                self.expr(depth);
                self.put(&[")"]);
            }
            2 => {
                self.put(&["top", "10%", "by"]);
                self.calculation(depth);
                self.put(&["among", "vip"]);
            }
            3 => {
                self.put(&["bottom", "1_000", "by"]);
                self.calculation(depth);
            }
            4 => self.put(&["sample", "10%", "of", "\"salt\""]),
            5 => self.put(&["anniversary", "of", "customer.birth_date", "within", "7 days"]),
            6 => self.put(&["member", "of", "vip", "for", "30 days"]),
            _ => {
                let what = self.dice.pick(&["entered", "left", "contacted"]);
                self.put(&["no", what, "vip"]);
                self.window();
            }
        }
    }

    fn stages(&mut self) {
        for stage in ["one", "two", "three"] {
            self.expr(1);
            self.put(&["→", stage]);
        }
        if self.dice.below(2) == 0 {
            self.put(&["otherwise", "->", "four"]);
        }
    }

    fn behaviour(&mut self, depth: usize, whole: bool) {
        let quantified = whole && self.dice.below(4) == 0;
        if quantified {
            let quantifier = self.dice.pick(&["no", "first", "last"]);
            self.put(&[quantifier]);
        }
        self.name();
        match self.dice.below(6) {
            0 => self.put(&["serum"]),
            1 => self.put(&["other", "than", "\"b c\""]),
            2 => self.put(&["(", "serum", "or", "\"b c\"", "or", "a_long_word_for_a_product", ")"]),
            _ => {}
        }
        if depth > 0 && self.dice.below(3) == 0 {
            self.put(&["where", "("]);
            self.expr(depth - 1);
            self.put(&[")"]);
        }
        // No value with parentheses: a window behind it would be taken for its own.
        if whole && !quantified && self.dice.below(2) == 0 {
            self.test();
        }
        if self.dice.below(2) == 0 {
            self.window();
        }
    }

    fn expr(&mut self, depth: usize) {
        for i in 0..=self.dice.below(4) {
            if i > 0 {
                let joint = self.dice.pick(&["and", "but", "or"]);
                self.put(&[joint]);
            }
            match self.dice.below(14) {
                0 if depth > 0 => {
                    self.put(&["not", "("]);
                    self.expr(depth - 1);
                    self.put(&[")"]);
                }
                1 if depth > 0 => {
                    self.aggregate(depth - 1);
                    self.test();
                }
                2 => self.put(&["days", "since", "last", "open", ">", "30"]),
                3 => self.put(&["known", "for", "30d"]),
                4 => self.put(&["not", "everyone"]),
                5 if depth > 0 => {
                    self.calculation(depth - 1);
                    self.put(&["≥", "500"]);
                }
                6 if depth > 0 => self.sequence(depth - 1),
                7 if depth > 0 => self.special(depth - 1),
                8 if depth > 0 => {
                    self.name();
                    self.put(&["<="]);
                    self.calculation(depth - 1);
                }
                9 => {
                    self.put(&["viewed", "≥", "3", "of", "same", "product"]);
                    self.window();
                    self.put(&["without", "purchased", "serum"]);
                }
                _ => self.behaviour(depth, true),
            }
        }
    }

    fn campaign(&mut self) {
        match self.dice.below(3) {
            0 => {
                self.put(&["→", "when"]);
                self.expr(1);
                self.put(&[":", "call", "→", "otherwise", ":", "offer"]);
            }
            1 => self.put(&["→", "a", "45%", ":", "offer", "\"x y\"", "→", "b", "55%", ":", "call", "by", "email"]),
            _ => self.put(&["→", "offer", "serum-15", "by", "email", "→", "hold", "out", "10%"]),
        }
        let clauses: [&[&str]; 9] = [
            &["priority", "80"],
            &["at", "most", "1", "in", "30 days"],
            &["limit", "50_000", "by", "sum", "(", "amount", "of", "purchased", ")"],
            &[
                "with",
                "last",
                "(",
                "product",
                "of",
                "purchased",
                ")",
                "as",
                "favourite",
                ",",
                "spend",
                ",",
                "city",
                "as",
                "town",
            ],
            &[
                "goal",
                "purchased",
                "(",
                "a",
                "or",
                "b",
                ")",
                "within",
                "14d",
                ",",
                "value",
                "sum",
                "(",
                "amount",
                ")",
                ",",
                "max",
                "(",
                "amount",
                ")",
            ],
            &["every", "monday", ",", "friday", "at", "09:00"],
            &["from", "2026-10-01", "until", "2026-12-31"],
            &["cost", "0.05", "budget", "5_000"],
            &["except", "vip", ",", "staff", "quiet", "21:00", "to", "08:00"],
        ];
        for clause in clauses {
            if self.dice.below(4) == 0 {
                self.put(clause);
            }
        }
    }

    fn file(&mut self) {
        for i in 0..self.dice.below(4) {
            let kind = self.dice.pick(&["segment", "trait", "campaign", "stages", "policy"]);
            if kind == "policy" {
                self.put(&[
                    "policy",
                    &format!("name_{i}"),
                    ":",
                    "at",
                    "most",
                    "3",
                    "contacts",
                    "in",
                    "7d",
                    "by",
                    "email",
                    ",",
                ]);
                self.put(&["sms", ";", "at", "most", "1", "contact", "in", "1d"]);
                self.gap();
                continue;
            }
            self.put(&[kind, &format!("name_{i}")]);
            if self.dice.below(3) == 0 {
                self.put(&["\"A \\\"title\\\"\""]);
            }
            self.put(&[":"]);
            if kind == "stages" {
                self.stages();
                continue;
            }
            self.expr(2);
            if kind == "campaign" {
                self.campaign();
            }
            self.gap();
        }
    }
}

#[test]
fn generated_texts_keep_their_tree_and_comments() {
    let mut dice = Dice(seed("generated_texts_keep_their_tree_and_comments"));
    for round in 0..rounds(250) {
        let mut writer = Writer { dice: &mut dice, out: String::new() };
        writer.file();
        let text = writer.out;
        assert!(
            fmt(&text, false).is_ok(),
            "round {round}: not read: {text}\n{:?}",
            crate::syntax_support::parse(&text).1.diagnostics
        );
        check_promises(&text);
    }
}

#[test]
fn comments_may_stand_anywhere() {
    for text in CORPUS.iter().take(10) {
        for (at, _) in text.char_indices().filter(|(_, c)| *c == ' ') {
            for comment in [" # here\n", "\n# own\n"] {
                let text = format!("{}{comment}{}", &text[..at], &text[at..]);
                check_promises(&text);
            }
        }
    }
}
