//! What a campaign has decided about a customer, and the words for it.
//!
//! Owns: the reasons, their order and their words; nobody else spells them. Must not know: how it was decided.

/// What comes of a customer who met a campaign's condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Is contacted; the place of the arm.
    Sent { arm: u16 },
    /// Would have been contacted and was drawn not to be.
    HeldOut {
        /// The arm that took the customer; none where arms are shares.
        arm: Option<u16>,
        /// By the project's holdout, not by the campaign's own.
        global: bool,
    },
    /// The first that stood in the way.
    Stopped(Reason, Note),
}

/// A text beside a reason: see [`super::Decided::detail`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Note(pub(super) u32);

/// Why a customer is not contacted, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    NotDue,
    Excepted,
    NoArm,
    NoChannel,
    NoConsent,
    Suppressed,
    QuietHours,
    Capped,
    Policy,
    OverLimit,
    OverBudget,
}

impl Reason {
    /// All of them, in their order.
    pub const ALL: [Reason; 11] = [
        Reason::NotDue,
        Reason::Excepted,
        Reason::NoArm,
        Reason::NoChannel,
        Reason::NoConsent,
        Reason::Suppressed,
        Reason::QuietHours,
        Reason::Capped,
        Reason::Policy,
        Reason::OverLimit,
        Reason::OverBudget,
    ];

    /// As it stands in the table of decisions, and in specs.
    pub fn word(self) -> &'static str {
        match self {
            Reason::NotDue => "not due",
            Reason::Excepted => "excepted",
            Reason::NoArm => "no arm",
            Reason::NoChannel => "no channel",
            Reason::NoConsent => "no consent",
            Reason::Suppressed => "suppressed",
            Reason::QuietHours => "quiet hours",
            Reason::Capped => "capped",
            Reason::Policy => "policy",
            Reason::OverLimit => "over limit",
            Reason::OverBudget => "over budget",
        }
    }
}

/// The outcome of who is contacted.
pub const SENT: &str = "sent";
/// The outcome, and the event in the history, of who is held out.
pub const HELD_OUT: &str = "held out";
/// The event in the history of who is contacted.
pub const CONTACTED: &str = "contacted";

impl Verdict {
    /// The verdict in a word or two.
    pub fn outcome(self) -> &'static str {
        match self {
            Verdict::Sent { .. } => SENT,
            Verdict::HeldOut { .. } => HELD_OUT,
            Verdict::Stopped(reason, _) => reason.word(),
        }
    }
}
