//! Bytes as a data file.

use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use futures_core::Stream as _;
use model::instrument::{InstrumentIx, SeriesIx};
use model::time::Interval;
use store::candles::{
    BarsOf, ColumnNames, GapPolicy, Inspection, SeriesSpec, TimeLabel, TimeUnit, inspect, row_count,
};
use store::feed::{CandleFeed, FeedSpec};
use store::points::{PointSpec, PointsOf, inspect_points};

use super::Outcome;

/// Frames that are looked at: bars that fill a hole are made one by one, however wide it is.
const FRAMES_MAX: usize = 2_000;

/// Candles that nothing is wrong with: points and marks make no frames of their own.
const SOUND: &str = "\
ts,open,high,low,close,volume
2024-01-01T00:00:00Z,10,12,9,11,5
2024-01-01T01:00:00Z,11,12,9,10,5
2024-01-01T02:00:00Z,10,12,9,11,5
";

/// Reads bytes as a data file; the first of them says as what:
///
/// | Bits | Say |
/// |---|---|
/// | 0 | Parquet or CSV |
/// | 1–2 | trades, marks, funding or prices |
/// | 3 | times name the open or the close |
/// | 4–5 | integer times: no unit, seconds, milliseconds or nanoseconds |
/// | 6–7 | holes: a fault, nothing, or filled |
pub fn candle_file(bytes: &[u8]) -> Outcome {
    let Some((choice, bytes)) = bytes.split_first() else { return Outcome::Refused };
    let bits = |from: u32, count: u32| (choice >> from) & ((1 << count) - 1);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join(["data.parquet", "data.csv"][usize::from(bits(0, 1))]);
    fs::write(&path, bytes).expect("a file can be written");
    let sound = folder.path().join("sound.csv");
    fs::write(&sound, SOUND).expect("a file can be written");
    let choice = Choice {
        path: &path,
        label: [TimeLabel::Open, TimeLabel::Close][usize::from(bits(3, 1))],
        unit: [None, Some(TimeUnit::S), Some(TimeUnit::Ms), Some(TimeUnit::Ns)]
            [usize::from(bits(4, 2))],
        gaps: [GapPolicy::Error, GapPolicy::Skip, GapPolicy::Synthetic, GapPolicy::Error]
            [usize::from(bits(6, 2))],
    };
    let trades = Choice { path: &sound, label: TimeLabel::Open, unit: None, ..choice };
    let trades = FeedSpec::new(vec![trades.bars(BarsOf::Trades)], 1, Interval::HOUR);
    row_count(&path);
    match bits(1, 2) {
        0 => {
            let spec = choice.bars(BarsOf::Trades);
            check(&inspect(&spec), &FeedSpec::new(vec![spec], 1, Interval::HOUR))
        }
        1 => {
            let spec = choice.bars(BarsOf::Mark);
            check(&inspect(&spec), &FeedSpec { marks: vec![spec], ..trades })
        }
        kind => {
            let of = [PointsOf::Funding(InstrumentIx(0)), PointsOf::Price(SeriesIx(0))];
            let spec = choice.points(of[usize::from(kind - 2)]);
            check(&inspect_points(&spec), &FeedSpec { points: vec![spec], ..trades })
        }
    }
}

/// How the file is to be read.
#[derive(Clone, Copy)]
struct Choice<'a> {
    path: &'a Path,
    label: TimeLabel,
    unit: Option<TimeUnit>,
    gaps: GapPolicy,
}

impl Choice<'_> {
    fn paths(self) -> Vec<PathBuf> {
        vec![self.path.to_path_buf()]
    }

    fn bars(self, of: BarsOf) -> SeriesSpec {
        SeriesSpec {
            of,
            instrument: InstrumentIx(0),
            name: "binance:spot:BTCUSDT".to_owned(),
            paths: self.paths(),
            label: self.label,
            interval: Interval::HOUR,
            time_unit: self.unit,
            columns: ColumnNames::default(),
            gaps: self.gaps,
        }
    }

    fn points(self, of: PointsOf) -> PointSpec {
        PointSpec {
            of,
            name: "a series".to_owned(),
            paths: self.paths(),
            interval: Some(Interval::HOUR),
            time_unit: self.unit,
            columns: ColumnNames::default(),
            gaps: self.gaps,
        }
    }
}

/// A file without faults can be read to its end; one with faults is not delivered as if it had none.
fn check(inspection: &Inspection, spec: &FeedSpec) -> Outcome {
    let faults = inspection.faults.iter().map(ToString::to_string);
    assert!(faults.into_iter().all(|fault| !fault.is_empty()));
    let is_sound = inspection.fault_count == 0;
    match frames(spec) {
        Ok(()) if is_sound => Outcome::Taken,
        Ok(()) => Outcome::Refused,
        Err(error) => {
            assert!(!error.is_empty());
            Outcome::Refused
        }
    }
}

fn frames(spec: &FeedSpec) -> Result<(), String> {
    let mut feed = CandleFeed::open(spec).map_err(|error| error.to_string())?;
    for _ in 0..FRAMES_MAX {
        match block_on(poll_fn(|context| Pin::new(&mut feed).poll_next(context))) {
            Some(frame) => frame.map(drop).map_err(|error| error.to_string())?,
            None => break,
        }
    }
    Ok(())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
