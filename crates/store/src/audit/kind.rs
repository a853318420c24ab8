//! Record kinds: one stream each.

/// Version of the log's schema; part of the chain's first hash.
pub const SCHEMA_VERSION: u32 = 5;

/// A kind of record, which is a stream of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Frames; their candles are named by the header's hashes and not copied.
    Frame,
    /// Account snapshots.
    Account,
    /// Decisions of strategies.
    Decision,
    /// What strategies asked for, one row per request.
    Intent,
    /// What the gate said, one row per request.
    Verdict,
    /// News of accepted orders.
    OrderUpdate,
    /// Executions.
    Fill,
    /// Lots that fills closed, one row per lot or part of one.
    Lot,
    /// Tight loops: each operation from its submission to its end.
    TightLoop,
    /// What operations and settlements changed, one row per delta.
    Delta,
    /// Positions on which both books differed.
    Mismatch,
    /// What fell due and was settled.
    Settlement,
    /// Risks that have changed their level.
    Alert,
    /// Exposure to every asset, where more than a market price has changed.
    Exposure,
    /// Every risk that can be measured, at the same frames.
    Risk,
    /// Profit since the start and what it came from, at the same frames.
    Pnl,
    /// Start, end and failure, and second passes at a close.
    Control,
    /// Users' own messages.
    Custom,
}

impl Kind {
    /// All kinds, in the order in which a commit lists them.
    pub const ALL: [Self; 18] = [
        Self::Frame,
        Self::Account,
        Self::Decision,
        Self::Intent,
        Self::Verdict,
        Self::OrderUpdate,
        Self::Fill,
        Self::Lot,
        Self::TightLoop,
        Self::Delta,
        Self::Mismatch,
        Self::Settlement,
        Self::Alert,
        Self::Exposure,
        Self::Risk,
        Self::Pnl,
        Self::Control,
        Self::Custom,
    ];

    /// The kind as commits and file names spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Account => "account",
            Self::Decision => "decision",
            Self::Intent => "intent",
            Self::Verdict => "verdict",
            Self::OrderUpdate => "order_update",
            Self::Fill => "fill",
            Self::Lot => "lot",
            Self::TightLoop => "tight_loop",
            Self::Delta => "delta",
            Self::Mismatch => "mismatch",
            Self::Settlement => "settlement",
            Self::Alert => "alert",
            Self::Exposure => "exposure",
            Self::Risk => "risk",
            Self::Pnl => "pnl",
            Self::Control => "control",
            Self::Custom => "custom",
        }
    }

    /// Whether its buffers are compressed: those of kinds with much to save. Frames are little more
    /// than counters, and for kinds of a few rows a commit the compressor costs more than it saves.
    pub const fn is_compressed(self) -> bool {
        matches!(
            self,
            Self::Account
                | Self::Decision
                | Self::Fill
                | Self::Delta
                | Self::Exposure
                | Self::Risk
                | Self::Pnl
        )
    }

    /// Name of its file under `audit/`.
    pub fn file_name(self) -> String {
        format!("{}.arrows", self.name())
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
