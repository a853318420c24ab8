//! Eight venues with ten assets each: spot, perpetuals, transfers between them.

use std::rc::Rc;

use execution::execution_service::{ExposureTerms, RealSourceKind, RiskTerms, Strictness};
use execution::profile::FailedOrderPolicy;
use execution::{ExecutionSettings, ImpactTerms, RiskGate};
use model::Decimal;
use model::instrument::{
    Contract, FeeAsset, Instrument, InstrumentIx, InstrumentTable, KeyIx, MarginMode, Parity,
    ParityKind,
};
use model::key::PositionType;
use model::margin::{MarginTier, MarginTiers};
use model::market::DataProvider;
use model::money::Bps;
use model::time::{Interval, UtcMillis};
use venues::exchange::{ExchangeSettings, MatchRules, Models};
use venues::fees::{FeeModel, MakerTaker};
use venues::latency::{FixedLatency, Latency};
use venues::participation::ShareOfVolume;
use venues::path::Pessimistic;
use venues::slippage::FixedSlippage;
use venues::transfer::Route;

pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) const VENUES: [&str; 8] =
    ["binance", "bitget", "bybit", "coinbase", "deribit", "gate", "kraken", "okx"];

/// With USDT ten assets, and the prices that they start at.
pub(crate) const COINS: [(&str, f64); 9] = [
    ("BTC", 42_000.0),
    ("ETH", 2_300.0),
    ("SOL", 100.0),
    ("LTC", 70.0),
    ("BCH", 250.0),
    ("AVAX", 35.0),
    ("LINK", 15.0),
    ("DOT", 7.5),
    ("UNI", 6.5),
];

/// Quote units of one inverse contract.
pub(crate) const INVERSE_SIZE: i64 = 10;

/// What a run is made of.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) instruments: Rc<InstrumentTable>,
    /// Data of the one run that it is used for.
    pub(crate) market: Rc<DataProvider>,
    /// Which coin an instrument is in, by [`InstrumentIx`].
    pub(crate) coins: Vec<usize>,
    pub(crate) routes: Vec<Route>,
    pub(crate) initial: Vec<(KeyIx, Decimal)>,
}

impl World {
    /// All venues; the first five coins have linear perpetuals, the others inverse ones.
    pub(crate) fn new() -> Self {
        let mut table = InstrumentTable::new();
        let mut coins = Vec::new();
        for (number, venue) in VENUES.iter().enumerate() {
            for (at, (coin, _)) in COINS.iter().enumerate() {
                table.add(spot(number, venue, coin));
                table.add(perp(number, venue, coin, at < 5));
                coins.extend([at, at]);
            }
        }
        let (token, asset) = ("USDT".into(), "USD".into());
        table.add_parity(Parity { token, asset, kind: ParityKind::Peg });
        let routes = routes(&mut table);
        let initial = initial(&table);
        let market = Rc::new(DataProvider::new(&table));
        Self { instruments: Rc::new(table), market, coins, routes, initial }
    }

    /// How a run executes; a third of the volume of a bar is the most that fills.
    pub(crate) fn settings(&self) -> ExecutionSettings {
        let interval = Interval::from_millis(HOUR).expect("an hour");
        let tiers = [MarginTier::new(0.0, 0.005, 0.01), MarginTier::new(50_000.0, 0.01, 0.02)];
        let tiers = MarginTiers::new(UtcMillis::new(0), &tiers).expect("two tiers that ascend");
        let of = |(_, instrument): (InstrumentIx, &Instrument)| -> Rc<[MarginTiers]> {
            if instrument.is_perpetual() { Rc::new([tiers.clone()]) } else { Rc::new([]) }
        };
        let tiers: Vec<_> = self.instruments.instruments().map(of).collect();
        let risk = RiskTerms {
            tiers: tiers.iter().map(|tiers| tiers.to_vec()).collect(),
            ..RiskTerms::new(interval)
        };
        let latency = FixedLatency(Latency { millis: 0, bars: 0 });
        let fees = self.instruments.instruments().map(|(_, instrument)| fees(instrument));
        ExecutionSettings {
            exchange: ExchangeSettings {
                unfilled: venues::exchange::Unfilled::default(),
                interval,
                seed: 0,
                rules: MatchRules::default(),
                tiers,
                models: Models {
                    path: Rc::new(Pessimistic),
                    participation: Rc::new(ShareOfVolume(Bps(Decimal::new(3_000, 0)))),
                    slippage: Rc::new(FixedSlippage(Bps(Decimal::new(3, 0)))),
                    latency: Rc::new(latency),
                    fees: fees.collect(),
                },
            },
            same_close: false,
            on_failed_order: FailedOrderPolicy::AbortRun,
            real_source: RealSourceKind::SimulatorLedger,
            transfers: self.routes.clone(),
            exposure: ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() },
            risk,
            strictness: Strictness::Strict,
            stops_on_critical: false,
        }
    }

    /// A gate that values the account as the run does.
    pub(crate) fn gate(&self) -> RiskGate {
        let settings = self.settings();
        let terms = ImpactTerms::new(&settings, &self.market, f64::INFINITY);
        RiskGate::new(Rc::clone(&self.instruments), settings.exchange.models.fees, terms)
    }

    /// The place of a key.
    pub(crate) fn key(&self, text: &str) -> KeyIx {
        let mut keys = self.instruments.keys();
        keys.find(|(_, key)| key.as_str() == text).expect("a key of the world").0
    }

    /// The place of an instrument.
    pub(crate) fn instrument(&self, text: &str) -> InstrumentIx {
        self.instruments.find(&text.parse().expect("an id")).expect("an instrument of the world")
    }

    /// Keys that hold an asset itself, or have it on its way.
    pub(crate) fn holders(&self, asset: &str) -> Vec<KeyIx> {
        let holds = |kind| matches!(kind, PositionType::BaseToken | PositionType::Transit);
        let keys = self.instruments.keys();
        let keys = keys.filter(|(_, key)| holds(key.kind()) && key.symbol() == asset);
        keys.map(|(place, _)| place).collect()
    }
}

