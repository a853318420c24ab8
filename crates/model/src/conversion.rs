//! Conversions: the way from what a position is counted in to a currency, over registered prices.

use crate::instrument::{
    Instrument, InstrumentIx, InstrumentTable, KeyIx, ParityKind, PriceSeries, SeriesIx,
};
use crate::key::PositionType;

/// Most steps that a conversion takes. Source: 04 §5.2.
pub const LONGEST_CONVERSION: usize = 4;

/// What a step of a conversion is priced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceSource {
    /// The price of an instrument (`usd_price`).
    Instrument(InstrumentIx),
    /// A price series: an oracle's, or a peg that moves (`peg`).
    Series(SeriesIx),
    /// The index of a supply or of a debt (`aave_index`).
    Index(KeyIx),
    /// The protocol's exchange rate of a liquid staking token (`lst_rate`).
    Rate(KeyIx),
    /// One for one: a wrap, or a peg that the run file fixes.
    One,
}

/// One step of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// What it is priced by.
    pub price: PriceSource,
    /// From quote to base: divided by the price.
    pub divides: bool,
}

/// A way from one asset to another; empty if they are the same (`direct`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion(pub Vec<Hop>);

impl Conversion {
    /// Units of the currency per unit of the asset at `marks`.
    ///
    /// # Errors
    ///
    /// An instrument on the way has no price yet, or a step is priced by something else.
    pub fn rate(&self, marks: &[Option<f64>]) -> Result<f64, PriceSource> {
        let price = |source| match source {
            PriceSource::Instrument(place) => marks[place.index()],
            PriceSource::One => Some(1.0),
            PriceSource::Series(_) | PriceSource::Index(_) | PriceSource::Rate(_) => None,
        };
        self.0.iter().try_fold(1.0, |rate, hop| {
            let price = price(hop.price).ok_or(hop.price)?;
            Ok(if hop.divides { rate / price } else { rate * price })
        })
    }
}

impl InstrumentTable {
    /// Token in which a balance is counted once its index is applied; `None` for a perpetual, and for
    /// a supply, debt or claim whose underlying has not been named.
    pub fn token(&self, key: KeyIx) -> Option<&str> {
        let name = self.key(key);
        match name.kind() {
            PositionType::BaseToken
            | PositionType::Transit
            | PositionType::FlashDebt
            | PositionType::Lst => Some(name.symbol()),
            PositionType::AToken | PositionType::DebtToken | PositionType::Claim => {
                self.underlying(key)
            }
            PositionType::Perp => None,
        }
    }

    /// The liquid staking token of a name, and the coin that it is a rate of.
    pub fn staked(&self, token: &str) -> Option<(KeyIx, &str)> {
        self.keys()
            .filter(|(_, name)| name.kind() == PositionType::Lst && name.symbol() == token)
            .find_map(|(key, _)| Some((key, self.underlying(key)?)))
    }

    /// The one asset as which exposure counts a token: what is in its wrapper, the coin that was
    /// staked. Source: 01 §2.4 rule 7, 04 §5.1.
    pub fn asset<'a>(&'a self, token: &'a str) -> &'a str {
        let mut asset = token;
        for _ in 0..LONGEST_CONVERSION {
            let wrapped = self
                .parities()
                .iter()
                .find(|parity| parity.kind == ParityKind::Wrap && &*parity.token == asset);
            asset = match (self.staked(asset), wrapped) {
                (Some((_, coin)), _) => coin,
                (None, Some(parity)) => &parity.asset,
                (None, None) => break,
            };
        }
        asset
    }

