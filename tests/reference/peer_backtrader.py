"""Runs backtrader on the rows of `orders.csv` and records fills, trades and equity."""

from __future__ import annotations

import backtrader as bt
import pandas as pd

from common import HOUR, Case, close_time, fill_time, thinned, utc

PEER = f"backtrader {bt.__version__}"
CONVENTIONS = {"touch_fills": "true", "conservative_gaps": "false"}
TYPES = {
    "market": bt.Order.Market,
    "limit": bt.Order.Limit,
    "stop": bt.Order.Stop,
    "stop_limit": bt.Order.StopLimit,
    "trailing": bt.Order.StopTrail,
}


class Replay(bt.Strategy):
    """Places the rows of a case at the bars at which they are decided."""

    params = {"case": None, "delay": 0, "decide": None}

    def __init__(self):
        self.bars = self.p.case.markets[0].bars
        self.bar = -1
        self.placed = {}
        self.recorded = []
        self.trades = []
        self.values = []

    def next(self):
        self.bar = len(self.data) - 1
        self.values.append((close_time(self.bars, self.bar), self.broker.getvalue()))
        if self.p.decide:
            self.p.case.orders += self.p.decide(self) or []
        decided = self.bar - self.p.delay
        if decided >= 0:
            self.place(rows_at(self.p.case, utc(close_time(self.bars, decided))))

    def place(self, rows):
        for row in rows:
            if row["action"] == "cancel":
                self.cancel(self.placed[row["order_id"]])
            else:
                self.submit(row, transmit=completes_a_bracket(row, rows))

    def submit(self, row, transmit):
        stops = row["type"] in ("stop", "stop_limit")
        oco = self.first_of_group(row.get("oco_group"))
        place = self.buy if row["side"] == "buy" else self.sell
        self.placed[row["order_id"]] = place(
            size=float(row["qty"]),
            exectype=TYPES[row["type"]],
            price=cell(row, "stop_price" if stops else "price"),
            plimit=cell(row, "price") if row["type"] == "stop_limit" else None,
            trailamount=cell(row, "trail"),
            trailpercent=cell(row, "trail_bps") and cell(row, "trail_bps") / 1e4,
            valid=end_of(row),
            oco=oco,
            parent=self.placed.get(row.get("parent")),
            transmit=transmit,
            row=row,
        )

    def first_of_group(self, group):
        """The order that leads a group of which one fill cancels the others."""
        if not group:
            return None
        names = [row["order_id"] for row in self.p.case.orders if row.get("oco_group") == group]
        return self.placed.get(names[0])

    def notify_order(self, order):
        if order.status in (order.Completed, order.Partial):
            for bit in order.executed.iterpending():
                self.recorded.append((len(self.data) - 1, order.info.row, bit))
        assert order.status not in (order.Margin, order.Rejected), order.info.row

    def notify_trade(self, trade):
        if trade.isclosed:
            self.trades.append(trade)


def completes_a_bracket(row: dict, rows: list[dict]) -> bool:
    """The peer holds a bracket back until its last child; an order alone is its own last."""
    if any(other.get("parent") == row["order_id"] for other in rows):
        return False
    parent = row.get("parent")
    return not parent or row is [other for other in rows if other.get("parent") == parent][-1]


def rows_at(case: Case, time: str) -> list[dict]:
    return [row for row in case.orders if row["decide_ts"] == time]


def end_of(row: dict) -> pd.Timestamp | None:
    """When an order ends, as the peer wants it."""
    if row.get("tif") == "day":
        return bt.Order.DAY
    end = row.get("expire_at")
    return pd.Timestamp(end).tz_localize(None).to_pydatetime() if end else None


def cell(row: dict, name: str) -> float | None:
    return float(row[name]) if row.get(name) else None


def run(
    case: Case, delay: int = 0, decide=None, perc: float = 0.0, slip: float = 0.0, by_open=False
) -> Case:
    """Runs the peer and fills in what is expected.

    `delay` places every row that many bars late, `decide` writes rows while running, `perc` is the
    share of a bar's volume in percent that one order may take, `slip` the slippage as a fraction.
    The peer compares the time of a bar with the end of an order: `by_open` names bars by their
    open, so that a day holds the bars that open in it.
    """
    engine = bt.Cerebro(stdstats=False)
    bars = case.markets[0].bars
    named = bars if by_open else bars.set_index(bars.index + HOUR)
    engine.adddata(bt.feeds.PandasData(dataname=named, openinterest=None))
    engine.addstrategy(Replay, case=case, delay=delay, decide=decide)
    engine.broker.setcash(case.cash)
    engine.broker.setcommission(commission=float(case.fee_bps) / 1e4)
    engine.broker.set_checksubmit(False)
    if perc:
        engine.broker.set_filler(bt.broker.fillers.FixedBarPerc(perc=perc))
    if slip:
        engine.broker.set_slippage_perc(slip, slip_open=True, slip_match=True, slip_out=False)
    replay = engine.run()[0]
    bars_filled = [(bar, fill(bars, bar, row, bit, slip)) for bar, row, bit in replay.recorded]
    case.fills = sorted((row for _, row in bars_filled), key=lambda row: row["ts"])
    case.trades = [trade(bars_filled, one) for one in replay.trades] if decide else None
    case.equity = thinned(replay.values)
    return case


def fill(bars: pd.DataFrame, bar: int, row: dict, bit, slip: float) -> dict:
    """One execution of the peer."""
    at_open = bit.price == bars.open.iloc[bar]
    if slip:
        at_open = opens_beyond(row, bars.open.iloc[bar])
    return {
        "order_id": row["order_id"],
        "ts": utc(fill_time(bars, bar, at_open)),
        "side": row["side"],
        "qty": float(abs(bit.size)),
        "price": float(bit.price),
        "fee": float(bit.closedcomm + bit.openedcomm),
    }


def opens_beyond(row: dict, open_: float) -> bool:
    """Whether an order is executed at the open, where slippage hides it in the price."""
    if row["type"] == "market":
        return True
    rises = (row["side"] == "buy") == (row["type"] == "stop")
    level = float(row["stop_price"] if row["type"] == "stop" else row["price"])
    return open_ >= level if rises else open_ <= level


def trade(bars_filled: list[tuple], closed) -> dict:
    """A trade of the peer, flat to flat; its times and prices are those of its fills."""
    entry = next(row for bar, row in bars_filled if bar == closed.baropen - 1)
    exit_ = [row for bar, row in bars_filled if bar == closed.barclose - 1][-1]
    return {
        "entry_ts": entry["ts"],
        "exit_ts": exit_["ts"],
        "side": entry["side"],
        "qty": entry["qty"],
        "entry_px": float(closed.price),
        "exit_px": exit_["price"],
        "pnl": float(closed.pnlcomm),
    }
