//! Decisions: what a strategy did at a tick, and why.

use std::borrow::Cow;
use std::ops::Deref;

/// What a strategy did at a tick, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Traded or waited.
    pub action: Action,
    /// Who decided; set by the host.
    pub pattern: Pattern,
    /// Why, in a few words; empty where nothing was worth saying.
    pub reason: Cow<'static, str>,
    /// What was looked at, so that it can be said why nothing was done; empty costs nothing.
    pub conditions: Conditions,
}

/// Conditions in the order in which they were looked at.
///
/// Behind a pointer: most decisions have none, and every message is as large as the largest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(Option<Box<List>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct List {
    conditions: Vec<Condition>,
}

impl Conditions {
    /// Nothing was looked at, or nothing that has to be told.
    pub const NONE: Self = Self(None);

    /// Adds the next one.
    pub fn push(&mut self, condition: Condition) {
        self.0.get_or_insert_default().conditions.push(condition);
    }
}

impl Deref for Conditions {
    type Target = [Condition];

    fn deref(&self) -> &[Condition] {
        self.0.as_deref().map_or(&[], |list| &list.conditions)
    }
}

/// Which way a frame went from the chain to execution (08 §10.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Pattern 1: the strategy was called.
    #[default]
    Strategy,
    /// Pattern 2: an instruction sequence is open, and the strategy is bypassed.
    Bypass,
    /// Neither: the emergency plan stood in for both.
    None,
}

impl Pattern {
    /// The pattern as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strategy => "1",
            Self::Bypass => "2",
            Self::None => "none",
        }
    }
}

/// A condition that a strategy has looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What it is about.
    pub name: &'static str,
    /// What was found.
    pub value: f64,
    /// What it was compared with, in the same unit.
    pub threshold: f64,
    /// Whether it held.
    pub passed: bool,
}

/// What a decision asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Hold,
    /// Orders, whatever for.
    Trade,
    /// All of a position that was not there.
    EntryFull,
    /// Part of a position.
    EntryPartial,
    /// The end of a position.
    ExitFull,
    /// The end of a part of it.
    ExitPartial,
    /// The sale of rewards.
    SellDust,
    /// A shift between positions.
    Rebalance,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 8] = [
        Self::Hold,
        Self::Trade,
        Self::EntryFull,
        Self::EntryPartial,
        Self::ExitFull,
        Self::ExitPartial,
        Self::SellDust,
        Self::Rebalance,
    ];

    /// The action as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Trade => "trade",
            Self::EntryFull => "entry_full",
            Self::EntryPartial => "entry_partial",
            Self::ExitFull => "exit_full",
            Self::ExitPartial => "exit_partial",
            Self::SellDust => "sell_dust",
            Self::Rebalance => "rebalance",
        }
    }

    /// Whether it asked for orders.
    pub const fn is_trade(self) -> bool {
        !matches!(self, Self::Hold)
    }
}

impl Decision {
    /// Nothing to do, nothing to say.
    pub const HOLD: Self = Self {
        action: Action::Hold,
        pattern: Pattern::Strategy,
        reason: Cow::Borrowed(""),
        conditions: Conditions::NONE,
    };

    /// An action for a reason.
    pub fn new(action: Action, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { action, reason: reason.into(), ..Self::HOLD }
    }

    /// Nothing to do, for a reason.
    pub fn hold(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Action::Hold, reason)
    }

    /// Orders were asked for.
    pub fn trade(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Action::Trade, reason)
    }

    /// With one more condition that was looked at.
    #[must_use]
    pub fn with(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Decided that way.
    #[must_use]
    pub fn by(mut self, pattern: Pattern) -> Self {
        self.pattern = pattern;
        self
    }
}
