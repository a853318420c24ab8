"""The cases whose expected values backtrader computes, on hand-made bars."""

from __future__ import annotations

import cases_backtrader_random
from common import Case, Market, bars_of, close_time, number, utc
from peer_backtrader import CONVENTIONS, PEER, run

# Multiples of a quarter, which floats hold exactly.
BARS = bars_of([
    (100, 101, 99, 100),
    (100, 102, 99, 101),
    (101, 103, 100, 102),
    (104, 106, 103, 105),  # 3: gap up
    (105, 105.5, 101, 102),
    (99, 100, 97, 98),  # 5: gap down
    (98, 99, 95, 96),
    (96, 101, 95.5, 100),
    (100, 107, 94, 101),  # 8: far both ways
    (101, 102, 100, 101),
    (101, 101, 101, 101),  # 10: one price
    (108, 110, 107.5, 109),  # 11: gap up
    (109, 109.5, 104, 105),
    (105, 106, 104.5, 105.5),
    (96, 97, 93, 94),  # 14: gap down
    (94, 95, 90, 91),
    (91, 98, 90.5, 97),
    (97, 99, 96, 98),
    (98, 98.5, 97.25, 98),
    (98, 100, 97, 99),
])  # fmt: skip

# While an order trails here, every new extreme that it follows is a close.
PEAKS = bars_of([
    (100, 100, 100, 100),
    (100, 104, 99.5, 104),  # 1: peak 104
    (103.5, 104, 103, 103.5),
    (103.5, 107, 103.25, 107),  # 3: peak 107
    (106.5, 106.75, 105.5, 106),
    (106, 106.25, 102, 102.5),
    (102.5, 103, 100, 100),  # 6: low 100
    (100.5, 101, 100.25, 100.5),
    (100.5, 100.75, 97, 97),  # 8: low 97
    (97.5, 98, 97.25, 97.75),
    (101, 102, 100, 101),  # 10: opens above the level of a buy
    (101, 103, 100.5, 103),
    (103, 108, 102.5, 108),  # 12: peak 108
    (107, 107.5, 106.75, 107),
    (101, 102, 100.5, 101),  # 14: opens below the level of a sell
    (101, 102, 100, 101.5),
])  # fmt: skip


def new_case(name: str, about: str, bars, rows: list[tuple], **options) -> Case:
    """A case on hand-made bars of a linear perpetual."""
    market = Market("ref:perp:AAAUSDT", bars, lot=options.pop("lot", "0.25"))
    options = {"execution": dict(CONVENTIONS)} | options
    case = Case(
        f"backtrader_{name}", PEER, about, [market],
        cash=1_000_000, fee_bps="10", leverage=3, **options,
    )  # fmt: skip
    case.orders = [order(market, index + 1, *row) for index, row in enumerate(rows)]
    return case


def order(market: Market, count: int, bar: int, side: str, kind: str, cells: dict) -> dict:
    """A row of `orders.csv`, decided at the close of a bar; for a cancel `side` is its order."""
    row = {"decide_ts": utc(close_time(market.bars, bar)), "instrument": market.id}
    if kind == "cancel":
        return row | {"order_id": side, "action": "cancel"}
    row |= {"order_id": f"o{count}", "action": "submit", "side": side, "type": kind, "qty": "1.5"}
    cells = {key: written(market, key, value) for key, value in cells.items()}
    return row | cells


def written(market: Market, key: str, value) -> str:
    """A cell: expiries are given as bars."""
    if key == "expire_at":
        return utc(close_time(market.bars, value))
    return value if isinstance(value, str) else number(value)


def market_orders() -> Case:
    rows = [
        (0, "buy", "market", {"qty": 2}),
        (2, "sell", "market", {"qty": 5}),
        (4, "buy", "market", {"qty": 3}),
        (9, "sell", "market", {"qty": 1.25}),
        (9, "sell", "market", {"qty": 0.25}),
        (13, "buy", "market", {"qty": 4}),
    ]
    about = "Market orders at the next open, over flat, long and short positions."
    return run(new_case("market", about, BARS, rows, execution={}))


def limit_orders() -> Case:
    rows = [
        (0, "buy", "limit", {"price": 99.5}),  # traded through
        (0, "buy", "limit", {"price": 99}),  # touched
        (0, "buy", "limit", {"price": 100.5}),  # marketable: the open
        (2, "buy", "limit", {"price": 100}),  # a gap below while it rests
        (9, "buy", "limit", {"price": 100.5}),  # not reached before bar 14
        (0, "sell", "limit", {"price": 101.5}),
        (0, "sell", "limit", {"price": 102}),
        (0, "sell", "limit", {"price": 99.5}),
        (1, "sell", "limit", {"price": 103.5}),
        (8, "sell", "limit", {"price": 107}),
        (9, "sell", "limit", {"price": 101}),  # marketable at a bar of one price
        (15, "sell", "limit", {"price": 200}),  # never
    ]
    about = "Limits: marketable, traded through, touched, gapped over, never reached."
    return run(new_case("limit", about, BARS, rows))


