"""Exact algebra of affine functions: what the operators of a model are built from.

A constant is an `Affine` without terms. Nothing here multiplies two stored numbers of
the model, except for biases, which cancel in every difference.
"""

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geolip.arrays import Array
from geolip.importer.growth import check_fits
from geolip.importer.magnitude import checked
from geolip.importer.refusals import PRODUCT, RefusedError
from geolip.linear import (
    Composition,
    Convolution,
    Dense,
    LinearOperator,
    Sparse,
    TransposedConvolution,
    add,
    compose,
    identity,
    scaling,
    selection,
)
from geolip.network import Affine

UNIT = 2.0**-53
# Bounds of errors are rounded sums and products of a few positive numbers.
_UP = 1 + 2.0**-20


def constant(values: Array, doubt: float = 0.0) -> Affine:
    """Return the constant function with the given value and shape."""
    return Affine({}, values.ravel(), values.shape, doubt)


def mapped(value: Affine, operator: LinearOperator, shape: tuple[int, ...]) -> Affine:
    """Return ``operator`` after ``value``, as a tensor of the given shape."""
    check_fits(shape)
    terms = {j: compose(operator, inner) for j, inner in value.terms.items()}
    # Taking apart what was concatenated leaves nothing of the other parts.
    terms = {j: term for j, term in terms.items() if not _is_zero(term)}
    bias = operator.apply(value.bias[:, None])[:, 0]
    return Affine(terms, bias, shape, _doubt(value, operator))


def _doubt(value: Affine, operator: LinearOperator) -> float:
    """Return by how much the bias may be off after an operator."""
    if isinstance(operator, Sparse) and operator.is_selection:
        return value.doubt
    if not value.doubt and not value.bias.any():
        return 0.0
    sizes = operator.absolute.apply(np.abs(value.bias)[:, None])
    inherited = float(operator.row_sums.max(initial=0.0)) * value.doubt
    summands = operator.shape[1]
    if isinstance(operator, Sparse):
        summands = int(np.diff(operator.matrix.indptr).max(initial=0))
    rounded = (summands + operator.roundings + 2) * UNIT * float(sizes.max(initial=0.0))
    return (inherited + rounded) * _UP


def _is_zero(operator: LinearOperator) -> bool:
    match operator:
        case Composition(factors=factors):
            return any(_is_zero(factor) for factor in factors)
        case Sparse(matrix=matrix):
            return not matrix.data.any()
        case Dense(matrix=matrix):
            return not matrix.any()
        case Convolution(kernel=kernel):
            return not kernel.any()
        case TransposedConvolution(convolution=convolution):
            return _is_zero(convolution)
    return False


def total(parts: Sequence[Affine]) -> Affine:
    """Return the sum of tensors of one shape."""
    terms: dict[int, LinearOperator] = {}
    for part in parts:
        for j, operator in part.terms.items():
            terms[j] = _sum(terms[j], operator) if j in terms else operator
    biases = [part.bias for part in parts if part.bias.any()] or [parts[0].bias]
    doubt = sum(part.doubt for part in parts)
    if len(biases) > 1:
        sizes = np.sum(np.abs(biases), axis=0)
        doubt += len(biases) * UNIT * float(sizes.max(initial=0.0))
    return Affine(terms, np.sum(biases, axis=0), parts[0].shape, doubt * _UP)


def _sum(left: LinearOperator, right: LinearOperator) -> LinearOperator:
    """Return ``left + right``, with the factors that both end in written once.

    A chain of residual additions then costs one sum a link; written out, each link
    would repeat all links before it.
    """
    a, b = _factors(left), _factors(right)
    shared = 0
    while shared < min(len(a), len(b)) and a[-1 - shared] is b[-1 - shared]:
        shared += 1
    if not shared:
        return add(left, right)
    tail = _composed(a[len(a) - shared :])
    size = tail.shape[0]
    heads = (_composed([*f[: len(f) - shared], identity(size)]) for f in (a, b))
    return compose(add(*heads), tail)


def _factors(operator: LinearOperator) -> Sequence[LinearOperator]:
    return operator.factors if isinstance(operator, Composition) else (operator,)


def _composed(factors: Sequence[LinearOperator]) -> LinearOperator:
    return reduce(compose, factors)


def numbered(parts: Sequence[Affine]) -> list[NDArray[np.int64]]:
    """Return tensors shaped like ``parts`` that number all coordinates from 1 on.

    Moving these numbers around as an operator moves entries, then calling `rearranged`,
    is that operator. No coordinate has number 0, so that a zero filled in is noticed.
    """
    ends = np.cumsum([part.size for part in parts])
    return [
        np.arange(end - part.size, end, dtype=np.int64).reshape(part.shape) + 1
        for part, end in zip(parts, ends, strict=True)
    ]


