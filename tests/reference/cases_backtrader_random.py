"""The cases of backtrader with many orders, drawn from a fixed seed."""

from __future__ import annotations

import random

import pandas as pd

from common import HOUR, Case, Market, bars_of, bundled_market, close_time, number, utc
from peer_backtrader import CONVENTIONS, PEER, run


def new_case(name: str, about: str, market: Market, **execution: str) -> Case:
    """A case with many orders on a linear perpetual."""
    return Case(
        f"backtrader_{name}", PEER, about, [market],
        cash=100_000_000, fee_bps="5", leverage=3, execution=CONVENTIONS | execution,
    )  # fmt: skip


def row(market: Market, bar: int, name: str, side: str, kind: str, qty: float, **cells) -> dict:
    """A row of `orders.csv`."""
    cells = {
        key: value if isinstance(value, str) else number(value) for key, value in cells.items()
    }
    head = {"decide_ts": utc(close_time(market.bars, bar)), "order_id": name, "action": "submit"}
    head |= {"instrument": market.id, "side": side, "type": kind, "qty": number(qty)}
    return head | cells


def until(market: Market, bar: int) -> dict:
    """The cells of an order that ends with a bar."""
    return {"tif": "gtd", "expire_at": utc(close_time(market.bars, bar))}


def drawn_orders(market: Market, count: int, seed: int) -> list[dict]:
    """Orders of all types, with levels around the last close, that expire or are withdrawn."""
    draw = random.Random(seed)
    last = len(market.bars) - 50
    rows = []
    for bar in sorted(draw.randrange(last) for _ in range(count)):
        name = f"o{len(rows) + 1}"
        rows += drawn_order(draw, market, bar, name) or []
    return sorted(rows, key=lambda one: one["decide_ts"])


def drawn_order(draw: random.Random, market: Market, bar: int, name: str) -> list[dict] | None:
    """One order, and its cancel if it has one; none if the peer's path differs for it."""
    side = draw.choice(["buy", "sell"])
    kind = draw.choice(["market", "limit", "limit", "stop", "stop", "stop_limit", "stop_limit"])
    life = draw.randint(2, 40)
    close = market.bars.close.iloc[bar]
    up = 1 if side == "buy" else -1

    def level(low, high):
        return round(close * (1 + up * draw.uniform(low, high)) * 4) / 4

    cells = {}
    if kind == "limit":
        cells["price"] = level(-0.012, 0.002)
    if kind in ("stop", "stop_limit"):
        cells["stop_price"] = level(-0.002, 0.012)
    if kind == "stop_limit":
        cells["price"] = level(-0.004, 0.016)
        if differs(market.bars.iloc[bar + 1 : bar + 1 + life], side, **cells):
            return None
    end = draw.choice(["gtd", "cancel"]) if kind != "market" else ""
    if end == "gtd":
        cells |= until(market, bar + life)
    rows = [row(market, bar, name, side, kind, draw.randint(1, 20) / 4, **cells)]
    if end == "cancel":
        rows.append(cancel(market, bar + life, name))
    return rows


def cancel(market: Market, bar: int, name: str) -> dict:
    """A row that withdraws an order."""
    head = {"decide_ts": utc(close_time(market.bars, bar)), "order_id": name}
    return head | {"action": "cancel", "instrument": market.id}


def differs(bars: pd.DataFrame, side: str, stop_price: float, price: float) -> bool:
    """Whether a bar triggers a stop-limit and closes past its limit without the peer seeing it.

    The close proves that the limit was reached after the stop. The peer fills such an order only
    if the bar also closes on that side of its open.
    """
    up = 1 if side == "buy" else -1
    far = bars.high if side == "buy" else bars.low
    hit = bars[up * far >= up * stop_price]
    if hit.empty or up * hit.open.iloc[0] >= up * stop_price or up * price >= up * stop_price:
        return False
    open_, close = hit.open.iloc[0], hit.close.iloc[0]
    return up * close <= up * price and (up * open_ <= up * close or price == open_)


