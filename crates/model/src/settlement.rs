//! Settlement: what falls due without an order (03).

/// What falls due; in the order in which events of one instant are settled (03 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettlementKind {
    /// A transfer arrives.
    Transit,
    /// A claim matures.
    Claim,
    /// Funding of a perpetual.
    Funding,
    /// Daily settlement of the margin of a perpetual (03 §4.6).
    MarginPnl,
    /// A reward or an airdrop.
    Reward,
}

impl SettlementKind {
    /// The kind as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transit => "transit",
            Self::Claim => "claim",
            Self::Funding => "funding",
            Self::MarginPnl => "margin_pnl",
            Self::Reward => "reward",
        }
    }
}
