"""Einstein sums with constant factors, against NumPy."""

import numpy as np
import pytest
from exact_operators import operator_matrix
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imported_values import evaluate
from importer_models import build, node, weights
from importer_refusals import assert_wrong, refused
from onnx import ModelProto

from geolip.importer import load
from geolip.linear import Dense

LENGTHS = {"a": 2, "b": 3, "c": 4, "d": 2, "e": 1}
HIDDEN = [2, 3]


def einsum(equation: str, shapes: list[list[int]], place: int) -> ModelProto:
    """Return the model in which operand ``place`` is tensor ``x``."""
    names = [f"w{k}" if k != place else "x" for k in range(len(shapes))]
    constants = {
        name: weights(k, *shape)
        for k, (name, shape) in enumerate(zip(names, shapes, strict=True))
        if k != place
    }
    summed = node("Einsum", names, ["y"], equation=equation)
    return build([summed], shapes[place], constants)


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[list[int]], int]:
    parts, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from(list(LENGTHS)), max_size=3))
        shape = [LENGTHS[name] for name in names]
        if draw(st.booleans()):
            k = draw(st.integers(0, len(names)))
            hidden = HIDDEN[draw(st.integers(0, 2)) :]
            shape[k:k] = [n if draw(st.booleans()) else 1 for n in hidden]
            names.insert(k, "...")
        parts.append("".join(names))
        shapes.append(shape)
    equation = ", ".join(parts)
    if draw(st.booleans()):
        used = sorted(set(equation) & set(LENGTHS))
        result = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
        if "..." in equation:
            result.insert(draw(st.integers(0, len(result))), "...")
        equation += " -> " + "".join(result)
    return equation, shapes, draw(st.integers(0, len(parts) - 1))


@settings(deadline=None, max_examples=200)
@given(equations())
def test_einsum(example: tuple[str, list[list[int]], int]) -> None:
    equation, shapes, place = example
    values = [weights(k, *shape).astype(float) for k, shape in enumerate(shapes)]
    try:
        expected = np.einsum(equation, *values)
    except ValueError:
        assume(False)
    network = load(einsum(equation, shapes, place))
    found = evaluate(network, values[place])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_projection_is_a_matrix_along_an_axis() -> None:
    model = einsum("bti,io->bto", [[2, 3, 4], [4, 5]], place=0)
    operator = load(model).output.terms[0]
    assert isinstance(operator, Dense)
    np.testing.assert_array_equal(operator.matrix, weights(1, 4, 5).T.astype(float))
    assert operator.outer == 6


def test_no_product_of_constants_is_formed() -> None:
    shapes = [[3], [3, 2], [2, 4]]
    operator = load(einsum("i,ij,jk->k", shapes, place=0)).output.terms[0]
    first, second = (operator_matrix(Dense(weights(k, *shapes[k]).T)) for k in (1, 2))
    assert (operator_matrix(operator) == second @ first).all()


def test_sums_of_a_constant_are_not_formed() -> None:
    operator = load(einsum("i,ij->i", [[3], [3, 4]], place=0)).output.terms[0]
    W = operator_matrix(Dense(weights(1, 3, 4)))
    assert (operator_matrix(operator).diagonal() == W.sum(axis=1)).all()


def test_product_of_activations() -> None:
    model = build([node("Einsum", ["x", "x"], ["y"], equation="i,i->")], [3])
    assert "product of two activations" in refused(model)[0]


@pytest.mark.parametrize(
    ("equation", "part"),
    [
        ("ij", "not of 2 inputs"),
        ("ij,jk->", "does not fit ranks"),
        ("i,j->k", "impossible result"),
        ("i,j->ii", "impossible result"),
        ("i,i->i", "lengths 3 and 4"),
    ],
)
def test_wrong_einsum(equation: str, part: str) -> None:
    assert_wrong(einsum(equation, [[3], [4]], place=0), "Einsum 'y'", part)
