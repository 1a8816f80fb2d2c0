"""Every activation at least once, and where its slopes reach their ends.

A row is what makes the activation, its parameters, and the points where the derivative
has its least and its largest value: infinite where they are only approached, and just
beside a kink where the function has no derivative.
"""

from math import inf, sqrt

import numpy as np

from geolip.activations import (
    absolute,
    asinh,
    atan,
    celu,
    clip,
    cos,
    elu,
    erf,
    gelu,
    gelu_tanh,
    hard_sigmoid,
    hard_swish,
    hinge,
    leaky_relu,
    linear,
    log_sigmoid,
    mish,
    prelu,
    relu,
    selu,
    shrink,
    sigmoid,
    sin,
    softplus,
    softsign,
    swish,
    tanh,
)

SELU = (1.67326319217681884765625, 1.05070102214813232421875)  # ONNX defaults
STEEPEST_SWISH = 2.39935728051546767
BESIDE = 1e-9

EXAMPLES = [
    (absolute, (), -1, 1),
    (asinh, (), -inf, 0),
    (atan, (), inf, 0),
    (celu, (1.0,), -inf, 1),
    (celu, (0.3,), -inf, 1),
    (celu, (20.0,), -inf, 1),
    (clip, (0.0, 6.0), -1, 1),
    (clip, (-1.0, 1.0), 2, 0),
    (clip, (-inf, 0.5), 1, 0),
    (clip, (2.0, inf), 1, 3),
    (cos, (), np.pi / 2, -np.pi / 2),
    (elu, (1.0,), -inf, 1),
    (elu, (0.25,), -inf, 1),
    (elu, (0.0,), -1, 1),
    (elu, (2.0,), -inf, -BESIDE),
    (elu, (-0.7,), -BESIDE, 1),
    (erf, (), inf, 0),
    (gelu, (), -sqrt(2), sqrt(2)),
    (gelu, (3.0,), -sqrt(2) / 3, sqrt(2) / 3),
    (gelu, (-0.5,), 2 * sqrt(2), -2 * sqrt(2)),
    (gelu_tanh, (), -1.41850400879, 1.41850400879),
    (gelu_tanh, (0.7978846, 0.035677410), -1.418504, 1.418504),
    (gelu_tanh, (sqrt(8 / np.pi), 0.35772 * sqrt(2 / np.pi)), -0.709252, 0.709252),
    (hard_sigmoid, (0.20000000298023224, 0.5), 9, 0),
    (hard_sigmoid, (-2.0, 0.1), 0, 9),
    (hard_swish, (), -3 + BESIDE, 3 - BESIDE),
    (hard_swish, (-1.0, 0.25), 0.25 - BESIDE, -0.75 + BESIDE),
    (hard_swish, (0.5, -0.3), -1, 2.6 - BESIDE),
    (hard_swish, (0.5, 1.3), -2.6 + BESIDE, 1),
    (hinge, (0.0, 0.1, 1.0), -1, 1),
    (hinge, (-1.5, 0.5, -2.0), 0, -2),
    (leaky_relu, (0.1,), -1, 1),
    (leaky_relu, (-0.5,), -1, 1),
    (leaky_relu, (3.0,), 1, -1),
    (linear, ("Max",), 0, 0),
    (log_sigmoid, (), inf, -inf),
    (mish, (), -2.25637639636, 1.49057117949),
    (prelu, (np.array([0.25]),), -1, 1),
    (prelu, (np.array([-0.7]),), -1, 1),
    (prelu, (np.array([1.5]),), 1, -1),
    (relu, (), -1, 1),
    (selu, SELU, -inf, -BESIDE),
    (selu, (0.5, 2.0), -inf, 1),
    (selu, (2.0, -0.1), -BESIDE, -inf),
    (selu, (-2.0, 0.7), -BESIDE, 1),
    (shrink, (0.5,), 0, 1),
    (sigmoid, (), inf, 0),
    (sin, (), np.pi, 0),
    (softplus, (), -inf, inf),
    (softsign, (), inf, 0),
    (swish, (), -STEEPEST_SWISH, STEEPEST_SWISH),
    (swish, (1.702,), -STEEPEST_SWISH / 1.702, STEEPEST_SWISH / 1.702),
    (swish, (-0.3,), STEEPEST_SWISH / 0.3, -STEEPEST_SWISH / 0.3),
    (tanh, (), inf, 0),
]

ACTIVATIONS = [make(*parameters) for make, parameters, *_ in EXAMPLES]
ENDS = [ends for _, _, *ends in EXAMPLES]
NAMES = [f"{make.__name__}{parameters}" for make, parameters, *_ in EXAMPLES]
