"""The types of the command line's options: texts in, Python values out."""

import json
import math
from typing import Any

import click


class Seconds(click.ParamType[float]):
    """A duration: ``90``, ``90s``, ``10m`` or ``1.5h``."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        text = str(value).strip().lower()
        unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
        try:
            return float(text[:-1]) * unit if unit else float(text)
        except ValueError:
            self.fail(
                f"{value!r} is not a duration such as 90, 10m or 1.5h", param, ctx
            )


class Rows(click.ParamType[str | list[int]]):
    """Output indices: ``largest``, ``all`` or ``0,3,7``."""

    name = "rows"

    def convert(self, value: Any, param: Any, ctx: Any) -> str | list[int]:
        if value in ("largest", "all"):
            return str(value)
        try:
            return [int(part) for part in str(value).split(",")]
        except ValueError:
            self.fail(
                f"{value!r} is not largest, all or a list such as 0,3", param, ctx
            )


class Region(click.ParamType[tuple[float, float]]):
    """The interval of every input coordinate: ``LOW,HIGH``."""

    name = "low,high"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            low, high = map(float, str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a pair of numbers LOW,HIGH", param, ctx)
        if not -math.inf < low <= high < math.inf:
            self.fail(f"{value!r}: expected finite LOW <= HIGH", param, ctx)
        return low, high


class KeyValue(click.ParamType[tuple[str, Any]]):
    """A solver option ``key=value``; the value is JSON if it parses as such."""

    name = "key=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        key, separator, text = str(value).partition("=")
        if not (key and separator):
            self.fail(f"{value!r} is not of the form key=value", param, ctx)
        try:
            return key, json.loads(text)
        except json.JSONDecodeError:
            return key, text
