"""Average pooling, a sparse matrix of averages."""

import numpy as np

from geolip.importer.algebra import entries, mapped
from geolip.importer.cells import PADDING, pooled_cells
from geolip.importer.operation import Operation, Reader, Value


def _average(operation: Operation) -> Value:
    """Ask for padding that all runtimes read alike."""
    value = operation.affine(0)
    cells, out_shape = pooled_cells(operation, value.shape)
    cells = cells.reshape(len(cells), -1)
    counted = cells >= (PADDING if operation.attributes["count_include_pad"] else 0)
    counts = counted.sum(axis=1)
    if not counts.all():
        raise ValueError("a window lies in the padding, so that it averages nothing")
    rows, taps = np.nonzero(cells >= 0)
    shape = (len(cells), value.size)
    averages = 1.0 / counts[rows]
    operator = entries(rows, cells[rows, taps], averages, shape, rounded=1)
    return mapped(value, operator, out_shape)


OPERATORS: dict[str, Reader] = {"AveragePool": _average}
