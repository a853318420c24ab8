//! Replays a list of requests from a file, so that published examples run without writing code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::frame::MarketView;
use model::instrument::{InstrumentId, InstrumentTable};
use model::order::{OrderSide, OrderType, Size};
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{
    Decision, OrderDesk, OrderRequest, Strategy, StrategyError, StrategyKind, StrategySetup,
};
use model::time::UtcMillis;

/// Decides what its file says, at the frames that its file names.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// The file, for messages.
    path: PathBuf,
    rows: Vec<Row>,
    next: usize,
}

/// One request of the file.
#[derive(Clone, Debug)]
struct Row {
    line: u64,
    decide_ts: UtcMillis,
    request: OrderRequest,
}

const PARAMETERS: &[ParameterSpec] = &[ParameterSpec {
    name: "orders",
    kind: ParameterKind::File,
    unit: "",
    default: None,
    doc: "CSV of requests: decide_ts, order_id, action, instrument, side, type, qty, …",
}];

/// Columns that are read now.
const COLUMNS: [&str; 8] =
    ["decide_ts", "order_id", "action", "instrument", "side", "type", "qty", "reduce_only"];

/// Columns of the contract whose orders are not implemented yet: they must be empty.
const LATER: [&str; 21] = [
    "price",
    "stop_price",
    "trail",
    "trail_bps",
    "tif",
    "expire_at",
    "post_only",
    "oco_group",
    "parent",
    "take_profit",
    "stop_loss",
    "operation",
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

/// A row whose time is not the time of a frame, found while running.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} line {line}: decide_ts {decide_ts} is not the time of a frame; {nearest}",
    path = .path.display()
)]
pub struct NoSuchFrame {
    path: PathBuf,
    line: u64,
    decide_ts: UtcMillis,
    nearest: String,
}

impl StrategyKind for Scripted {
    const SUMMARY: &'static str = "Replays the requests of a CSV file.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let rows = read(setup.parameters.text("orders"), setup.instruments)?;
        Ok(Self { path: setup.parameters.path("orders").to_owned(), rows, next: 0 })
    }
}

impl Strategy for Scripted {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let first = self.next;
        while let Some(row) = self.rows.get(self.next).filter(|row| row.decide_ts <= market.ts()) {
            if row.decide_ts < market.ts() {
                let nearest = format!("the next frame is {}", market.ts());
                return Err(row.missed(&self.path, nearest).into());
            }
            orders.submit(row.request.clone());
            self.next += 1;
        }
        Ok(if self.next > first { Decision::trade("scripted") } else { Decision::HOLD })
    }

    fn on_end(&mut self) -> Result<(), StrategyError> {
        match self.rows.get(self.next) {
            Some(row) => Err(row.missed(&self.path, "the data ends before it".to_owned()).into()),
            None => Ok(()),
        }
    }
}

impl Row {
    fn missed(&self, path: &Path, nearest: String) -> NoSuchFrame {
        NoSuchFrame { path: path.to_owned(), line: self.line, decide_ts: self.decide_ts, nearest }
    }
}

fn read(text: &str, instruments: &InstrumentTable) -> Result<Vec<Row>, ParameterError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| unreadable(1, &error))?.clone();
    for name in &header {
        if !COLUMNS.contains(&name) && !LATER.contains(&name) {
            let expected = format!("columns {}", COLUMNS.join(", "));
            return Err(fault(1, format!("unknown column `{name}`"), expected));
        }
    }
    let mut rows = Vec::new();
    let mut labels: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for record in reader.records() {
        let record = record
            .map_err(|error| unreadable(error.position().map_or(0, csv::Position::line), &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = Cells { header: &header, record: &record, line }.row(instruments)?;
        let label = row.request.label.clone();
        if let Some((label, first)) =
            label.and_then(|label| Some((label.clone(), labels.insert(label, line)?)))
        {
            let found = format!("order_id `{label}` again, as in line {first}");
            return Err(fault(line, found, "an order_id of its own for every row".to_owned()));
        }
        rows.push(row);
    }
    // Rows of one time stay in file order: the sort is stable.
    rows.sort_by_key(|row: &Row| row.decide_ts);
    Ok(rows)
}

/// One line of the file.
struct Cells<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    line: u64,
}

impl Cells<'_> {
    fn cell(&self, column: &str) -> &str {
        let place = self.header.iter().position(|name| name == column);
        place.and_then(|place| self.record.get(place)).unwrap_or("")
    }

    fn row(&self, instruments: &InstrumentTable) -> Result<Row, ParameterError> {
        if let Some(column) = LATER.iter().find(|column| !self.cell(column).is_empty()) {
            let found = format!("`{column}` = `{}`", self.cell(column));
            return Err(fault(self.line, found, "an empty cell: not implemented yet".to_owned()));
        }
        self.word("action", &["submit", ""])?;
        self.word("type", &["market", ""])?;
        let side = match self.word("side", &["buy", "sell"])? {
            "buy" => OrderSide::Buy,
            _ => OrderSide::Sell,
        };
        let text = self.cell("decide_ts");
        let expected = "a date, an RFC 3339 time or epoch milliseconds";
        let millis = text.parse::<i64>().map(UtcMillis::new).ok();
        let decide_ts = millis
            .or_else(|| text.parse().ok())
            .ok_or_else(|| self.wrong("decide_ts", expected))?;
        let id: InstrumentId = self
            .cell("instrument")
            .parse()
            .ok()
            .ok_or_else(|| self.wrong("instrument", "venue:market:symbol"))?;
        let instrument = instruments.find(&id).ok_or_else(|| {
            let known: Vec<String> =
                instruments.instruments().map(|(_, known)| known.id.to_string()).collect();
            fault(self.line, format!("instrument `{id}`"), format!("one of {}", known.join(", ")))
        })?;
        let size: Size = self
            .cell("qty")
            .parse()
            .ok()
            .ok_or_else(|| self.wrong("qty", "a positive amount, or a share such as 50%"))?;
        let label = Some(self.cell("order_id")).filter(|id| !id.is_empty()).map(Arc::from);
        let reduce_only = self.word("reduce_only", &["true", "false", ""])? == "true";
        let order_type = OrderType::Market;
        let request = OrderRequest { label, instrument, side, order_type, size, reduce_only };
        Ok(Row { line: self.line, decide_ts, request })
    }

    fn word(&self, column: &str, known: &[&str]) -> Result<&str, ParameterError> {
        let found = self.cell(column);
        if known.contains(&found) {
            return Ok(found);
        }
        let words: Vec<&str> = known.iter().copied().filter(|word| !word.is_empty()).collect();
        let expected = format!("{} (others are not implemented yet)", words.join(" or "));
        Err(fault(self.line, format!("{column} `{found}`"), expected))
    }

    fn wrong(&self, column: &str, expected: &str) -> ParameterError {
        fault(self.line, format!("{column} `{}`", self.cell(column)), expected.to_owned())
    }
}

fn fault(line: u64, found: String, expected: String) -> ParameterError {
    ParameterError { parameter: "orders", line: Some(line), found, expected }
}

fn unreadable(line: u64, error: &csv::Error) -> ParameterError {
    fault(line, error.to_string(), "a CSV row with as many cells as the header".to_owned())
}