def rearranged(parts: Sequence[Affine], numbers: NDArray[np.int64]) -> Affine:
    """Return the tensor of the coordinates of ``parts`` with these numbers."""
    places = numbers.ravel() - 1
    bias = np.concatenate([part.bias for part in parts])
    if places.size and (places.min() < 0 or places.max() >= len(bias)):
        raise ValueError("entries are made up that no input has")
    doubt = max(part.doubt for part in parts)
    moved = [Affine({}, bias[places], numbers.shape, doubt)]
    start = 0
    for part in parts:
        inside = (places >= start) & (places < start + part.size)
        if part.terms and inside.any():
            pick = selection(np.where(inside, places - start, -1), part.size)
            linear = Affine(part.terms, np.zeros(part.size), part.shape)
            moved.append(mapped(linear, pick, numbers.shape))
        start += part.size
    return total(moved)


def broadcast(value: Affine, shape: tuple[int, ...]) -> Affine:
    """Return ``value`` repeated to the given shape as NumPy does."""
    if value.shape == shape:
        return value
    check_fits(shape)
    return rearranged([value], np.broadcast_to(numbered([value])[0], shape))


def aligned(parts: Sequence[Affine]) -> list[Affine]:
    """Return all parts broadcast to their common shape."""
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    return [broadcast(part, shape) for part in parts]


def scaled(value: Affine, factors: Array, rounded: int = 0) -> Affine:
    """Return ``value`` times constant factors, broadcast against each other.

    ``rounded`` tells how many roundings the factors carry.
    """
    checked(factors, "a factor")
    shape = np.broadcast_shapes(value.shape, factors.shape)
    whole = broadcast(value, shape)
    if not rounded and (factors == 1.0).all():
        return whole
    return mapped(whole, scaling(np.broadcast_to(factors, shape), rounded), shape)


def entries(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: Array | float,
    shape: tuple[int, int],
    rounded: int = 0,
) -> Sparse:
    """Return the matrix with the given entries, broadcast against each other.

    ``rounded`` tells how many roundings the values carry.
    """
    rows, columns, values = np.broadcast_arrays(rows, columns, values)
    triplets = (values.ravel(), (rows.ravel(), columns.ravel()))
    matrix = sparse.coo_array(triplets, shape=shape, dtype=float).tocsr()
    return Sparse(matrix, rounded)


def product(left: Affine, right: Affine, rounded: int = 0) -> Affine:
    """Return the matrix product, for operands of any rank as in ``numpy.matmul``.

    ``rounded`` tells how many roundings the constant operand carries.
    """
    if left.terms and right.terms:
        raise RefusedError(PRODUCT)
    if not left.shape or not right.shape:
        raise ValueError("a matrix product needs operands with axes")
    a = left.shape if len(left.shape) > 1 else (1, *left.shape)
    b = right.shape if len(right.shape) > 1 else (*right.shape, 1)
    if a[-1] != b[-2]:
        raise ValueError(f"shapes {left.shape} and {right.shape} do not fit")
    batch = np.broadcast_shapes(a[:-2], b[:-2])
    rows = (a[-2],) if len(left.shape) > 1 else ()
    columns = (b[-1],) if len(right.shape) > 1 else ()
    shape = (*batch, *rows, *columns)
    if right.terms:
        operator = _from_left(left.bias.reshape(a), b, batch, rounded)
        return mapped(right, operator, shape)
    operator = _from_right(a, right.bias.reshape(b), batch, rounded)
    return mapped(left, operator, shape)


def _from_left(
    W: Array, b: tuple[int, ...], batch: tuple[int, ...], rounded: int
) -> LinearOperator:
    if prod(W.shape[:-2]) == 1:
        return Dense(W.reshape(W.shape[-2:]), prod(batch), b[-1], rounded)
    return _batched(W[..., :, :, None], _places(b)[..., None, :, :], batch, rounded)


def _from_right(
    a: tuple[int, ...], W: Array, batch: tuple[int, ...], rounded: int
) -> LinearOperator:
    if prod(W.shape[:-2]) == 1:
        matrix = np.ascontiguousarray(W.reshape(W.shape[-2:]).T)
        return Dense(matrix, prod(batch) * a[-2], rounded=rounded)
    return _batched(W[..., None, :, :], _places(a)[..., :, :, None], batch, rounded)


def _batched(
    W: Array, places: NDArray[np.int64], batch: tuple[int, ...], rounded: int
) -> Sparse:
    """Return ``sum_j W[.., i, j, k] x[places[.., i, j, k]]``, one sum for each i, k."""
    *_, m, _, p = np.broadcast_shapes(W.shape, places.shape)
    results = _places((*batch, m, p))[..., :, None, :]
    return entries(results, places, W, (results.size, places.size), rounded)


def _places(shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.arange(prod(shape), dtype=np.int64).reshape(shape)
