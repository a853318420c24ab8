//! The bundled files are what the generator makes, and what it makes resembles a market.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use model::frame::Bar;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use super::bars::Year;
use super::tables::FIRST_OPEN_MS;
use super::{GENERATOR, GeneratedFile, PERPETUAL_GENERATOR, Recipe, SyntheticError, generate};

const SEED: u64 = 7;
/// Hash of the twelve candle files, in the order of the table.
const CANDLES: &str = "3e2a357b371f2a97fa7feb22ab1693b437b314eb1a432caf3c18e2797c344473";
const VENUES: [&str; 3] = ["binance", "bybit", "okx"];

static YEAR: LazyLock<Year> = LazyLock::new(|| Recipe::V1.year(SEED));

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data")
}

/// The rows of the table in `data/README.md`.
fn listed() -> Vec<GeneratedFile> {
    let readme = fs::read_to_string(data().join("README.md")).unwrap();
    for generator in [GENERATOR, PERPETUAL_GENERATOR] {
        assert!(readme.contains(&format!("`{generator}`")), "{generator}");
    }
    assert!(readme.contains(&format!("seed {SEED}")));
    let number = |text: &str| text.replace(',', "").parse().unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, name, rows, _span, bytes, blake3, _] = cells[..] else { panic!("{line}") };
        GeneratedFile {
            name: name.to_owned(),
            rows: number(rows),
            bytes: number(bytes),
            blake3: blake3.to_owned(),
        }
    })
    .collect()
}

fn bars(instrument: &str) -> &'static [Bar] {
    let found = YEAR.candles.iter().find(|candles| candles.instrument.to_string() == instrument);
    &found.unwrap().bars
}

/// Log returns from close to close.
fn returns(bars: &[Bar]) -> Vec<f64> {
    bars.windows(2).map(|pair| libm::log(pair[1].close / pair[0].close)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.iter().map(|_| 1.0).sum::<f64>()
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let (left_mean, right_mean) = (mean(left), mean(right));
    let moment = |left: &[f64], left_mean: f64, right: &[f64], right_mean: f64| {
        let products = left.iter().zip(right).map(|(x, y)| (x - left_mean) * (y - right_mean));
        mean(&products.collect::<Vec<f64>>())
    };
    moment(left, left_mean, right, right_mean)
        / (moment(left, left_mean, left, left_mean) * moment(right, right_mean, right, right_mean))
            .sqrt()
}

/// Correlation of a series with itself `lag` rows later.
fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    correlation(&values[..values.len() - lag], &values[lag..])
}

fn annual_volatility(returns: &[f64]) -> f64 {
    let mean_return = mean(returns);
    let squares: Vec<f64> = returns.iter().map(|r| (r - mean_return) * (r - mean_return)).collect();
    (mean(&squares) * 365.0 * 24.0).sqrt()
}

fn kurtosis(returns: &[f64]) -> f64 {
    let squares: Vec<f64> = returns.iter().map(|r| r * r).collect();
    let fourths: Vec<f64> = squares.iter().map(|square| square * square).collect();
    mean(&fourths) / (mean(&squares) * mean(&squares))
}

#[track_caller]
fn check_range(what: &str, value: f64, range: std::ops::RangeInclusive<f64>) {
    assert!(range.contains(&value), "{what} = {value}, not in {range:?}");
}

#[test]
fn the_bundled_files_are_what_seed_7_generates_and_the_readme_lists() {
    let folder = tempfile::tempdir().unwrap();
    let written = generate(folder.path(), SEED).unwrap();
    assert_eq!(written, listed());
    for file in &written {
        let bundled = fs::read(data().join(&file.name)).unwrap();
        assert_eq!(blake3::hash(&bundled).to_hex().as_str(), file.blake3, "{}", file.name);
    }
    let total: usize = written.iter().map(|file| file.bytes).sum();
    assert!(total <= 2_000_000, "{total} bytes");
}

/// The candles were there first: whatever is generated beside them must not change a byte of theirs.
#[test]
fn candles_are_the_bytes_that_they_were_before_there_was_anything_else() {
    let mut hasher = blake3::Hasher::new();
    let candles: Vec<GeneratedFile> =
        listed().into_iter().filter(|file| file.name.matches('_').count() == 3).collect();
    assert_eq!(candles.len(), 12);
    for file in &candles {
        hasher.update(&fs::read(data().join(&file.name)).unwrap());
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), CANDLES);
}

#[test]
fn another_seed_gives_other_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let other = generate(folder.path(), SEED + 1).unwrap();
    for (file, listed) in other.iter().zip(listed()) {
        assert_eq!((&file.name, file.rows), (&listed.name, listed.rows));
        assert_ne!(file.blake3, listed.blake3, "{}", file.name);
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("occupied");
    fs::write(&occupied, "a file").unwrap();
    let error = generate(&occupied, SEED).unwrap_err();
    assert!(matches!(error, SyntheticError::CreateFolder { path, .. } if path == occupied));
}

