//! Random rows, written as a file and read back.

use std::sync::Arc;

use model::Decimal;
use model::instrument::InstrumentTable;
use model::money::{Bps, Quantity};
use model::order::{Level, OrderSide, OrderType, Size, TimeInForce, Trail};
use model::time::UtcMillis;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::hour;
use crate::scripted::row::{Action, ExitLevel, Row, Terms};
use crate::scripted::{cells, file};
use crate::stage::{PERP, SPOT, Stage};

proptest! {
    #[test]
    fn a_file_of_rows_reads_back_as_these_rows(
        rows in rows(&Stage::new(&[SPOT, PERP]).instruments),
        turn in 0usize..20,
    ) {
        let instruments = Stage::new(&[SPOT, PERP]).instruments;
        // Times may stand in any order, rows of one time in theirs: the last ones come first.
        let start = rows.get(turn).map_or(hour(0), |row| row.decide_ts);
        let (late, early): (Vec<Row>, Vec<Row>) =
            rows.iter().cloned().partition(|row| row.decide_ts >= start);
        let written = write(&[late, early].concat(), &instruments);
        let read = file::read(&written, &instruments).unwrap().rows;
        let unplaced = |rows: Vec<Row>| -> Vec<Row> {
            rows.into_iter().map(|row| Row { line: 0, ..row }).collect()
        };
        prop_assert_eq!(unplaced(read), unplaced(rows));
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        cells in vec("[-+0-9e.%@abps]{0,12}|[^\"]{0,8}|[0-9]{25,35}(e-?[0-9]{1,3})?", 29),
    ) {
        let header = cells::COLUMNS.join(",");
        let text = format!("{header}\n{}\n", cells.join(","));
        let _read = file::read(&text, &Stage::new(&[SPOT, PERP]).instruments);
    }
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000i64..1_000_000_000_000, 0u32..12)
        .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn rates() -> impl Strategy<Value = Bps> {
    (-1_000_000_000_000i64..1_000_000_000_000, 6u32..12)
        .prop_map(|(mantissa, scale)| Bps(Decimal::new(mantissa, scale)))
}

fn exits() -> impl Strategy<Value = ExitLevel> {
    let positive = || decimals().prop_map(|value| value.abs());
    prop_oneof![
        positive().prop_map(|price| ExitLevel::Stated(Level::Price(price))),
        decimals().prop_map(|offset| ExitLevel::Stated(Level::Offset(offset))),
        rates().prop_map(|rate| ExitLevel::Stated(Level::OffsetBps(rate))),
        rates().prop_map(|rate| ExitLevel::Distance(Bps(rate.0.abs()))),
    ]
}

fn instants() -> impl Strategy<Value = UtcMillis> {
    (0..4_000_000_000_000i64).prop_map(UtcMillis::new)
}

fn terms(instruments: &InstrumentTable) -> impl Strategy<Value = Terms> {
    let places: Vec<_> = instruments.instruments().map(|(place, _)| place).collect();
    let sizes = prop_oneof![
        decimals().prop_map(|units| Size::Units(Quantity(units))),
        (0i64..10_000).prop_map(|share| Size::Share(Decimal::new(share, 4))),
    ];
    let trails = prop_oneof![decimals().prop_map(Trail::Absolute), rates().prop_map(Trail::Bps),];
    let pricing = (
        option::of(select(OrderType::ALL.to_vec())),
        sizes,
        option::of(decimals()),
        option::of(decimals()),
        option::of(trails),
        option::of(exits()),
        option::of(exits()),
    );
    let rest = (
        option::of(select(places)),
        option::of(select(vec![OrderSide::Buy, OrderSide::Sell])),
        option::of(select(TimeInForce::ALL.to_vec())),
        option::of(instants()),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of("[a-z,\" ]{0,3}[a-z]".prop_map(|label| label.trim().into())),
    );
    (pricing, rest).prop_map(|(pricing, rest)| {
        let (order_type, size, price, stop_price, trail, take_profit, stop_loss) = pricing;
        let (instrument, side, tif, expire_at, post_only, reduce_only, oco_group) = rest;
        Terms {
            instrument,
            side,
            order_type,
            size: Some(size),
            price,
            stop_price,
            trail,
            tif,
            expire_at,
            post_only,
            reduce_only,
            oco_group,
            parent: None,
            take_profit,
            stop_loss,
        }
    })
}

