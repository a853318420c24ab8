//! Instruments: what an order can name, and the dense table of those that a run uses.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::key::{self, PositionKey};
use crate::money::{Bps, Cash, LedgerScale, Notional, Price, Quantity};
use crate::numeric::float_of;

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

/// What a unit of an instrument is, and in which currency it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contract {
    /// One unit of base against quote.
    Spot,
    /// A perpetual whose profit is paid in the currency of its price.
    Linear {
        /// Asset in which profit is paid.
        settle: Box<str>,
        /// Base units of one contract; positive.
        size: Decimal,
    },
    /// A perpetual whose profit is paid in base currency.
    Inverse {
        /// Asset in which profit is paid.
        settle: Box<str>,
        /// Quote units of one contract; positive.
        size: Decimal,
    },
}

/// Whether the perpetuals of a venue share their margin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarginMode {
    /// One pool: open profit of one position carries another.
    #[default]
    Cross,
    /// Cash only: open profit carries nothing.
    Isolated,
}

/// In which asset a venue takes the fee of a buy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeeAsset {
    /// In quote currency, beside the notional.
    #[default]
    Quote,
    /// In base currency, out of what the buy brings in.
    Base,
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
    /// What a unit is.
    pub contract: Contract,
    /// Smallest price step, in quote currency; positive.
    pub tick: Decimal,
    /// Smallest quantity step, in units; positive.
    pub lot: Decimal,
    /// Smallest order, in units; zero if there is none.
    pub min_qty: Decimal,
    /// Largest order, in units.
    pub max_qty: Option<Decimal>,
    /// Smallest order, in quote currency; zero if there is none.
    pub min_notional: Decimal,
    /// How far a limit price may lie beyond the last close on the aggressive side.
    pub price_band: Option<Bps>,
    /// Whether the venue takes orders in it.
    pub is_trading: bool,
    /// In which asset the fee of a buy is taken.
    pub fee_asset: FeeAsset,
    /// Notional over initial margin, for perpetuals; one or more.
    pub leverage: Decimal,
    /// Whether it shares its margin.
    pub margin_mode: MarginMode,
    /// Whether the venue pays open profit into cash every day (03 §4.6); of perpetuals.
    pub settles_daily: bool,
    /// Scale to which its cash amounts are rounded.
    pub ledger_scale: LedgerScale,
}

impl Instrument {
    /// A spot instrument without minimums, on steps of 10⁻⁸.
    pub fn spot(id: InstrumentId, base: &str, quote: &str) -> Self {
        Self {
            id,
            base: base.into(),
            quote: quote.into(),
            contract: Contract::Spot,
            tick: Decimal::new(1, 8),
            lot: Decimal::new(1, 8),
            min_qty: Decimal::ZERO,
            max_qty: None,
            min_notional: Decimal::ZERO,
            price_band: None,
            is_trading: true,
            fee_asset: FeeAsset::Quote,
            leverage: Decimal::ONE,
            margin_mode: MarginMode::Cross,
            settles_daily: false,
            ledger_scale: LedgerScale::DEFAULT,
        }
    }

    /// Whether it is a perpetual: a position that moves no notional.
    pub const fn is_perpetual(&self) -> bool {
        !matches!(self.contract, Contract::Spot)
    }

    /// Asset in which its cash flows: settle currency of a perpetual, else quote currency.
    pub fn cash_asset(&self) -> &str {
        match &self.contract {
            Contract::Spot => &self.quote,
            Contract::Linear { settle, .. } | Contract::Inverse { settle, .. } => settle,
        }
    }

    /// What `quantity` is worth at `px`, in the asset of its cash; the sign is that of the quantity.
    ///
    /// Spot and linear: px · q · size. Inverse: q · size / px. Source: 02 §3.2.
    pub fn notional(&self, px: Price, quantity: Quantity) -> Notional {
        match &self.contract {
            Contract::Spot => px * quantity,
            Contract::Linear { size, .. } if *size == Decimal::ONE => px * quantity,
            Contract::Linear { size, .. } => px * Quantity(quantity.0 * size),
            Contract::Inverse { size, .. } => Notional::exactly(quantity.0 * size / px.value()),
        }
    }

    /// What `quantity` is worth at `px` in quote currency, where minimums and budgets are stated.
    pub fn quote_notional(&self, px: Price, quantity: Quantity) -> Decimal {
        match &self.contract {
            Contract::Inverse { size, .. } => quantity.0 * size,
            Contract::Spot | Contract::Linear { .. } => self.notional(px, quantity).value(),
        }
    }

