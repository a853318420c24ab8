//! Random scenarios: which orders, how they are related, and when they are decided.

use super::amount::{BPS, LOT, TICK};
use super::bars::{Bar, START, draw_bars};
use super::dice::Dice;
use super::order::{Kind, Level, Order, Request, Side, Size, Tif, Trail};
use super::{Rules, Scenario};
use crate::tables::HOUR;

/// What a draw of orders may contain.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "it is a list of switches")]
pub(crate) struct Menu {
    pub(crate) shares: bool,
    pub(crate) related: bool,
    pub(crate) reduce_only: bool,
    pub(crate) cancels: bool,
}

impl Menu {
    pub(crate) const ALL: Self =
        Self { shares: false, related: true, reduce_only: true, cancels: true };
}

/// A random scenario of 5 to 60 requests on 10 to 49 bars.
pub(crate) fn draw(dice: &mut Dice, is_perp: bool, menu: Menu) -> Scenario {
    let rules = Rules::draw(dice, is_perp);
    let (bars, wanted) = (10 + dice.place(40), 5 + dice.place(56));
    let bars = draw_bars(dice, bars);
    let requests = draw_requests(dice, &bars, wanted, menu, is_perp);
    Scenario { rules, bars, requests }
}

fn draw_requests(
    dice: &mut Dice,
    bars: &[Bar],
    count: usize,
    menu: Menu,
    is_perp: bool,
) -> Vec<Request> {
    let (mut orders, mut requests): (Vec<Order>, Vec<Request>) = (Vec::new(), Vec::new());
    let mut decided = 0;
    for _ in 0..count {
        if dice.chance(60) {
            decided += dice.place(3);
        }
        if decided + 1 >= bars.len() {
            break;
        }
        if menu.cancels && !orders.is_empty() && dice.chance(12) {
            let recent = orders.len() - 1 - dice.place(orders.len().min(4));
            requests.push(Request::Cancel { decided, id: orders[recent].id.clone() });
            continue;
        }
        let order = draw_order(dice, bars, &orders, decided, menu, is_perp);
        orders.push(order.clone());
        requests.push(Request::Submit(order));
    }
    requests
}

fn draw_order(
    dice: &mut Dice,
    bars: &[Bar],
    earlier: &[Order],
    decided: usize,
    menu: Menu,
    is_perp: bool,
) -> Order {
    let mut order = draw_terms(dice, bars, &format!("o{}", earlier.len()), decided, menu);
    if !menu.related {
        return order;
    }
    let width = dice.pick(&[10, 60, 300]);
    let reference = order.price.or(order.stop).unwrap_or(bars[decided].close);
    if (is_perp || order.side == Side::Buy) && !order.reduce_only && dice.chance(25) {
        let up = order.side == Side::Buy;
        order.take_profit = dice.chance(70).then(|| draw_level(dice, up, reference, width));
        order.stop_loss = dice.chance(70).then(|| draw_level(dice, !up, reference, width));
        return order;
    }
    if matches!(order.tif, Tif::Ioc | Tif::Fok) || order.kind == Kind::Market {
        return order;
    }
    // Partners of a group, and children, stand in the file right after the first of them.
    if let Some(last) =
        earlier.last().filter(|last| last.decided == decided && last.parent.is_none())
    {
        if last.oco.is_some() && dice.chance(60) {
            order.oco.clone_from(&last.oco);
            return order;
        }
        let opens = last.take_profit.is_none() && last.stop_loss.is_none() && last.oco.is_none();
        if opens && !last.reduce_only && dice.chance(40) && (is_perp || last.side == Side::Buy) {
            order.side = last.side.other();
            order.parent = Some(last.id.clone());
            order.reduce_only = dice.chance(50);
            order.post_only = false;
            if dice.chance(50) {
                order.size = Size::OfParent;
            }
            return order;
        }
    }
    if dice.chance(20) {
        order.oco = Some(order.id.replace('o', "g"));
    }
    order
}

fn draw_terms(dice: &mut Dice, bars: &[Bar], id: &str, decided: usize, menu: Menu) -> Order {
    let side = if dice.chance(50) { Side::Buy } else { Side::Sell };
    let width = dice.pick(&[10, 60, 300]);
    let size = if menu.shares {
        Size::Percent(dice.pick(&[5, 10, 33, 50, 100]))
    } else {
        Size::Units(dice.range(1, 20_000) * LOT)
    };
    let mut order = Order::market(id, decided, side, size);
    order.kind = dice.pick(&[
        Kind::Market,
        Kind::Limit,
        Kind::Limit,
        Kind::Stop,
        Kind::StopLimit,
        Kind::Trailing,
    ]);
    let (first, second) = (near(dice, bars, decided, width), near(dice, bars, decided, width));
    match order.kind {
        Kind::Market => {}
        Kind::Limit => {
            order.price = Some(first);
            order.post_only = dice.chance(15);
        }
        Kind::Stop => order.stop = Some(first),
        Kind::StopLimit => (order.price, order.stop) = (Some(first), Some(second)),
        Kind::Trailing if dice.chance(50) => {
            order.trail = Some(Trail::By(dice.range(1, width) * TICK));
        }
        Kind::Trailing => order.trail = Some(Trail::Bps(dice.range(1, width) * BPS)),
    }
    let hours = i64::try_from(dice.range(1, 12)).expect("a few hours");
    let close = START + i64::try_from(decided + 1).expect("few bars") * HOUR;
    let at_once = matches!(order.kind, Kind::Market | Kind::Limit) && !order.post_only;
    order.tif = match dice.place(8) {
        0 => Tif::Gtd(close + hours * HOUR + if dice.chance(30) { HOUR / 2 } else { 0 }),
        1 => Tif::Day,
        2 if at_once => Tif::Ioc,
        3 if at_once => Tif::Fok,
        _ => Tif::Gtc,
    };
    order.reduce_only = menu.reduce_only && dice.chance(10);
    order
}

fn draw_level(dice: &mut Dice, up: bool, reference: i128, width: i128) -> Level {
    let distance = dice.range(1, width) * TICK;
    let sign = if up { 1 } else { -1 };
    match dice.place(3) {
        0 => Level::Price(reference + sign * distance),
        1 => Level::Offset(sign * distance),
        _ => Level::Bps(dice.range(1, width) * BPS),
    }
}

/// A price near one: often one that a bar touches exactly, sometimes between two ticks.
fn near(dice: &mut Dice, bars: &[Bar], at: usize, width: i128) -> i128 {
    let bar = bars[(at + dice.place(5)).min(bars.len() - 1)];
    if dice.chance(40) {
        return dice.pick(&[bar.open, bar.high, bar.low, bar.close]);
    }
    let px = bars[at].close + dice.range(-width, width) * TICK;
    px + if dice.chance(10) { TICK / 4 } else { 0 }
}
