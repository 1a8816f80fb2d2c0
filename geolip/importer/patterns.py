"""The activations that exporters write as several nodes, one pattern for each.

A pattern takes the normal form of a composite and returns an activation and a factor,
whose product is exactly the composite function. To be listed at the end is all that a
new one needs; without parameters, it is one row of the first table.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from geolip import activations
from geolip.activations import Activation
from geolip.importer.forms import (
    VARIABLE,
    Factor,
    Form,
    applied,
    number,
    without_root,
)

Match: TypeAlias = tuple[Activation, Fraction] | None

_ONE, _MINUS = number(1), number(-1)
_SOFTSIGN = VARIABLE * applied("Reciprocal", _ONE + applied("Abs", VARIABLE))
_PRODUCTS: tuple[tuple[Form, Callable[[], Activation]], ...] = (
    (_MINUS * applied("Softplus", _MINUS * VARIABLE), activations.log_sigmoid),
    (VARIABLE * applied("Tanh", applied("Softplus", VARIABLE)), activations.mish),
    (applied("Sigmoid", VARIABLE), activations.sigmoid),
    (applied("Softplus", VARIABLE), activations.softplus),
    (_SOFTSIGN, activations.softsign),
)

# Of the coefficient of x^3 to the cube of that of x, in the approximation of GELU.
_RATIO, _TOLERANCE = 0.044715 * math.pi / 2, 4e-6


def matched(form: Form) -> Match:
    """Return the activation that a form is, and by what it is multiplied, if any."""
    return next(filter(None, (pattern(form) for pattern in _PATTERNS)), None)


def _product(form: Form) -> Match:
    """Return what is in the table, times a number."""
    for known, activation in _PRODUCTS:
        ((product, own),) = known.terms
        match form.terms:
            case ((found, factor),) if found == product:
                return activation(), factor / own
    return None


def _gelu(form: Form) -> Match:
    """Return ``x (1 + erf(k x))``, for which k does not matter."""
    match form.terms:
        case (
            ((Factor(""),), half),
            ((Factor(""), Factor("Erf", Form() as inner)), other),
        ) if half == other:
            inner, square = without_root(inner)
            match inner.line:
                case (k, 0):
                    scale = math.sqrt(2 * square) * float(k)
                    return activations.gelu(scale), 2 * half
    return None


def _gelu_tanh(form: Form) -> Match:
    """Return ``x (1 + tanh(k x + c x^3))`` with constants that approximate GELU."""
    match form.terms:
        case (
            ((Factor(""),), half),
            ((Factor(""), Factor("Tanh", Form() as inner)), other),
        ) if half == other:
            inner, square = without_root(inner)
            match inner.terms:
                case (
                    ((Factor(""),), k),
                    ((Factor(""), Factor(""), Factor("")), c),
                ) if abs(float(c / (k**3 * square)) / _RATIO - 1) < _TOLERANCE:
                    slope, cubic = (math.sqrt(square) * float(n) for n in (k, c))
                    return activations.gelu_tanh(slope, cubic), 2 * half
    return None


def _hinge(form: Form) -> Match:
    """Return ``p (x - t)`` up to t and ``q (x - t)`` from there on."""
    for up in _steps(form):
        match up.argument:
            case Form(line=(one, offset)) if one == 1:
                terms = dict(form.terms)
                below = terms.get((Factor(),), Fraction(0))
                bend = terms.get((Factor(), up), Fraction(0))
                slopes = number(below) + number(bend) * Form((((up,), one),))
                exact = float(below) == below and float(below + bend) == below + bend
                if exact and form == slopes * (VARIABLE + number(offset)):
                    known = activations.hinge(
                        -float(offset), float(below), float(below + bend)
                    )
                    return known, one
    return None


def _shrink(form: Form) -> Match:
    """Return ``x - t sign(x)`` where abs(x) is above t, and zero elsewhere."""
    for up in _steps(form):
        match up.argument:
            case Form(terms=(((), end), ((Factor("Abs"),), one))) if end < 0:
                sign = number(2) * applied("Step", VARIABLE) + _MINUS
                outside = Form((((up,), one),))
                if up.argument == applied("Abs", VARIABLE) + number(
                    end
                ) and form == outside * (VARIABLE + number(end) * sign):
                    return activations.shrink(-float(end)), one
    return None


def _steps(form: Form) -> set[Factor]:
    return {f for product, _ in form.terms for f in product if f.name == "Step"}


def _swish(form: Form) -> Match:
    """Return ``x sigmoid(k x)``, for which k does not matter."""
    match form.terms:
        case (((Factor(""), Factor("Sigmoid", Form(line=(k, 0)))), factor),):
            return activations.swish(float(k)), factor
    return None


def _hard_swish(form: Form) -> Match:
    """Return ``x clip(k x + c, 0, u)``, u times a function of k / u and c / u."""
    match form.terms:
        case (((Factor(""), Factor("Clip", Form(line=(k, c)), 0, top)), factor),):
            if 0 < top < math.inf:
                alpha, beta = k / Fraction(top), c / Fraction(top)
                if float(beta) == beta:
                    known = activations.hard_swish(float(alpha), float(beta))
                    return known, factor * Fraction(top)
    return None


_PATTERNS = (_gelu, _gelu_tanh, _hard_swish, _hinge, _product, _shrink, _swish)
