//! Cells of a row: what they may hold, and what is wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use csv::StringRecord;
use model::Decimal;
use model::instrument::{Instrument, InstrumentId, InstrumentIx, InstrumentTable};
use model::money::{Bps, Quantity};
use model::order::{Level, OrderSide, OrderType, Size, TimeInForce, Trail};
use model::parameter::ParameterFault;
use model::time::UtcMillis;

use super::row::{Action, ExitLevel, Row, Terms};

/// All columns; the last nine are those of operations that are no trades.
pub(super) const COLUMNS: [&str; 29] = [
    "decide_ts",
    "order_id",
    "action",
    "operation",
    "instrument",
    "side",
    "type",
    "qty",
    "price",
    "stop_price",
    "trail",
    "trail_bps",
    "tif",
    "expire_at",
    "post_only",
    "reduce_only",
    "oco_group",
    "parent",
    "take_profit",
    "stop_loss",
    "venue",
    "token_in",
    "token_out",
    "amount",
    "source_key",
    "target_key",
    "min_out",
    "atomic_group",
    "sequence",
];

/// What of [`COLUMNS`] only a trade has.
pub(super) const TRADE_ONLY: std::ops::Range<usize> = 4..20;

/// What of [`COLUMNS`] only another operation has.
pub(super) const OPERATION_ONLY: std::ops::Range<usize> = 20..29;

const SPOT_TRADE: &str = "spot_trade";
const PERP_TRADE: &str = "perp_trade";

/// Largest amount that can be asked for, in base units.
pub(super) const MOST_UNITS: i64 = 1_000_000_000_000;

/// Largest price or distance that can be asked for: with an amount it makes at most 10^24, which
/// leaves four of 28 digits.
const MOST_PRICE: i64 = 1_000_000_000_000;

/// Largest distance in basis points: a hundred times the price.
const MOST_BPS: i64 = 1_000_000;

pub(super) const TIME: &str = "a date, an RFC 3339 time or epoch milliseconds";
pub(super) const NUMBER: &str = "a number of up to 10^12";
const RATE: &str = "a number of up to 1000000";
const QTY: &str = "an amount of up to 10^12, or a share such as 50%";
const LEVEL: &str =
    "a price of up to 10^12, a signed offset such as -5, or one of up to 1000000bps";

/// The instruments of a run by their names.
pub(super) struct Names<'a> {
    pub(super) instruments: &'a InstrumentTable,
    places: BTreeMap<String, InstrumentIx>,
}

impl<'a> Names<'a> {
    pub(super) fn new(instruments: &'a InstrumentTable) -> Self {
        let named = |(place, known): (InstrumentIx, &_)| (name_of(known), place);
        Self { instruments, places: instruments.instruments().map(named).collect() }
    }

    fn is_perpetual(&self, instrument: InstrumentIx) -> bool {
        self.instruments.instrument(instrument).is_perpetual()
    }

    /// In the order of the run.
    fn list(&self) -> String {
        let names: Vec<String> =
            self.instruments.instruments().map(|(_, known)| name_of(known)).collect();
        one_of(&names)
    }
}

fn name_of(instrument: &Instrument) -> String {
    instrument.id.to_string()
}

/// The cells of one line, and what is wrong with them so far.
pub(super) struct Cells<'a> {
    columns: &'a BTreeMap<String, usize>,
    pub(super) names: &'a Names<'a>,
    record: &'a StringRecord,
    pub(super) line: u64,
    pub(super) faults: Vec<ParameterFault>,
}

impl<'a> Cells<'a> {
    pub(super) const fn new(
        columns: &'a BTreeMap<String, usize>,
        names: &'a Names<'a>,
        record: &'a StringRecord,
        line: u64,
    ) -> Self {
        Self { columns, names, record, line, faults: Vec::new() }
    }

