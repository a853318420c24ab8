"""Rebuilds the equity curve of a run from its audit log alone, and compares it with the engine's.

    pip install pyarrow polars
    python examples/read_a_log.py RUN_FOLDER

Positions are the opening balances and all deltas up to a frame; prices are those of the exposure, at
the frames that have a row of it. The mark of a perpetual is in the data and not in the log, so this
is for runs on spot. `tickdrain replay` and `tickdrain verify` read the log of every run.
"""

import json
import pathlib
import sys

import polars as pl
import pyarrow as pa

audit = pathlib.Path(sys.argv[1]) / "audit"

# What no newline ends was being written when the process ended, and so was what lies behind `end`.
complete, _, _ = (audit / "commits.jsonl").read_text().rpartition("\n")
header, *commits = [json.loads(line) for line in complete.splitlines()]
ends = {part["kind"]: part["end"] for commit in commits for part in commit["streams"]}


def read(kind: str) -> pl.DataFrame:
    """The committed rows of a kind of record; no columns if there is none."""
    if kind not in ends:
        return pl.DataFrame()
    committed = (audit / f"{kind}.arrows").read_bytes()[: ends[kind]]
    return pl.from_arrow(pa.ipc.open_stream(committed).read_all())


# What is held after each event that changed it: cumulated in decimals, and exact.
units = pl.Decimal(38, 18)
opening = pl.DataFrame(
    [(0, it["position_key"], it["amount"]) for it in header["terms"]["opening"]],
    schema={"seq": pl.UInt64, "position_key": pl.String, "amount": pl.String},
    orient="row",
).with_columns(pl.col("amount").cast(units))
deltas = read("delta")
changes = [opening] + ([deltas.select(opening.columns)] if deltas.width else [])
held = (
    pl.concat(changes)
    .sort("seq", maintain_order=True)
    .with_columns(pl.col("amount").cum_sum().over("position_key"))
)
kinds = set(held["position_key"].str.split(":").list.get(1))
if not kinds <= {"BaseToken", "Transit"}:
    sys.exit(f"this run holds {', '.join(sorted(kinds))}: it cannot be valued from the log alone")

# At every frame with a row: what is held of each position times the price of its asset.
prices = read("exposure").select("seq", "ts", "asset", "price")
keys = held.select("position_key").unique()
keys = keys.with_columns(asset=pl.col("position_key").str.split(":").list.get(2))
curve = (
    prices.join(keys, on="asset")
    .sort("seq")
    .join_asof(held, on="seq", by="position_key", check_sortedness=False)
    .with_columns(pl.col("amount").cast(pl.Float64).fill_null(0), pl.col("price").fill_null(0))
    .group_by("seq", "ts", maintain_order=True)
    .agg(rebuilt=(pl.col("amount") * pl.col("price")).sum())
    .join(read("account").select("seq", "equity"), on="seq", maintain_order="left")
)

print(curve.tail(3))
apart = (curve["rebuilt"] / curve["equity"] - 1).abs().max()
end, currency = curve["rebuilt"][-1], header["terms"]["share_class"]
print(f"{end:,.2f} {currency} at the last of {len(curve)} frames")
print(f"at most {apart:.1e} of it from what the engine said")
assert apart < 1e-12, "the log does not say what the engine said"
