//! Instruments: what an order can name, and the dense table of those that a run uses.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::key::{self, PositionKey};
use crate::money::{Bps, LedgerScale};

/// On which of a venue's markets an instrument trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarketType {
    /// Base against quote, settled at once.
    Spot,
    /// A perpetual future.
    Perp,
    /// A lending pool.
    Pool,
    /// A swap on a decentralised exchange.
    Swap,
}

impl MarketType {
    /// All market types.
    pub const ALL: [Self; 4] = [Self::Spot, Self::Perp, Self::Pool, Self::Swap];

    /// The market type as it stands in an instrument id.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Perp => "perp",
            Self::Pool => "pool",
            Self::Swap => "swap",
        }
    }
}

/// `venue:market:symbol`, for example `binance:spot:BTCUSDT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId {
    /// The venue.
    pub venue: Box<str>,
    /// The market.
    pub market: MarketType,
    /// The venue's own name; never cut up to guess base and quote (D18).
    pub symbol: Box<str>,
}

impl fmt::Display for InstrumentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.venue, self.market.name(), self.symbol)
    }
}

/// Why a text is no instrument id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not have the form venue:market:symbol with market = spot, perp, pool or swap")]
pub struct ParseInstrumentIdError(String);

impl FromStr for InstrumentId {
    type Err = ParseInstrumentIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = key::three_parts(text).and_then(|(venue, market, symbol)| {
            let market = MarketType::ALL.into_iter().find(|known| known.name() == market)?;
            (key::is_venue(venue) && key::is_symbol(symbol)).then(|| Self {
                venue: venue.into(),
                market,
                symbol: symbol.into(),
            })
        });
        parsed.ok_or_else(|| ParseInstrumentIdError(text.to_owned()))
    }
}

/// The rules under which an instrument trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Its id.
    pub id: InstrumentId,
    /// Asset that is bought and sold.
    pub base: Box<str>,
    /// Asset in which prices are stated.
    pub quote: Box<str>,
    /// Smallest price step, in quote currency; positive.
    pub tick: Decimal,
    /// Smallest quantity step, in base units; positive.
    pub lot: Decimal,
    /// Smallest order, in base units; zero if there is none.
    pub min_qty: Decimal,
    /// Smallest order, in quote currency; zero if there is none.
    pub min_notional: Decimal,
    /// Fee of an order that takes liquidity, as a share of its notional.
    pub taker_fee: Bps,
    /// Fee of an order that rests first; negative for a rebate.
    pub maker_fee: Bps,
    /// Scale to which its cash amounts are rounded.
    pub ledger_scale: LedgerScale,
}

/// Place of an instrument in its run's table; its rank where bars of one instant are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentIx(pub u16);

/// Place of a position key in its run's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIx(pub u16);

impl InstrumentIx {
    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl KeyIx {
    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An instrument with the position keys that its trades touch.
#[derive(Clone, Debug)]
struct Listing {
    instrument: Instrument,
    base_key: KeyIx,
    quote_key: KeyIx,
}

/// Every instrument and position key of a run, resolved to dense places at start-up.
///
/// The hot path compares small integers; names are looked up once, before the first frame.
#[derive(Clone, Debug, Default)]
pub struct InstrumentTable {
    listings: Vec<Listing>,
    keys: Vec<PositionKey>,
}

impl InstrumentTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an instrument, and the balances of its base and its quote at its venue.
    ///
    /// # Panics
    ///
    /// At more than 65,535 instruments or keys, and on assets whose names a key cannot hold; the
    /// reader of the run file has refused both.
    pub fn add(&mut self, instrument: Instrument) -> InstrumentIx {
        let place = u16::try_from(self.listings.len()).expect("fewer than 65,536 instruments");
        let venue = instrument.id.venue.clone();
        let mut balance = |asset: &str| {
            let key = PositionKey::base_token(&venue, asset).expect("a registered asset name");
            self.add_key(key)
        };
        let (base_key, quote_key) = (balance(&instrument.base), balance(&instrument.quote));
        self.listings.push(Listing { instrument, base_key, quote_key });
        InstrumentIx(place)
    }

    /// Adds a position key, once.
    ///
    /// # Panics
    ///
    /// At more than 65,535 keys.
    pub fn add_key(&mut self, key: PositionKey) -> KeyIx {
        let place = self.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        KeyIx(u16::try_from(place).expect("fewer than 65,536 position keys"))
    }

    /// Number of instruments.
    pub const fn len(&self) -> usize {
        self.listings.len()
    }

    /// Whether there are no instruments.
    pub const fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }

