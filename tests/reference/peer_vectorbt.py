"""Runs vectorbt's `Portfolio.from_orders` on the rows of `orders.csv`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.portfolio.enums import SizeType

from common import HOUR, Case, close_time, thinned, utc

PEER = f"vectorbt {vbt.__version__}"


def run(case: Case, direction: str = "longonly", slip: float = 0.0, with_trades=True) -> Case:
    """Runs the peer on all markets of the case, which share their cash, and keeps its results."""
    names = [market.id for market in case.markets]
    column = {market.id: market.bars for market in case.markets}
    opens = pd.DataFrame({name: column[name].open for name in names})
    closes = pd.DataFrame({name: column[name].close for name in names})
    size, kind, row_at = matrices(case, closes)
    portfolio = vbt.Portfolio.from_orders(
        closes, size=size, size_type=kind, price=opens, direction=direction,
        fees=float(case.fee_bps) / 1e4, slippage=slip, init_cash=case.cash, cash_sharing=True,
        size_granularity=float(case.markets[0].lot), allow_partial=False, raise_reject=True,
        freq="1h",
    )  # fmt: skip
    orders = portfolio.orders.records.sort_values("id", kind="stable")
    case.fills = [fill(row_at, names, closes.index, order) for order in orders.itertuples()]
    # The peer numbers the orders of each asset by themselves: those of a bar are put in file order.
    place = {row["order_id"]: index for index, row in enumerate(case.orders)}
    case.fills.sort(key=lambda one: place[one["order_id"]])
    case.trades = trades(portfolio) if with_trades else None
    values = portfolio.value()
    case.equity = thinned([(ts + HOUR, float(value)) for ts, value in values.items()])
    return case


def matrices(case: Case, closes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, dict]:
    """Sizes and their types by bar and asset; an order stands at the bar after its decision."""
    size = np.full(closes.shape, np.nan)
    kind = np.full(closes.shape, int(SizeType.Amount))
    bar_of = {utc(close_time(closes, bar)): bar + 1 for bar in range(len(closes))}
    row_at = {}
    for row in case.orders:
        place = bar_of[row["decide_ts"]], list(closes.columns).index(row["instrument"])
        share = row["qty"].endswith("%")
        amount = float(row["qty"].rstrip("%")) / (100 if share else 1)
        size[place] = amount if row["side"] == "buy" else -amount
        kind[place] = int(SizeType.Percent if share else SizeType.Amount)
        assert place not in row_at, "the peer takes one order per asset and bar"
        row_at[place] = row
    return size, kind, row_at


def fill(row_at: dict, names: list[str], index: pd.DatetimeIndex, order) -> dict:
    """One order record of the peer, which fills at the open of its bar."""
    row = row_at[order.idx, order.col]
    assert row["instrument"] == names[order.col]
    return {
        "order_id": row["order_id"],
        "ts": utc(index[order.idx]),
        "side": "buy" if order.side == 0 else "sell",
        "qty": float(order.size),
        "price": float(order.price),
        "fee": float(order.fees),
    }


def trades(portfolio: vbt.Portfolio) -> list[dict]:
    """The closed positions of the peer, flat to flat."""
    table = portfolio.positions.records_readable
    table = table[table["Status"] == "Closed"].sort_values(["Exit Timestamp", "Position Id"])
    return [
        {
            "entry_ts": utc(one["Entry Timestamp"]),
            "exit_ts": utc(one["Exit Timestamp"]),
            "side": "buy" if one["Direction"] == "Long" else "sell",
            "qty": float(one["Size"]),
            "entry_px": float(one["Avg Entry Price"]),
            "exit_px": float(one["Avg Exit Price"]),
            "pnl": float(one["PnL"]),
        }
        for _, one in table.iterrows()
    ]