/// Rows in the order of their decisions, with lines as if the file had this order.
///
/// Every other order has a name, and rows name any of the orders before them.
fn rows(instruments: &InstrumentTable) -> impl Strategy<Value = Vec<Row>> {
    let action = select(Action::ALL.to_vec());
    let row = (0..3i64, action, terms(instruments), any::<u64>(), any::<bool>());
    vec(row, 0..20).prop_map(|drafts| {
        let (mut now, mut names, mut rows) = (0, Vec::new(), Vec::new());
        for (place, (step, action, mut terms, pick, has_parent)) in (0u64..).zip(drafts) {
            now += step;
            let known = (!names.is_empty()).then(|| {
                let pick = usize::try_from(pick % u64::try_from(names.len()).unwrap()).unwrap();
                Arc::clone(&names[pick])
            });
            let action = if known.is_none() { Action::Submit } else { action };
            let order_id = match action {
                Action::Submit if place % 2 == 1 => None,
                Action::Submit => {
                    terms.parent = known.filter(|_| has_parent);
                    let name: Arc<str> = format!("order {place}").into();
                    names.push(name.clone());
                    Some(name)
                }
                Action::Cancel | Action::Replace => known,
            };
            rows.push(Row {
                line: place + 2,
                decide_ts: hour(now),
                order_id,
                action,
                terms,
                operation: None,
            });
        }
        rows
    })
}

/// The file that states these rows.
fn write(rows: &[Row], instruments: &InstrumentTable) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells::COLUMNS).unwrap();
    for row in rows {
        let cells = cells::COLUMNS.map(|column| cell(row, column, instruments).unwrap_or_default());
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn cell(row: &Row, column: &str, instruments: &InstrumentTable) -> Option<String> {
    if cells::COLUMNS[cells::OPERATION_ONLY].contains(&column) {
        return None;
    }
    let terms = &row.terms;
    let decimal = |value: Option<Decimal>| value.map(|value| value.to_string());
    match column {
        "decide_ts" => Some(row.decide_ts.to_string()),
        "order_id" => row.order_id.as_ref().map(ToString::to_string),
        "action" => Some(row.action.name().to_owned()),
        "operation" => None,
        "instrument" => terms.instrument.map(|ix| instruments.instrument(ix).id.to_string()),
        "side" => terms.side.map(|side| side.name().to_owned()),
        "type" => terms.order_type.map(|order_type| order_type.name().to_owned()),
        "qty" => terms.size.map(|size| size.to_string()),
        "price" => decimal(terms.price),
        "stop_price" => decimal(terms.stop_price),
        "trail" => match terms.trail? {
            Trail::Absolute(distance) => Some(distance.to_string()),
            Trail::Bps(_) => None,
        },
        "trail_bps" => match terms.trail? {
            Trail::Absolute(_) => None,
            Trail::Bps(rate) => Some(rate.0.to_string()),
        },
        "tif" => terms.tif.map(|tif| tif.name().to_owned()),
        "expire_at" => terms.expire_at.map(|instant| instant.millis().to_string()),
        "post_only" => terms.post_only.map(|flag| flag.to_string()),
        "reduce_only" => terms.reduce_only.map(|flag| flag.to_string()),
        "oco_group" => terms.oco_group.as_ref().map(ToString::to_string),
        "parent" => terms.parent.as_ref().map(ToString::to_string),
        "take_profit" => terms.take_profit.map(exit),
        "stop_loss" => terms.stop_loss.map(exit),
        unknown => panic!("a column without a writer: {unknown}"),
    }
}

fn exit(level: ExitLevel) -> String {
    match level {
        ExitLevel::Stated(level) => level.to_string(),
        ExitLevel::Distance(rate) => format!("{}bps", rate.0),
    }
}
