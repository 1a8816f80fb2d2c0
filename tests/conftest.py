"""Strictness that holds in every test."""

import os

# Before NumPy is imported: tests run side by side, one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

np.seterr(over="raise", divide="raise", invalid="raise")

# Modules that assert for the tests: what was compared is shown there too.
pytest.register_assert_rewrite(
    "cli_runs", "imported_values", "importer_refusals", "linear_examples"
)