def stop_orders() -> Case:
    rows = [
        (0, "buy", "stop", {"stop_price": 101.5}),
        (0, "buy", "stop", {"stop_price": 102}),  # touched
        (0, "buy", "stop", {"stop_price": 99.5}),  # already passed: the open
        (1, "buy", "stop", {"stop_price": 103.5}),  # gap
        (9, "buy", "stop", {"stop_price": 105}),  # gap
        (0, "sell", "stop", {"stop_price": 99.5}),
        (0, "sell", "stop", {"stop_price": 99}),
        (0, "sell", "stop", {"stop_price": 100.25}),
        (3, "sell", "stop", {"stop_price": 100.5}),
        (12, "sell", "stop", {"stop_price": 100}),
        (16, "sell", "stop", {"stop_price": 10}),  # never
    ]
    about = "Stops: reached, touched, gapped over, already passed, never reached."
    return run(new_case("stop", about, BARS, rows))


def stop_limit_orders() -> Case:
    rows = [
        (0, "buy", "stop_limit", {"stop_price": 101.5, "price": 102}),  # at the stop
        (0, "buy", "stop_limit", {"stop_price": 101.5, "price": 101.5}),
        (1, "buy", "stop_limit", {"stop_price": 103.5, "price": 102.5}),  # gap, back in bar 4
        (2, "buy", "stop_limit", {"stop_price": 103, "price": 103.5}),  # gap, back in the bar
        (2, "buy", "stop_limit", {"stop_price": 103, "price": 104.5}),  # gap within the limit
        (6, "buy", "stop_limit", {"stop_price": 98, "price": 97}),  # close above it: rests
        (3, "buy", "stop_limit", {"stop_price": 105.5, "price": 103}),  # back below: proven
        (0, "sell", "stop_limit", {"stop_price": 99.5, "price": 99}),
        (4, "sell", "stop_limit", {"stop_price": 100, "price": 99.5}),  # gap, then back in the bar
        (4, "sell", "stop_limit", {"stop_price": 100, "price": 98.5}),  # gap within the limit
        (13, "sell", "stop_limit", {"stop_price": 100, "price": 98}),  # gap, back in bar 16
        (15, "sell", "stop_limit", {"stop_price": 90.75, "price": 92}),  # close above: proven
        (14, "sell", "stop_limit", {"stop_price": 92, "price": 94.5}),  # close below: rests
    ]
    about = "Stop-limits: filled at the stop, at the open, at the limit in this bar or a later one."
    return run(new_case("stop_limit", about, BARS, rows))


def trailing_orders() -> Case:
    rows = [
        (0, "sell", "trailing", {"trail": 2}),
        (1, "sell", "trailing", {"trail": 3.5}),
        (0, "sell", "trailing", {"trail_bps": 137}),
        (3, "sell", "trailing", {"trail_bps": 211}),
        (6, "buy", "trailing", {"trail": 2}),  # bar 10 opens above its level
        (6, "buy", "trailing", {"trail": 5.5}),
        (6, "buy", "trailing", {"trail_bps": 419}),
        (10, "sell", "trailing", {"trail": 4}),  # bar 14 opens below its level
        (10, "sell", "trailing", {"trail_bps": 311}),
    ]
    about = "Trailing stops; every new extreme of these bars is a close."
    return run(new_case("trailing", about, PEAKS, rows))


def oco_groups() -> Case:
    def pair(bar, group, *sides):
        return [(bar, side, kind, cells | {"oco_group": group}) for side, kind, cells in sides]

    rows = [
        # Entries: a break-out above or a dip below, whichever comes first.
        *pair(0, "g1", ("buy", "stop", {"stop_price": 104.5}), ("buy", "limit", {"price": 97.5})),
        *pair(4, "g2", ("buy", "stop", {"stop_price": 108}), ("buy", "limit", {"price": 97.5})),
        # Exits: both in reach of bar 8, the stop is taken.
        *pair(7, "g3", ("sell", "stop", {"stop_price": 95}), ("sell", "limit", {"price": 106})),
        # A gap over one of them.
        *pair(10, "g4", ("sell", "limit", {"price": 106}), ("sell", "stop", {"stop_price": 99})),
        *pair(13, "g5", ("sell", "stop", {"stop_price": 99}), ("sell", "limit", {"price": 110})),
        # Never reached.
        *pair(15, "g6", ("sell", "stop", {"stop_price": 50}), ("sell", "limit", {"price": 150})),
    ]
    about = "Groups of which one fill cancels the other."
    return run(new_case("oco", about, BARS, rows))


