//! The stable codes of all diagnostics, one table a room.
//!
//! `E` codes are errors by default, `W` codes warnings. A code, once released, is never given another meaning.
//! Ranges: 01xx syntax · 02xx project, catalog and other YAML · 03xx names · 04xx types and forms · 05xx meaning · 06xx specs.
//! Each code has a page in `grammar/codes/CODE.md`, shown by `segue explain CODE`.

use super::Severity;

/// A stable code such as `E0101`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The severity that the code has unless the project sets another.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// Whether a project may set another severity: what it is about has a meaning that can be run.
    pub fn can_be_set(self) -> bool {
        const PROVED: &[Code] = &[check::NEVER_HOLDS, check::EXCEPTS_ALL, check::LOOK_ALIKE];
        self.severity() == Severity::Warning || PROVED.contains(&self)
    }

    /// The code written like this, if there is one.
    pub fn parse(text: &str) -> Option<Code> {
        all().find(|c| c.0.eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Every code, in order.
pub fn all() -> impl Iterator<Item = Code> {
    [syntax::ALL, yaml::ALL, check::ALL, spec::ALL].into_iter().flatten().copied()
}

macro_rules! codes {
    ($room:ident: $($name:ident = $code:literal, $what:literal;)*) => {
        pub mod $room {
            use super::Code;
            $(#[doc = $what] pub const $name: Code = Code($code);)*
            /// The codes of this room.
            pub const ALL: &[Code] = &[$($name),*];
        }
    };
}

codes! { syntax:
    UNEXPECTED = "E0101", "Text that does not fit the grammar where it stands.";
    SPELLING = "E0102", "A word or sign of another language; Segue has its own for it.";
    QUOTATION = "E0103", "A quotation mark that is missing or of another kind.";
    PARENTHESIS = "E0104", "A parenthesis without its counterpart.";
    HIDDEN_CHARACTER = "E0105", "A character that can't be seen.";
    MIXED_SCRIPTS = "E0106", "A name with letters of two scripts that look alike.";
    TOO_DEEP = "E0107", "Nesting beyond the limit.";
    NUMBER = "E0108", "A number that can't be read.";
    DURATION = "E0109", "A duration that can't be read.";
    DATE = "E0110", "A date or an instant that does not exist or is written in another form.";
    COUNT = "E0111", "A count without a sign.";
    ORDER = "E0112", "Parts of a condition in an order that has no meaning.";
    TWICE = "E0113", "A part that is given twice.";
    LIST = "E0114", "Several words where they need parentheses and `or`.";
    WHERE = "E0115", "A `where` without its parentheses, or parentheses without their `where`.";
    QUANTIFIER = "E0116", "`no`, `never`, `first` or `last` where it can't stand.";
    DECLARATION = "E0117", "A declaration whose head is not well formed.";
    ACTION = "E0118", "An action that is missing or stands where none can.";
    WINDOW = "E0119", "A window that is incomplete or written in another form.";
    LOOSE = "E0120", "Conditions side by side without a connective.";
    ARITHMETIC = "E0121", "A calculation with something that is no number, or with a minus that may be a hyphen.";
    FUNCTION = "E0122", "Something that is missing or too much between the parentheses of a function.";
    SEQUENCE = "E0123", "A step of a sequence with something that it can't have, or a bound without a step.";
    SAME = "E0124", "`of same`, `with same` or `without` where nothing says of what.";
    STAGES = "E0125", "A line of stages that is not well formed.";
    RANK = "E0126", "A rank or sample that does not say by what, of whom or how many.";
    ARM = "E0127", "An arm that is not well formed.";
    CLAUSE = "E0128", "A clause of a campaign or a bound of a policy that is not well formed.";
    NOT_YET = "E0190", "A construct that is not available yet.";
}

codes! { yaml:
    MALFORMED = "E0201", "A file that is not well-formed YAML.";
    FEATURE = "E0202", "A part of YAML that is not read: anchors, aliases, tags, directives, several documents.";
    LIMIT = "E0203", "A file that is too large, nests too deep or has too many values.";
    BIDI = "E0204", "An invisible character that changes the direction of text.";
    EMPTY = "E0205", "A file without content.";
    TYPE = "E0206", "A value of another type than its key takes.";
    UNKNOWN_KEY = "E0207", "A key that means nothing here.";
    MISSING_KEY = "E0208", "A key that has to be there.";
    DUPLICATE_KEY = "E0209", "A key or value that stands twice in one map or list.";
    CHOICE = "E0210", "A word that is none of the words that may stand here.";
    NAME = "E0211", "A name that can't be written in a rule.";
    RESERVED = "E0212", "A name that the language uses for itself.";
    TAKEN = "E0213", "A name that means something else already.";
    REFERENCE = "E0214", "A source, look-up, taxonomy, channel, list, property or attribute that is not declared.";
    KIND = "E0215", "A reference to something of the wrong kind.";
    MISPLACED = "E0216", "A key that has no meaning beside the others of its entry.";
    KNOWN_VALUE = "E0217", "A known value or taxonomy entry that is empty or stands twice.";
    TIMEZONE = "E0218", "A time zone that does not exist.";
    CURRENCY = "E0219", "A currency that does not exist.";
    SIZE = "E0220", "An amount of memory that can't be read.";
    OUTSIDE = "E0221", "A path that leaves the project.";
    PATH = "E0222", "A path that can't be what it should be.";
    NO_FILE = "E0223", "A file or folder that the project names and that is not there.";
    NOT_UTF8 = "E0224", "A file that is not UTF-8 text.";
    FILE_NAME = "E0225", "A bare rule in a file whose name can't be its name.";
    CODE = "E0226", "A diagnostic code that does not exist.";
    AS_OF = "E0227", "An as-of instant that can't be read.";
    GAP = "E0228", "A gap between visits that is no number of hours, minutes or seconds.";
    LINK_TO_ITSELF = "E0229", "A link table whose links lead from a column to the same column.";
    LINK_TIME = "E0230", "A link table without a time, where the time decides between links.";
    AMOUNT = "E0231", "An amount of money that can't be read.";
    SHARE = "E0232", "A percentage that can't be read or leaves nobody.";
    QUIET = "E0233", "Quiet hours that can't be read.";
    SECRET = "E0240", "A secret that stands in the catalog.";
    PACE = "E0241", "A rate, number of rows or time-out of a destination that can't be read.";
}

codes! { check:
    UNKNOWN_NAME = "E0301", "A name that nothing declares.";
    DUPLICATE_NAME = "E0302", "A name that is declared twice.";
    LOOK_ALIKE = "E0303", "Two names that look the same and are spelt with different letters.";
    UNKNOWN_SUBJECT = "E0304", "A subject that is no known value of the event.";
    AMBIGUOUS_SUBJECT = "E0305", "A subject that is a known value of two properties.";
    AMBIGUOUS_SPELLING = "E0306", "A word that differs from several known values in case or accents only.";
    UNKNOWN_VALUE = "E0307", "A value that is not in the closed set of known values.";
    VALUE_OR_NAME = "E0308", "A word that is a known value and a declared name at once.";
    UNKNOWN_PROPERTY = "E0309", "A property that the event does not have.";
    CYCLE = "E0310", "Declarations that are made of themselves.";
    UNKNOWN_ACTION = "E0311", "An action that the catalog does not list.";
    UNKNOWN_CHANNEL = "E0312", "A channel that the catalog does not list.";
    UNKNOWN_OFFER = "E0313", "An offer that the catalog does not list.";
    CAMPAIGN_AS_CONDITION = "E0314", "A campaign's name used as a condition.";
    PROPERTY_OR_ATTRIBUTE = "E0315", "A name in a `where` that is a property and an attribute at once.";
    WAS_ANOTHER = "E0317", "`was` with a name that another segment or campaign has or had.";
    UNSEEN_VALUE = "W0316", "A value that is not among the known values of an open set.";
    NOT_A_CONDITION = "E0401", "A value where a condition is expected.";
    SUBJECT_LIST = "E0402", "Subjects joined without parentheses.";
    TYPE_MISMATCH = "E0403", "A comparison of two things of different types.";
    COUNT_FORM = "E0404", "A count that is no whole number, or a test that is no count.";
    QUANTIFIER_FORM = "E0405", "`no`, `never`, `first` or `last` where it can't stand.";
    EVENTS_ONLY = "E0406", "Something that belongs to events, on a name that is none.";
    WINDOW_TYPE = "E0407", "A window on something that is no date.";
    WINDOW_UNIT = "E0408", "Hours or instants in a window on a plain date.";
    TEXT_TEST = "E0409", "A test of text on something that is no text.";
    LIST_TEST = "E0410", "A list compared, or `has` on something that is no list.";
    YES_NO_TEST = "E0411", "A yes/no value compared.";
    AGGREGATE_TYPE = "E0412", "A calculation over something that it can't be made from.";
    NOT_A_VALUE = "E0413", "A condition, an event or a segment where a value is expected.";
    EMPTY_TEXT = "E0414", "A comparison with empty text.";
    NOT_IN_WHERE = "E0415", "Something that can't stand in a `where`.";
    HOUR_OR_WEEKDAY = "E0416", "An hour outside 0 to 23, or a weekday that does not exist.";
    CONSTANTS = "E0417", "A comparison of two constants.";
    NO_TEST = "E0418", "A test or window on something that is yes or no by itself.";
    FORWARD_WINDOW = "E0420", "A window that looks forward, on events.";
    WINDOW_PLACE = "E0421", "A window that has no meaning where it stands.";
    SAME_FORM = "E0423", "`of same`, `without` or `with same` where nothing can be the same.";
    ONE_EVENT = "E0424", "`all within` over one event.";
    GATHERED_FORM = "E0425", "Something that can't stand in `in one session (…)` or `in any 14d (…)`.";
    ANNIVERSARY = "E0426", "An anniversary of something that is no date, or without a window.";
    RECORDED_NAME = "E0427", "A recorded word before a name that it can't be about.";
    STEP_TIME = "E0428", "Times between steps that leave room for no event.";
    SHARE_OVER_100 = "W0419", "A percentage over 100.";
    NOT_FOR_NO = "W0420", "`not` before a behaviour, where `no` is the word.";
    DIVISION_BY_ZERO = "E0430", "A division by a constant zero.";
    PERCENTILE = "E0431", "A percentile that is no number from 0 to 100.";
    STAGE_TEST = "E0432", "Something asked of stages other than which one it is.";
    STAGE_NAME = "E0433", "A stage that is named twice or like a declaration, or an `otherwise` that does not stand last.";
    PART_SIZE = "E0434", "A share or number of customers that there can't be.";
    RANK_BY = "E0435", "A rank by something that has no order.";
    AMONG = "E0436", "`among` with something that is no segment and no list.";
    ARMS = "E0437", "Arms that can't stand together, or shares that are not the whole.";
    CLAUSE_VALUE = "E0438", "A clause with a value that it can't have.";
    PAYLOAD = "E0439", "A column of a delivery without a name of its own, or that can't be delivered.";
    PERSONAL = "E0440", "Personal data in what is delivered to a channel that may not have it.";
    EXCEPT = "E0441", "`except` with something that is no segment and no list.";
    NEVER_HOLDS = "E0501", "A condition that can never hold.";
    EMPTY_WINDOW = "E0502", "A window with nothing in it.";
    ALWAYS_HOLDS = "W0504", "A condition that always holds.";
    ADDS_NOTHING = "W0505", "A part of a condition that changes nothing.";
    INACTIVE = "W0506", "A condition that holds for people who never did anything.";
    MISSING_COUNTS = "W0507", "`≠` or `not in` on an attribute that can be missing.";
    MIXED = "W0508", "`and` and `or` side by side without parentheses.";
    NO_REACHES_ONE = "W0509", "`no` before an `or`, which reaches one behaviour only.";
    SAME_MEANING = "W0510", "Two segments with the same meaning.";
    UNUSED_TRAIT = "W0511", "A trait that nothing uses.";
    WAS_ITSELF = "W0512", "`was` with the name that the declaration has.";
    CLEAN_START = "W0513", "A sequence that ends with `no`, of which one start is enough.";
    NO_HISTORY = "W0514", "A question to a history that is not kept.";
    EMPTY_STAGE = "W0517", "A stage that no customer can be in.";
    RANKED_NOTHING = "W0518", "A rank of people who never did anything.";
    ORDER_OF_TEXTS = "W0519", "`<` or `≥` on texts that have known values.";
    EMPTY_ARM = "W0520", "An arm that no customer can be in.";
    FREE_BUDGET = "W0521", "A budget where nothing costs anything.";
    EQUAL_PRIORITY = "W0522", "Two campaigns for the same people with the same priority.";
    EXCEPTS_ALL = "E0523", "A campaign that excepts everyone whom it is for.";
}

codes! { spec:
    MALFORMED_TIMELINE = "E0601", "A timeline that can't be read.";
    EVENT = "E0602", "An event in a spec that the catalog does not name.";
    SUBJECT = "E0603", "A subject in a spec that no property, or more than one, knows.";
    PROPERTY = "E0604", "A property, attribute or list in a spec that the catalog does not name.";
    VALUE = "E0605", "A value in a spec that its property can't have.";
    MOMENT = "E0606", "A time in a spec that is missing or does not exist.";
    CUSTOMER = "E0607", "An expected customer that the spec does not have.";
    RULE = "E0608", "An expectation of a rule or trait that does not exist.";
}