    /// The cell of a column; empty if there is none.
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|place| self.record.get(*place)).unwrap_or("")
    }

    /// The row that the cells state; `None` if something is wrong with them.
    pub(super) fn row(&mut self) -> Option<Row> {
        if !self.is_trade() {
            return self.operation_row();
        }
        self.must_be_empty(
            OPERATION_ONLY,
            "an empty cell: only operations other than trades have it",
        );
        let decide_ts = self.required("decide_ts", TIME, time);
        let order_id = self.label("order_id");
        let action = match self.word("action", &Action::ALL, Action::name) {
            None if self.text("action").is_empty() => Some(Action::Submit),
            action => action,
        };
        let terms = self.terms();
        match action {
            Some(Action::Submit) if self.text("qty").is_empty() && terms.parent.is_none() => {
                self.wrong("qty", QTY);
            }
            Some(Action::Cancel | Action::Replace) if order_id.is_none() => {
                self.wrong("order_id", "the order_id of an order that an earlier row submits");
            }
            Some(_) | None => {}
        }
        if terms.parent.is_some() && terms.parent == order_id {
            self.wrong("parent", "another order than the row's own");
        }
        if !self.faults.is_empty() {
            return None;
        }
        Some(Row {
            line: self.line,
            decide_ts: decide_ts?,
            order_id,
            action: action?,
            terms,
            operation: None,
        })
    }

    /// Whether the row is about an order, and not about an operation of another kind.
    fn is_trade(&self) -> bool {
        let operation = self.text("operation");
        ["", SPOT_TRADE, PERP_TRADE].iter().any(|trade| trade.eq_ignore_ascii_case(operation))
    }

    /// Cells of some columns mean nothing in a row of this kind.
    pub(super) fn must_be_empty(&mut self, columns: std::ops::Range<usize>, expected: &str) {
        for column in &COLUMNS[columns] {
            if !self.text(column).is_empty() {
                self.wrong(column, expected);
            }
        }
    }

    fn terms(&mut self) -> Terms {
        let instrument = self.instrument();
        let trail = self.number("trail").map(Trail::Absolute);
        let trail_bps = self.optional("trail_bps", RATE, |text| number(text, MOST_BPS));
        let trail_bps = trail_bps.map(|rate| Trail::Bps(Bps(rate)));
        if trail.is_some() && trail_bps.is_some() {
            self.wrong("trail_bps", "an empty cell beside a trail");
        }
        Terms {
            instrument,
            side: self.side(instrument),
            order_type: self.word("type", &OrderType::ALL, OrderType::name),
            size: self.optional("qty", QTY, size),
            price: self.number("price"),
            stop_price: self.number("stop_price"),
            trail: trail.or(trail_bps),
            tif: self.word("tif", &TimeInForce::ALL, TimeInForce::name),
            expire_at: self.optional("expire_at", TIME, time),
            post_only: self.flag("post_only"),
            reduce_only: self.flag("reduce_only"),
            oco_group: self.label("oco_group"),
            parent: self.label("parent"),
            take_profit: self.optional("take_profit", LEVEL, exit_level),
            stop_loss: self.optional("stop_loss", LEVEL, exit_level),
        }
    }

    fn instrument(&mut self) -> Option<InstrumentIx> {
        let names = self.names;
        let text = self.text("instrument");
        let Some(instrument) = names.places.get(text).copied() else {
            if !text.is_empty() {
                let is_id = text.parse::<InstrumentId>().is_ok();
                let expected = if is_id { names.list() } else { "venue:market:symbol".to_owned() };
                self.wrong("instrument", &expected);
            }
            return None;
        };
        if !names.instruments.instrument(instrument).is_trading {
            self.wrong("instrument", "an instrument with trading = true");
        }
        let (operation, text) = (self.text("operation"), self.text("instrument"));
        let fitting = if names.is_perpetual(instrument) { PERP_TRADE } else { SPOT_TRADE };
        if !operation.is_empty() && !operation.eq_ignore_ascii_case(fitting) {
            let expected = format!("{fitting} for {text}");
            self.wrong("operation", &expected);
        }
        Some(instrument)
    }

    /// `long` and `short` are other words for buy and sell where there can be a short.
    fn side(&mut self, instrument: Option<InstrumentIx>) -> Option<OrderSide> {
        let is_spot = instrument.is_some_and(|place| !self.names.is_perpetual(place));
        let expected =
            if is_spot { "buy or sell" } else { "buy or sell, or long or short of a perpetual" };
        self.optional("side", expected, |text| match text.to_lowercase().as_str() {
            "buy" => Some(OrderSide::Buy),
            "sell" => Some(OrderSide::Sell),
            "long" if !is_spot => Some(OrderSide::Buy),
            "short" if !is_spot => Some(OrderSide::Sell),
            _ => None,
        })
    }

    pub(super) fn label(&self, column: &str) -> Option<Arc<str>> {
        Some(self.text(column)).filter(|label| !label.is_empty()).map(Arc::from)
    }

    pub(super) fn number(&mut self, column: &str) -> Option<Decimal> {
        self.optional(column, NUMBER, |text| number(text, MOST_PRICE))
    }

    fn flag(&mut self, column: &str) -> Option<bool> {
        self.word(column, &[true, false], |flag| if flag { "true" } else { "false" })
    }

    /// One of the known words, in any case.
    pub(super) fn word<T: Copy>(
        &mut self,
        column: &str,
        known: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(column);
        let word = known.iter().copied().find(|word| name(*word).eq_ignore_ascii_case(text));
        if word.is_none() && !text.is_empty() {
            let names: Vec<&str> = known.iter().map(|word| name(*word)).collect();
            self.wrong(column, &one_of(&names));
        }
        word
    }

    /// The value of a cell; `None` if it is empty, or after a fault.
    pub(super) fn optional<T>(
        &mut self,
        column: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if self.text(column).is_empty() {
            return None;
        }
        self.required(column, expected, parse)
    }

    /// The value of a cell; `None` after a fault.
    pub(super) fn required<T>(
        &mut self,
        column: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(self.text(column));
        if value.is_none() {
            self.wrong(column, expected);
        }
        value
    }

    pub(super) fn wrong(&mut self, column: &str, expected: &str) {
        let text = self.text(column);
        let found =
            if text.is_empty() { format!("no {column}") } else { format!("{column} `{text}`") };
        self.faults.push(fault(self.line, found, expected));
    }
}