/// The fee of a transfer, in units of its asset.
pub(crate) fn transfer_fee(asset: &str) -> Decimal {
    if asset == "USDT" { Decimal::ONE } else { Decimal::new(1, 4) }
}

fn spot(number: usize, venue: &str, coin: &str) -> Instrument {
    let id = format!("{venue}:spot:{coin}USDT").parse().expect("an id");
    let fee_asset = if number.is_multiple_of(2) { FeeAsset::Quote } else { FeeAsset::Base };
    let (tick, lot) = (Decimal::new(1, 2), Decimal::new(1, 3));
    Instrument { tick, lot, fee_asset, ..Instrument::spot(id, coin, "USDT") }
}

/// The last venue gives much leverage and margins every position by itself, so some are liquidated.
fn perp(number: usize, venue: &str, coin: &str, is_linear: bool) -> Instrument {
    let quote = if is_linear { "USDT" } else { "USD" };
    let id = format!("{venue}:perp:{coin}{quote}").parse().expect("an id");
    let is_last = number + 1 == VENUES.len();
    let contract = if is_linear {
        Contract::Linear { settle: "USDT".into(), size: Decimal::ONE }
    } else {
        Contract::Inverse { settle: coin.into(), size: Decimal::new(INVERSE_SIZE, 0) }
    };
    Instrument {
        contract,
        tick: Decimal::new(1, 2),
        lot: if is_linear { Decimal::new(1, 3) } else { Decimal::ONE },
        leverage: Decimal::new(if is_last { 40 } else { 5 }, 0),
        margin_mode: if is_last { MarginMode::Isolated } else { MarginMode::Cross },
        ..Instrument::spot(id, coin, quote)
    }
}

/// A rebate for makers of perpetuals, a fee for everybody else.
fn fees(instrument: &Instrument) -> Rc<dyn FeeModel> {
    let (maker, taker) = if instrument.is_perpetual() {
        (Decimal::new(-5, 1), Decimal::new(55, 1))
    } else {
        (Decimal::new(8, 0), Decimal::TEN)
    };
    Rc::new(MakerTaker::flat(Bps(maker), Bps(taker)))
}

/// From every venue to the next, for every asset, with delays from none to five hours.
fn routes(table: &mut InstrumentTable) -> Vec<Route> {
    let mut routes = Vec::new();
    let assets = COINS.iter().map(|(coin, _)| *coin).chain(["USDT"]);
    for (at, asset) in assets.enumerate() {
        for (number, venue) in VENUES.iter().enumerate() {
            let next = VENUES[(number + 1) % VENUES.len()];
            let mut key = |venue: &str, kind: &str| {
                table.add_key(format!("{venue}:{kind}:{asset}").parse().expect("a key"))
            };
            routes.push(Route {
                source: key(venue, "BaseToken"),
                transit: key(next, "Transit"),
                target: key(next, "BaseToken"),
                delay_ms: HOUR / 2 * i64::try_from((at + number) % 11).expect("a small number"),
                fee: transfer_fee(asset),
                gas_units: 0,
            });
        }
    }
    routes
}

/// A million USDT at every venue, and coins for 200,000.
fn initial(table: &InstrumentTable) -> Vec<(KeyIx, Decimal)> {
    let mut initial = Vec::new();
    for (place, key) in table.keys().filter(|(_, key)| key.kind() == PositionType::BaseToken) {
        let coin = COINS.iter().find(|(coin, _)| *coin == key.symbol());
        let amount = coin.map_or(1_000_000.0, |(_, px)| (200_000.0 / px).round());
        initial.push((place, crate::dice::rounded(amount, 0)));
    }
    initial
}
