"""How exact functions and derivatives are: proofs of lower bounds rest on that."""

import inspect
from decimal import Decimal, localcontext

import numpy as np
import pytest
from activation_examples import EXAMPLES, NAMES
from exact_activations import EXACT

UNITS = 32 * 2.0**-53
STEP = Decimal("1e-25")


def parameters_of(make, given):
    """Return the parameters, defaults too, as decimals."""
    names = inspect.signature(make).bind(*given)
    names.apply_defaults()
    values = [np.asarray(value).item() for value in names.arguments.values()]
    return [value if isinstance(value, str) else Decimal(value) for value in values]


def points():
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(-12, 1.5, 60)
    return np.where(rng.random(60) < 0.5, -sizes, sizes)


@pytest.mark.parametrize(("make", "given", "_", "__"), EXAMPLES, ids=NAMES)
def test_values_and_slopes_are_accurate(make, given, _, __):
    activation, z, exact = make(*given), points(), EXACT[make]
    (lower,), (upper,) = activation.sector(1)
    steepest = max(abs(lower), abs(upper))
    values, slopes = activation.function(z[None])[0], activation.derivative(z[None])[0]
    allowed = Decimal(UNITS * (1 + steepest) * bool(activation.curvature))
    with localcontext() as context:
        context.prec = 60
        parameters = parameters_of(make, given)
        for x, value, slope in zip(z, values, slopes, strict=True):
            error = abs(Decimal(value) - exact(Decimal(x), *parameters))
            assert error <= Decimal(UNITS * (abs(value) + steepest * abs(x)))
            # No point is so near to a kink.
            left, right = (
                exact(Decimal(x) + side * STEP, *parameters) for side in (-1, 1)
            )
            error = abs(Decimal(slope) - (right - left) / (2 * STEP))
            assert error <= allowed + STEP