    /// How the balance at `key` becomes an amount of `currency`; of a perpetual, how the asset of its
    /// cash does.
    pub fn key_conversion(&self, key: KeyIx, currency: &str) -> Option<Conversion> {
        let name = self.key(key);
        let perpetual = || {
            let mut perpetuals = self.instruments().filter(|(_, known)| known.is_perpetual());
            let (_, instrument) = perpetuals.find(|(place, _)| self.base_key(*place) == key)?;
            Some(instrument.cash_asset())
        };
        let token = self.token(key).or_else(perpetual)?;
        let grows = matches!(name.kind(), PositionType::AToken | PositionType::DebtToken);
        let index = Hop { price: PriceSource::Index(key), divides: false };
        let first = if grows { vec![index] } else { vec![] };
        self.search(name.venue(), token, currency, first)
    }

    /// How an amount of `asset` held at `venue` becomes one of `currency`, over as few steps as
    /// possible; empty if they are the same.
    ///
    /// Of ways of one length: wraps first, then spot instruments, those of `venue` before others,
    /// then price series by name, then fixed pegs. A liquid staking token goes by its rate alone.
    /// Source: 04 §5.2.
    pub fn conversion(&self, venue: &str, asset: &str, currency: &str) -> Option<Conversion> {
        self.search(venue, asset, currency, vec![])
    }

    fn search(
        &self,
        venue: &str,
        asset: &str,
        currency: &str,
        first: Vec<Hop>,
    ) -> Option<Conversion> {
        let mut reached = vec![(asset, first)];
        let mut next = 0;
        while let Some((from, hops)) = reached.get(next).cloned() {
            if from == currency {
                return Some(Conversion(hops));
            }
            next += 1;
            if hops.len() == LONGEST_CONVERSION {
                continue;
            }
            for (to, hop) in self.edges(venue, from) {
                if reached.iter().all(|(asset, _)| *asset != to) {
                    let mut hops = hops.clone();
                    hops.push(hop);
                    reached.push((to, hops));
                }
            }
        }
        None
    }

    /// Where an amount of `from` can be turned into, in order of preference.
    fn edges<'a>(&'a self, venue: &str, from: &str) -> Vec<(&'a str, Hop)> {
        if let Some((key, coin)) = self.staked(from) {
            return vec![(coin, Hop { price: PriceSource::Rate(key), divides: false })];
        }
        let mut edges = self.parity_edges(ParityKind::Wrap, from);
        let mut spot: Vec<(InstrumentIx, &Instrument)> =
            self.instruments().filter(|(_, known)| !known.is_perpetual()).collect();
        spot.sort_by_key(|(place, known)| (&*known.id.venue != venue, *place));
        edges.extend(spot.into_iter().filter_map(|(place, known)| {
            edge(from, &known.base, &known.quote, PriceSource::Instrument(place))
        }));
        let mut series: Vec<(SeriesIx, &PriceSeries)> = self.price_series().collect();
        series.sort_by_key(|(_, known)| (&known.source, &known.base, &known.quote));
        edges.extend(series.into_iter().filter_map(|(place, known)| {
            edge(from, &known.base, &known.quote, PriceSource::Series(place))
        }));
        edges.extend(self.parity_edges(ParityKind::Peg, from));
        edges
    }

    fn parity_edges(&self, kind: ParityKind, from: &str) -> Vec<(&str, Hop)> {
        let mut parities: Vec<_> =
            self.parities().iter().filter(|parity| parity.kind == kind).collect();
        parities.sort();
        let both_ways = |token, asset| edge(from, token, asset, PriceSource::One);
        parities.iter().filter_map(|parity| both_ways(&*parity.token, &*parity.asset)).collect()
    }
}

