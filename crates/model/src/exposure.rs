//! Exposure: what every position is worth and how far the account is exposed to each asset.

use crate::instrument::{InstrumentTable, KeyIx};
use crate::key::PositionType;
use crate::time::UtcMillis;

/// Place of an asset in the layout of a run's exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetIx(pub u16);

impl AssetIx {
    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Place of a venue in the layout of a run's exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VenueIx(pub u16);

impl VenueIx {
    /// The place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which asset and which venue each key counts to; fixed before the first frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExposureLayout {
    /// Assets, in the order in which keys bring them.
    pub assets: Vec<Box<str>>,
    /// Venues, in the same order.
    pub venues: Vec<Box<str>>,
    /// Asset of a key, by [`KeyIx`]: the base of a perpetual, the coin of a staking token; `None`
    /// where the token of the key is unknown.
    pub asset_of: Vec<Option<AssetIx>>,
    /// Venue of a key, by [`KeyIx`].
    pub venue_of: Vec<VenueIx>,
}

impl ExposureLayout {
    /// The layout of a run.
    ///
    /// # Panics
    ///
    /// At more than 65,535 assets or venues, of which there are no more than keys.
    pub fn new(instruments: &InstrumentTable) -> Self {
        let mut layout = Self::default();
        for (key, name) in instruments.keys() {
            let perpetual = || {
                let mut known = instruments.instruments();
                known.find(|(place, _)| {
                    name.kind() == PositionType::Perp && instruments.base_key(*place) == key
                })
            };
            let token = match instruments.token(key) {
                Some(token) => Some(token),
                None => perpetual().map(|(_, instrument)| &*instrument.base),
            };
            let asset = token.map(|token| instruments.asset(token));
            let asset = asset.map(|asset| AssetIx(place_of(&mut layout.assets, asset)));
            layout.asset_of.push(asset);
            let venue = VenueIx(place_of(&mut layout.venues, name.venue()));
            layout.venue_of.push(venue);
        }
        layout
    }

    /// The asset of a key.
    pub fn asset(&self, key: KeyIx) -> Option<AssetIx> {
        self.asset_of[key.index()]
    }

    /// The venue of a key.
    pub fn venue(&self, key: KeyIx) -> VenueIx {
        self.venue_of[key.index()]
    }

    /// The place of an asset, by name.
    pub fn find_asset(&self, name: &str) -> Option<AssetIx> {
        (0u16..)
            .map(AssetIx)
            .zip(&self.assets)
            .find(|(_, known)| &***known == name)
            .map(|(ix, _)| ix)
    }
}

fn place_of(names: &mut Vec<Box<str>>, name: &str) -> u16 {
    let place = names.iter().position(|known| &**known == name).unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    });
    u16::try_from(place).expect("no more than there are keys")
}

/// One key; all zero, prices aside, where nothing is held.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeyExposure {
    /// What is booked, in the unit of the key: scaled units, contracts; a debt is positive.
    pub quantity: f64,
    /// Index of a supply or a debt; 1 where there is none.
    pub index: f64,
    /// Coins per staking token by its protocol; 1 where there is none.
    pub rate: f64,
    /// Share class per unit of [`underlying`](Self::underlying); of a perpetual, per unit of its
    /// cash. NaN while there is no price.
    pub price: f64,
    /// Units of the key's own token: quantity times index, a debt negative; of a perpetual, the base
    /// units that it moves with.
    pub native: f64,
    /// The same in units of the asset: times the rate.
    pub underlying: f64,
    /// Worth in share class, a debt negative; of a perpetual, what it has gained.
    pub value: f64,
    /// Notional of a perpetual in share class, with its sign.
    pub notional: f64,
}

/// One asset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AssetExposure {
    /// Units held less units owed, perpetuals included.
    pub net_delta: f64,
    /// Units of all of them, whatever their sign; idle cash in share class left out.
    pub gross: f64,
    /// Share class per unit; NaN while there is no price.
    pub price: f64,
    /// Net delta in share class; zero if there is none.
    pub value: f64,
}

/// The exposure of an account at one instant.
///
/// Source: 04 §5.1. Every amount is in share class unless said.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureSnapshot {
    /// Number of the chain pass; the first is 1.
    pub number: u64,
    /// The instant.
    pub ts: UtcMillis,
    /// Everything owned less everything owed, staking tokens at their protocol's rate
    /// (`equity_oracle`).
    pub equity: f64,
    /// The same with staking tokens at their market rate, less the cost of selling them.
    pub equity_exit: f64,
    /// Idle cash in share class, what is on its way included.
    pub cash: f64,
    /// Sum of the sizes of all holdings but idle cash, and of the notionals of perpetuals (D84).
    pub gross: f64,
    /// The same sum with signs: a short perpetual counts against a holding.
    pub net: f64,
    /// Value of the positions less what they were entered at; of perpetuals, what they have gained.
    pub unrealized: f64,
    /// What is owned but idle cash, and the notionals of perpetuals, over equity (D84); zero if
    /// nothing is owned, +∞ without equity.
    pub leverage: f64,
    /// Net delta of the tracked asset over equity; in its own share class the delta that is not
    /// equity. Negative if short.
    pub delta_share: f64,
    /// By [`KeyIx`].
    pub keys: Vec<KeyExposure>,
    /// By [`AssetIx`].
    pub assets: Vec<AssetExposure>,
    /// Equity by [`VenueIx`]; the sum is the equity.
    pub venues: Vec<f64>,
}

impl ExposureSnapshot {
    /// The exposure of an empty account.
    pub fn empty(layout: &ExposureLayout) -> Self {
        let none = KeyExposure { index: 1.0, rate: 1.0, price: f64::NAN, ..KeyExposure::default() };
        let unpriced = AssetExposure { price: f64::NAN, ..AssetExposure::default() };
        Self {
            number: 0,
            ts: UtcMillis::new(i64::MIN),
            equity: 0.0,
            equity_exit: 0.0,
            cash: 0.0,
            gross: 0.0,
            net: 0.0,
            unrealized: 0.0,
            leverage: 0.0,
            delta_share: 0.0,
            keys: vec![none; layout.asset_of.len()],
            assets: vec![unpriced; layout.assets.len()],
            venues: vec![0.0; layout.venues.len()],
        }
    }

    /// Takes the figures of another exposure of the same layout; allocates nothing.
    pub fn copy_from(&mut self, other: &Self) {
        let Self { keys, assets, venues, .. } = self;
        keys.copy_from_slice(&other.keys);
        assets.copy_from_slice(&other.assets);
        venues.copy_from_slice(&other.venues);
        (self.number, self.ts) = (other.number, other.ts);
        (self.equity, self.equity_exit, self.cash) = (other.equity, other.equity_exit, other.cash);
        (self.gross, self.net, self.unrealized) = (other.gross, other.net, other.unrealized);
        (self.leverage, self.delta_share) = (other.leverage, other.delta_share);
    }

    /// The exposure of a key.
    pub fn key(&self, key: KeyIx) -> &KeyExposure {
        &self.keys[key.index()]
    }
}
