"""How the time of the tools grows: a table for each family that grows."""

from collections.abc import Sequence

import families

from comparison import analysis
from comparison.analysis import by
from comparison.records import Record
from comparison.wording import seconds, table


def scaling(cases: Sequence[Record]) -> str:
    """Return the part of the report on it."""
    parts = [
        "## How time grows",
        "The exponent is that of the power law through the logarithms of size and "
        "seconds, by least squares; the residual is the root mean square of what it "
        "leaves, as a factor. Only tools with at least three sizes; small networks "
        "tell of overheads. ![seconds against size](time.png)",
    ]
    for name, found in by(cases, "family").items():
        if name not in families.names() or families.get(name).METHODS:
            continue
        family = families.get(name)
        for norm, asked in by(found, "norm").items() if family.GROWS else ():
            rows = []
            for tool, mine in by(asked, "tool").items():
                power = analysis.fit(mine)
                if power is not None:
                    last = max(
                        (c for c in mine if "value" in c),
                        key=lambda c: float(c["size"]),
                    )
                    rows.append(
                        [
                            tool,
                            str(power.points),
                            f"{power.exponent:.2f}",
                            f"{power.residual:.2f}",
                            f"{last['size']:g}",
                            seconds(last["seconds"]),
                        ]
                    )
            if rows:
                rows.sort(key=lambda row: float(row[2]))
                columns = [
                    f"{family.TITLE}, l_{norm}",
                    "points",
                    f"exponent in {family.GROWS}",
                    "residual",
                    f"largest {family.GROWS}",
                    "seconds there",
                ]
                parts.append(table(columns, rows, (0,)))
    return "\n\n".join(parts)
