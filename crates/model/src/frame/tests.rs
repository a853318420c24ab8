//! What a frame shows, and what a batch refuses.

use rust_decimal::Decimal;

use super::*;
use crate::instrument::SeriesIx;

#[test]
fn a_frame_shows_the_bars_of_its_own_row_only() {
    let real = Bar { close: 2.0, kind: BarKind::Real, ..Bar::default() };
    let mut batch = FrameBatch::with_capacity(2, 2);
    batch.push(UtcMillis::new(1), true, &[real, Bar::default()]);
    batch.push(UtcMillis::new(2), false, &[Bar::default(), Bar::synthetic(3.0)]);
    let batch = Arc::new(batch);
    let frames: Vec<Frame> = batch.frames().collect();
    let closes =
        |frame: &Frame| [0, 1].map(|place| frame.bar(InstrumentIx(place)).map(|bar| bar.close));
    assert_eq!(closes(&frames[0]), [Some(2.0), None]);
    assert_eq!(closes(&frames[1]), [None, Some(3.0)]);
    assert!(frames[0].is_warmup() && !frames[1].is_warmup());
    assert!(batch.frame(2).is_none());
}

#[test]
fn a_frame_shows_the_sub_bars_of_its_own_bars_only() {
    let mut batch = FrameBatch::with_capacity(3, 0);
    let mut push = |ts, sub_bars: &[(u16, &[i64])]| {
        batch.push(UtcMillis::new(ts), false, &[Bar::synthetic(1.0); 3]);
        for (instrument, closes) in sub_bars {
            let sub_bar = |ts: &i64| SubBar { ts: UtcMillis::new(*ts), bar: Bar::default() };
            let sub_bars: Vec<SubBar> = closes.iter().map(sub_bar).collect();
            batch.push_sub_bars(InstrumentIx(*instrument), &sub_bars);
        }
    };
    push(10, &[]);
    push(20, &[(0, &[15, 20]), (2, &[])]);
    push(30, &[(1, &[24]), (2, &[22, 26, 30])]);
    push(40, &[]);
    assert_eq!(batch.extra_count(), 6);
    let batch = Arc::new(batch);
    let told: Vec<[Vec<i64>; 3]> = batch
        .frames()
        .map(|frame| {
            [0, 1, 2].map(|place| {
                let sub_bars = frame.sub_bars(InstrumentIx(place));
                sub_bars.iter().map(|sub_bar| sub_bar.ts.millis()).collect()
            })
        })
        .collect();
    let none = Vec::new;
    let expected = [
        [none(), none(), none()],
        [vec![15, 20], none(), none()],
        [none(), vec![24], vec![22, 26, 30]],
        [none(), none(), none()],
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_frame_shows_its_own_points_only() {
    let (one, two) = (InstrumentIx(0), InstrumentIx(1));
    let mark = |close| MarkBar { open: 1.0, high: 9.0, low: 1.0, close };
    let event = |instrument, ts| FundingPoint {
        instrument,
        ts: UtcMillis::new(ts),
        rate: Decimal::new(1, 4),
        mark: None,
    };
    let price = |ts| PricePoint { series: SeriesIx(0), ts: UtcMillis::new(ts), value: 1.0 };
    let mut batch = FrameBatch::with_capacity(2, 0);
    for ts in [10, 20, 30, 40] {
        batch.push(UtcMillis::new(ts), false, &[Bar::synthetic(1.0); 2]);
        match ts {
            20 => {
                batch.push_marks(&[(one, mark(2.0)), (two, mark(3.0))]);
                batch.push_funding(&[event(two, 12), event(one, 20), event(two, 20)]);
            }
            30 => {
                batch.push_marks(&[(two, mark(4.0))]);
                batch.push_prices(&[price(24), price(30)]);
            }
            _ => {}
        }
    }
    assert_eq!(batch.extra_count(), 8);
    let batch = Arc::new(batch);
    let told: Vec<_> = batch
        .frames()
        .map(|frame| {
            let events =
                frame.funding().iter().map(|event| (event.ts.millis(), event.instrument.0));
            let prices = frame.prices().iter().map(|price| price.ts.millis());
            let marks = [one, two].map(|place| frame.mark(place).map(|mark| mark.close));
            (marks, events.collect::<Vec<_>>(), prices.collect::<Vec<_>>())
        })
        .collect();
    let expected = [
        ([None, None], vec![], vec![]),
        ([Some(2.0), Some(3.0)], vec![(12, 1), (20, 0), (20, 1)], vec![]),
        ([None, Some(4.0)], vec![], vec![24, 30]),
        ([None, None], vec![], vec![]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_batch_without_sub_bars_and_points_allocates_nothing_for_them() {
    let mut batch = FrameBatch::with_capacity(2, 4_096);
    for ts in 0..4_096 {
        batch.push(UtcMillis::new(ts), false, &[Bar::default(); 2]);
    }
    assert!(batch.sub_bars.is_unallocated() && batch.marks.is_unallocated());
    assert!(batch.funding.is_unallocated() && batch.prices.is_unallocated());
}

#[test]
#[should_panic(expected = "events come in order of time and rank")]
fn funding_comes_in_order_of_time() {
    let event = |ts| FundingPoint {
        instrument: InstrumentIx(0),
        ts: UtcMillis::new(ts),
        rate: Decimal::ZERO,
        mark: None,
    };
    let mut batch = FrameBatch::with_capacity(1, 0);
    batch.push(UtcMillis::new(9), false, &[Bar::default()]);
    batch.push_funding(&[event(8), event(7)]);
}

#[test]
#[should_panic(expected = "finer bars come once, in rank order")]
fn sub_bars_come_in_rank_order() {
    let mut batch = FrameBatch::with_capacity(2, 0);
    batch.push(UtcMillis::new(1), false, &[Bar::default(); 2]);
    batch.push_sub_bars(InstrumentIx(1), &[]);
    batch.push_sub_bars(InstrumentIx(0), &[]);
}
