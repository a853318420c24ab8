//! Marks, funding and prices in a run file.

use expect_test::expect;
use model::instrument::{InstrumentIx, SeriesIx};
use store::points::PointsOf;

use super::{SMALL, check, folder, read};

/// Candles of spot and of a perpetual, and what is known of the perpetual beside them.
const KINDS: &str = r#"share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 10_000 }

[[data]]
kind = "price"
of = "dex:weETH/ETH"
path = "eth.csv"
columns = { price = "ratio" }

[[data]]
kind = "funding"
of = "binance:perp:BTCUSDT"
path = ["btc.parquet", "btc-2.parquet"]
columns = { rate = "r", mark_price = "m" }
gaps = "skip"

[[data]]
kind = "mark"
of = "binance:perp:BTCUSDT"
path = "btc.parquet"
interval = "8h"

[[data]]
of = "binance:spot:BTCUSDT"
path = "btc.parquet"

[[data]]
of = "binance:perp:BTCUSDT"
path = "perp.parquet"

[[data]]
kind = "price"
of = "binance_spot:USDC/USDT"
path = "eth.csv"
interval = "1h"

[strategy]
kind = "sma_cross"
instruments = "binance:spot:BTCUSDT"
"#;

#[test]
fn every_kind_has_its_place_whatever_the_order_of_the_sections() {
    let folder = folder();
    let config = read(KINDS, &[], folder.path()).unwrap();
    assert_eq!(config.data.len(), 2);
    assert_eq!(config.marks.iter().map(|marks| marks.ix).collect::<Vec<_>>(), [InstrumentIx(1)]);
    let points: Vec<_> = config.points.iter().map(|points| (points.name(), points.of)).collect();
    assert_eq!(
        points,
        [
            ("dex:weETH/ETH".to_owned(), PointsOf::Price(SeriesIx(0))),
            ("binance:perp:BTCUSDT funding".to_owned(), PointsOf::Funding(InstrumentIx(1))),
            ("binance_spot:USDC/USDT".to_owned(), PointsOf::Price(SeriesIx(1))),
        ]
    );
    let bases = config.instruments.price_series().map(|(_, series)| &*series.base);
    assert_eq!(bases.collect::<Vec<_>>(), ["weETH", "USDC"]);
    let files: Vec<usize> = config.all_files().map(<[_]>::len).collect();
    assert_eq!(files, [1, 1, 1, 1, 2, 1], "bars of frames, marks, points");
    let semantic = config.semantic_toml();
    let start = semantic.find("[[data]]").unwrap();
    let shown = &semantic[start..semantic.find("[execution]").unwrap()];
    expect![[r#"
        [[data]]
        gaps = "error"
        kind = "price"
        of = "dex:weETH/ETH"

        [data.columns]
        price = "ratio"

        [[data]]
        gaps = "skip"
        interval = "8h"
        kind = "funding"
        of = "binance:perp:BTCUSDT"

        [data.columns]
        mark_price = "m"
        rate = "r"

        [[data]]
        gaps = "error"
        interval = "8h"
        kind = "mark"
        of = "binance:perp:BTCUSDT"
        time = "open"

        [[data]]
        gaps = "error"
        interval = "1h"
        kind = "candles"
        of = "binance:spot:BTCUSDT"
        time = "open"

        [[data]]
        gaps = "error"
        interval = "1h"
        kind = "candles"
        of = "binance:perp:BTCUSDT"
        time = "open"

        [[data]]
        gaps = "error"
        interval = "1h"
        kind = "price"
        of = "binance_spot:USDC/USDT"

    "#]]
    .assert_eq(shown);
    let again = read(&config.resolved().to_string(), &[], folder.path()).unwrap();
    assert_eq!(again.resolved(), config.resolved());
}

#[test]
fn marks_and_funding_are_of_perpetuals_with_candles_and_once() {
    check(
        &format!(
            "{SMALL}{}",
            r#"
[[data]]
kind = "funding"
of = "binance:spot:BTCUSDT"
path = "btc.parquet"
[[data]]
kind = "mark"
of = "binance:perp:BTCUSDT"
path = "btc.parquet"
[[data]]
kind = "price"
of = "dex:weETH/ETH"
path = "btc.parquet"
[[data]]
kind = "price"
of = "dex:weETH/ETH"
path = "btc-2.parquet"
"#
        ),
        &expect![[r#"
            error[CFG-INSTRUMENT]: data.1.of: found `binance:spot:BTCUSDT`, which is no perpetual
              --> run.toml:13:6
               |
            13 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected a perpetual

            error[CFG-DATA-MISSING]: data.2.of: found `binance:perp:BTCUSDT`, of which the run has no candles
              --> run.toml:17:6
               |
            17 | of = "binance:perp:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with candles in [[data]]

            error[CFG-DATA-DUPLICATE]: data.4.of: found another series of `dex:weETH/ETH`
              --> run.toml:25:6
               |
            25 | of = "dex:weETH/ETH"
               |      ^^^^^^^^^^^^^^^ expected every series once
               |
               = help: files that follow each other in time go into one `path = [...]`

            3 faults in all
            exit code 78
        "#]],
    );
    check(
        &KINDS.replace("kind = \"mark\"", "kind = \"funding\""),
        &expect![[r#"
        error[CFG-DATA-DUPLICATE]: data.2.of: found another series of `binance:perp:BTCUSDT funding`
          --> run.toml:19:6
           |
        19 | of = "binance:perp:BTCUSDT"
           |      ^^^^^^^^^^^^^^^^^^^^^^ expected every series once
           |
           = help: files that follow each other in time go into one `path = [...]`
        exit code 78
    "#]],
    );
}

#[test]
fn every_kind_has_its_own_keys() {
    check(
        &format!(
            "{SMALL}{}",
            r#"
[[data]]
of = "binance:perp:BTCUSDT"
path = "perp.parquet"
columns = { rate = "r" }
[[data]]
kind = "funding"
of = "binance:perp:BTCUSDT"
path = "btc.parquet"
time = "open"
gaps = "synthetic"
[[data]]
kind = "mark"
of = "binance:perp:BTCUSDT"
path = "btc.parquet"
interval = "25m"
columns = { volume = "v" }
[[data]]
kind = "price"
of = "Dex:weETH"
columns = { mark_price = "m" }
"#
        ),
        &expect![[r#"
            error[CFG-MISSING]: strategy.instruments is missing
             --> run.toml:8:1
              |
            8 | [strategy]
              | ^^^^^^^^^^ expected a list of instruments, since the run has candles of 2

            error[CFG-UNKNOWN-KEY]: unknown key `rate` in data.1.columns
              --> run.toml:14:13
               |
            14 | columns = { rate = "r" }
               |             ^^^^ expected one of time, open, high, low, close, volume

            error[CFG-UNKNOWN-KEY]: unknown key `time` in data.2
              --> run.toml:19:1
               |
            19 | time = "open"
               | ^^^^ expected one of kind, of, path, interval, time_unit, columns, gaps

            error[CFG-VALUE]: data.2.gaps: found the string "synthetic"
              --> run.toml:20:8
               |
            20 | gaps = "synthetic"
               |        ^^^^^^^^^^^ expected "error" or "skip"

            error[CFG-INTERVAL]: data.3.interval: found marks of 25m
              --> run.toml:25:12
               |
            25 | interval = "25m"
               |            ^^^^^ expected a length that divides that of a frame, 1h, or a multiple of it

            error[CFG-UNKNOWN-KEY]: unknown key `volume` in data.3.columns
              --> run.toml:26:13
               |
            26 | columns = { volume = "v" }
               |             ^^^^^^ expected one of time, open, high, low, close

            error[CFG-MISSING]: data.4.path is missing
              --> run.toml:27:1
               |
            27 | [[data]]
               | ^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv, or a list

            error[CFG-VALUE]: data.4.of: found the string "Dex:weETH"
              --> run.toml:29:6
               |
            29 | of = "Dex:weETH"
               |      ^^^^^^^^^^^ expected source:BASE/QUOTE, such as "dex:weETH/ETH"

            error[CFG-UNKNOWN-KEY]: unknown key `mark_price` in data.4.columns
              --> run.toml:30:13
               |
            30 | columns = { mark_price = "m" }
               |             ^^^^^^^^^^ expected one of time, price

            9 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn a_run_needs_candles() {
    check(
        r#"
share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 1 }
[data]
kind = "price"
of = "dex:weETH/ETH"
path = "eth.csv"
[strategy]
kind = "sma_cross"
"#,
        &expect![[r#"
            error[CFG-DATA-MISSING]: data: found no candles
             --> run.toml:4:1
              |
            4 | [data]
              | ^^^^^^ expected a [[data]] section with candles
            exit code 78
        "#]],
    );
}
