"""The cases whose expected values backtesting.py computes."""

from __future__ import annotations

import random

from backtesting.lib import crossover
from backtesting.test import SMA

from common import Case, Market, bars_of, bundled_market
from peer_backtesting import CONVENTIONS, PEER, RecordedStrategy, run

SPOT = "binance:spot:BTCUSDT"
PERP = "binance:perp:BTCUSDT"


def new_case(name: str, about: str, market: Market, **options) -> Case:
    """A case of this peer."""
    options = {"cash": 10_000_000, "fee_bps": "10"} | options
    if ":perp:" in market.id:
        options.setdefault("leverage", 3)
    return Case(f"backtesting_{name}", PEER, about, [market], **options)


def step(price: float) -> float:
    """To the grid of the bundled prices, which floats hold exactly."""
    return round(price * 2) / 2


class Cross(RecordedStrategy):
    """Long while the fast average is above the slow one."""

    fast, slow = 12, 48

    def setup(self):
        self.quick = self.I(SMA, self.data.Close, self.fast)
        self.calm = self.I(SMA, self.data.Close, self.slow)

    def decide(self):
        if crossover(self.quick, self.calm):
            self.up()
        elif crossover(self.calm, self.quick):
            self.down()

    def up(self):
        self.enter("buy", 7)

    def down(self):
        self.leave()


class CrossAllIn(Cross):
    """The same with all cash, in whole coins."""

    def up(self):
        self.enter("buy")

    def down(self):
        self.leave(share=True)


class CrossFlip(Cross):
    """Always in the market; every cross turns the position round."""

    def up(self):
        self.turn("buy")

    def down(self):
        self.turn("sell")

    def turn(self, side):
        self.enter(side, 10 if self.position else 5)


class CrossBracket(Cross):
    """Long with stop and target; a cross down closes what they left."""

    def up(self):
        close = self.data.Close[-1]
        if not self.position:
            self.enter("buy", 6, sl=step(close * 0.988), tp=step(close * 1.015))


class BothWays(RecordedStrategy):
    """When flat, a long or a short with narrow stop and target; some leave early."""

    def setup(self):
        self.random = random.Random(11)

    def decide(self):
        if self.position:
            if self.random.random() < 0.01:
                self.leave()
            return
        if self.random.random() < 0.3:
            side = self.random.choice(["buy", "sell"])
            sign = 1 if side == "buy" else -1
            close = self.data.Close[-1]
            stop = step(close * (1 - sign * self.random.uniform(0.003, 0.009)))
            target = step(close * (1 + sign * self.random.uniform(0.003, 0.009)))
            self.enter(side, self.random.randint(1, 9), sl=stop, tp=target)


class Resting(RecordedStrategy):
    """Limit and stop entries that are withdrawn after a while; positions closed at the open."""

    def setup(self):
        self.random = random.Random(12)
        self.waiting = None
        self.until = 0

    def decide(self):
        if self.position:
            if self.bar >= self.until:
                self.leave()
        elif self.waiting in self.orders:
            if self.bar >= self.until:
                self.withdraw(self.waiting)
        else:
            self.until = self.bar + self.random.randint(2, 14)
            self.waiting = self.place()

    def place(self):
        side = self.random.choice(["buy", "sell"])
        kind = self.random.choice(["limit", "stop"])
        # Limits lie below the market for a buy, stops above; some are marketable at once.
        away = self.random.uniform(-0.001, 0.008)
        sign = (1 if side == "buy" else -1) * (-1 if kind == "limit" else 1)
        level = step(self.data.Close[-1] * (1 + sign * away))
        return self.enter(side, self.random.randint(1, 9), **{kind: level})


class Pyramid(RecordedStrategy):
    """Adds and reduces by pieces; opposite orders close the oldest trades first."""

    def setup(self):
        self.random = random.Random(13)

    def decide(self):
        if self.random.random() < 0.12:
            near = 12 if self.position.size <= 0 else -12
            wanted = self.random.randint(-20, 20) + near
            if wanted:
                self.enter("buy" if wanted > 0 else "sell", abs(wanted))


def next_open() -> Case:
    market = bundled_market(SPOT)
    about = "Market orders at the next open, entries and exits of a cross of averages, spot."
    return run(new_case("next_open", about, market), Cross)


def all_in() -> Case:
    market = bundled_market("binance:spot:ETHUSDT", lot="1")
    about = "All free cash at the fill price, fees included, rounded down to whole coins; spot."
    return run(new_case("all_in", about, market, cash=1_000_000), CrossAllIn)


def flips() -> Case:
    market = bundled_market(PERP)
    about = "One order closes a long and opens a short, and back; linear perpetual."
    return run(new_case("flips", about, market, fee_bps="5"), CrossFlip)


