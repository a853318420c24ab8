//! Ranks: the fixed order of publishers, which is the canonical order of everything.

use model::event::Topic;

/// What a service is for; roles are ordered as the bus orders their messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The engine itself.
    Engine,
    /// Executes orders and values the account.
    Execution,
    /// Hosts a strategy.
    Strategy,
    /// Written by a user.
    User,
    /// Judges intents.
    Gate,
    /// Records everything.
    Audit,
}

impl Role {
    /// Topics that a service of this role may publish.
    pub const fn may_publish(self) -> &'static [Topic] {
        match self {
            Self::Engine => &[Topic::Frame, Topic::Control],
            Self::Execution => &[
                Topic::OrderUpdate,
                Topic::Fill,
                Topic::TightLoop,
                Topic::Settlement,
                Topic::Alert,
                Topic::Account,
                Topic::Control,
            ],
            Self::Strategy => &[Topic::Intent, Topic::Decision],
            Self::User => &[Topic::Intent, Topic::Decision, Topic::Custom],
            Self::Gate => &[Topic::Verdict],
            Self::Audit => &[],
        }
    }
}

/// Place of a service in the fixed order: its role, then its place in the run file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// What it is for.
    pub role: Role,
    /// Which of its role it is, from 0.
    pub index: u16,
}

impl Rank {
    /// The first of a role.
    pub const fn first(role: Role) -> Self {
        Self { role, index: 0 }
    }

    /// One of several of a role.
    pub const fn nth(role: Role, index: u16) -> Self {
        Self { role, index }
    }
}
