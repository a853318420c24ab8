//! Real marks and funding, where they are there.

use std::fmt::Write as _;
use std::path::PathBuf;

use expect_test::expect;
use futures_util::StreamExt;
use model::instrument::{InstrumentIx, SeriesIx};

use super::files::minutes;
use super::real::shared;
use super::scenario::tell_error;
use crate::candles::{BarsOf, ColumnNames, GapPolicy, SeriesSpec, inspect};
use crate::feed::{CandleFeed, FeedSpec};
use crate::points::{PointSpec, PointsOf, inspect_points};

fn points(of: PointsOf, path: PathBuf, interval: &str) -> PointSpec {
    PointSpec {
        of,
        name: "points".to_owned(),
        paths: vec![path],
        interval: Some(interval.parse().unwrap()),
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Error,
    }
}

fn bars(of: BarsOf, path: PathBuf, interval: &str) -> SeriesSpec {
    let (interval, gaps) = (interval.parse().unwrap(), GapPolicy::Skip);
    SeriesSpec { of, interval, gaps, ..minutes("A", 0, vec![path]) }
}

/// Sums over all frames: bars, marks, events, how many of those are marked, rates and marks.
fn tell(spec: &FeedSpec) -> String {
    let mut feed = CandleFeed::open(spec).unwrap();
    let (mut bars, mut marks, mut events, mut marked) = (0, 0, 0, 0);
    let (mut rates, mut late) = (model::Decimal::ZERO, 0);
    let mut told = String::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        while let Some(next) = feed.next().await {
            let frame = match next {
                Ok(frame) => frame,
                Err(error) => {
                    told += &tell_error(&error);
                    continue;
                }
            };
            bars += 1;
            marks += u32::from(frame.mark(InstrumentIx(0)).is_some());
            for event in frame.funding() {
                assert!(event.ts <= frame.ts(), "{event:?}");
                events += 1;
                marked += u32::from(event.mark.is_some());
                rates += event.rate;
                late += u32::from(event.ts.millis() % 3_600_000 != 0);
            }
        }
    });
    writeln!(told, "{bars} frames, {marks} marks").unwrap();
    writeln!(told, "{events} events, {marked} marked, {late} late, rates {rates}").unwrap();
    told
}

