"""Models changed at random: read, or refused with one of geolip's own errors.

Nothing else may come of them: no other exception, no crash and no hang. By hand,

    python tests/fuzzing.py --first 0 --count 50000

prints the number of every case that goes wrong; the same number makes the same case.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import IO

from model_changes import case

from geolip.errors import GeolipError, ModelError
from geolip.importer import Limits, read
from geolip.importer.graph import build
from geolip.importer.rehearsal import rehearse

# Of one child process, which reads so many cases in a second.
LIMITS = Limits(memory=2**30, seconds=20)
BATCH = 50


def outcomes(numbers: Sequence[int]) -> list[str]:
    """Return how reading these cases ends: ``read``, a type of error, or what is wrong.

    Many are read in one child process, which writes down each end as it comes to it.
    Where one stops the child, it is to blame only if it stops one of its own too.
    """
    ends: list[str] = []
    while len(ends) < len(numbers):
        with tempfile.TemporaryFile("w+") as written:
            rest = numbers[len(ends) :]
            try:
                rehearse(partial(_write_outcomes, rest, written), LIMITS)
                failure = "WRONG it ended early"
            except (ModelError, MemoryError) as error:
                failure = f"WRONG {error!r}"
            written.seek(0)
            done = written.read().split("\n")[:-1]
        ends += done or [failure]
    return ends


def _write_outcomes(numbers: Sequence[int], file: IO[str]) -> None:
    for number in numbers:
        file.write(repr(_outcome(case(number))).strip("'\"") + "\n")
        file.flush()


def _outcome(content: bytes) -> str:
    try:
        build(read(content)[0])
    except GeolipError as error:
        return type(error).__name__
    except Exception as error:
        return f"WRONG {error!r}"
    return "read"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=50_000)
    arguments = parser.parse_args()
    start, counts = time.monotonic(), Counter[str]()
    numbers = range(arguments.first, arguments.first + arguments.count)
    for first in range(0, len(numbers), BATCH):
        batch = numbers[first : first + BATCH]
        for number, end in zip(batch, outcomes(batch), strict=True):
            counts[end.split()[0]] += 1
            if end.startswith("WRONG"):
                sys.stdout.write(f"{number}: {end}\n")
                sys.stdout.flush()
    seconds = time.monotonic() - start
    sys.stdout.write(f"{dict(counts)} in {seconds:.0f} s\n")
    return counts["WRONG"]


if __name__ == "__main__":
    sys.exit(main() > 0)