    /// Whether what `quantity` is worth at `px` can be kept in 28 digits with room for fees and sums:
    /// at most 10¹⁵, in quote currency and in the asset of its cash. Reckoned without risk of overflow.
    pub fn can_keep(&self, px: Price, quantity: Quantity) -> bool {
        let (px, quantity) = (float_of(px.value()), float_of(quantity.0).abs());
        let worth = match &self.contract {
            Contract::Spot => px * quantity,
            Contract::Linear { size, .. } => px * quantity * float_of(*size),
            Contract::Inverse { size, .. } => {
                let notional = quantity * float_of(*size);
                notional.max(notional / px)
            }
        };
        worth <= 1e15
    }

    /// What a position that is worth `value` and was entered at `cost` has gained; all three carry
    /// the sign of the position and are in the asset of its cash.
    pub fn gain(&self, value: Decimal, cost: Decimal) -> Decimal {
        match self.contract {
            Contract::Spot | Contract::Linear { .. } => value - cost,
            Contract::Inverse { .. } => cost - value,
        }
    }

    /// Initial margin of a notional, in the asset of its cash; never negative.
    pub fn initial_margin(&self, notional: Notional) -> Decimal {
        self.ledger_scale.round(notional.value().abs() / self.leverage)
    }

    /// Gain of an open position at `mark`, rounded once.
    pub fn unrealized(&self, mark: Price, quantity: Quantity, cost: Decimal) -> Cash {
        let value = self.notional(mark, quantity).booked(self.ledger_scale);
        Cash(self.gain(value.0, cost))
    }
}

/// Place of an instrument in its run's table; its rank where bars of one instant are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentIx(pub u16);

/// Place of a position key in its run's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIx(pub u16);

/// Place of a price series in its run's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesIx(pub u16);

/// A series of prices that is nobody's market: an oracle's, a decentralised exchange's, a peg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceSeries {
    /// Where the prices are from: `aave_oracle`, `dex`, `binance_spot`.
    pub source: Box<str>,
    /// What one unit of is priced.
    pub base: Box<str>,
    /// In what.
    pub quote: Box<str>,
}

impl SeriesIx {
    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

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

/// Two tokens of which one unit is worth one of the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parity {
    /// The token.
    pub token: Box<str>,
    /// What it is worth one of.
    pub asset: Box<str>,
    /// Why.
    pub kind: ParityKind,
}

/// Why two tokens are worth the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParityKind {
    /// One is the other in a wrapper, WETH of ETH: exposure counts them as one asset.
    Wrap,
    /// The run file says so, `peg = fixed`: USDT of USD.
    Peg,
}

/// An instrument with the position keys that its trades touch.
#[derive(Clone, Debug)]
struct Listing {
    instrument: Instrument,
    base_key: KeyIx,
    cash_key: KeyIx,
}

/// Every instrument and position key of a run, resolved to dense places at start-up.
///
/// The hot path compares small integers; names are looked up once, before the first frame.
#[derive(Clone, Debug, Default)]
pub struct InstrumentTable {
    listings: Vec<Listing>,
    keys: Vec<PositionKey>,
    /// What one unit of a key stands for, where its symbol does not say it.
    underlying: Vec<Option<Box<str>>>,
    series: Vec<PriceSeries>,
    parities: Vec<Parity>,
}

