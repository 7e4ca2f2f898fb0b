//! What the tests of syntax and formatter share.

use segue::language::diagnostic::{Diagnostic, has_errors};
use segue::language::format::{self, FormatError, Style};
use segue::language::source::{SourceFile, SourceId};
use segue::language::syntax::{self, Parsed, dump};

/// A text as the file `rule.seg`.
pub fn source(text: &str) -> SourceFile {
    SourceFile::new(SourceId(0), "rule.seg", text)
}

pub fn parse(text: &str) -> (SourceFile, Parsed) {
    let source = source(text);
    let parsed = syntax::parse(&source);
    (source, parsed)
}

pub fn fmt(text: &str, ascii: bool) -> Result<String, FormatError> {
    let (source, parsed) = parse(text);
    format::format(&source, &parsed, Style { ascii })
}

/// The text with a fix made.
pub fn fixed(text: &str, diagnostic: &Diagnostic) -> Option<String> {
    let mut edits = diagnostic.fix.as_ref()?.edits.clone();
    edits.sort_by_key(|e| e.0.start);
    let mut out = text.to_string();
    for (span, new) in edits.iter().rev() {
        out.replace_range(span.range(), new);
    }
    Some(out)
}

/// What holds for every text whatever: the parser returns, places lie in the text, nothing is left unread without a word, and
/// what has no errors can be formatted, to a text that stays as it is.
pub fn check_promises(text: &str) {
    let (source, parsed) = parse(text);
    check_places(text, &parsed.diagnostics);
    for comment in &parsed.comments {
        assert!(text.get(comment.span.range()).is_some(), "comment outside {text:?}");
    }
    let tree = dump::file(&parsed.file);
    if has_errors(&parsed.diagnostics) {
        assert_eq!(format::format(&source, &parsed, Style::default()), Err(FormatError::Syntax));
        return;
    }
    assert!(!tree.contains("(?)") && !tree.contains("(error"), "unread without a word: {text:?}\n{tree}");
    for ascii in [false, true] {
        let once = fmt(text, ascii).unwrap_or_else(|e| panic!("{e}: {text:?}\n{tree}"));
        let twice = fmt(&once, ascii).unwrap_or_else(|e| panic!("{e} at the second time: {once:?}"));
        assert_eq!(once, twice, "not idempotent: {text:?}");
    }
}

pub fn check_places(text: &str, diagnostics: &[Diagnostic]) {
    for d in diagnostics {
        let labels = std::iter::once(&d.primary).chain(&d.secondary).map(|l| l.span);
        let edits = d.fix.iter().flat_map(|f| f.edits.iter().map(|e| e.0));
        for span in labels.chain(edits) {
            assert!(text.get(span.range()).is_some(), "{span:?} is no place of {text:?}: {d:?}");
        }
        assert!(!d.message.is_empty() && !d.message.ends_with('.') && !d.message.contains('\n'), "wording: {d:?}");
    }
}

/// A small generator of numbers, so that every failure can be repeated from its seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % (n.max(1) as u64)) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// The seed of a random test: from the environment, else fixed.
pub fn seed(name: &str) -> u64 {
    let seed = std::env::var("SEGUE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_121);
    println!("{name}: SEGUE_SEED={seed}");
    seed
}

/// How many rounds a random test runs.
pub fn rounds(usual: usize) -> usize {
    std::env::var("SEGUE_ROUNDS").ok().and_then(|s| s.parse().ok()).unwrap_or(usual)
}

/// Texts that hold every construct.
pub const CORPUS: &[&str] = &[
    "purchased anti-aging ≥3 in 90d and no open in 30d → offer",
    "# Customers who buy.\n# And buy.\nsegment lapsed was old \"Lapsed \\\"x\\\"\":\n  purchased anti-aging ≥ 3 in 90d # why\n  and no open in 30d\n\ntrait spend: sum(amount of purchased in 12mo)\n",
    "campaign a \"Title\": (lapsed or gold) and not vip\n  → offer serum-15 \"20 off\" by email\n# the end",
    "purchased (a or \"b c\" or c) where (amount > -5 and category in (x, \"y z\") or hour between 9 and 17) between 2 and 5 in 3mo",
    "purchased other than serum on >= 3 days between 30 and 60 days ago but never open or first sent in 1y",
    "customer.country != FR and tags has vip and name starts with \"A\" and city ends with b and code matches \"x*\" and is_member",
    "country is known and age is unknown and signup_date since 2026-01-01 and last_visit over 180d ago and x before 2026-01-01T08:00:30.5Z",
    "days since last purchased (a) where (b = 1) > 5 or days since first open ≥ 2 or days since signup_date < 1_000",
    "count(purchased in 30d) = 0 and avg(amount of purchased) ≥ 20.50 and distinct(product of viewed in 30d) > 3",
    "known for 30d and everyone and share ≤ 20% and born on 2026-02-28 and x between 2026-01-01 and 2026-03-31",
    "not (not (a and (b or c)) and not d) and purchased at least 3 in the last 30 days and open at most twice ever",
    "A then B within 7d without C and top 10% by spend among vip or sample 10% of \"salt\" and in one session (a and b) in 3d",
    "segment x: purchased => 3 && !open || NOT b\nsegment lapsed buyers: x\ntrait y purchased 3 times in 90 day\npolicy p: at most 3 contacts in 7d",
    "purchased in last 90 days and country not FR and no (b) or a in FR, DE and purchased where x = 1 and “q” = 'z' and b == 1,000",
    "first a since last 3 c where (x = 1) then last b after 1d within 7d without c then no d within 1h all within 14d with same p",
    "viewed ≥ 3 of same product in each of previous 3 months without purchased (a or b) and renewal_date in next month",
    "trait t: 2 * (sum(x of a in this quarter) - percentile(90, x of a)) / rate(a per b in previous 2 weeks) + -3",
    "in any 14d (a and b ≥ 2) between 1y and 30d ago and bottom 20% by most frequent(x of a) among vip and no left vip in 3d",
    "quintile(spend among vip) ≥ 4 and anniversary of birth_date within 7d and member of vip for 30d and held out y since last b",
    "stages j:\n  added in 7d → decision\n  otherwise → unaware\nsegment s: a and anti-âge ≥ 3 und 數據 in 12h",
];
