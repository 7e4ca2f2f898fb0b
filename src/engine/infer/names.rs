//! Names for what the files call otherwise, and the other forms of an event's verb.
//!
//! Owns: turning raw column, file and event names into names of the language; a small table of English verbs.
//! Promises: every name given is a valid bare name that no keyword, function or prefix of the language takes.
//! Must not know: files, types.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::language::catalog::names as reserved;

/// More words that mean something to the language somewhere; allowed as names, but they would read badly.
const TAKEN: &[&str] = &[
    "segment", "trait", "stages", "campaign", "policy", "every", "except", "quiet", "times", "was", "unknown", "other",
    "any", "each", "this", "previous", "next", "same", "one", "ago", "least", "weeks", "months", "hold", "out", "yes",
    "true", "false", "null", "frequent", "than", "offer", "to", "top", "bottom",
];

/// Words that the language has for itself.
const RESERVED: [&[&str]; 3] = [reserved::CONNECTIVES, reserved::OPENERS, reserved::EVENT_OPENERS];

/// What a property is called in [`name_for`].
pub const PROPERTY: &str = "property";

/// Whether a guess must not use this word as a name of an event, attribute or property.
pub fn is_taken_word(word: &str) -> bool {
    RESERVED.iter().any(|set| set.contains(&word)) || TAKEN.contains(&word)
}

/// The words of a raw name, lower case: `OrderCompleted`, `order-completed` and `Order completed` are `[order, completed]`.
pub fn words(raw: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = raw.nfc().collect();
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| letters.get(i)).copied();
        let after = letters.get(at + 1).copied();
        let begins = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(char::is_uppercase) && after.is_some_and(char::is_lowercase)));
        if (begins || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words joined by `_`: the spelling by which columns of different files are compared.
pub fn plain(raw: &str) -> String {
    words(raw).join("_")
}

/// A valid name for a raw one. A name that is already fine stays as it is; `what` is added to a word that the language takes.
pub fn name_for(raw: &str, what: &str) -> String {
    // Properties are looked up where they stand, so words like `campaign` are free for them.
    let taken = |word: &str| {
        if what == PROPERTY {
            word != "campaign" && RESERVED.iter().any(|set| set.contains(&word))
        } else {
            is_taken_word(word)
        }
    };
    if is_fine(raw) && !taken(raw) {
        return raw.to_owned();
    }
    let mut name = plain(raw);
    if name.is_empty() {
        return what.to_owned();
    }
    if !name.chars().next().is_some_and(char::is_alphabetic) {
        name.insert(0, '_');
    }
    if taken(&name) || !is_valid(&name) { format!("{name}_{what}") } else { name }
}

/// Lower case and valid.
fn is_fine(name: &str) -> bool {
    is_valid(name) && !name.chars().any(char::is_uppercase) && name.nfc().eq(name.chars())
}

/// Whether the text has the shape of a name.
pub fn is_valid(name: &str) -> bool {
    reserved::is_shaped(name)
}

/// Adds `_2`, `_3`, … until nobody has the name, and takes it.
pub fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut n = 2u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{n}");
        n = n.saturating_add(1);
    }
    candidate
}

/// Verbs that customers are the subject (or object) of. Regular ones; the irregular ones follow.
const REGULAR: &[&str] = &[
    "purchase",
    "order",
    "view",
    "visit",
    "open",
    "click",
    "receive",
    "add",
    "remove",
    "search",
    "register",
    "subscribe",
    "unsubscribe",
    "review",
    "rate",
    "share",
    "like",
    "follow",
    "call",
    "contact",
    "complain",
    "return",
    "refund",
    "cancel",
    "renew",
    "upgrade",
    "downgrade",
    "redeem",
    "deliver",
    "bounce",
    "ship",
    "download",
    "install",
    "uninstall",
    "play",
    "watch",
    "start",
    "complete",
    "finish",
    "browse",
    "book",
    "reserve",
    "attend",
    "donate",
    "comment",
    "post",
    "invite",
    "create",
    "update",
    "delete",
    "join",
    "submit",
    "request",
    "activate",
    "churn",
    "convert",
    "earn",
    "use",
    "save",
    "try",
    "chat",
    "ask",
    "answer",
    "apply",
    "approve",
    "reject",
    "launch",
    "exit",
    "end",
    "close",
    "resolve",
    "escalate",
    "listen",
    "stream",
    "skip",
    "scan",
    "collect",
    "exchange",
    "expire",
    "display",
    "show",
    "impress",
    "land",
    "login",
    "email",
    "message",
    "text",
    "push",
    "notify",
    "abandon",
    "checkout",
    "signup",
    "logout",
    "signin",
    "wishlist",
    "favourite",
];

