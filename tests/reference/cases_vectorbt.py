"""The cases whose expected values vectorbt computes."""

from __future__ import annotations

import random

import pandas as pd
import vectorbt as vbt

from common import Case, Market, bars_of, bundled_market, close_time, number, utc
from peer_vectorbt import PEER, run

# A power of two, on which floats round down exactly as decimals do.
LOT = "0.0009765625"


def new_case(name: str, about: str, markets: list[Market], **options) -> Case:
    """A case of this peer."""
    return Case(f"vectorbt_{name}", PEER, about, markets, **options)


def add(case: Case, market: Market, bar: int, side: str, qty: str) -> None:
    """Appends a market order."""
    case.orders.append({
        "decide_ts": utc(close_time(market.bars, bar)),
        "order_id": f"o{len(case.orders) + 1}",
        "action": "submit",
        "instrument": market.id,
        "side": side,
        "type": "market",
        "qty": qty,
    })  # fmt: skip


def fixed_slippage(bps: int) -> dict[str, str]:
    """The options of a slippage of so many bps."""
    return {"slippage": f'{{ model = "fixed", bps = {bps} }}'}


def units() -> Case:
    """Two assets, in coins; a sale never exceeds what is held."""
    markets = [
        bundled_market(f"binance:spot:{coin}USDT", 5000, lot="0.125") for coin in ("BTC", "ETH")
    ]
    about = "Market orders in coins of two assets that share their cash; spot, with slippage."
    case = new_case(
        "units", about, markets, cash=50_000_000, fee_bps="10", execution=fixed_slippage(3)
    )
    draw, held = random.Random(31), [0, 0]
    for bar in range(4990):
        for which, market in enumerate(markets):
            if draw.random() < 0.04:
                most = held[which] if draw.random() < 0.5 else 0
                steps = draw.randint(1, most) if most else draw.randint(1, 80)
                held[which] += -steps if most else steps
                add(case, market, bar, "sell" if most else "buy", number(steps / 8))
    return run(case, slip=3e-4, with_trades=False)


def all_in() -> Case:
    """All cash in, all coins out, at the crosses of two averages."""
    market = bundled_market("bybit:spot:BTCUSDT", lot=LOT)
    about = "All free cash in, the whole position out, with fees and slippage; spot."
    case = new_case(
        "all_in", about, [market], cash=1_000_000, fee_bps="10", execution=fixed_slippage(2)
    )
    fast, slow = (vbt.MA.run(market.bars.close, window) for window in (24, 96))
    signals = {"buy": fast.ma_crossed_above(slow), "sell": fast.ma_crossed_below(slow)}
    turns = pd.concat([pd.Series(side, found[found].index) for side, found in signals.items()])
    turns = turns.sort_index()
    for ts, side in turns[turns.cumsum().str.startswith("buy")].items():
        bar = market.bars.index.get_loc(ts)
        if bar < len(market.bars) - 1:
            add(case, market, bar, side, "100%")
    return run(case, slip=2e-4)


def drawn_bars(seed: int, price: float) -> pd.DataFrame:
    """Bars of a random walk in quarters."""
    draw, rows, close = random.Random(seed), [], price
    for _ in range(400):
        open_ = close + draw.randint(-2, 2) / 4
        close = max(open_ + draw.randint(-8, 8) / 4, 20.0)
        high, low = max(open_, close) + draw.randint(0, 4) / 4, min(open_, close) - 0.5
        rows.append((open_, high, low, close))
    return bars_of(rows)


def shares() -> Case:
    """Three assets, in shares of free cash and of positions; several in one bar."""
    markets = [
        Market(f"ref:spot:{coin}USDT", drawn_bars(seed, price), lot=LOT, file=f"bars_{coin}.csv")
        for coin, seed, price in (("AAA", 32, 200.0), ("BBB", 33, 120.0), ("CCC", 34, 60.0))
    ]
    about = "Shares of the cash that three assets have in common, and of positions; spot."
    case = new_case("shares", about, markets, cash=1_000_000, fee_bps="7.5")
    add(case, markets[0], 2, "buy", "100%")
    # The proceeds of one order pay for the next.
    add(case, markets[0], 5, "sell", "100%")
    add(case, markets[1], 5, "buy", "100%")
    add(case, markets[1], 9, "sell", "100%")
    draw, held = random.Random(35), [0.0, 0.0, 0.0]
    for bar in range(10, 395):
        for which, market in enumerate(markets):
            if draw.random() > 0.15:
                continue
            if held[which]:
                share = draw.choice([0.25, 0.5, 0.75, 1.0]) if held[which] > 0.1 else 1.0
                held[which] *= 1 - share
                add(case, market, bar, "sell", f"{share:.0%}")
            else:
                held[which] = 1.0
                add(case, market, bar, "buy", draw.choice(["25%", "50%"]))
    return run(case)


def long_short() -> Case:
    """Two perpetuals in coins, long and short, with fees paid out by the venue."""
    markets = [
        bundled_market(f"bybit:perp:{coin}USDT", 4000, lot="0.125") for coin in ("BTC", "ETH")
    ]
    about = "Market orders in coins, long and short, at a negative fee; linear perpetuals."
    case = new_case("long_short", about, markets, cash=50_000_000, fee_bps="-0.5", leverage=3)
    draw, position = random.Random(36), [0, 0]
    for bar in range(3990):
        for which, market in enumerate(markets):
            if draw.random() < 0.05:
                steps = draw.randint(1, 60)
                sign = 1 if draw.random() < 0.5 - position[which] / 400 else -1
                position[which] += sign * steps
                add(case, market, bar, "buy" if sign > 0 else "sell", number(steps / 8))
    return run(case, direction="both", with_trades=False)


CASES = [units, all_in, shares, long_short]