def brackets() -> Case:
    def bracket(bar, count, entry, stop, target):
        side, kind, cells = entry
        back = "sell" if side == "buy" else "buy"
        child = {"parent": f"o{count}"}
        return [
            (bar, side, kind, cells),
            (bar, back, "stop", child | {"stop_price": stop}),
            (bar, back, "limit", child | {"price": target}),
        ]

    rows = [
        # Market entry at 100, target 103.5 over a gap: the open of bar 3.
        *bracket(0, 1, ("buy", "market", {}), 96, 103.5),
        # Limit entry at 102.5, stop 99.5 over a gap: the open of bar 5.
        *bracket(3, 4, ("buy", "limit", {"price": 102.5}), 99.5, 110),
        # Stop entry at 99.5 in bar 7; bar 8 reaches both: the stop.
        *bracket(6, 7, ("buy", "stop", {"stop_price": 99.5}), 95.25, 106.5),
        # A short: market entry at 101, target 94 in bar 14.
        *bracket(8, 10, ("sell", "market", {}), 112, 94),
        # An entry that is never reached is withdrawn, and its children end with it.
        *bracket(15, 13, ("buy", "limit", {"price": 80}), 70, 98.75),
        (17, "o13", "cancel", {}),
    ]
    about = "Entries whose stop and target wait for the fill and cancel each other."
    return run(new_case("bracket", about, BARS, rows))


def expiries_and_cancels() -> Case:
    def until(bar):
        return {"tif": "gtd", "expire_at": bar}

    rows = [
        (0, "buy", "limit", {"price": 97.5} | until(5)),  # fills in its last bar
        (0, "buy", "limit", {"price": 97.5} | until(4)),  # ends one bar before
        (2, "sell", "limit", {"price": 110} | until(11)),  # touched in its last bar
        (2, "sell", "limit", {"price": 110} | until(10)),
        (5, "buy", "stop", {"stop_price": 107} | until(8)),
        (5, "buy", "stop", {"stop_price": 107} | until(7)),
        (8, "sell", "stop_limit", {"stop_price": 97, "price": 96.5} | until(14)),
        (8, "sell", "limit", {"price": 107.75}),
        (10, "o8", "cancel", {}),  # before bar 11 reaches it
        (8, "sell", "limit", {"price": 109.75}),
        (12, "buy", "limit", {"price": 95}),
        (12, "o11", "cancel", {}),  # at the instant of its decision
        (12, "buy", "limit", {"price": 95.5}),
    ]
    about = "Orders that end at a time, and orders that are withdrawn."
    return run(new_case("expiry_cancel", about, BARS, rows))


VOLUMES = bars_of([
    (100, 101, 99, 100, 100),
    (100, 101, 99, 100.5, 100),
    (100.5, 102, 100, 101, 155),
    (101, 102, 100, 101.5, 40),
    (102, 103, 101, 102, 100),
    (102, 102.5, 98, 99, 70),  # 5: reaches the limit 98.5
    (99, 100, 97, 98, 129),
    (98, 99.5, 97.5, 99, 300),
    (99, 100, 98, 99, 100),
    (99, 104, 98.5, 103.5, 60),  # 9: triggers the stop-limit 103 / 105
    (104, 105.5, 103, 104, 80),
    (104.5, 105, 104, 104.5, 200),
    (105, 106, 104, 105, 100),
    (105, 106, 104, 105, 50),
])  # fmt: skip


def partial_fills() -> Case:
    rows = [
        (0, "buy", "market", {"qty": 27}),  # 10, 15, and 2 more at the opens of bars 1 to 3
        # 7 and 12 at the limit, 6 at a better open.
        (4, "buy", "limit", {"qty": 25, "price": 98.5}),
        (8, "buy", "stop_limit", {"qty": 17, "stop_price": 103, "price": 105}),
        (11, "sell", "market", {"qty": 14}),
    ]
    about = "At most a tenth of a bar's volume; the rest goes on in the next bar."
    options = {"execution": CONVENTIONS | {"participation_bps": "1000"}, "lot": "1"}
    return run(new_case("partial_fills", about, VOLUMES, rows, **options), perc=10.0)


def slippage() -> Case:
    rows = [
        (0, "buy", "market", {}),
        (2, "sell", "market", {}),
        (9, "buy", "market", {}),  # the bar has one price: clipped to it
        (0, "buy", "stop", {"stop_price": 101.5}),
        (0, "buy", "stop", {"stop_price": 102}),  # clipped to the high
        (2, "buy", "stop", {"stop_price": 103}),  # from the open
        (3, "sell", "stop", {"stop_price": 101.5}),
        (0, "buy", "limit", {"price": 101}),  # from the open, within the limit
        (3, "buy", "limit", {"price": 105.0}),  # the limit clips
        (0, "sell", "limit", {"price": 99.5}),
        (0, "buy", "limit", {"price": 99.5}),  # resting: none
        (1, "sell", "limit", {"price": 102.5}),  # resting: none
    ]
    about = "Slippage of 5 bps on orders that take, kept within the bar and the limit."
    options = {"slippage": '{ model = "fixed", bps = 5 }', "clip_to_bar": "true"}
    return run(new_case("slippage", about, BARS, rows, execution=CONVENTIONS | options), slip=5e-4)


CASES = [
    market_orders, limit_orders, stop_orders, stop_limit_orders, trailing_orders, oco_groups,
    brackets, expiries_and_cancels, partial_fills, slippage, *cases_backtrader_random.CASES,
]  # fmt: skip
