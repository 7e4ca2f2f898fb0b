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

    fn test(&mut self, depth: usize) {
        match self.dice.below(9) {
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
            7 if depth > 0 => {
                self.put(&["<="]);
                self.aggregate(depth - 1);
            }
            _ => {
                let op = self.dice.pick(&["=", "≠", "!=", "<", "≤", ">", ">=", "≥"]);
                self.put(&[op]);
                self.value();
            }
        }
    }

    fn window(&mut self) {
        let window: &[&str] = match self.dice.below(8) {
            0 => &["in", "90d"],
            1 => &["in", "the", "last", "30 days"],
            2 => &["between", "30", "and", "60 days", "ago"],
            3 => &["over", "6w", "ago"],
            4 => &["since", "2026-01-01"],
            5 => &["between", "2026-01-01", "and", "2026-02-01"],
            6 => &["on", "2026-01-01"],
            _ => &["ever"],
        };
        self.put(window);
    }

    fn aggregate(&mut self, depth: usize) {
        self.put(&["sum", "(", "amount", "of"]);
        self.behaviour(depth, false);
        self.put(&[")"]);
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
        if whole && !quantified && self.dice.below(2) == 0 {
            self.test(depth);
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
            match self.dice.below(8) {
                0 if depth > 0 => {
                    self.put(&["not", "("]);
                    self.expr(depth - 1);
                    self.put(&[")"]);
                }
                1 if depth > 0 => {
                    self.aggregate(depth - 1);
                    self.test(0);
                }
                2 => self.put(&["days", "since", "last", "open", ">", "30"]),
                3 => self.put(&["known", "for", "30d"]),
                4 => self.put(&["not", "everyone"]),
                _ => self.behaviour(depth, true),
            }
        }
    }

    fn file(&mut self) {
        for i in 0..self.dice.below(4) {
            let kind = self.dice.pick(&["segment", "trait", "campaign"]);
            self.put(&[kind, &format!("name_{i}")]);
            if self.dice.below(3) == 0 {
                self.put(&["\"A \\\"title\\\"\""]);
            }
            self.put(&[":"]);
            self.expr(2);
            if kind == "campaign" {
                self.put(&["→", "offer", "serum-15", "by", "email"]);
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
