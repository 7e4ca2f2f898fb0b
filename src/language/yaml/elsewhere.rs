//! What other systems call the words that may stand in a YAML file, for "did you mean".

/// The word among `words` that people who come from elsewhere mean by `text`.
pub(super) fn ours<'a>(text: &str, mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let meant: Vec<&str> = ELSEWHERE.iter().filter(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours).collect();
    words.find(|word| meant.contains(word))
}

const ELSEWHERE: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("enum", "text"),
    ("uuid", "text"),
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("bigint", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("float64", "number"),
    ("double", "number"),
    ("real", "number"),
    ("decimal", "money"),
    ("numeric", "money"),
    ("currency", "money"),
    ("amount", "money"),
    ("bool", "yes/no"),
    ("boolean", "yes/no"),
    ("yesno", "yes/no"),
    ("timestamp", "instant"),
    ("datetime", "instant"),
    ("time", "instant"),
    ("day", "date"),
    ("array", "list"),
    ("second", "s"),
    ("seconds", "s"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("micros", "us"),
    ("microseconds", "us"),
    ("µs", "us"),
    ("nanos", "ns"),
    ("nanoseconds", "ns"),
    ("both", "all"),
    ("everyone", "all"),
    ("off", "allow"),
    ("ignore", "allow"),
    ("warning", "warn"),
    ("deny", "error"),
    ("insensitive", "fold"),
    ("sensitive", "exact"),
];
