//! Crossing of two simple moving averages.

use std::cmp::Ordering;

use model::Decimal;
use model::frame::MarketView;
use model::instrument::InstrumentIx;
use model::numeric::FixedPoint;
use model::order::{OrderId, OrderRequest, OrderSide, OrderUpdate, Size, Verdict};
use model::parameter::{ParameterError, ParameterFault, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{
    Condition, Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup,
};

use crate::indicators::RollingSum;

/// Buys when the fast average of closes crosses above the slow one and sells when it crosses below.
///
/// The averages at T include the close of T; a cross at T trades at the next open. A cross is a
/// change of side between two bars: from not above to above, from not below to below. Nothing
/// happens before `slow` bars are seen, nor during the warm-up, which fills the averages.
///
/// With `long_short` a cross below also goes short, on perpetuals: the position is closed by a
/// reduce-only order for all of it, and the new one is opened by an order behind it. Orders of a
/// perpetual that still wait are canceled first.
#[derive(Clone, Debug)]
pub struct SmaCross {
    size: Size,
    goes_short: bool,
    lines: Vec<Lines>,
}

/// The two averages of one instrument.
#[derive(Clone, Debug)]
struct Lines {
    instrument: InstrumentIx,
    is_perpetual: bool,
    fast: RollingSum,
    slow: RollingSum,
    /// Where the fast average stood to the slow one at the bar before.
    before: Option<Ordering>,
    /// What happened at the last bar.
    crossed: Option<Cross>,
    /// Orders that have not ended, oldest first, and where they lead.
    waiting: Vec<(OrderId, Stand)>,
}

/// Where the strategy stands in an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Short,
    Flat,
    Long,
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
        doc: "How much to buy of each instrument, or to sell short.",
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
        let mut faults = Vec::new();
        if fast >= slow {
            let expected = format!("fewer bars than slow ({slow})");
            faults.push(fault("fast", &fast.to_string(), expected));
        }
        let goes_short = parameters.choice("direction") == "long_short";
        let instruments = parameters.instruments("instruments");
        let is_perpetual = |place: InstrumentIx| setup.instruments.instrument(place).is_perpetual();
        if let Some(spot) = instruments.iter().find(|place| goes_short && !is_perpetual(**place)) {
            let id = &setup.instruments.instrument(*spot).id;
            let expected = format!("`long`: {id} is no perpetual, and only those can be short");
            faults.push(fault("direction", "long_short", expected));
        }
        if !faults.is_empty() {
            return Err(ParameterError::new(faults));
        }
        let lines = |place: &InstrumentIx| Lines::new(*place, is_perpetual(*place), fast, slow);
        Ok(Self {
            size: parameters.size("size"),
            goes_short,
            lines: instruments.iter().map(lines).collect(),
        })
    }
}