def without_late_cancels(case: Case) -> Case:
    """Drops cancels of orders that filled: the peer ignores them, a venue refuses them."""
    filled = {one["order_id"] for one in case.fills}
    case.orders = [
        one for one in case.orders if one["action"] == "submit" or one["order_id"] not in filled
    ]
    return case


def random_orders() -> Case:
    market = bundled_market("binance:perp:ETHUSDT", 6000)
    about = "Orders of all types, many at work at once, that fill, expire or are withdrawn."
    case = new_case("random_orders", about, market)
    case.orders = drawn_orders(market, 900, seed=21)
    return without_late_cancels(run(case))


def latency() -> Case:
    market = bundled_market("bybit:perp:ETHUSDT", 3000)
    about = "The same kind of orders, given to the peer two bars after their decision."
    case = new_case("latency_bars", about, market, latency_bars="2")
    drawn = drawn_orders(market, 250, seed=22)
    # Which stop-limits the peer's path leaves alone was judged for the bars without a delay.
    barred = {one["order_id"] for one in drawn if one.get("type") == "stop_limit"}
    case.orders = [one for one in drawn if one["order_id"] not in barred]
    return without_late_cancels(run(case, delay=2))


def day_orders() -> Case:
    market = bundled_market("binance:perp:BTCUSDT", 1200)
    about = "Limits and stops that end with their day."
    case = new_case("day_orders", about, market)
    draw = random.Random(26)
    for bar in range(1190):
        # At midnight the peer's day is the one that has just ended.
        if draw.random() > 0.2 or close_time(market.bars, bar).hour == 0:
            continue
        side, kind = draw.choice(["buy", "sell"]), draw.choice(["limit", "stop"])
        up = (1 if side == "buy" else -1) * (1 if kind == "stop" else -1)
        level = grid(market.bars.close.iloc[bar] * (1 + up * draw.uniform(0.001, 0.012)))
        cells = {"price" if kind == "limit" else "stop_price": level, "tif": "day"}
        name = f"o{len(case.orders) + 1}"
        case.orders.append(row(market, bar, name, side, kind, 0.5, **cells))
    return run(case, by_open=True)


def close_path_bars(count: int, seed: int) -> pd.DataFrame:
    """Bars without wicks: nearly every extreme is a close."""
    draw = random.Random(seed)
    rows, close = [], 400.0
    for _ in range(count):
        open_ = close + (draw.randint(-12, 12) / 4 if draw.random() < 0.25 else 0)
        close = open_ + draw.randint(-16, 16) / 4
        rows.append((open_, max(open_, close), min(open_, close), close))
    return bars_of(rows)


def closes_lead(bars: pd.DataFrame, side: str) -> bool:
    """Whether the extreme that a trailing order follows is a close after every bar."""
    if side == "sell":
        highs = bars.high.copy()
        highs.iloc[0] = bars.close.iloc[0]
        return bool((highs.cummax() == bars.close.cummax()).all())
    lows = bars.low.copy()
    lows.iloc[0] = bars.close.iloc[0]
    return bool((lows.cummin() == bars.close.cummin()).all())


def random_trailing() -> Case:
    market = Market("ref:perp:AAAUSDT", close_path_bars(800, seed=23), lot="0.25")
    about = "Trailing stops, by an amount and in bps; every extreme they follow is a close."
    case = new_case("random_trailing", about, market)
    draw = random.Random(24)
    for bar in range(len(market.bars) - 40):
        side, life = draw.choice(["buy", "sell"]), draw.randint(5, 30)
        # Odd bps never put a level on the grid of the prices, where floats could disagree.
        amount, bps = draw.randint(8, 60) / 4, draw.randrange(51, 399, 2)
        trail = draw.choice([{"trail": amount}, {"trail_bps": bps}])
        if draw.random() < 0.6 and closes_lead(market.bars.iloc[bar : bar + life + 1], side):
            name = f"o{len(case.orders) + 1}"
            cells = trail | until(market, bar + life)
            case.orders.append(row(market, bar, name, side, "trailing", 0.75, **cells))
    return run(case)


