//! Fill paths: in which order prices were reached inside a bar.

use std::cmp::Ordering;
use std::fmt;

use model::frame::Bar;
use model::numeric::decimal_of;

/// In which order a bar reached its extremes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarPath {
    /// Not known: of what the bar allows, what is worse for the account happened.
    Unknown,
    /// Open, high, low, close.
    HighFirst,
    /// Open, low, high, close.
    LowFirst,
}

/// In which order prices were reached inside bars. Implement it for models of your own.
pub trait PathModel: fmt::Debug {
    /// The path of a bar.
    fn path(&self, bar: &Bar) -> BarPath;

    /// Whether bars are taken apart into finer ones where there are some; the path is then that of
    /// the finer bars.
    fn takes_sub_bars(&self) -> bool {
        false
    }
}

/// What is worse for the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pessimistic;

impl PathModel for Pessimistic {
    fn path(&self, _bar: &Bar) -> BarPath {
        BarPath::Unknown
    }
}

/// The extreme nearer to the open came first; at the same distance, what is worse for the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NearestExtreme;

impl PathModel for NearestExtreme {
    fn path(&self, bar: &Bar) -> BarPath {
        // Differences of floats would break ties.
        let (open, high, low) = (decimal_of(bar.open), decimal_of(bar.high), decimal_of(bar.low));
        let (Some(open), Some(high), Some(low)) = (open, high, low) else {
            return BarPath::Unknown;
        };
        match (high - open).cmp(&(open - low)) {
            Ordering::Less => BarPath::HighFirst,
            Ordering::Greater => BarPath::LowFirst,
            Ordering::Equal => BarPath::Unknown,
        }
    }
}

/// Finer candles where the run has them; inside the finest, what is worse for the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubBars;

impl PathModel for SubBars {
    fn path(&self, _bar: &Bar) -> BarPath {
        BarPath::Unknown
    }

    fn takes_sub_bars(&self) -> bool {
        true
    }
}
