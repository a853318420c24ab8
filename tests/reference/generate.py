"""Writes the reference cases: runs the peers and keeps what they computed.

python tests/reference/generate.py [PART_OF_A_NAME ...]
"""

import sys

import cases_backtesting
import cases_backtrader
import cases_vectorbt


def main(wanted: list[str]) -> None:
    """Writes all cases, or those whose name holds one of the words."""
    for module in (cases_backtesting, cases_backtrader, cases_vectorbt):
        for build in module.CASES:
            case = build()
            if wanted and not any(word in case.name for word in wanted):
                continue
            case.write()
            print(f"{case.name}: {len(case.orders)} rows, {len(case.fills)} fills")


if __name__ == "__main__":
    main(sys.argv[1:])