class BracketPlan:
    """Places a bracket whenever flat; the peer arms children only from the bar after the entry."""

    def __init__(self, market: Market, seed: int):
        self.market = market
        self.draw = random.Random(seed)
        self.count = 0
        self.targets = {}
        self.parent = None
        self.until = 0

    def __call__(self, replay) -> list[dict]:
        bar = replay.bar
        if bar > len(self.market.bars) - 60 or replay.position:
            return []
        if self.parent and replay.placed[self.parent].alive():
            return self.withdraw(bar)
        return self.place(bar) if self.draw.random() < 0.4 else []

    def withdraw(self, bar: int) -> list[dict]:
        if bar < self.until:
            return []
        name, self.parent = self.parent, None
        return [cancel(self.market, bar, name)]

    def place(self, bar: int) -> list[dict]:
        draw, close = self.draw, self.market.bars.close.iloc[bar]
        side, kind = draw.choice(["buy", "sell"]), draw.choice(["market", "limit", "stop"])
        up = 1 if side == "buy" else -1
        toward = {"market": 0, "limit": -up, "stop": up}[kind]
        level = grid(close * (1 + toward * draw.uniform(0.001, 0.006)))
        stop = grid(level * (1 - up * draw.uniform(0.004, 0.012)))
        target = grid(level * (1 + up * draw.uniform(0.004, 0.012)))
        self.until = bar + draw.randint(3, 20)
        entered = self.entry_bar(bar, side, kind, level)
        if entered is not None and reaches(entered, stop, target):
            return []
        self.count += 1
        self.parent = name = f"o{self.count}"
        qty, back = draw.randint(1, 12) / 4, "sell" if side == "buy" else "buy"
        entry = {"limit": {"price": level}, "stop": {"stop_price": level}}.get(kind, {})
        child = {"parent": name}
        self.targets[f"{name}.sl"] = target
        return [
            row(self.market, bar, name, side, kind, qty, **entry),
            row(self.market, bar, f"{name}.sl", back, "stop", qty, stop_price=stop, **child),
            row(self.market, bar, f"{name}.tp", back, "limit", qty, price=target, **child),
        ]

    def entry_bar(self, bar: int, side: str, kind: str, level: float) -> pd.Series | None:
        """The bar in which the entry will fill."""
        ahead = self.market.bars.iloc[bar + 1 : self.until + 1]
        if kind == "market":
            return ahead.iloc[0]
        rises = (side == "buy") == (kind == "stop")
        hit = ahead[ahead.high >= level] if rises else ahead[ahead.low <= level]
        return None if hit.empty else hit.iloc[0]


def grid(price: float) -> float:
    return round(price * 4) / 4


def reaches(bar: pd.Series, *levels: float) -> bool:
    return any(bar.low <= level <= bar.high for level in levels)


def random_brackets() -> Case:
    market = bundled_market("okx:perp:ETHUSDT", 6000)
    about = "Brackets as rows with a parent: market, limit and stop entries, long and short."
    plan = BracketPlan(market, seed=25)
    case = run(new_case("random_brackets", about, market), decide=plan)
    refuse_gaps_over_targets(case, plan.targets)
    return case


def refuse_gaps_over_targets(case: Case, targets: dict[str, float]) -> None:
    """The peer takes the stop even when the bar opened beyond the target; no case may."""
    bars = case.markets[0].bars
    for fill in case.fills:
        target = targets.get(fill["order_id"])
        if target:
            # For a stop at the open this is the bar before, where it must hold as well.
            bar = pd.Timestamp(fill["ts"]).tz_localize(None) - HOUR
            beyond = (
                bars.open[bar] >= target if fill["side"] == "sell" else bars.open[bar] <= target
            )
            assert not beyond, fill


CASES = [random_orders, latency, day_orders, random_trailing, random_brackets]