/// Base, past, and further past forms.
const IRREGULAR: &[(&str, &[&str])] = &[
    ("buy", &["bought"]),
    ("send", &["sent"]),
    ("pay", &["paid"]),
    ("read", &["read"]),
    ("begin", &["began", "begun"]),
    ("win", &["won"]),
    ("get", &["got"]),
    ("spend", &["spent"]),
    ("sell", &["sold"]),
    ("give", &["gave", "given"]),
    ("make", &["made"]),
    ("take", &["took", "taken"]),
    ("see", &["saw", "seen"]),
    ("say", &["said"]),
    ("go", &["went", "gone"]),
    ("login", &["logged_in"]),
    ("logout", &["logged_out"]),
    ("signup", &["signed_up"]),
    ("signin", &["signed_in"]),
    ("checkout", &["checked_out"]),
    ("cancel", &["cancelled", "canceled"]),
    ("chat", &["chatted"]),
    ("ship", &["shipped"]),
    ("skip", &["skipped"]),
    ("scan", &["scanned"]),
    ("submit", &["submitted"]),
];

/// Verbs that name a thing when they stand first.
const NOUNS_TOO: &[&str] = &[
    "email", "message", "text", "push", "order", "chat", "search", "review", "purchase", "call", "checkout",
    "wishlist", "signup", "login", "return",
];

/// Words that people use for the same act.
const SAME: &[&[&str]] = &[&["purchase", "buy"]];

fn past(base: &str) -> Vec<String> {
    if let Some((_, forms)) = IRREGULAR.iter().find(|(b, _)| *b == base) {
        return forms.iter().map(|f| (*f).to_owned()).collect();
    }
    let consonant_y = base.len() > 1
        && base.ends_with('y')
        && !base.strip_suffix('y').is_some_and(|s| s.ends_with(['a', 'e', 'i', 'o', 'u']));
    vec![match base {
        _ if base.ends_with('e') => format!("{base}d"),
        _ if consonant_y => format!("{}ied", base.trim_end_matches('y')),
        _ => format!("{base}ed"),
    }]
}

/// With `s`: the third person of a verb, the plural of a noun.
fn with_s(base: &str) -> String {
    let sibilant = ["s", "x", "z", "ch", "sh"].iter().any(|end| base.ends_with(end));
    match base.strip_suffix('y') {
        Some(stem) if !stem.is_empty() && !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if sibilant => format!("{base}es"),
        _ => format!("{base}s"),
    }
}