#[test]
fn a_year_and_a_half_of_funding_over_hours_with_holes() {
    let Some(shared) = shared() else { return };
    let candles = shared.join("candles/binance/BTCUSDT-PERP/1h.parquet");
    let mut spec =
        FeedSpec::new(vec![bars(BarsOf::Trades, candles, "1h")], 1, "1h".parse().unwrap());
    let funding = shared.join("funding/binance/BTCUSDT-PERP.parquet");
    spec.points = vec![points(PointsOf::Funding(InstrumentIx(0)), funding, "8h")];
    expect![[r#"
        12362 frames, 0 marks
        1550 events, 1544 marked, 0 late, rates 0.13861459
    "#]]
    .assert_eq(&tell(&spec));
    let marks = shared.join("mark/binance/BTCUSDT-PERP");
    spec.marks = vec![bars(BarsOf::Mark, marks.join("8h.parquet"), "8h")];
    expect![[r#"
        12362 frames, 1188 marks
        1550 events, 1544 marked, 0 late, rates 0.13861459
    "#]]
    .assert_eq(&tell(&spec));
    spec.marks = vec![bars(BarsOf::Mark, marks.join("1h.parquet"), "1h")];
    expect![[r#"
        12362 frames, 3648 marks
        1550 events, 1544 marked, 0 late, rates 0.13861459
    "#]]
    .assert_eq(&tell(&spec));
}

#[test]
fn settlements_a_few_milliseconds_late_are_kept_as_they_are() {
    let Some(shared) = shared() else { return };
    let candles = shared.join("candles/bybit/BTCUSDT-PERP/1h.parquet");
    let mut spec =
        FeedSpec::new(vec![bars(BarsOf::Trades, candles, "1h")], 1, "1h".parse().unwrap());
    let funding = shared.join("defects/binance_BTCUSDT-PERP_funding_millisecond_jitter.parquet");
    spec.points = vec![points(PointsOf::Funding(InstrumentIx(0)), funding, "8h")];
    expect![[r#"
        12408 frames, 0 marks
        1550 events, 1550 marked, 290 late, rates 0.13861459
    "#]]
    .assert_eq(&tell(&spec));
    let funding = shared.join("funding/bybit/BTCUSDT-PERP.parquet");
    spec.points = vec![points(PointsOf::Funding(InstrumentIx(0)), funding, "8h")];
    expect![[r#"
        12408 frames, 0 marks
        1550 events, 1550 marked, 0 late, rates 0.13918857
    "#]]
    .assert_eq(&tell(&spec));
}

#[test]
fn every_file_of_points_is_as_its_description_says() {
    let Some(shared) = shared() else { return };
    let mut told = String::new();
    let mut look = |file: &str, interval: &str, columns: ColumnNames, of: PointsOf| {
        let spec = PointSpec { columns, ..points(of, shared.join(file), interval) };
        let found = inspect_points(&spec);
        writeln!(
            told,
            "{file}: {} rows, {} holes, {} missing, {} faults",
            found.rows, found.holes, found.missing, found.fault_count
        )
        .unwrap();
        found.faults.iter().take(1).for_each(|fault| told += &tell_error(fault));
    };
    let funding = PointsOf::Funding(InstrumentIx(0));
    for (file, interval) in [
        ("funding/binance/BTCUSDT-PERP.parquet", "8h"),
        ("funding/binance/ETHUSDT-PERP.parquet", "8h"),
        ("funding/binance/SOLUSDT-PERP.parquet", "8h"),
        // From 4 to 2 hours for days: shorter is no fault.
        ("funding/binance/ORCAUSDT-PERP.parquet", "4h"),
        ("funding/bybit/BTCUSDT-PERP.parquet", "8h"),
        ("funding/bybit/ETHUSDT-PERP.parquet", "8h"),
        ("funding/hyperliquid/BTCUSDC-PERP.parquet", "1h"),
        ("funding/okx/BTCUSDT-PERP.parquet", "8h"),
        ("defects/binance_BTCUSDT-PERP_funding_millisecond_jitter.parquet", "8h"),
        ("defects/okx_BTCUSDT-PERP_funding_as_published.parquet", "8h"),
    ] {
        look(file, interval, ColumnNames::default(), funding);
    }
    let price = |name: &str| ColumnNames { price: Some(name.to_owned()), ..ColumnNames::default() };
    let prices = PointsOf::Price(SeriesIx(0));
    look("prices/polygon/WETH.parquet", "1m", price("price_usd"), prices);
    look("lst/weETH_market.parquet", "1h", price("market_ratio_eth_median24h"), prices);
    expect![[r#"
        funding/binance/BTCUSDT-PERP.parquet: 1551 rows, 0 holes, 0 missing, 0 faults
        funding/binance/ETHUSDT-PERP.parquet: 1551 rows, 0 holes, 0 missing, 0 faults
        funding/binance/SOLUSDT-PERP.parquet: 456 rows, 0 holes, 0 missing, 0 faults
        funding/binance/ORCAUSDT-PERP.parquet: 955 rows, 0 holes, 0 missing, 0 faults
        funding/bybit/BTCUSDT-PERP.parquet: 1551 rows, 0 holes, 0 missing, 0 faults
        funding/bybit/ETHUSDT-PERP.parquet: 1551 rows, 0 holes, 0 missing, 0 faults
        funding/hyperliquid/BTCUSDC-PERP.parquet: 832 rows, 0 holes, 0 missing, 0 faults
        funding/okx/BTCUSDT-PERP.parquet: 1066 rows, 11 holes, 123 missing, 11 faults
        DATA-GAP Content BTCUSDT-PERP row 277 time
          found: 2024-08-31T16:00:00Z after 2024-07-31T08:00:00Z, 93 missing
          expected: rows no more than one and a half times 8h apart
          hint: gaps = "skip" accepts the hole, if interval is right
        defects/binance_BTCUSDT-PERP_funding_millisecond_jitter.parquet: 1551 rows, 0 holes, 0 missing, 0 faults
        defects/okx_BTCUSDT-PERP_funding_as_published.parquet: 1251 rows, 11 holes, 123 missing, 197 faults
        DATA-GAP Content okx_BTCUSDT-PERP_funding_as_published row 277 time
          found: 2024-09-01T00:00:00Z after 2024-07-31T16:00:00Z, 93 missing
          expected: rows no more than one and a half times 8h apart
          hint: gaps = "skip" accepts the hole, if interval is right
        prices/polygon/WETH.parquet: 4320 rows, 0 holes, 0 missing, 0 faults
        lst/weETH_market.parquet: 9212 rows, 0 holes, 0 missing, 0 faults
    "#]].assert_eq(&told);
}

#[test]
fn every_mark_file_is_sound() {
    let Some(shared) = shared() else { return };
    let mut told = String::new();
    for (symbol, interval) in
        [("BTCUSDT", "1h"), ("BTCUSDT", "8h"), ("ETHUSDT", "1h"), ("ETHUSDT", "8h")]
    {
        let path = shared.join(format!("mark/binance/{symbol}-PERP/{interval}.parquet"));
        let found = inspect(&bars(BarsOf::Mark, path, interval));
        assert_eq!((found.fault_count, found.zero_volume), (0, 0), "{:?}", found.faults);
        writeln!(told, "{symbol} {interval}: {} rows, {} holes", found.rows, found.holes).unwrap();
    }
    expect![[r#"
        BTCUSDT 1h: 3648 rows, 0 holes
        BTCUSDT 8h: 1188 rows, 0 holes
        ETHUSDT 1h: 3648 rows, 0 holes
        ETHUSDT 8h: 1188 rows, 0 holes
    "#]]
    .assert_eq(&told);
}