#[test]
fn a_file_says_that_it_is_synthetic_and_holds_the_bars_in_order() {
    for candles in &YEAR.candles {
        let id = &candles.instrument;
        let name = format!("{}_{}_{}_1h.parquet", id.venue, id.market.name(), id.symbol);
        let reader = SerializedFileReader::new(File::open(data().join(name)).unwrap()).unwrap();
        let metadata = reader.metadata().file_metadata();
        let pairs = metadata.key_value_metadata().unwrap().iter();
        let pairs: Vec<_> =
            pairs.map(|pair| (&*pair.key, pair.value.as_deref().unwrap())).collect();
        let instrument = id.to_string();
        assert_eq!(
            pairs,
            [
                ("tickdrain.synthetic", "true"),
                ("tickdrain.generator", GENERATOR),
                ("tickdrain.seed", "7"),
                ("tickdrain.instrument", &*instrument),
            ]
        );
        assert_eq!(metadata.created_by(), Some("tickdrain"));
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 8_784);
        let mut ts = FIRST_OPEN_MS;
        for (row, bar) in rows.iter().zip(&candles.bars) {
            assert_eq!(row.get_timestamp_millis(0).unwrap(), ts);
            let stored = [1, 2, 3, 4, 5].map(|column| row.get_double(column).unwrap().to_bits());
            let made = [bar.open, bar.high, bar.low, bar.close, bar.volume].map(f64::to_bits);
            assert_eq!(stored, made, "{instrument} at {ts}");
            ts += 3_600_000;
        }
        assert_eq!(ts, 1_735_689_600_000, "the last bar closes at 2025-01-01T00:00Z");
    }
}

#[test]
fn bars_are_sound_lie_on_the_grid_and_join() {
    for candles in &YEAR.candles {
        let bitcoin = &*candles.instrument.symbol == "BTCUSDT";
        let grid = if bitcoin { 0.5 } else { 0.25 };
        for bar in &candles.bars {
            assert!(bar.low > 0.0 && bar.volume > 0.0, "{bar:?}");
            assert!(bar.low <= bar.open.min(bar.close), "{bar:?}");
            assert!(bar.high >= bar.open.max(bar.close), "{bar:?}");
            let on_grid = |value: f64, grid: f64| (value / grid).fract().abs() <= 0.0;
            assert!([bar.open, bar.high, bar.low, bar.close].iter().all(|px| on_grid(*px, grid)));
            assert!(on_grid(bar.volume, 0.125), "{bar:?}");
        }
        for pair in candles.bars.windows(2) {
            assert!((pair[1].open / pair[0].close - 1.0).abs() < 0.000_2, "{pair:?}");
        }
    }
}

#[test]
fn levels_volatility_and_tails_are_those_of_the_majors() {
    for venue in VENUES {
        for market in ["spot", "perp"] {
            for (symbol, level, volatility) in [
                ("BTCUSDT", 20_000.0..=100_000.0, 0.45..=0.65),
                ("ETHUSDT", 1_000.0..=6_000.0, 0.55..=0.80),
            ] {
                let name = format!("{venue}:{market}:{symbol}");
                let returns = returns(bars(&name));
                let squares: Vec<f64> = returns.iter().map(|r| r * r).collect();
                for bar in bars(&name) {
                    check_range(&name, bar.low, level.clone());
                    check_range(&name, bar.high, level.clone());
                }
                check_range(&name, annual_volatility(&returns), volatility);
                check_range(&name, kurtosis(&returns), 4.0..=60.0);
                check_range(&name, autocorrelation(&returns, 1), -0.06..=0.06);
                for lag in [1, 6, 24] {
                    check_range(&name, autocorrelation(&squares, lag), 0.01..=0.5);
                }
            }
        }
    }
}

#[test]
fn coins_move_together_and_venues_closely() {
    for market in ["spot", "perp"] {
        let of = |venue: &str, symbol: &str| returns(bars(&format!("{venue}:{market}:{symbol}")));
        for venue in VENUES {
            let between = correlation(&of(venue, "BTCUSDT"), &of(venue, "ETHUSDT"));
            check_range("correlation of the coins", between, 0.7..=0.9);
        }
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            for (left, right) in [(0, 1), (0, 2), (1, 2)] {
                let between = correlation(&of(VENUES[left], symbol), &of(VENUES[right], symbol));
                check_range("correlation of venues", between, 0.98..=0.999_9);
            }
        }
    }
}

