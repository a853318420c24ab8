"""What the peers share: bars, times, and the files of a case."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
DATA = HERE.parent.parent / "data"
HOUR = pd.Timedelta(hours=1)
FIRST_HOUR = pd.Timestamp("2024-01-01")

ORDER_COLUMNS = [
    "decide_ts", "order_id", "action", "instrument", "side", "type", "qty", "price", "stop_price",
    "trail", "trail_bps", "tif", "expire_at", "oco_group", "parent", "reduce_only", "take_profit",
    "stop_loss",
]  # fmt: skip
FILL_COLUMNS = ["order_id", "ts", "side", "qty", "price", "fee"]
TRADE_COLUMNS = ["entry_ts", "exit_ts", "side", "qty", "entry_px", "exit_px", "pnl"]


@dataclass
class Market:
    """One instrument of a case and its bars, indexed by open time."""

    id: str
    bars: pd.DataFrame
    bundled: str | None = None
    tick: str = "0.00000001"
    lot: str = "0.00000001"
    file: str = "bars.csv"

    def instrument(self) -> str:
        """The `[[instruments]]` entry."""
        _, market, symbol = self.id.split(":")
        lines = [
            "[[instruments]]",
            f'id = "{self.id}"',
            f'base = "{symbol.removesuffix("USDT")}"',
            'quote = "USDT"',
            f'tick = "{self.tick}"',
            f'lot = "{self.lot}"',
            f'min_qty = "{self.lot}"',
            'min_notional = "0"',
        ]
        if market == "perp":
            lines += ['contract = "linear"', 'settle = "USDT"', 'contract_size = "1"']
        return "\n".join(lines)

    def data(self) -> str:
        """The `[[data]]` entry."""
        path = f"../../../../data/{self.bundled}" if self.bundled else self.file
        return f'[[data]]\nkind = "candles"\nof = "{self.id}"\npath = "{path}"\ninterval = "1h"'


@dataclass
class Case:
    """One comparison: the run file's contents and what the peer computed."""

    name: str
    peer: str
    about: str
    markets: list[Market]
    cash: float
    fee_bps: str
    execution: dict[str, str] = field(default_factory=dict)
    leverage: int | None = None
    orders: list[dict] = field(default_factory=list)
    fills: list[dict] = field(default_factory=list)
    trades: list[dict] | None = None
    equity: list[tuple[pd.Timestamp, float]] = field(default_factory=list)

    @property
    def venue(self) -> str:
        """The venue of all markets of the case."""
        return self.markets[0].id.split(":")[0]

    def write(self) -> None:
        """Replaces the case's folder."""
        folder = CASES / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "run.toml").write_text(self.run_file())
        for market in self.markets:
            if not market.bundled:
                write_bars(folder / market.file, market.bars)
        used = [name for name in ORDER_COLUMNS if any(row.get(name) for row in self.orders)]
        write_table(folder / "orders.csv", used, self.orders)
        write_table(folder / "expected_fills.csv", FILL_COLUMNS, self.fills)
        if self.trades is not None:
            write_table(folder / "expected_trades.csv", TRADE_COLUMNS, self.trades)
        equity = [{"ts": utc(ts), "equity": value} for ts, value in self.equity]
        write_table(folder / "expected_equity.csv", ["ts", "equity"], equity)

    def run_file(self) -> str:
        """The text of `run.toml`."""
        options = ", ".join(f"execution.{key} = {value}" for key, value in self.execution.items())
        first = self.markets[0].bars
        venue = [f"[venues.{self.venue}]", f"maker_bps = {self.fee_bps}"]
        venue += [f"taker_bps = {self.fee_bps}"]
        if self.venue == "ref":
            venue.insert(1, 'kind = "cex"')
        if self.leverage:
            venue.append(f"leverage = {self.leverage}")
        parts = [
            f"# {self.about}\n# Peer: {self.peer}. Its conventions: {options or 'the defaults'}.",
            f'name = "{self.name}"\nshare_class = "USDT"\n'
            f'start = "{utc(first.index[0])}"\nend = "{utc(first.index[-1] + HOUR)}"\n'
            'interval = "1h"',
            f'[initial]\n"{self.venue}:BaseToken:USDT" = "{self.cash:.0f}"',
            *[market.instrument() for market in self.markets],
            *[market.data() for market in self.markets],
            "\n".join(venue),
            self.execution_table(),
            '[strategy]\nkind = "scripted"\norders = "orders.csv"',
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def execution_table(self) -> str:
        """The `[execution]` table, empty without options."""
        lines = [f"{key} = {value}" for key, value in self.execution.items()]
        return "\n".join(["[execution]", *lines]) if lines else ""


def utc(ts: pd.Timestamp) -> str:
    """RFC 3339 in UTC."""
    return ts.strftime("%Y-%m-%dT%H:%M:%SZ")


def text(value: object) -> str:
    """A cell: floats with all their digits, absent values empty."""
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """A price or a size of an order: short, and exact in decimal."""
    return format(float(value), ".10f").rstrip("0").rstrip(".")


def write_table(path: Path, columns: list[str], rows: list[dict]) -> None:
    """Writes a CSV file with a header."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([text(row.get(name)) for name in columns] for row in rows)


def write_bars(path: Path, bars: pd.DataFrame) -> None:
    """Writes hand-made bars, named by their open time."""
    columns = ["open", "high", "low", "close", "volume"]
    rows = [
        {"time": utc(ts)} | {name: number(row[name]) for name in columns}
        for ts, row in bars.iterrows()
    ]
    write_table(path, ["time", *columns], rows)


def bundled(name: str, rows: int | None = None) -> pd.DataFrame:
    """The first `rows` bars of a bundled file."""
    frame = pd.read_parquet(DATA / name)
    frame.index = pd.DatetimeIndex(frame.pop("ts")).tz_localize(None)
    return frame.iloc[:rows].astype(float)


def bundled_market(id: str, rows: int | None = None, **options: str) -> Market:
    """An instrument on its bundled bars."""
    name = id.replace(":", "_") + "_1h.parquet"
    return Market(id, bundled(name, rows), bundled=name, **options)


def bars_of(rows: list[tuple]) -> pd.DataFrame:
    """Hourly bars from (open, high, low, close) or (open, high, low, close, volume)."""
    index = pd.date_range(FIRST_HOUR, periods=len(rows), freq="h")
    full = [(*row, 1000.0)[:5] for row in rows]
    return pd.DataFrame(full, index, ["open", "high", "low", "close", "volume"], dtype=float)


def close_time(bars: pd.DataFrame, bar: int) -> pd.Timestamp:
    """The time by which a bar is named in Tickdrain."""
    return bars.index[bar] + HOUR


def fill_time(bars: pd.DataFrame, bar: int, at_open: bool) -> pd.Timestamp:
    """A fill at the open happens at the bar's open time, any other at its close time."""
    return bars.index[bar] if at_open else close_time(bars, bar)


def thinned(rows: list, every: int = 100) -> list:
    """Every hundredth row, and the last."""
    return rows if len(rows) <= every else rows[every - 1 : -1 : every] + rows[-1:]
