"""Strictness that holds in every test."""

import os

# Before NumPy is imported: tests run side by side, one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

np.seterr(over="raise", divide="raise", invalid="raise")
