//! Crossing of two simple moving averages.

use std::cmp::Ordering;

use model::frame::MarketView;
use model::instrument::InstrumentIx;
use model::numeric::FixedPoint;
use model::order::{OrderId, OrderUpdate, Size, Verdict};
use model::parameter::{ParameterError, ParameterFault, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup};

use crate::indicators::RollingSum;

/// Buys when the fast average of closes crosses above the slow one and sells when it crosses below.
///
/// The averages at T include the close of T; a cross at T trades at the next open. A cross is a
/// change of side between two bars: from not above to above, from not below to below. Nothing
/// happens before `slow` bars are seen, nor during the warm-up, which fills the averages.
#[derive(Clone, Debug)]
pub struct SmaCross {
    size: Size,
    lines: Vec<Lines>,
}

/// The two averages of one instrument.
#[derive(Clone, Debug)]
struct Lines {
    instrument: InstrumentIx,
    fast: RollingSum,
    slow: RollingSum,
    /// Where the fast average stood to the slow one at the bar before.
    before: Option<Ordering>,
    /// The order asked for last, while it has not ended, and whether it buys.
    open_order: Option<(OrderId, bool)>,
}

/// What happened at a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cross {
    Up,
    Down,
}

/// Longest window: keeps sums far from overflow.
const LONGEST: i64 = 100_000;

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        name: "fast",
        kind: ParameterKind::Integer { min: 1, max: LONGEST },
        unit: "bars",
        default: Some("10"),
        doc: "Length of the fast average.",
    },
    ParameterSpec {
        name: "slow",
        kind: ParameterKind::Integer { min: 2, max: LONGEST },
        unit: "bars",
        default: Some("30"),
        doc: "Length of the slow average; longer than the fast one.",
    },
    ParameterSpec {
        name: "size",
        kind: ParameterKind::Size,
        unit: "base units, or a share of free cash",
        default: Some("100%"),
        doc: "How much to buy of each instrument.",
    },
    ParameterSpec {
        name: "direction",
        kind: ParameterKind::Choice(&["long", "long_short"]),
        unit: "",
        default: Some("long"),
        doc: "Whether a cross below only sells, or also goes short.",
    },
    ParameterSpec {
        name: "instruments",
        kind: ParameterKind::Instruments,
        unit: "",
        default: None,
        doc: "What to trade; may be left out when the run has one instrument to trade.",
    },
];

impl StrategyKind for SmaCross {
    const SUMMARY: &'static str =
        "Buys when a fast average of closes crosses above a slow one, sells when it crosses below.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let parameters = setup.parameters;
        let (fast, slow) = (parameters.count("fast"), parameters.count("slow"));
        let fault = |parameter, found: &str, expected: String| ParameterFault {
            parameter,
            line: None,
            found: found.to_owned(),
            expected,
        };
        if fast >= slow {
            let expected = format!("fewer bars than slow ({slow})");
            return Err(fault("fast", &fast.to_string(), expected).into());
        }
        if parameters.choice("direction") == "long_short" {
            let expected = "`long`: going short needs perpetuals, which are not implemented yet";
            return Err(fault("direction", "long_short", expected.to_owned()).into());
        }
        let lines = |instrument: &InstrumentIx| Lines {
            instrument: *instrument,
            fast: RollingSum::new(fast),
            slow: RollingSum::new(slow),
            before: None,
            open_order: None,
        };
        Ok(Self {
            size: parameters.size("size"),
            lines: parameters.instruments("instruments").iter().map(lines).collect(),
        })
    }
}

impl Lines {
    /// Takes a close and compares the averages: fast/m > slow/n exactly when fast·n > slow·m.
    fn cross(&mut self, close: FixedPoint) -> Option<Cross> {
        self.fast.push(close);
        self.slow.push(close);
        let (fast, slow) = (self.fast.full_sum()?, self.slow.full_sum()?);
        let weight = |line: &RollingSum| i128::try_from(line.length()).expect("a short window");
        let now = (fast * weight(&self.slow)).cmp(&(slow * weight(&self.fast)));
        let before = self.before.replace(now)?;
        match (before, now) {
            (Ordering::Less | Ordering::Equal, Ordering::Greater) => Some(Cross::Up),
            (Ordering::Greater | Ordering::Equal, Ordering::Less) => Some(Cross::Down),
            _ => None,
        }
    }
}

impl Strategy for SmaCross {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let mut decision = Decision::HOLD;
        for lines in &mut self.lines {
            let Some(bar) = market.bar(lines.instrument) else { continue };
            let close = FixedPoint::of(bar.close)
                .ok_or_else(|| format!("a close of {} needs more than 18 decimals", bar.close))?;
            let cross = lines.cross(close);
            if market.is_warmup() {
                // The averages fill up; a cross before the start is history.
                continue;
            }
            // An order that waits for a bar counts as done: orders fill in turn.
            let is_flat = match lines.open_order {
                Some((_, buys)) => !buys,
                None => account.position(lines.instrument).is_zero(),
            };
            match cross {
                Some(Cross::Up) if is_flat => {
                    let order = orders.buy(lines.instrument, self.size);
                    lines.open_order = Some((order, true));
                    decision = Decision::trade("fast crossed above slow");
                }
                Some(Cross::Down) if !is_flat => {
                    let order = orders.sell(lines.instrument, Size::ALL);
                    lines.open_order = Some((order, false));
                    decision = Decision::trade("fast crossed below slow");
                }
                Some(Cross::Up | Cross::Down) | None => {}
            }
        }
        Ok(decision)
    }

    fn on_order_update(&mut self, update: &OrderUpdate) {
        if update.status.is_final() {
            self.forget(update.order_id);
        }
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        if let Verdict::Denied { order_id, .. } = verdict {
            self.forget(*order_id);
        }
    }
}

impl SmaCross {
    /// An order has ended: the position says again where the strategy stands.
    fn forget(&mut self, order: OrderId) {
        for lines in &mut self.lines {
            lines.open_order = lines.open_order.filter(|(open, _)| *open != order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crosses(closes: &[f64], fast: usize, slow: usize) -> Vec<Option<Cross>> {
        let mut lines = Lines {
            instrument: InstrumentIx(0),
            fast: RollingSum::new(fast),
            slow: RollingSum::new(slow),
            before: None,
            open_order: None,
        };
        closes.iter().map(|close| lines.cross(FixedPoint::of(*close).unwrap())).collect()
    }

    #[test]
    fn a_cross_is_a_change_of_side_between_two_bars() {
        use Cross::{Down, Up};
        assert_eq!(
            crosses(&[3.0, 2.0, 1.0, 2.0, 3.0, 3.0, 1.0], 1, 2),
            [None, None, None, Some(Up), None, None, Some(Down)]
        );
        // Equal averages are neither side; leaving them is a cross, entering them is none.
        assert_eq!(crosses(&[1.0, 1.0, 2.0], 1, 2), [None, None, Some(Up)]);
        assert_eq!(crosses(&[2.0, 1.0, 1.0], 1, 2), [None, None, None]);
    }

    #[test]
    fn prices_that_stand_still_never_cross() {
        // 0.1 summed up in floats would drift off its average.
        let closes = vec![0.1; 1_000];
        assert!(crosses(&closes, 7, 30).iter().all(Option::is_none));
    }
}