impl InstrumentTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an instrument, and the balances that its trades change at its venue.
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
        let cash_key = balance(instrument.cash_asset());
        let base_key = if instrument.is_perpetual() {
            let key = PositionKey::perp(&venue, &instrument.id.symbol);
            self.add_key(key.expect("an instrument's symbol"))
        } else {
            balance(&instrument.base)
        };
        self.listings.push(Listing { instrument, base_key, cash_key });
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
            self.underlying.push(None);
            self.keys.len() - 1
        });
        KeyIx(u16::try_from(place).expect("fewer than 65,536 position keys"))
    }

    /// Adds a series of prices.
    ///
    /// # Panics
    ///
    /// At more than 65,535 of them.
    pub fn add_price_series(&mut self, series: PriceSeries) -> SeriesIx {
        let place = u16::try_from(self.series.len()).expect("fewer than 65,536 price series");
        self.series.push(series);
        SeriesIx(place)
    }

    /// Says what one unit of a key stands for: the token in which a supply, a debt or a claim is
    /// counted once its index is applied, and the coin that a liquid staking token is a rate of.
    pub fn set_underlying(&mut self, key: KeyIx, token: &str) {
        self.underlying[key.index()] = Some(token.into());
    }

    /// What [`set_underlying`](Self::set_underlying) has said of a key.
    pub fn underlying(&self, key: KeyIx) -> Option<&str> {
        self.underlying[key.index()].as_deref()
    }

    /// Says that two tokens are worth the same.
    pub fn add_parity(&mut self, parity: Parity) {
        self.parities.push(parity);
    }

    /// All pairs of tokens that are worth the same.
    pub fn parities(&self) -> &[Parity] {
        &self.parities
    }

    /// All series of prices with their places.
    pub fn price_series(&self) -> impl Iterator<Item = (SeriesIx, &PriceSeries)> {
        (0u16..).map(SeriesIx).zip(&self.series)
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

    /// The balance that a trade in this instrument changes by the quantity; the position itself of a
    /// perpetual.
    pub fn base_key(&self, place: InstrumentIx) -> KeyIx {
        self.listings[place.index()].base_key
    }

    /// The balance that a trade in this instrument changes by notional and fee; settle cash of a
    /// perpetual, which is changed by fee and realised profit.
    pub fn cash_key(&self, place: InstrumentIx) -> KeyIx {
        self.listings[place.index()].cash_key
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

    /// The place of a position key.
    pub fn find_key(&self, key: &PositionKey) -> Option<KeyIx> {
        self.keys().find(|(_, known)| *known == key).map(|(place, _)| place)
    }

    /// The spot market of what an instrument trades, in the same quote currency: at its own venue if
    /// there is one, else at the first that has one.
    pub fn spot_of(&self, place: InstrumentIx) -> Option<InstrumentIx> {
        let Instrument { id, base, quote, .. } = self.instrument(place);
        let same = self.instruments().filter(|(_, known)| {
            known.id.market == MarketType::Spot && known.base == *base && known.quote == *quote
        });
        let nearest = same.min_by_key(|(place, known)| (known.id.venue != id.venue, *place));
        nearest.map(|(place, _)| place)
    }

    /// By key, the perpetual that it is the position of.
    pub fn perpetuals_by_key(&self) -> Vec<Option<InstrumentIx>> {
        let mut perpetuals = vec![None; self.keys().count()];
        for (place, _) in self.instruments().filter(|(_, known)| known.is_perpetual()) {
            perpetuals[self.base_key(place).index()] = Some(place);
        }
        perpetuals
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
        Instrument::spot(id.parse().unwrap(), base, quote)
    }

    #[test]
    fn instruments_of_one_venue_share_their_quote_balance() {
        let mut table = InstrumentTable::new();
        let btc = table.add(spot("binance:spot:BTCUSDT", "BTC", "USDT"));
        let eth = table.add(spot("binance:spot:ETHUSDT", "ETH", "USDT"));
        let other = table.add(spot("bybit:spot:BTCUSDT", "BTC", "USDT"));
        assert_eq!(table.cash_key(btc), table.cash_key(eth));
        assert_ne!(table.cash_key(btc), table.cash_key(other));
        assert_eq!(table.keys().count(), 5);
        assert_eq!(table.price_path("bybit", "BTC", "USDT"), Some(other));
        assert_eq!(table.price_path("okx", "BTC", "USDT"), Some(btc));
        assert_eq!(table.price_path("okx", "SOL", "USDT"), None);
    }

    #[test]
    fn a_perpetual_is_worth_its_contracts() {
        let px = |text: &str| Price::new(text.parse().unwrap()).unwrap();
        let size = Decimal::ONE_HUNDRED;
        let inverse = Instrument {
            contract: Contract::Inverse { settle: "BTC".into(), size },
            ..spot("binance:perp:BTCUSD", "BTC", "USD")
        };
        let held = Quantity(Decimal::ONE_THOUSAND);
        let cost = inverse.notional(px("50000"), held).booked(LedgerScale::DEFAULT);
        let gain = inverse.unrealized(px("52000"), held, cost.0);
        // 1,000 contracts of 100 USD, long from 50,000 to 52,000 (02 §3.2).
        assert_eq!(gain.0, "0.076923076923".parse().unwrap());
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
