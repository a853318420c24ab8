//! Tokens that protocols issue: what can be held there, and what it stands for.

use model::key::{PositionKey, PositionType};

use super::Asset;
use crate::runfile::document::Node;
use crate::runfile::fault::Fault;
use crate::runfile::field::{Field, Flag, Text, wrong};
use crate::runfile::reader::TableReader;

/// What a position of a protocol stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenTerms {
    /// An aToken or debtToken: scaled units of this asset.
    Reserve {
        /// Asset that was supplied or borrowed.
        underlying: Box<str>,
    },
    /// A liquid staking token.
    Staked {
        /// Series of its rate, such as `weETH/ETH`.
        rate: Box<str>,
        /// Asset in which the rate is stated.
        underlying: Box<str>,
        /// Whether its quantity grows on chain; what is stored then are shares.
        rebasing: bool,
    },
    /// A pending withdrawal.
    Claim {
        /// Token that is paid out, one for one.
        payout: Box<str>,
    },
    /// A flash loan.
    Flash {
        /// Asset that is owed.
        underlying: Box<str>,
    },
}

/// A position that a protocol issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its key.
    pub key: PositionKey,
    /// What it stands for.
    pub terms: TokenTerms,
}

impl TokenEntry {
    /// The asset that it is worth, over an index or a rate where it has one.
    pub fn underlying(&self) -> &str {
        match &self.terms {
            TokenTerms::Reserve { underlying }
            | TokenTerms::Staked { underlying, .. }
            | TokenTerms::Flash { underlying } => underlying,
            TokenTerms::Claim { payout } => payout,
        }
    }

    pub(super) fn read(mut reader: TableReader<'_>) -> (Option<Self>, toml::Table) {
        let Some(key) = reader.required("key", &TokenKey) else {
            return (None, reader.abandon());
        };
        let terms = match key.kind() {
            PositionType::AToken | PositionType::DebtToken => asset(&mut reader, "underlying")
                .map(|underlying| TokenTerms::Reserve { underlying }),
            PositionType::FlashDebt => {
                asset(&mut reader, "underlying").map(|underlying| TokenTerms::Flash { underlying })
            }
            PositionType::Claim => {
                asset(&mut reader, "payout").map(|payout| TokenTerms::Claim { payout })
            }
            PositionType::Lst => {
                let rate = reader.required("rate", &Text("a series of rates, such as weETH/ETH"));
                let underlying = asset(&mut reader, "underlying");
                let rebasing = reader.or_default("rebasing", &Flag, false);
                rate.zip(underlying).map(|(rate, underlying)| TokenTerms::Staked {
                    rate: rate.into(),
                    underlying,
                    rebasing,
                })
            }
            PositionType::BaseToken | PositionType::Perp | PositionType::Transit => None,
        };
        (terms.map(|terms| Self { key, terms }), reader.finish())
    }
}

fn asset(reader: &mut TableReader<'_>, key: &str) -> Option<Box<str>> {
    reader.required(key, &Asset).map(Into::into)
}

/// The key of a type that protocols issue.
struct TokenKey;

impl Field for TokenKey {
    type Value = PositionKey;

    fn expected(&self) -> String {
        "a position key of type aToken, debtToken, LST, Claim or FlashDebt".to_owned()
    }

    fn read(&self, node: &Node) -> Result<PositionKey, Vec<Fault>> {
        let issued = |key: &PositionKey| {
            use PositionType::{AToken, Claim, DebtToken, FlashDebt, Lst};
            matches!(key.kind(), AToken | DebtToken | Lst | Claim | FlashDebt)
        };
        let key = node.as_str().and_then(|text| text.parse().ok()).filter(issued);
        key.ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &PositionKey) -> toml::Value {
        toml::Value::String(value.to_string())
    }
}
