"""Decimals for people that are on the safe side of the number."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal


def round_up(value: float, digits: int = 7) -> str:
    """Return a decimal that is not below ``value``, with so many significant digits."""
    return _decimal(value, digits, ROUND_CEILING)


def round_down(value: float, digits: int = 7) -> str:
    """Return a decimal that is not above ``value``, with so many significant digits."""
    return _decimal(value, digits, ROUND_FLOOR)


def _decimal(value: float, digits: int, rounding: str) -> str:
    if not math.isfinite(value):
        return str(value)
    context = Context(prec=digits, rounding=rounding)
    rounded = context.create_decimal(Decimal(value))
    plain = 1e-4 <= abs(value) < 10**digits or value == 0
    return f"{rounded:f}" if plain else f"{rounded:e}"
