"""Measure how far branch and bound comes on random networks and on files.

    python benchmarks/formal.py [--seconds 600] SIZES | FILE ...

SIZES such as 784,64,1 are the widths of a network with independent Gaussian weights of
variance 2 / inputs, in l_inf. Prints a row of a Markdown table for each: the gap of the
relaxation and of the search against the best slope pattern, regions, and seconds of the
processor beside those on the clock, as machines are shared.
"""

import argparse
import time
from pathlib import Path

from networks import weights

import geolip

ROW = "| {} | {:.2%} | {} | {} | {:.0f} | {:.0f} |"


def row(name: str, seconds: float) -> str:
    """Return the row of one network."""
    known = Path(name).exists()
    model = name if known else weights("he", [int(n) for n in name.split(",")])
    start = time.process_time()
    report = geolip.exact_fgl(model, "inf", time_limit=seconds)
    used = time.process_time() - start
    gap = "exact" if report.status == "exact" else f"{report.gap:.2%}"
    called = Path(name).name if known else name.replace(",", "-")
    first = report.first / report.lower - 1
    return ROW.format(called, first, gap, report.nodes, used, report.seconds)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("networks", nargs="+")
    arguments = parser.parse_args()
    print("| network | relaxation | search | regions | processor s | clock s |")
    print("|---|---|---|---|---|---|")
    for name in arguments.networks:
        print(row(name, arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
