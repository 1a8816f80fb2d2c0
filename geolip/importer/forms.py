"""Normal forms of elementwise expressions in one variable, with exact coefficients.

A form is a sum of products of the variable and of functions of forms. Ways to write the
same thing, such as the order of factors, make no difference in it.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import TypeAlias

# No activation needs more terms, factors, functions of functions or bits.
_TERMS, _FACTORS, _DEPTH, _BITS = 4, 4, 2, 4096


End: TypeAlias = Fraction | float


@dataclass(frozen=True)
class Factor:
    """What is multiplied in a product: the variable, or a function of a form.

    Parameters
    ----------
    name : str
        The function's ONNX operator; empty for the variable.
    argument : Form or None
        What the function is applied to.
    low, high : Fraction or infinite float
        The ends of a Clip.
    """

    name: str = ""
    argument: "Form | None" = None
    low: End = -inf
    high: End = inf


Product: TypeAlias = tuple[Factor, ...]


@dataclass(frozen=True)
class Form:
    """A sum of products with coefficients, in a fixed order, without zeros.

    Parameters
    ----------
    terms : tuple of (tuple of Factor, Fraction)
        The products and their coefficients; the empty product is 1.
    """

    terms: tuple[tuple[Product, Fraction], ...]

    @property
    def number(self) -> Fraction | None:
        """The value of a form without variable, None for others."""
        match self.terms:
            case ():
                return Fraction(0)
            case (((), value),):
                return value
        return None

    @property
    def line(self) -> tuple[Fraction, Fraction] | None:
        """The numbers k and l of the form ``k x + l`` with k not zero."""
        match self.terms:
            case (((Factor(""),), slope),):
                return slope, Fraction(0)
            case (((), offset), ((Factor(""),), slope)):
                return slope, offset
        return None

    @property
    def is_switch(self) -> bool:
        """Whether it is a step or 1 minus a step, as truth values are."""
        match self.terms:
            case (((Factor("Step"),), one),):
                return one == 1
            case (((), one), ((Factor("Step"),), other)):
                return one == 1 == -other
        return False

    @property
    def depth(self) -> int:
        """How many functions are applied one after the other."""
        factors = (factor for product, _ in self.terms for factor in product)
        inner = (f.argument.depth + 1 for f in factors if f.argument is not None)
        return max(inner, default=0)

    @property
    def is_small(self) -> bool:
        """Whether it has few terms, whose coefficients float64 holds easily."""
        return (
            len(self.terms) <= _TERMS
            and self.depth <= _DEPTH
            and all(
                len(product) <= _FACTORS
                and 2.0**-200 <= abs(value) <= 2.0**200
                and value.numerator.bit_length() + value.denominator.bit_length()
                < _BITS
                for product, value in self.terms
            )
        )

    def __add__(self, other: "Form") -> "Form":
        return _collected([*self.terms, *other.terms])

    def __mul__(self, other: "Form") -> "Form":
        return _collected(
            [
                (tuple(sorted(left + right, key=_name)), a * b)
                for left, a in self.terms
                for right, b in other.terms
            ]
        )


def number(value: Fraction | int) -> Form:
    """Return a constant."""
    return _collected([((), Fraction(value))])


def applied(name: str, argument: Form) -> Form:
    """Return a function of a form."""
    return Form((((Factor(name, argument),), Fraction(1)),))


def clipped(form: Form, low: End, high: End) -> Form:
    """Return ``min(max(form, low), high)``, for two Clips in a row the one they are."""
    match form.terms:
        case (((Factor("Clip", Form() as inner, a, b),), one),) if one == 1:
            ends = (min(max(end, low), high) for end in (a, b))
            return Form((((Factor("Clip", inner, *ends),), one),))
    return Form((((Factor("Clip", form, low, high),), Fraction(1)),))


def step(form: Form) -> Form | None:
    """Return 1 where a form is positive and 0 where it is negative, None for numbers.

    Where the form is zero it may be either: only who knows that this makes no
    difference may use it. Of a form and its multiples, one step stands for all.
    """
    if form.number is not None:
        return None
    _, leading = form.terms[-1]
    up = applied("Step", number(1 / abs(leading)) * form)
    if leading > 0:
        return up
    down = applied("Step", number(1 / leading) * form)
    return number(1) + number(-1) * down


def square_root(form: Form) -> Form | None:
    """Return the square root of a positive number, None for others."""
    value = form.number
    return applied("Sqrt", form) if value is not None and value > 0 else None


def without_root(form: Form) -> tuple[Form, Fraction]:
    """Return a form and a number r so that ``sqrt(r)`` times it is the given one."""
    roots = {f for product, _ in form.terms for f in product if f.name == "Sqrt"}
    match [*roots]:
        case [Factor(argument=Form(number=Fraction() as square)) as known] if all(
            product.count(known) == 1 for product, _ in form.terms
        ):
            rest = [
                (tuple(f for f in product if f != known), value)
                for product, value in form.terms
            ]
            return _collected(rest), square
    return form, Fraction(1)


VARIABLE = Form((((Factor(),), Fraction(1)),))


def logarithm(form: Form) -> Form | None:
    """Return the logarithm of 1 + exp(u) or of a sigmoid, None for others."""
    match form.terms:
        case (((), one), ((Factor("Exp", Form() as u),), other)) if one == other == 1:
            return applied("Softplus", u)
        case (((Factor("Sigmoid", Form() as u),), one),) if one == 1:
            return number(-1) * applied("Softplus", number(-1) * u)
    return None


def reciprocal(form: Form) -> Form | None:
    """Return that of a number, its root, 1 + exp(u) or 1 + |u|, None for others."""
    match form.terms:
        case (((), value),):
            return number(1 / value)
        case (((Factor("Sqrt", Form(number=Fraction() as square)),), value),):
            return number(1 / value) * applied("Sqrt", number(1 / square))
        case (((), one), ((Factor("Exp", Form() as u),), other)) if one == other == 1:
            return applied("Sigmoid", number(-1) * u)
        case (((), one), ((Factor("Abs"),), other)) if one == other == 1:
            return applied("Reciprocal", form)
    return None


def _collected(terms: list[tuple[Product, Fraction]]) -> Form:
    sums: dict[Product, Fraction] = {}
    for product, coefficient in terms:
        sums[product] = sums.get(product, Fraction(0)) + coefficient
    kept = [(product, value) for product, value in sums.items() if value]
    return Form(tuple(sorted(kept, key=lambda term: [*map(_name, term[0])])))


def _name(factor: Factor) -> str:
    return factor.name