/// The step from one of two assets to the other, if `from` is one of them.
fn edge<'a>(
    from: &str,
    base: &'a str,
    quote: &'a str,
    price: PriceSource,
) -> Option<(&'a str, Hop)> {
    if base == from {
        Some((quote, Hop { price, divides: false }))
    } else if quote == from {
        Some((base, Hop { price, divides: true }))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::Parity;

    fn spot(id: &str, base: &str, quote: &str) -> Instrument {
        Instrument::spot(id.parse().unwrap(), base, quote)
    }

    #[test]
    fn an_asset_is_converted_over_as_few_instruments_as_possible() {
        let mut table = InstrumentTable::new();
        let eth_btc = table.add(spot("binance:spot:ETHBTC", "ETH", "BTC"));
        let btc = table.add(spot("binance:spot:BTCUSDT", "BTC", "USDT"));
        let hops = |asset: &str, currency: &str| {
            let conversion = table.conversion("binance", asset, currency)?;
            let name = |hop: &Hop| (hop.price, hop.divides);
            Some(conversion.0.iter().map(name).collect::<Vec<_>>())
        };
        let (eth_btc, btc) = (PriceSource::Instrument(eth_btc), PriceSource::Instrument(btc));
        assert_eq!(hops("USDT", "USDT"), Some(vec![]));
        assert_eq!(hops("BTC", "USDT"), Some(vec![(btc, false)]));
        assert_eq!(hops("ETH", "USDT"), Some(vec![(eth_btc, false), (btc, false)]));
        assert_eq!(hops("USDT", "ETH"), Some(vec![(btc, true), (eth_btc, true)]));
        assert_eq!(hops("SOL", "USDT"), None);
        let path = table.conversion("binance", "ETH", "USDT").unwrap();
        assert_eq!(path.rate(&[Some(0.05), Some(60_000.0)]), Ok(3_000.0));
        assert_eq!(path.rate(&[Some(0.05), None]), Err(btc));
    }

    #[test]
    fn positions_are_converted_over_index_rate_wrap_series_and_peg() {
        let mut table = InstrumentTable::new();
        table.add(spot("binance:spot:ETHUSDT", "ETH", "USDT"));
        let mut key = |text: &str, underlying: &str| {
            let key = table.add_key(text.parse().unwrap());
            if !underlying.is_empty() {
                table.set_underlying(key, underlying);
            }
            key
        };
        let staked = key("etherfi:LST:weETH", "ETH");
        let supply = key("aave_v3:aToken:aweETH", "weETH");
        let debt = key("aave_v3:debtToken:debtWETH", "WETH");
        let claim = key("etherfi:Claim:ETH.unstake", "ETH");
        let reward = key("wallet:BaseToken:EIGEN", "");
        let unknown = key("wallet:BaseToken:KING", "");
        let series = |source: &str, base: &str, quote: &str| PriceSeries {
            source: source.into(),
            base: base.into(),
            quote: quote.into(),
        };
        table.add_price_series(series("later", "EIGEN", "USDT"));
        table.add_price_series(series("dex", "weETH", "ETH"));
        table.add_price_series(series("earlier", "EIGEN", "USDT"));
        let parity = |token: &str, asset: &str, kind| Parity {
            token: token.into(),
            asset: asset.into(),
            kind,
        };
        table.add_parity(parity("WETH", "ETH", ParityKind::Wrap));
        table.add_parity(parity("USDT", "USD", ParityKind::Peg));
        let way = |key, currency: &str| {
            let hops = table.key_conversion(key, currency)?.0;
            Some(hops.iter().map(|hop| hop.price).collect::<Vec<_>>())
        };
        let eth = PriceSource::Instrument(InstrumentIx(0));
        let (index, rate, one) = (PriceSource::Index, PriceSource::Rate, PriceSource::One);
        assert_eq!(way(supply, "USD"), Some(vec![index(supply), rate(staked), eth, one]));
        assert_eq!(way(debt, "ETH"), Some(vec![index(debt), one]));
        assert_eq!(way(debt, "USDT"), Some(vec![index(debt), one, eth]));
        assert_eq!(way(claim, "USD"), Some(vec![eth, one]));
        assert_eq!(way(staked, "ETH"), Some(vec![rate(staked)]));
        assert_eq!(way(reward, "USDT"), Some(vec![PriceSource::Series(SeriesIx(2))]));
        assert_eq!(way(unknown, "USDT"), None);
        assert_eq!(table.asset("weETH"), "ETH");
        assert_eq!(table.asset("WETH"), "ETH");
        assert_eq!(table.asset("USDT"), "USDT");
    }
}
