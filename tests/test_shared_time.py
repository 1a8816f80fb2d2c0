"""How methods share the time, by a clock that only they move."""

from types import SimpleNamespace

import pytest
from fake_methods import compared, put_in_place, saying

from geolip import comparing
from geolip.attempt import TOLD, Attempt
from geolip.methods import Answer, Label

FOREVER = 1e9


@pytest.fixture
def shares(monkeypatch):
    """Return a function from what methods need to whom was given how much, in turn."""
    clock = SimpleNamespace(now=0.0)
    given = []

    def attempt(method, question, seconds):
        used = min(method.needs, TOLD * seconds)
        clock.now += used
        given.append((method.TITLE, pytest.approx(seconds)))
        return Attempt(Answer(1.0, Label.CERTIFIED), used)

    def run(anytime="", refusing="", **needs):
        found = {
            name: saying(
                1.0,
                title=name,
                anytime=name in anytime,
                refused="no" if name in refusing else None,
            )
            for name in needs
        }
        for name, method in found.items():
            method.needs = needs[name]
        put_in_place(monkeypatch, **found)
        compared(time_limit=60.0)
        return given

    monkeypatch.setattr(comparing, "attempt", attempt)
    monkeypatch.setattr(comparing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return run


def test_all_get_the_same_where_nobody_needs_it(shares):
    assert shares(a=0, b=0, c=0) == [("a", 20), ("b", 30), ("c", 60)]


def test_methods_that_refuse_take_no_share(shares):
    assert shares(refusing="bd", a=0, b=0, c=0, d=0) == [("a", 30), ("c", 60)]


def test_methods_that_get_better_with_time_come_last(shares):
    assert shares("ac", a=0, b=0, c=0, d=0) == [
        ("b", 15),
        ("d", 20),
        ("a", 30),
        ("c", 60),
    ]


def test_what_is_left_goes_to_those_that_could_use_more(shares):
    assert shares(a=FOREVER, b=0, c=0) == [("a", 20), ("b", 22), ("c", 44), ("a", 44)]


def test_what_is_too_little_for_all_goes_to_whose_share_was_smallest(shares):
    given = shares(a=FOREVER, b=FOREVER, c=FOREVER, d=0, e=0)
    first = [("a", 12), ("b", 12.6), ("c", 13.44), ("d", 14.784), ("e", 29.568)]
    # Halves and thirds of it would not be half as much again for the others.
    assert given == [*first, ("a", 29.568)]


def test_little_more_is_not_worth_another_run(shares):
    assert shares(a=FOREVER, b=FOREVER) == [("a", 30), ("b", 36)]


def test_a_method_may_run_more_than_twice(shares):
    given = shares(a=FOREVER, b=15, c=0, d=0, e=0)
    assert [name for name, _ in given] == ["a", "b", "c", "d", "e", "b", "a"]
