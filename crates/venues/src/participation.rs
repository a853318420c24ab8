//! Participation: how much of a bar's volume orders may fill.

use std::fmt;

use model::Decimal;
use model::frame::Bar;
use model::instrument::Instrument;
use model::money::{Bps, Quantity};
use model::numeric::decimal_of;

/// How much a bar may fill. Implement it for models of your own.
pub trait ParticipationModel: fmt::Debug {
    /// Units that all orders of the bar may fill together; `None` for no limit.
    fn budget(&self, instrument: &Instrument, bar: &Bar) -> Option<Quantity>;
}

/// No limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlimited;

impl ParticipationModel for Unlimited {
    fn budget(&self, _instrument: &Instrument, _bar: &Bar) -> Option<Quantity> {
        None
    }
}

/// A share of the bar's volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareOfVolume(pub Bps);

impl ParticipationModel for ShareOfVolume {
    fn budget(&self, _instrument: &Instrument, bar: &Bar) -> Option<Quantity> {
        let volume = decimal_of(bar.volume).unwrap_or(Decimal::ZERO);
        Some(Quantity(volume * self.0.fraction()))
    }
}
