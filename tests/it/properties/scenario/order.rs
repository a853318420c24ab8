//! Orders, and the requests that submit or cancel them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

impl Side {
    /// One for a buy, minus one for a sell.
    pub(crate) fn sign(self) -> i128 {
        if self == Self::Buy { 1 } else { -1 }
    }

    pub(crate) fn other(self) -> Self {
        if self == Self::Buy { Self::Sell } else { Self::Buy }
    }

    pub(crate) fn text(self) -> &'static str {
        if self == Self::Buy { "buy" } else { "sell" }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Market,
    Limit,
    Stop,
    StopLimit,
    Trailing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tif {
    Gtc,
    Ioc,
    Fok,
    /// Last instant at which a bar may close.
    Gtd(i64),
    Day,
}

/// How far a trailing order follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trail {
    By(i128),
    Bps(i128),
}

/// Where an exit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Price(i128),
    /// Signed distance from the fill.
    Offset(i128),
    /// Distance from the fill on the side where the exit belongs.
    Bps(i128),
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Units(i128),
    Percent(i128),
    /// As much as the parent fills.
    OfParent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// The bar at whose close it is decided.
    pub(crate) decided: usize,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    pub(crate) price: Option<i128>,
    pub(crate) stop: Option<i128>,
    pub(crate) trail: Option<Trail>,
    pub(crate) tif: Tif,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) oco: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) take_profit: Option<Level>,
    pub(crate) stop_loss: Option<Level>,
}

impl Order {
    pub(crate) fn market(id: &str, decided: usize, side: Side, size: Size) -> Self {
        Self {
            id: id.to_owned(),
            decided,
            side,
            kind: Kind::Market,
            size,
            price: None,
            stop: None,
            trail: None,
            tif: Tif::Gtc,
            post_only: false,
            reduce_only: false,
            oco: None,
            parent: None,
            take_profit: None,
            stop_loss: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub(crate) enum Request {
    Submit(Order),
    Cancel { decided: usize, id: String },
}

impl Request {
    pub(crate) fn decided(&self) -> usize {
        match self {
            Self::Submit(order) => order.decided,
            Self::Cancel { decided, .. } => *decided,
        }
    }

    /// The order that it submits or needs.
    pub(super) fn names(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Submit(order) => (Some(&order.id), order.parent.as_deref()),
            Self::Cancel { id, .. } => (None, Some(id)),
        }
    }
}