    /// The instrument at a place.
    pub fn instrument(&self, place: InstrumentIx) -> &Instrument {
        &self.listings[place.index()].instrument
    }

    /// The balance that a trade in this instrument changes by the quantity.
    pub fn base_key(&self, place: InstrumentIx) -> KeyIx {
        self.listings[place.index()].base_key
    }

    /// The balance that a trade in this instrument changes by notional and fee.
    pub fn quote_key(&self, place: InstrumentIx) -> KeyIx {
        self.listings[place.index()].quote_key
    }

    /// All instruments with their places, in rank order.
    pub fn instruments(&self) -> impl Iterator<Item = (InstrumentIx, &Instrument)> {
        (0u16..).map(InstrumentIx).zip(self.listings.iter().map(|listing| &listing.instrument))
    }

    /// All position keys with their places.
    pub fn keys(&self) -> impl Iterator<Item = (KeyIx, &PositionKey)> {
        (0u16..).map(KeyIx).zip(&self.keys)
    }

    /// The position key at a place.
    pub fn key(&self, place: KeyIx) -> &PositionKey {
        &self.keys[place.index()]
    }

    /// The place of an instrument, by id.
    pub fn find(&self, id: &InstrumentId) -> Option<InstrumentIx> {
        self.instruments().find(|(_, instrument)| instrument.id == *id).map(|(place, _)| place)
    }

    /// The instrument that prices `asset` in `currency`: at `venue` if it has one, else at the first
    /// venue that does.
    pub fn price_path(&self, venue: &str, asset: &str, currency: &str) -> Option<InstrumentIx> {
        let prices = |instrument: &Instrument| {
            &*instrument.base == asset
                && &*instrument.quote == currency
                && instrument.id.market == MarketType::Spot
        };
        self.instruments()
            .filter(|(_, instrument)| prices(instrument))
            .min_by_key(|(place, instrument)| (&*instrument.id.venue != venue, *place))
            .map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(id: &str, base: &str, quote: &str) -> Instrument {
        Instrument {
            id: id.parse().unwrap(),
            base: base.into(),
            quote: quote.into(),
            tick: Decimal::new(1, 2),
            lot: Decimal::new(1, 5),
            min_qty: Decimal::ZERO,
            min_notional: Decimal::ZERO,
            taker_fee: Bps::default(),
            maker_fee: Bps::default(),
            ledger_scale: LedgerScale::DEFAULT,
        }
    }

    #[test]
    fn instruments_of_one_venue_share_their_quote_balance() {
        let mut table = InstrumentTable::new();
        let btc = table.add(spot("binance:spot:BTCUSDT", "BTC", "USDT"));
        let eth = table.add(spot("binance:spot:ETHUSDT", "ETH", "USDT"));
        let other = table.add(spot("bybit:spot:BTCUSDT", "BTC", "USDT"));
        assert_eq!(table.quote_key(btc), table.quote_key(eth));
        assert_ne!(table.quote_key(btc), table.quote_key(other));
        assert_eq!(table.keys().count(), 5);
        assert_eq!(table.price_path("bybit", "BTC", "USDT"), Some(other));
        assert_eq!(table.price_path("okx", "BTC", "USDT"), Some(btc));
        assert_eq!(table.price_path("okx", "SOL", "USDT"), None);
    }

    #[test]
    fn instrument_ids_round_trip_and_malformed_ones_are_refused() {
        for text in ["binance:perp:1000PEPEUSDT", "okx:spot:BTC-USDT", "curve:swap:weETH.WETH"] {
            assert_eq!(text.parse::<InstrumentId>().unwrap().to_string(), text);
        }
        for text in ["binance:BTCUSDT", "binance:future:BTCUSDT", "BINANCE:spot:BTCUSDT", "a:spot:"]
        {
            assert!(text.parse::<InstrumentId>().is_err(), "{text}");
        }
    }
}