impl Lines {
    fn new(instrument: InstrumentIx, is_perpetual: bool, fast: usize, slow: usize) -> Self {
        Self {
            instrument,
            is_perpetual,
            fast: RollingSum::new(fast),
            slow: RollingSum::new(slow),
            before: None,
            crossed: None,
            waiting: Vec::new(),
        }
    }

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
            let close = FixedPoint::rounded(bar.close)
                .ok_or_else(|| format!("a close of {} has too many digits", bar.close))?;
            let cross = lines.cross(close);
            lines.crossed = cross;
            if market.is_warmup() {
                // The averages fill up; a cross before the start is history.
                continue;
            }
            // Where it stands is asked only at a cross, which few bars have.
            let Some(cross) = cross else { continue };
            let stand = lines.stand(account);
            let (wanted, reason) = match cross {
                Cross::Up => (Stand::Long, "fast crossed above slow"),
                Cross::Down if self.goes_short => (Stand::Short, "fast crossed below slow"),
                Cross::Down if stand == Stand::Long => (Stand::Flat, "fast crossed below slow"),
                Cross::Down => continue,
            };
            if wanted != stand {
                lines.go(wanted, self.size, account, orders);
                decision = Decision::trade(reason);
            }
        }
        Ok(decision)
    }

    fn conditions(&self, _market: MarketView<'_>, account: &AccountSnapshot) -> Vec<Condition> {
        self.lines.iter().flat_map(|lines| lines.conditions(account)).collect()
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

impl Lines {
    /// Whether both averages are there, where they stand to each other, and whether that is new.
    fn conditions(&self, account: &AccountSnapshot) -> Vec<Condition> {
        let at_least = |name, value: f64, threshold: f64| Condition {
            name,
            value,
            threshold,
            passed: value >= threshold,
        };
        let seen = at_least("bars seen", count(self.slow.seen()), count(self.slow.length()));
        let Some((fast, slow)) = self.averages() else { return vec![seen] };
        let crossed = f64::from(u8::from(self.crossed.is_some()));
        let stands = f64::from(u8::from(self.stand(account) != Stand::Flat));
        vec![
            seen,
            Condition {
                name: "fast above slow",
                value: fast,
                threshold: slow,
                passed: fast > slow,
            },
            at_least("crossed at this bar", crossed, 1.0),
            at_least("holds or waits for a position", stands, 1.0),
        ]
    }

    /// The fast and the slow average.
    fn averages(&self) -> Option<(f64, f64)> {
        Some((self.fast.full_average()?, self.slow.full_average()?))
    }

    /// Where the orders lead that wait, else where the position is.
    ///
    /// An order that waits for a bar counts as done: orders fill in turn.
    fn stand(&self, account: &AccountSnapshot) -> Stand {
        match self.waiting.last() {
            Some((_, stand)) => *stand,
            None => self.position(account),
        }
    }

    fn position(&self, account: &AccountSnapshot) -> Stand {
        match account.position(self.instrument).0.cmp(&Decimal::ZERO) {
            Ordering::Less => Stand::Short,
            Ordering::Equal => Stand::Flat,
            Ordering::Greater => Stand::Long,
        }
    }

    /// Asks for what leads to `wanted`.
    fn go(
        &mut self,
        wanted: Stand,
        size: Size,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) {
        if !self.is_perpetual {
            let order = match wanted {
                Stand::Long => orders.buy(self.instrument, size),
                Stand::Short | Stand::Flat => orders.sell(self.instrument, Size::ALL),
            };
            self.waiting.push((order, wanted));
            return;
        }
        // What waits leads elsewhere; and an order may only reduce a position that is there.
        for (order, _) in self.waiting.drain(..) {
            orders.cancel(order);
        }
        let position = self.position(account);
        if position == wanted {
            return;
        }
        if let Some(side) = position.closing_side() {
            let close = OrderRequest::market(self.instrument, side, Size::ALL).reduce_only();
            self.waiting.push((orders.submit(close), Stand::Flat));
        }
        let opening_side = wanted.closing_side().map(OrderSide::opposite);
        if let Some(side) = opening_side {
            let open = OrderRequest::market(self.instrument, side, size);
            self.waiting.push((orders.submit(open), wanted));
        }
    }
}

impl Stand {
    /// The side of an order that closes the position.
    const fn closing_side(self) -> Option<OrderSide> {
        match self {
            Self::Short => Some(OrderSide::Buy),
            Self::Flat => None,
            Self::Long => Some(OrderSide::Sell),
        }
    }
}

/// A number of bars as a float.
fn count(bars: usize) -> f64 {
    u32::try_from(bars).map_or(f64::INFINITY, f64::from)
}

impl SmaCross {
    /// An order has ended: those that still wait, or the position, say where the strategy stands.
    fn forget(&mut self, ended: OrderId) {
        for lines in &mut self.lines {
            lines.waiting.retain(|(order, _)| *order != ended);
        }
    }
}

#[cfg(test)]
mod tests;