/// Something wrong with a line of the file.
pub(super) fn fault(line: u64, found: String, expected: &str) -> ParameterFault {
    ParameterFault { parameter: "orders", line: Some(line), found, expected: expected.to_owned() }
}

fn one_of(names: &[impl Display]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        _ => format!("one of {}", names.join(", ")),
    }
}

pub(super) fn time(text: &str) -> Option<UtcMillis> {
    text.parse().map(UtcMillis::new).ok().or_else(|| text.parse().ok())
}

/// A number that is not beyond `most` in size, such as `0.5` or `5e-1`.
pub(super) fn number(text: &str, most: i64) -> Option<Decimal> {
    let plain = Decimal::from_str_exact(text).ok();
    let value = plain.or_else(|| Decimal::from_scientific(text).ok())?;
    (value.abs() <= Decimal::from(most)).then_some(value)
}

/// Any amount or share, whatever its sign: what is too small or too large is the gate's to say.
fn size(text: &str) -> Option<Size> {
    match text.strip_suffix('%') {
        Some(percent) => {
            Some(Size::Share(number(percent.trim_end(), MOST_UNITS)? / Decimal::ONE_HUNDRED))
        }
        None => Some(Size::Units(Quantity(number(text, MOST_UNITS)?))),
    }
}

/// A plain number is a price, a signed one an offset, one in bps an offset of that share (10 §12.4).
fn exit_level(text: &str) -> Option<ExitLevel> {
    let is_signed = text.starts_with(['+', '-']);
    if let Some(rate) = text.strip_suffix("bps") {
        let rate = Bps(number(rate.trim_end(), MOST_BPS)?);
        let stated = ExitLevel::Stated(Level::OffsetBps(rate));
        return Some(if is_signed { stated } else { ExitLevel::Distance(rate) });
    }
    let value = number(text, MOST_PRICE)?;
    let level = if is_signed { Level::Offset(value) } else { Level::Price(value) };
    Some(ExitLevel::Stated(level))
}