#[test]
fn the_basis_returns_to_its_mean_and_follows_the_returns_of_the_day() {
    for venue in VENUES {
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            let spot = bars(&format!("{venue}:spot:{symbol}"));
            let perp = bars(&format!("{venue}:perp:{symbol}"));
            let basis: Vec<f64> =
                spot.iter().zip(perp).map(|(spot, perp)| perp.close / spot.close - 1.0).collect();
            check_range("mean basis", mean(&basis), 0.000_1..=0.001_2);
            let spread: Vec<f64> = basis.iter().map(|b| (b - mean(&basis)).abs()).collect();
            check_range("mean distance of the basis", mean(&spread), 0.000_5..=0.002);
            let widest = spread.iter().copied().fold(0.0, f64::max);
            check_range("widest distance of the basis", widest, 0.002..=0.012);
            check_range("basis an hour later", autocorrelation(&basis, 1), 0.7..=0.98);
            check_range("basis a week later", autocorrelation(&basis, 168), -0.15..=0.15);
            let day: Vec<f64> =
                spot.windows(25).map(|day| libm::log(day[24].close / day[0].close)).collect();
            check_range("basis and the day", correlation(&day, &basis[24..]), 0.3..=0.9);
        }
    }
}

#[test]
fn volume_follows_volatility_the_hour_and_the_week() {
    for candles in &YEAR.candles {
        let name = candles.instrument.to_string();
        let log_volume: Vec<f64> = candles.bars.iter().map(|bar| libm::log(bar.volume)).collect();
        let log_range: Vec<f64> =
            candles.bars.iter().map(|bar| libm::log(bar.high - bar.low + 0.25)).collect();
        check_range(&name, correlation(&log_volume, &log_range), 0.4..=0.95);
        let volume = |wanted: &dyn Fn(usize) -> bool| {
            let hours = candles.bars.iter().enumerate().filter(|(hour, _)| wanted(*hour));
            mean(&hours.map(|(_, bar)| bar.volume).collect::<Vec<f64>>())
        };
        let weekend = |hour: usize| hour / 24 % 7 >= 5;
        let relative = volume(&weekend) / volume(&|hour| !weekend(hour));
        check_range(&name, relative, 0.4..=0.8);
        let relative = volume(&|hour| hour % 24 == 15) / volume(&|hour| hour % 24 == 3);
        check_range(&name, relative, 1.5..=4.0);
    }
}

#[test]
fn marks_follow_their_perpetuals_and_events_state_them() {
    for perpetual in &YEAR.perpetuals {
        let name = perpetual.instrument.to_string();
        let candles = bars(&name);
        assert_eq!(perpetual.marks.len(), candles.len());
        let bitcoin = &*perpetual.instrument.symbol == "BTCUSDT";
        let grid = if bitcoin { 0.5 } else { 0.25 } / 16.0;
        for (mark, bar) in perpetual.marks.iter().zip(candles) {
            assert!(mark.low <= mark.open.min(mark.close), "{mark:?}");
            assert!(mark.high >= mark.open.max(mark.close), "{mark:?}");
            assert!((mark.close / grid).fract().abs() <= 0.0, "{mark:?}");
            check_range(&name, mark.close / bar.close, 0.997..=1.003);
        }
        for pair in perpetual.marks.windows(2) {
            assert!((pair[1].open - pair[0].close).abs() <= 0.0, "{pair:?}");
        }
        let at_events: Vec<f64> = perpetual.marks_at_events().collect();
        assert_eq!(at_events.len(), perpetual.rates.len());
        let second = perpetual.marks[15].close;
        assert!((at_events[1] - second).abs() <= 0.0, "that of 16:00");
    }
}

#[test]
fn funding_follows_the_basis() {
    for perpetual in &YEAR.perpetuals {
        let name = perpetual.instrument.to_string();
        let spot = bars(&name.replace("perp", "spot"));
        let rates = &perpetual.rates;
        assert_eq!(rates.len(), 1_098);
        let premium = |(perp, spot): (&[Bar], &[Bar])| {
            let hours = perp.iter().zip(spot);
            mean(&hours.map(|(perp, spot)| perp.close / spot.close - 1.0).collect::<Vec<f64>>())
        };
        let premiums: Vec<f64> = bars(&name).chunks(8).zip(spot.chunks(8)).map(premium).collect();
        check_range(&name, correlation(rates, &premiums), 0.6..=1.0);
        check_range("mean rate", mean(rates), 0.000_05..=0.000_6);
        let largest = rates.iter().fold(0.0, |largest: f64, rate| largest.max(rate.abs()));
        check_range("largest rate", largest, 0.000_5..=0.003);
        let at_base = rates.iter().filter(|rate| (**rate - 0.000_1).abs() <= 0.0).count();
        assert!((100..1_000).contains(&at_base), "{name}: {at_base} rates at the base");
        assert!(rates.iter().any(|rate| *rate < 0.0), "{name}: shorts pay at times");
    }
}
