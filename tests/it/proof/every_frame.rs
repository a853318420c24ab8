//! Replay against the run's own snapshots, frame by frame.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::Path;
use std::vec::IntoIter;

use proof::{Replay, State};
use store::audit::reading::Event;
use store::audit::{Kind, LogReader};

use crate::tables::Table;

/// What a replay says at the last snapshot of a frame.
struct Snapshot {
    ts: i64,
    figures: [u64; 5],
    positions: BTreeMap<String, i128>,
}

impl Snapshot {
    fn of(state: &State) -> Self {
        let it = state.account.unwrap();
        let figures = [it.equity, it.cash, it.gross, it.net, it.unrealized].map(f64::to_bits);
        let positions = state.positions().into_iter();
        let positions = positions.map(|(key, units)| (key.to_owned(), units.0)).collect();
        Self { ts: state.ts.millis(), figures, positions: without_zeros(positions) }
    }
}

fn without_zeros(mut positions: BTreeMap<String, i128>) -> BTreeMap<String, i128> {
    positions.retain(|_, units| *units != 0);
    positions
}

/// What the results of a run say, frame by frame.
struct Results {
    /// Bits of equity, cash, gross, net and unrealized; none of the warm-up's.
    figures: BTreeMap<i64, [u64; 5]>,
    /// Frame, position and units of 10⁻¹⁸, where they have changed.
    changes: Peekable<IntoIter<(i64, String, i128)>>,
    held: BTreeMap<String, i128>,
}

impl Results {
    fn read(folder: &Path) -> Self {
        let equity = Table::read(&folder.join("equity.parquet"));
        let columns =
            ["equity", "cash", "gross", "net", "unrealized"].map(|name| equity.floats(name));
        let row = |row: usize| columns.each_ref().map(|column| column[row].to_bits());
        let figures = equity.times("ts").into_iter().enumerate();
        let positions = Table::read(&folder.join("positions.parquet"));
        let changes = positions.times("ts").into_iter().zip(positions.texts("position_key"));
        let changes = changes.zip(positions.decimals("quantity"));
        let changes: Vec<_> = changes.map(|((ts, key), units)| (ts, key, units)).collect();
        Self {
            figures: figures.map(|(place, ts)| (ts, row(place))).collect(),
            changes: changes.into_iter().peekable(),
            held: BTreeMap::new(),
        }
    }

    /// Compares a frame, and forgets it.
    fn compare(&mut self, found: Snapshot) {
        let Snapshot { ts, figures, positions } = found;
        while let Some((_, key, units)) = self.changes.next_if(|(change, ..)| *change <= ts) {
            self.held.insert(key, units);
        }
        self.held = without_zeros(std::mem::take(&mut self.held));
        assert_eq!(positions, self.held, "positions at {ts}");
        if let Some(expected) = self.figures.remove(&ts) {
            assert_eq!(figures, expected, "figures at {ts}");
        }
    }
}

/// Replays a log and compares the state with the snapshots of the run after every frame.
pub(crate) fn assert_replayed(folder: &Path) {
    let log = LogReader::open(folder).unwrap();
    let mut results = Results::read(folder);
    let mut last: Option<Snapshot> = None;
    let compare_orders = |event: &Event<'_>, state: &State| {
        let names: Vec<&str> = state.open_orders().map(|order| order.order_id.as_str()).collect();
        let expected = state.account.unwrap().working_orders;
        assert_eq!(names.len() as u64, expected, "event {}: {names:?}", event.seq);
    };
    let visit = |event: &Event<'_>, state: &State| {
        if event.kind == Some(Kind::Account) {
            compare_orders(event, state);
            // Only the last snapshot of a frame is in the results.
            let before = last.replace(Snapshot::of(state));
            if let Some(before) = before.filter(|before| before.ts != state.ts.millis()) {
                results.compare(before);
            }
        }
        true
    };
    Replay::new(&log).unwrap().each(visit).unwrap();
    if let Some(last) = last {
        results.compare(last);
    }
    assert!(results.figures.is_empty(), "frames that the log does not have");
    assert_eq!(results.changes.next(), None, "changes after the last frame");
}