def same_close() -> Case:
    market = bundled_market("okx:spot:ETHUSDT", 3000)
    about = "Market orders at the close of the bar at which they are decided; spot."
    options = {"execution": {"fill": '"same_close"'}}
    case = new_case("same_close", about, market, **options)
    # A position is seen a bar late, so that some entries come on top of one another.
    return run(case, Cross, with_trades=False, at_close=True)


def spot_brackets() -> Case:
    market = bundled_market(SPOT)
    about = "Market entries with stop_loss and take_profit as prices, exits by signal; spot."
    return run(new_case("spot_brackets", about, market, execution=CONVENTIONS), CrossBracket)


def perp_brackets() -> Case:
    market = bundled_market(PERP, 6000)
    about = "Long and short entries with narrow stops and targets, often both in one bar."
    return run(
        new_case("perp_brackets", about, market, execution=CONVENTIONS, fee_bps="5"), BothWays
    )


def resting_entries() -> Case:
    market = bundled_market("bybit:perp:ETHUSDT", 4000)
    about = "Limit and stop entries, long and short, cancels, exits at the open."
    return run(
        new_case("resting_entries", about, market, execution=CONVENTIONS, fee_bps="2"), Resting
    )


def pyramid() -> Case:
    market = bundled_market("okx:perp:BTCUSDT", 3000)
    about = "Positions built and reduced in pieces, and turned round; only the account is compared."
    return run(new_case("pyramid", about, market, fee_bps="-1"), Pyramid, with_trades=False)


HAND_MADE = bars_of([
    (100, 101, 99, 100),
    (100, 101, 99, 100),
    (100, 102, 99, 101),  # 2: entry at 100
    (101, 107, 94, 101),  # 3: stop 95 and target 105 in one bar: the stop
    (101, 103, 100, 102),
    (102, 108, 96, 100),  # 5: entry at 102, its stop 97 and target 107 in one bar: the stop
    (100, 101, 99, 100),
    (100, 101, 99, 100),  # 7: entry at 100
    (93, 94, 92, 93),  # 8: opens below the stop 95: 93
    (93, 94, 92, 93),
    (93, 94, 92, 93.5),  # 10: entry at 93
    (99, 100, 98, 99),  # 11: opens above the target 97: 99
    (99, 100, 98, 99),
    (99, 104, 98.5, 103),  # 13: stop entry 101, then target 103.5 in the same bar
    (103, 104, 102, 103),
    (103, 106, 102, 105),  # 15: stop-limit 104 / 104.5 fills at 104
    (105, 106, 104, 105),  # 16: closed at the open
    (105, 108, 104.5, 107),  # 17: stop-limit 107 / 106.25 is triggered and rests
    (107, 107.5, 106, 106.5),  # 18: and fills at 106.25
    (106.5, 107, 105, 106),  # 19: closed at the open
    (106, 107, 105, 106),  # 20: short entry at 106
    (106, 111, 99, 105),  # 21: its stop 110 and target 100 in one bar: the stop
    (105, 106, 104, 105),
    (105, 106, 104, 105),  # 23: limit 104 is touched
    (106, 107, 105, 106),  # 24: closed at the open
    (106, 107, 105, 106),
    (102, 103, 101, 102),  # 26: a limit at 104 meets an open below it: 102
    (102, 103, 101, 102),  # 27: closed at the open
    (102, 103, 101, 102),
])  # fmt: skip


class HandMade(RecordedStrategy):
    """What is decided at which bar of `HAND_MADE`."""

    entries = {
        1: ("buy", {"sl": 95, "tp": 105}),
        4: ("buy", {"sl": 97, "tp": 107}),
        6: ("buy", {"sl": 95, "tp": 107}),
        9: ("buy", {"sl": 90, "tp": 97}),
        12: ("buy", {"stop": 101, "sl": 95, "tp": 103.5}),
        14: ("buy", {"stop": 104, "limit": 104.5}),
        16: ("buy", {"stop": 107, "limit": 106.25}),
        19: ("sell", {"sl": 110, "tp": 100}),
        22: ("buy", {"limit": 104}),
        24: ("buy", {"limit": 104}),
    }

    def decide(self):
        if self.bar in self.entries:
            side, levels = self.entries[self.bar]
            self.enter(side, 4, **levels)
        if self.bar in (15, 18, 23, 26):
            self.leave()


def hand_made() -> Case:
    market = Market("ref:perp:AAAUSDT", HAND_MADE, tick="0.01", lot="1")
    about = "Stops, targets, limits and stop-limits where a bar gaps, touches or reaches both."
    return run(new_case("hand_made", about, market, execution=CONVENTIONS, cash=100_000), HandMade)


CASES = [
    next_open, all_in, flips, same_close, spot_brackets, perp_brackets, resting_entries, pyramid,
    hand_made,
]  # fmt: skip
