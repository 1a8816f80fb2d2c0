"""The activations that exporters write as several nodes, one pattern for each.

A pattern takes the normal form of a composite and returns an activation and a factor,
whose product is exactly the composite function. To be listed at the end is all that a
new one needs.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from geolip import activations
from geolip.activations import Activation
from geolip.importer.forms import VARIABLE, Factor, Form

Match: TypeAlias = tuple[Activation, Fraction] | None

# Of the coefficient of x^3 to the cube of that of x, in the approximation of GELU.
_RATIO, _TOLERANCE = 0.044715 * math.pi / 2, 4e-6


def matched(form: Form) -> Match:
    """Return the activation that a form is, and by what it is multiplied, if any."""
    return next(filter(None, (pattern(form) for pattern in _PATTERNS)), None)


def _gelu(form: Form) -> Match:
    """``x (1 + erf(k x))``, for which k does not matter."""
    match form.terms:
        case (
            ((Factor(""),), a),
            ((Factor(""), Factor("Erf", Form(slope=Fraction() as k))), b),
        ) if a == b:
            return activations.gelu(math.sqrt(2) * float(k)), 2 * a
    return None


def _gelu_tanh(form: Form) -> Match:
    """``x (1 + tanh(k x + l x^3))`` with the constants of GELU's approximation."""
    match form.terms:
        case (
            ((Factor(""),), a),
            ((Factor(""), Factor("Tanh", Form(terms=inner))), b),
        ) if a == b:
            match inner:
                case (
                    ((Factor(""),), k),
                    ((Factor(""), Factor(""), Factor("")), l),
                ) if abs(float(l / k**3) / _RATIO - 1) < _TOLERANCE:
                    return activations.gelu_tanh(float(k), float(l)), 2 * a
    return None


def _swish(form: Form) -> Match:
    """``x sigmoid(k x)``, for which k does not matter."""
    match form.terms:
        case (((Factor(""), Factor("Sigmoid", Form(slope=Fraction() as k))), a),):
            return activations.swish(float(k)), a
    return None


def _mish(form: Form) -> Match:
    """``x tanh(log(1 + exp(x)))``."""
    gate = Factor("Softplus", VARIABLE)
    match form.terms:
        case (((Factor(""), Factor("Tanh", Form(terms=(((inner,), one),)))), a),) if (
            inner == gate and one == 1
        ):
            return activations.mish(), a
    return None


def _hard_swish(form: Form) -> Match:
    """``x clip(k x + l, 0, u)``, which is u times a function of k / u and l / u."""
    match form.terms:
        case (((Factor(""), Factor("Clip", Form() as inner, low, high)), a),) if (
            low == 0 and high and high > 0
        ):
            match inner.terms:
                case (((), l), ((Factor(""),), k)):
                    beta = float(l / high)
                    if Fraction(beta) == l / high:
                        return activations.hard_swish(float(k / high), beta), a * high
    return None


def _softplus(form: Form) -> Match:
    """``log(1 + exp(x))``."""
    match form.terms:
        case (((Factor("Softplus", Form() as u),), a),) if u == VARIABLE:
            return activations.softplus(), a
    return None


def _log_sigmoid(form: Form) -> Match:
    """``-log(1 + exp(-x))``."""
    match form.terms:
        case (((Factor("Softplus", Form(slope=k)),), a),) if k == -1:
            return activations.log_sigmoid(), -a
    return None


def _sigmoid(form: Form) -> Match:
    """``1 / (1 + exp(-x))``."""
    match form.terms:
        case (((Factor("Sigmoid", Form() as u),), a),) if u == VARIABLE:
            return activations.sigmoid(), a
    return None


_PATTERNS: tuple[Callable[[Form], Match], ...] = (
    _gelu,
    _gelu_tanh,
    _hard_swish,
    _log_sigmoid,
    _mish,
    _sigmoid,
    _softplus,
    _swish,
)