/// The singular of a plural noun; other words stay.
pub fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|s| s.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "shes", "ches", "xes"] {
        if word.ends_with(end) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

fn is_verb(word: &str) -> bool {
    REGULAR.contains(&word) || IRREGULAR.iter().any(|(b, _)| *b == word)
}

/// The verb whose base, past or third person this word is.
fn base_of(word: &str) -> Option<String> {
    if is_verb(word) {
        return Some(word.to_owned());
    }
    let known = REGULAR.iter().copied().chain(IRREGULAR.iter().map(|(b, _)| *b));
    known.into_iter().find(|base| with_s(base) == word || past(base).iter().any(|p| p == word)).map(str::to_owned)
}

/// Whether some word of a raw event name is a verb form of the table.
pub fn has_verb(raw: &str) -> bool {
    let words = words(raw);
    words.iter().any(|w| base_of(w).is_some())
        || base_of(&words.concat()).is_some()
        || base_of(&words.join("_")).is_some()
}

/// Whether the name speaks of buying.
pub fn is_purchase(raw: &str) -> bool {
    words(raw).iter().any(|w| {
        matches!(singular(w).as_str(), "transaction" | "sale" | "order" | "invoice" | "basket" | "receipt" | "payment")
            || base_of(w).is_some_and(|b| matches!(b.as_str(), "purchase" | "buy" | "order" | "sell" | "pay"))
    })
}

/// Base, third person and past of a verb and of those that mean the same.
fn forms(base: &str) -> Vec<String> {
    let mut all = Vec::new();
    let group = SAME.iter().find(|group| group.contains(&base)).copied().unwrap_or(&[]);
    for verb in std::iter::once(base).chain(group.iter().copied().filter(|v| *v != base)) {
        all.extend(past(verb));
        all.push(verb.to_owned());
        all.push(with_s(verb));
    }
    all
}

/// The other forms under which people write an event: `purchase` is also `purchased`, `purchases`, `bought`, `buy`, `buys`.
/// The verb may be the first or the last word of a longer name: `add_to_cart` is also `added_to_cart`.
pub fn other_forms(name: &str) -> Vec<String> {
    let parts = words(name);
    let mut found: Vec<String> = Vec::new();
    let whole = parts.concat();
    if let Some(base) = base_of(&whole).or_else(|| base_of(&parts.join("_"))) {
        found.extend(forms(&base));
    } else if let (Some(first), Some(last)) = (parts.first(), parts.last()) {
        let head = parts.get(..parts.len().saturating_sub(1)).unwrap_or(&[]);
        let tail = parts.get(1..).unwrap_or(&[]);
        // `email_sent` and `order_shipped` are about the last word, `add_to_cart` and `click_email` about the first.
        let last_verb = base_of(last).filter(|base| base != last || NOUNS_TOO.contains(&first.as_str()));
        let inflect = |base: String| past(&base).into_iter().chain([base.clone(), with_s(&base)]).collect::<Vec<_>>();
        if let Some(base) = last_verb {
            found.extend(inflect(base).into_iter().map(|v| join(head, &[v])));
        } else if let Some(base) = base_of(first) {
            found.extend(inflect(base).into_iter().map(|v| join(&[v], tail)));
        } else if let Some(base) = base_of(last) {
            found.extend(inflect(base).into_iter().map(|v| join(head, &[v])));
        } else if last.is_ascii() {
            let one = singular(last);
            found.push(join(head, std::slice::from_ref(&one)));
            found.push(join(head, &[with_s(&one)]));
        }
    }
    let mut seen = BTreeSet::from([name.to_owned()]);
    found.retain(|form| is_valid(form) && !is_taken_word(form) && seen.insert(form.clone()));
    found
}

/// The verb that a longer name is about: `open` of `email_open`, `add` of `add_to_cart`.
pub fn verb_of(name: &str) -> Option<String> {
    let parts = words(name);
    let (first, last) = (parts.first()?, parts.last()?);
    if base_of(&parts.concat()).is_some() {
        return base_of(&parts.concat());
    }
    base_of(last)
        .filter(|base| base != last || NOUNS_TOO.contains(&first.as_str()))
        .or_else(|| base_of(first))
        .or_else(|| base_of(last))
}

/// Base, past and third person of a verb, as far as the language leaves them free.
pub fn forms_of(verb: &str) -> Vec<String> {
    let all = std::iter::once(verb.to_owned()).chain(past(verb)).chain([with_s(verb)]);
    let mut free: Vec<String> = all.filter(|form| is_valid(form) && !is_taken_word(form)).collect();
    free.dedup();
    free
}

/// The name with its last word in the singular, if that is another name.
pub fn singular_form(name: &str) -> Option<String> {
    let parts = words(name);
    let (last, head) = parts.split_last()?;
    let form = join(head, &[singular(last)]);
    (form != name && is_valid(&form) && !is_taken_word(&form)).then_some(form)
}

fn join(head: &[String], tail: &[String]) -> String {
    head.iter().chain(tail).cloned().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_names_become_valid_names() {
        let cases = [
            ("customer_id", "customer_id"),
            ("Customer ID", "customer_id"),
            ("CustomerID", "customer_id"),
            ("anti-aging", "anti-aging"),
            ("Order Completed", "order_completed"),
            ("checkout.started", "checkout_started"),
            ("7day", "_7day"),
            ("count", "count_x"),
            ("Größe", "größe"),
            ("  ", "x"),
            ("a-", "a"),
            ("--", "x"),
            ("HTTPStatus", "http_status"),
        ];
        for (raw, expected) in cases {
            assert_eq!(name_for(raw, "x"), expected, "{raw}");
            assert!(is_valid(&name_for(raw, "x")), "{raw}");
        }
    }

    #[test]
    fn verbs_have_other_forms() {
        let cases = [
            ("purchase", "purchased purchases bought buy buys"),
            ("purchased", "purchase purchases bought buy buys"),
            ("open", "opened opens"),
            ("sent", "send sends"),
            ("add_to_cart", "added_to_cart adds_to_cart"),
            ("page_view", "page_viewed page_views"),
            ("email_sent", "email_send email_sends"),
            ("checkout_start", "checkout_started checkout_starts"),
            ("click_email", "clicked_email clicks_email"),
            ("order_shipped", "order_ship order_ships"),
            ("transactions", "transaction"),
            ("coupon_redemptions", "coupon_redemption"),
            ("rated", "rates"),
            ("signup", "signed_up signups"),
            ("sign_up", "signed_up signup signups"),
            ("reply", "replies"),
        ];
        for (name, expected) in cases {
            assert_eq!(other_forms(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn singulars() {
        for (plural, expected) in [
            ("products", "product"),
            ("categories", "category"),
            ("address", "address"),
            ("boxes", "box"),
            ("status", "status"),
        ] {
            assert_eq!(singular(plural), expected);
        }
    }
}
