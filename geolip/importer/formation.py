"""What ONNX operators make of normal forms, for the patterns of composites."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geolip.importer.elements import from_code, is_real
from geolip.importer.forms import (
    Form,
    applied,
    clipped,
    logarithm,
    number,
    reciprocal,
    step,
)


def combined(
    kind: str, attributes: Mapping[str, Any], inputs: Sequence[Form | None]
) -> Form | None:
    """Return the form of an operator's output, None if it has none.

    Parameters
    ----------
    kind : str
        The operator.
    attributes : mapping of str to object
        All attributes that are given or have a default.
    inputs : sequence of Form or None
        None where an optional input is left out.
    """
    if kind == "Clip":
        return _clip(attributes, inputs)
    if kind == "Cast" and not is_real(from_code(attributes["to"])):
        return None
    given = [form for form in inputs if form is not None]
    return _of_all(kind, attributes, given) if given == inputs else None


def _of_all(
    kind: str, attributes: Mapping[str, Any], inputs: Sequence[Form]
) -> Form | None:
    """Return what an operator makes of forms, none of which is left out."""
    minus = number(-1)
    match kind, inputs:
        case "Identity", [x]:
            return x
        case "Neg", [x]:
            return minus * x
        case "Add", [x, y]:
            return x + y
        case "Sub", [x, y]:
            return x + minus * y
        case "Mul", [x, y]:
            return x * y
        case "Div", [x, y] if (inverse := reciprocal(y)) is not None:
            return x * inverse
        case "Reciprocal", [x]:
            return reciprocal(x)
        case "Log", [x]:
            return logarithm(x)
        case "Pow", [x, exponent] if exponent.number in (2, 3):
            return x * x if exponent.number == 2 else x * x * x
        case "HardSigmoid", [x]:
            alpha, beta = (number_of(attributes[name]) for name in ("alpha", "beta"))
            if alpha is not None and beta is not None:
                return clipped(alpha * x + beta, Fraction(0), Fraction(1))
        case "Relu", [x]:
            return clipped(x, Fraction(0), inf)
        case (("Max" | "Min"), [_, _]):
            x, end = sorted(inputs, key=lambda form: form.number is not None)
            if end.number is not None:
                ends = (end.number, inf) if kind == "Max" else (-inf, end.number)
                return clipped(x, *ends)
        case (("Greater" | "GreaterOrEqual"), [x, y]):
            return step(x + minus * y)
        case (("Less" | "LessOrEqual"), [x, y]):
            return step(y + minus * x)
        case "Sign", [x] if (up := step(x)) is not None:
            return number(2) * up + minus
        case "Not", [switch] if switch.is_switch:
            return number(1) + minus * switch
        case "Cast", [switch] if switch.is_switch:
            return switch
        case "Where", [switch, x, y] if switch.is_switch:
            return y + switch * (x + minus * y)
        case (("Abs" | "Erf" | "Exp" | "Sigmoid" | "Softplus" | "Tanh"), [x]):
            return applied(kind, x)
    return None


def _clip(attributes: Mapping[str, Any], inputs: Sequence[Form | None]) -> Form | None:
    """Return a Clip with two ends, attributes before opset 11 and inputs since then."""
    match inputs:
        case [Form() as x]:
            ends = [number_of(attributes.get(name, np.nan)) for name in ("min", "max")]
        case [Form() as x, *ends] if len(ends) == 2:
            pass
        case _:
            return None
    match ends:
        case [Form(number=Fraction() as low), Form(number=Fraction() as high)]:
            return clipped(x, low, high)
    return None


def number_of(value: ArrayLike) -> Form | None:
    """Return a finite real number or integer, None for others."""
    array = np.asarray(value)
    if array.size != 1 or not (is_real(array.dtype) or array.dtype.kind in "iu"):
        return None
    entry = array.item()
    return number(Fraction(entry)) if math.isfinite(entry) else None
