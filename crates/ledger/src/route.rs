//! Routes: how each key becomes share class, resolved before the first frame.

use std::rc::Rc;

use model::conversion::{Hop, PriceSource};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionType;
use model::market::Market;
use model::numeric::DoubleFloat;

/// The way of one key: over its index, then its exchange rate, then prices.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) index: Option<KeyIx>,
    pub(crate) rate: Option<KeyIx>,
    tail: Rc<[Hop]>,
    way: Way,
    /// Whether the key is share class itself, in its wrapper perhaps.
    pub(crate) is_idle: bool,
}

/// What is asked at every pass, for nearly every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There is none: the key is share class.
    Direct,
    /// One spot instrument against share class, by far the most frequent.
    Spot(InstrumentIx),
    /// Whatever index, rate and tail say.
    Long,
}

impl Way {
    fn of(index: Option<KeyIx>, rate: Option<KeyIx>, tail: &[Hop]) -> Self {
        match (index, rate, tail) {
            (None, None, []) => Self::Direct,
            (None, None, [Hop { price: PriceSource::Instrument(place), divides: false }]) => {
                Self::Spot(*place)
            }
            _ => Self::Long,
        }
    }
}

/// What a unit of a key is worth, step by step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote {
    pub(crate) index: f64,
    pub(crate) rate: f64,
    /// Share class per unit of the asset; NaN while one is missing.
    pub(crate) price: f64,
}

impl Route {
    /// The route of a key; of a perpetual that of its cash. `None` if nothing in the run prices it.
    pub(crate) fn of(instruments: &InstrumentTable, key: KeyIx, currency: &str) -> Option<Self> {
        let mut hops = instruments.key_conversion(key, currency)?.0;
        let mut taken = |wanted: fn(PriceSource) -> Option<KeyIx>| {
            let key = wanted(hops.first()?.price)?;
            hops.remove(0);
            Some(key)
        };
        let index = taken(|price| match price {
            PriceSource::Index(key) => Some(key),
            PriceSource::Instrument(_)
            | PriceSource::Series(_)
            | PriceSource::Rate(_)
            | PriceSource::One => None,
        });
        let rate = taken(|price| match price {
            PriceSource::Rate(key) => Some(key),
            PriceSource::Instrument(_)
            | PriceSource::Series(_)
            | PriceSource::Index(_)
            | PriceSource::One => None,
        });
        let can_be_idle = matches!(
            instruments.key(key).kind(),
            PositionType::BaseToken | PositionType::Transit | PositionType::Claim
        );
        let is_share_class = instruments
            .token(key)
            .is_some_and(|token| instruments.asset(token) == instruments.asset(currency));
        let is_idle = can_be_idle && rate.is_none() && is_share_class;
        let way = Way::of(index, rate, &hops);
        Some(Self { index, rate, tail: hops.into(), way, is_idle })
    }

    /// The route of an asset, as if held at `venue`.
    pub(crate) fn of_asset(
        instruments: &InstrumentTable,
        venue: &str,
        asset: &str,
        currency: &str,
    ) -> Option<Self> {
        let hops = instruments.conversion(venue, asset, currency)?.0;
        let way = Way::of(None, None, &hops);
        Some(Self { index: None, rate: None, tail: hops.into(), way, is_idle: false })
    }

    /// Whether the key is share class under its own name.
    #[inline]
    pub(crate) fn is_direct(&self) -> bool {
        self.is_idle && self.way == Way::Direct
    }

    /// The instrument of the first step, if the key is its base.
    pub(crate) fn first_sold_in(&self) -> Option<InstrumentIx> {
        match (self.index, self.rate, self.tail.first()) {
            (None, None, Some(Hop { price: PriceSource::Instrument(place), divides: false })) => {
                Some(*place)
            }
            _ => None,
        }
    }

    /// The one spot instrument in which the key is sold for share class.
    pub(crate) fn sold_in(&self) -> Option<InstrumentIx> {
        match self.way {
            Way::Spot(place) => Some(place),
            Way::Direct | Way::Long => None,
        }
    }

    /// What a unit is worth; the price is NaN and the rate 1 while they are unknown.
    #[inline]
    pub(crate) fn quote(&self, market: &Market) -> Quote {
        let price = match self.way {
            Way::Direct => 1.0,
            Way::Spot(place) => market.marks[place.index()].unwrap_or(f64::NAN),
            Way::Long => return self.long_quote(market),
        };
        Quote { index: 1.0, rate: 1.0, price }
    }

    fn long_quote(&self, market: &Market) -> Quote {
        let index = self.index.map_or(1.0, |key| market.indices[key.index()]);
        let rate = self.rate.map_or(Some(1.0), |key| market.rates[key.index()]);
        let price = rate.map_or(f64::NAN, |_| self.tail_price(market));
        Quote { index, rate: rate.unwrap_or(1.0), price }
    }

    fn tail_price(&self, market: &Market) -> f64 {
        self.tail.iter().fold(1.0, |price, hop| {
            let step = market.price(hop.price).unwrap_or(f64::NAN);
            if hop.divides { price / step } else { price * step }
        })
    }

    /// `amount` in share class, to about 32 digits; the error is the price that there is not yet.
    pub(crate) fn convert(
        &self,
        amount: DoubleFloat,
        market: &Market,
    ) -> Result<DoubleFloat, PriceSource> {
        if let Way::Spot(place) = self.way {
            let price = market.marks[place.index()];
            return Ok(amount.times(price.ok_or(PriceSource::Instrument(place))?));
        }
        let mut amount = amount;
        if let Some(key) = self.index {
            amount = amount.times(market.indices[key.index()]);
        }
        if let Some(key) = self.rate {
            let rate = market.rates[key.index()].ok_or(PriceSource::Rate(key))?;
            amount = amount.times(rate);
        }
        for hop in &*self.tail {
            if hop.price == PriceSource::One {
                continue;
            }
            let price = market.price(hop.price).ok_or(hop.price)?;
            amount = if hop.divides { amount.over(price) } else { amount.times(price) };
        }
        Ok(amount)
    }
}
