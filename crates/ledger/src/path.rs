//! Paths: how each balance of the account is turned into share class.

use std::rc::Rc;

use model::conversion::{Conversion, PriceSource};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::key::{PositionKey, PositionType};
use model::numeric::DoubleFloat;

/// The way from an asset to the share class; empty if they are the same.
#[derive(Clone, Debug)]
pub(crate) struct Path(Rc<[Hop]>);

/// A step over the price of an instrument.
#[derive(Clone, Copy, Debug)]
struct Hop {
    instrument: InstrumentIx,
    divides: bool,
}

impl Path {
    /// The path of a conversion, if it goes over instruments alone.
    fn over(conversion: &Conversion) -> Option<Self> {
        let hops = conversion.0.iter().map(|hop| match hop.price {
            PriceSource::Instrument(instrument) => Some(Hop { instrument, divides: hop.divides }),
            PriceSource::Series(_)
            | PriceSource::Index(_)
            | PriceSource::Rate(_)
            | PriceSource::One => None,
        });
        Some(Self(hops.collect::<Option<Rc<[Hop]>>>()?))
    }
}

impl Path {
    /// Whether the asset is the share class.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one instrument in which the asset is sold for share class.
    pub(crate) fn sold_in(&self) -> Option<InstrumentIx> {
        self.first_sold_in().filter(|_| self.0.len() == 1)
    }

    /// The instrument of the first step, if the asset is its base.
    pub(crate) fn first_sold_in(&self) -> Option<InstrumentIx> {
        self.0.first().filter(|hop| !hop.divides).map(|hop| hop.instrument)
    }

    /// `amount` in share class at `marks`; the error is the instrument that has no price yet.
    pub(crate) fn convert(
        &self,
        amount: DoubleFloat,
        marks: &[Option<f64>],
    ) -> Result<DoubleFloat, InstrumentIx> {
        let mut amount = amount;
        for hop in &*self.0 {
            let mark = marks[hop.instrument.index()].ok_or(hop.instrument)?;
            amount = if hop.divides { amount.over(mark) } else { amount.times(mark) };
        }
        Ok(amount)
    }
}

/// One path per position key: of the asset itself, or of the currency that a perpetual pays in.
///
/// Looked up once: a search at every fill would cost more than the fill.
#[derive(Clone, Debug)]
pub(crate) struct Paths(Vec<Option<Path>>);

impl Paths {
    pub(crate) fn new(instruments: &InstrumentTable, share_class: &str) -> Self {
        let conversion = |(_, key): (KeyIx, &PositionKey)| {
            if key.kind() == PositionType::Perp {
                return None;
            }
            let conversion = instruments.conversion(key.venue(), key.symbol(), share_class)?;
            Path::over(&conversion)
        };
        let mut paths: Vec<Option<Path>> = instruments.keys().map(conversion).collect();
        for (place, instrument) in instruments.instruments() {
            if instrument.is_perpetual() {
                let cash = instruments.cash_key(place).index();
                let path = paths[cash].clone();
                paths[instruments.base_key(place).index()] = path;
            }
        }
        Self(paths)
    }

    /// The path of a key; `None` if nothing in the run prices it.
    pub(crate) fn of(&self, key: KeyIx) -> Option<&Path> {
        self.0[key.index()].as_ref()
    }
}
