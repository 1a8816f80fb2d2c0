"""Models changed at random: each is read or refused, and hurts nobody."""

import sys

import pytest
from fuzzing import BATCH, case, outcomes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")


def assert_harmless(first: int, count: int) -> None:
    for start in range(first, first + count, BATCH):
        numbers = range(start, start + BATCH)
        found = dict(zip(numbers, outcomes(numbers), strict=True))
        assert not {n: end for n, end in found.items() if end.startswith("WRONG")}


@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_changed_models(first: int) -> None:
    assert_harmless(first, 250)


@pytest.mark.slow
def test_many_changed_models() -> None:
    assert_harmless(1000, 49_000)


def test_changes_leave_enough_to_read() -> None:
    """So that what is read is not only how a file begins."""
    ends = outcomes(range(500))
    assert ends.count("read") > 50
    assert ends.count("UnsupportedModelError") > 25


def test_the_same_number_is_the_same_case() -> None:
    assert case(17) == case(17)
    assert case(17) != case(18)
