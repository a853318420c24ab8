//! Assets of the registry: their decimals, and which of them are one and the same.

use model::Decimal;

use super::Asset;
use crate::runfile::number::Whole;
use crate::runfile::reader::TableReader;

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetEntry {
    /// Its name in keys, instruments and prices.
    pub name: Box<str>,
    /// What exposure adds it up under: WETH is ETH, but WBTC is not BTC (specification 01 §2.4).
    pub asset_id: Box<str>,
    /// Decimals of a unit: the smallest amount is 10 to the minus this.
    pub decimals: u32,
}

impl AssetEntry {
    /// The smallest amount.
    pub fn smallest(&self) -> Decimal {
        Decimal::new(1, self.decimals)
    }

    pub(super) fn read(mut reader: TableReader<'_>) -> (Option<Self>, toml::Table) {
        let name = reader.required("name", &Asset);
        let own = name.clone().unwrap_or_default();
        let asset_id = reader.or_default("asset_id", &Asset, own);
        let decimals = reader.required("decimals", &Whole { min: 0, max: 18 });
        let entry = name.zip(decimals).map(|(name, decimals)| Self {
            name: name.into(),
            asset_id: asset_id.into(),
            decimals: u32::try_from(decimals).expect("a count within its limits"),
        });
        (entry, reader.finish())
    }
}
