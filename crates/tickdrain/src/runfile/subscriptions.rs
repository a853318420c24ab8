//! `position_subscriptions`: every position that a run may touch.

use model::instrument::InstrumentTable;
use model::key::{PositionKey, PositionType};

use super::data::CandleSeries;
use super::fault::{Fault, FaultLog};
use super::initial::Holding;
use super::key::KeyRules;
use super::place::Place;
use super::reader::TableReader;

const KEY: &str = "position_subscriptions";

/// The positions that a run file declares, each with its place.
#[derive(Clone, Debug)]
pub(super) struct Subscriptions(Vec<(PositionKey, Place)>);

/// Reads the list; `None` if there is none, and the run's own instruments and holdings count.
pub(super) fn read(root: &mut TableReader<'_>, rules: KeyRules<'_>) -> Option<Subscriptions> {
    let node = root.node(KEY)?;
    let expected = "a list of position keys, such as [\"binance:BaseToken:USDT\"]";
    let Some(nodes) = node.as_array() else {
        root.record(KEY, "CFG-VALUE", node.describe(), expected);
        return None;
    };
    let mut keys: Vec<(PositionKey, Place)> = Vec::new();
    for node in nodes {
        let place = node.place.clone();
        let fault = match node.as_str() {
            None => Fault::new("CFG-VALUE", place, node.describe(), "a position key").into(),
            Some(text) => match rules.read(text, &place) {
                Ok(key) if keys.iter().any(|(known, _)| *known == key) => {
                    let found = format!("`{key}` for the second time");
                    Fault::new("CFG-VALUE", place, found, "every key once").into()
                }
                Ok(key) => {
                    keys.push((key, place));
                    continue;
                }
                Err(fault) => fault,
            },
        };
        root.log().record(fault.key(KEY));
    }
    keys.sort_by(|(left, _), (right, _)| left.cmp(right));
    let written = keys.iter().map(|(key, _)| toml::Value::String(key.to_string())).collect();
    root.put(KEY, toml::Value::Array(written));
    Some(Subscriptions(keys))
}

impl Subscriptions {
    /// The keys, in canonical order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &PositionKey> {
        self.0.iter().map(|(key, _)| key)
    }

    fn has(&self, key: &PositionKey) -> bool {
        self.keys().any(|known| known == key)
    }

    /// Checks that what stands beside a key is declared too (specification 01 §2.4, rule 5).
    pub(super) fn check_companions(&self, rules: KeyRules<'_>, log: &FaultLog) {
        for (key, place) in &self.0 {
            let Some(beside) = rules.companion(key).filter(|beside| !self.has(beside)) else {
                continue;
            };
            let is_perp = key.kind() == PositionType::Perp;
            let why = if is_perp { "in which it is settled" } else { "which is its underlying" };
            let found = format!("`{key}` without `{beside}`, {why}");
            let expected = format!("`{beside}` in the list as well");
            let fault = Fault::new("CFG-KEY-UNDECLARED", place.clone(), found, expected);
            log.record(fault.key(KEY));
        }
    }

    /// Checks that every key has a price in the share class.
    pub(super) fn check_price_paths(
        &self,
        rules: KeyRules<'_>,
        table: &InstrumentTable,
        share_class: &str,
        log: &FaultLog,
    ) {
        let known_as = |asset| rules.registry.asset_id(asset);
        for (key, place) in &self.0 {
            let Some(asset) = rules.priced_as(key) else { continue };
            let priced = [asset, known_as(asset)]
                .iter()
                .any(|asset| table.conversion(key.venue(), asset, share_class).is_some());
            if !priced && known_as(asset) != known_as(share_class) {
                let found =
                    format!("`{key}`, whose {asset} nothing in the run prices in {share_class}");
                let expected =
                    format!("[[data]] of spot instruments between {asset} and {share_class}");
                let fault = Fault::new("CFG-PRICE-PATH", place.clone(), found, expected);
                log.record(fault.key(KEY));
            }
        }
    }

    /// Checks that the run's instruments and holdings touch nothing else.
    pub(super) fn check_cover(
        &self,
        series: &[CandleSeries],
        table: &InstrumentTable,
        holdings: &[Holding],
        log: &FaultLog,
    ) {
        let expected = || format!("keys that {KEY} lists");
        for series in series {
            let keys = [table.base_key(series.ix), table.cash_key(series.ix)];
            for key in keys.map(|ix| table.key(ix)).into_iter().filter(|key| !self.has(key)) {
                let found = format!("`{}`, whose trades touch `{key}`", series.instrument);
                let fault =
                    Fault::new("CFG-KEY-UNDECLARED", series.place.clone(), found, expected());
                log.record(fault.key(series.key.clone()));
            }
        }
        for holding in holdings.iter().filter(|holding| !self.has(&holding.key)) {
            let found = format!("`{}`, which is not subscribed", holding.key);
            let fault = Fault::new("CFG-KEY-UNDECLARED", holding.place.clone(), found, expected());
            log.record(fault.key(holding.path.clone()));
        }
    }
}
