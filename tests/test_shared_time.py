"""How methods share the time, by a clock that only they move."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from fake_methods import compared, put_in_place, reasons, saying

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
        used = min(method.needs, TOLD * seconds + run.overrun)
        clock.now += used
        again = method.TITLE in [name for name, _ in given]
        given.append((method.TITLE, pytest.approx(seconds)))
        if again and run.later is not None:
            return replace(run.later, seconds=used)
        return Attempt(Answer(1.0, Label.CERTIFIED), used)

    def run(anytime="", refusing="", overrun=0.0, later=None, **needs):
        run.overrun, run.later = overrun, later
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
        run.result = compared(time_limit=60.0)
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


def test_after_the_time_limit_no_method_is_tried(shares):
    given = shares(overrun=10, **{f"m{i}": FOREVER for i in range(9)})
    # 5.3 + 10 s, 4.5 + 10 s, 3.4 + 10 s, 2.2 + 10 s, 0.7 + 10 s.
    assert [name for name, _ in given] == ["m0", "m1", "m2", "m3", "m4"]
    late = {f"m{i}": "not tried: the time was over" for i in range(5, 9)}
    assert reasons(shares.result) == late


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_answer_is_not_lost_when_more_time_brings_none(shares, interrupted):
    later = Attempt("it failed", 0.0, interrupted=interrupted)
    given = shares(later=later, a=FOREVER, b=0, c=0)
    assert [name for name, _ in given] == ["a", "b", "c", "a"]
    assert [row.name for row in shares.result.rows] == ["a", "b", "c"]
    assert shares.result.interrupted is interrupted
