//! Buys once and keeps.

use model::frame::MarketView;
use model::instrument::InstrumentIx;
use model::order::Size;
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{
    Condition, Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup,
};

/// Buys at the open after an instrument's first bar and holds to the end.
#[derive(Clone, Debug)]
pub struct BuyAndHold {
    size: Size,
    /// Instruments that have not been bought yet.
    wanted: Vec<InstrumentIx>,
}

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        name: "size",
        kind: ParameterKind::Size,
        unit: "base units, or a share of free cash",
        default: Some("100%"),
        doc: "How much to buy of each instrument.",
    },
    ParameterSpec {
        name: "instruments",
        kind: ParameterKind::Instruments,
        unit: "",
        default: None,
        doc: "What to buy; may be left out when the run has one instrument to trade.",
    },
];

impl StrategyKind for BuyAndHold {
    const SUMMARY: &'static str = "Buys at the open after the first bar and holds to the end.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        Ok(Self {
            size: setup.parameters.size("size"),
            wanted: setup.parameters.instruments("instruments").to_vec(),
        })
    }
}

impl Strategy for BuyAndHold {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        if self.wanted.is_empty() || market.is_warmup() {
            return Ok(Decision::HOLD);
        }
        let before = self.wanted.len();
        self.wanted.retain(|instrument| {
            let has_bar = market.bar(*instrument).is_some();
            if has_bar {
                orders.buy(*instrument, self.size);
            }
            !has_bar
        });
        if self.wanted.len() == before {
            return Ok(Decision::hold("waits for a first bar"));
        }
        Ok(Decision::trade("first bar"))
    }

    fn conditions(&self, _market: MarketView<'_>, _account: &AccountSnapshot) -> Vec<Condition> {
        let waiting = u32::try_from(self.wanted.len()).map_or(f64::INFINITY, f64::from);
        let name = "instruments still to buy";
        vec![Condition { name, value: waiting, threshold: 1.0, passed: waiting >= 1.0 }]
    }
}
