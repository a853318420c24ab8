"""Runs backtesting.py and records its orders, fills, trades and equity."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from unittest.mock import patch

import backtesting.backtesting as peer
import pandas as pd
from backtesting import Backtest, Strategy

from common import Case, close_time, fill_time, number, thinned, utc

PEER = f"backtesting.py {__import__('backtesting').__version__}"
CONVENTIONS = {"touch_fills": "true", "conservative_gaps": "false"}


class RecordingBroker(peer._Broker):
    """The peer's broker, which also writes down every fill and which order caused it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.names = {}
        self.fills = []

    def _open_trade(self, price, size, sl, tp, time_index, tag):
        self._record(time_index, tag, size, price)
        super()._open_trade(price, size, sl, tp, time_index, tag)

    def _close_trade(self, trade, price, time_index):
        order = order_in_process()
        if order is trade._sl_order:
            self._refuse_gap(trade.tp, trade.is_long)
            name = f"{trade.tag}.sl"
        elif order is trade._tp_order:
            name = f"{trade.tag}.tp"
        else:
            self._refuse_gap(trade.tp, trade.is_long)
            self._refuse_gap(trade.sl, not trade.is_long)
            name = self.names.get(order, order.tag)
        self._record(time_index, name, -trade.size, price)
        super()._close_trade(trade, price, time_index)

    def _record(self, bar, name, size, price):
        self.fills.append((bar, name, size, price, self._commission(size, price)))

    def _refuse_gap(self, level, above):
        """No case may have two exits at one open, of which the peer picks another than we do."""
        open_ = self._data.Open[-1]
        beyond = level and (open_ >= level if above else open_ <= level)
        assert not beyond, f"bar {self._i} opens at {open_}, beyond {level}"


def order_in_process():
    """The order in the broker's loop: the peer does not hand it to what it calls."""
    frame = sys._getframe(2)
    while frame.f_code.co_name != "_process_orders":
        frame = frame.f_back
    return frame.f_locals["order"]


class RecordedStrategy(Strategy):
    """Base of the strategies here: places orders and keeps them as rows of `orders.csv`."""

    case: Case = None
    last_bar = 0

    def init(self):
        self.bar = 0
        self.count = 0
        self.setup()

    def setup(self):
        """For indicators and state."""

    def next(self):
        self.bar = len(self.data) - 1
        # An order of the last bar would have no bar to fill in.
        if self.bar < self.last_bar:
            self.decide()

    def decide(self):
        raise NotImplementedError

    def enter(self, side, qty=None, limit=None, stop=None, sl=None, tp=None, name=None):
        """Places an order; `qty` None is the peer's whole equity."""
        name = name or self.next_name()
        kind = {(0, 0): "market", (1, 0): "limit", (0, 1): "stop", (1, 1): "stop_limit"}
        size = {} if qty is None else {"size": qty}
        place = self.buy if side == "buy" else self.sell
        order = place(**size, limit=limit, stop=stop, sl=sl, tp=tp, tag=name)
        self.write(
            name,
            side=side,
            type=kind[limit is not None, stop is not None],
            qty="100%" if qty is None else number(qty),
            price=number(limit) if limit else None,
            stop_price=number(stop) if stop else None,
            stop_loss=number(sl) if sl else None,
            take_profit=number(tp) if tp else None,
        )
        return order

    def leave(self, share=False):
        """Closes every open trade at the next open, with one order each."""
        for trade in list(self.trades):
            name = self.next_name()
            side = "sell" if trade.is_long else "buy"
            trade.close()
            self._broker.names[self.orders[0]] = name
            qty = "100%" if share else number(abs(trade.size))
            self.write(name, side=side, type="market", qty=qty, reduce_only="true")

    def withdraw(self, order):
        """Cancels an order that has not filled."""
        order.cancel()
        self.write(order.tag, action="cancel")

    def next_name(self):
        self.count += 1
        return f"o{self.count}"

    def write(self, name, action="submit", **cells):
        market = self.case.markets[0]
        head = {"decide_ts": utc(close_time(market.bars, self.bar)), "order_id": name}
        self.case.orders.append(head | {"action": action, "instrument": market.id} | cells)


def run(
    case: Case, strategy: type[RecordedStrategy], with_trades: bool = True, at_close: bool = False
) -> Case:
    """Runs the peer on the first market of the case and fills in what is expected."""
    market = case.markets[0]
    data = market.bars.rename(columns=str.capitalize)
    rate = float(case.fee_bps) / 1e4
    chosen = type(strategy.__name__, (strategy,), {"case": case, "last_bar": len(data) - 1})
    with patch.object(peer, "_Broker", RecordingBroker), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for message in (".*Broker canceled", ".*contingent SL/TP order would"):
            warnings.filterwarnings("error", message=message)
        with contextlib.redirect_stderr(io.StringIO()):
            result = Backtest(
                data, chosen, cash=case.cash, commission=rate, trade_on_close=at_close
            ).run()
    broker = result["_strategy"]._broker
    case.fills = fills(market.bars, broker.fills, at_close)
    case.trades = trades(market.bars, result["_trades"]) if with_trades else None
    values = [(close_time(market.bars, bar), value) for bar, value in equity(result)]
    # The peer books a fill at a close one bar later: then only the end can be compared.
    case.equity = values[-1:] if at_close else thinned(values)
    return case


def equity(result: pd.Series) -> list[tuple[int, float]]:
    """Equity at the close of every bar that the peer visits."""
    return [(bar, float(value)) for bar, value in enumerate(result["_equity_curve"].Equity)][1:]


def fills(bars: pd.DataFrame, recorded: list[tuple], at_close: bool) -> list[dict]:
    """One row per order and bar: an order that flips a position is one fill."""
    rows = {}
    for bar, name, size, price, fee in recorded:
        at_open = not at_close and price == bars.open.iloc[bar]
        key = (bar, name, price)
        row = rows.setdefault(key, {"order_id": name, "ts": utc(fill_time(bars, bar, at_open))})
        row["side"] = "buy" if size > 0 else "sell"
        row["qty"] = row.get("qty", 0.0) + float(abs(size))
        row["price"] = float(price)
        row["fee"] = row.get("fee", 0.0) + float(fee)
    return sorted(rows.values(), key=lambda row: row["ts"])


def trades(bars: pd.DataFrame, table: pd.DataFrame) -> list[dict]:
    """The peer's trades; only for cases whose positions are opened and closed in one fill."""
    rows = []
    for trade in table.sort_values(["ExitBar", "EntryBar"]).itertuples():
        times = [
            fill_time(bars, bar, price == bars.open.iloc[bar])
            for bar, price in ((trade.EntryBar, trade.EntryPrice), (trade.ExitBar, trade.ExitPrice))
        ]
        rows.append({
            "entry_ts": utc(times[0]),
            "exit_ts": utc(times[1]),
            "side": "buy" if trade.Size > 0 else "sell",
            "qty": float(abs(trade.Size)),
            "entry_px": float(trade.EntryPrice),
            "exit_px": float(trade.ExitPrice),
            "pnl": float(trade.PnL),
        })  # fmt: skip
    return rows
