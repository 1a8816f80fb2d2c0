"""The comparison of methods: order, budget, failures, and the alarm."""

import json
import os
import signal
import time
from types import SimpleNamespace

import numpy as np
import pytest

import geolip
from geolip import comparison, methods
from geolip.attempt import _Child, attempt
from geolip.comparison import Row, ordered
from geolip.errors import CertificationError, UsageError
from geolip.importer import load
from geolip.methods import Answer, Label, Question
from geolip.norms import parse

WEIGHTS = [np.eye(2), np.ones((1, 2))]


def saying(outcome, label=Label.CERTIFIED, *, anytime=False, refused=None, title="t"):
    """Return a method that answers a number, or does what it is told."""

    def answer(question):
        value = outcome(question) if callable(outcome) else outcome
        return value if isinstance(value, Answer) else Answer(value, label)

    return SimpleNamespace(
        TITLE=title, ANYTIME=anytime, refusal=lambda q: refused, answer=answer
    )


@pytest.fixture
def listing(monkeypatch):
    """Return what replaces the folder's methods by others."""

    def replace(**others):
        monkeypatch.setattr(methods, "names", lambda: sorted(others))
        monkeypatch.setattr(methods, "get", others.__getitem__)

    return replace


def compared(**options):
    return geolip.compare(WEIGHTS, "inf", **{"time_limit": 30.0, **options})


def reasons(result):
    return {silence.name: silence.reason for silence in result.silent}


def test_rows_are_sorted_and_measured_by_the_best_lower_bound(listing):
    listing(
        weak=saying(8.0),
        tight=saying(4.0),
        low=saying(1.0, Label.LOWER),
        high=saying(2.0, Label.LOWER),
        formal=saying(3.0, Label.FGL_LOWER),
    )
    result = compared()
    assert [row.name for row in result.rows] == [
        "weak",
        "tight",
        "formal",
        "high",
        "low",
    ]
    assert result.best_upper.name == "tight"
    assert result.best_lower.name == "high"
    assert [result.ratio(row) for row in result.rows] == [4.0, 2.0, 1.5, 1.0, 0.5]
    assert result.contradiction is None


def test_without_a_gradient_the_formal_lower_bound_is_the_measure(listing):
    listing(up=saying(6.0), formal=saying(3.0, Label.FGL_LOWER))
    assert compared().best_lower.name == "formal"


def test_without_lower_bounds_there_is_no_ratio(listing):
    listing(up=saying(6.0), guess=saying(5.0, Label.ESTIMATE), zero=saying(0.0))
    result = compared()
    assert result.best_lower is None
    assert [result.ratio(row) for row in result.rows] == [None] * 3


def test_the_ruler_is_below_the_least_upper_bound(listing):
    listing(
        up=saying(6.0),
        guess=saying(5.0, Label.ESTIMATE),
        above=saying(7.0, Label.ESTIMATE),
        low=saying(1.0, Label.LOWER),
    )
    lines = str(compared()).splitlines()
    order = [line.split()[4] if line[:1] != "-" else "-" for line in lines[4:9]]
    assert order == ["above", "up", "-", "guess", "low"]


def test_printed_numbers_are_on_the_safe_side(listing):
    listing(up=saying(1 / 3), low=saying(2 / 9, Label.LOWER))
    text = str(compared())
    assert "0.3333334" in text
    assert "0.2222222" in text


def test_a_number_of_equal_value_is_first_an_upper_bound():
    rows = [
        Row(name, name, Answer(1.0, label), 0.0)
        for name, label in (("a", Label.LOWER), ("b", Label.CERTIFIED))
    ]
    assert [row.name for row in ordered(rows)] == ["b", "a"]


def broken(question):
    raise ZeroDivisionError("in line\ntwo")


def exhausted(question):
    raise MemoryError


def unproved(question):
    raise CertificationError("no multipliers verify")


def crashing(question):
    os.kill(os.getpid(), signal.SIGSEGV)


def killed(question):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (saying(broken), "it failed: ZeroDivisionError: in line two"),
        (saying(exhausted), "out of memory"),
        (saying(unproved), "no multipliers verify"),
        (saying(crashing), "crashed with exit status -11"),
        (saying(killed), "killed, as the system does for want of memory"),
        (saying(float("nan")), "it answered nan, which bounds nothing"),
        (saying(float("inf")), "it answered inf, which bounds nothing"),
        (saying(-1.0), "it answered -1.0, which bounds nothing"),
        (saying(1.0, refused="not for\nthis"), "not for this"),
    ],
)
def test_a_method_that_fails_gives_one_line_and_the_others_run(listing, method, reason):
    listing(a=method, b=saying(2.0))
    result = compared()
    assert reasons(result) == {"a": reason}
    assert [row.name for row in result.rows] == ["b"]
    assert f"a  {reason}" in str(result)


def sleeping(question):
    time.sleep(60)


def stubborn(question):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)


def patient(question):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        return Answer(5.0, Label.CERTIFIED, "by then")


@pytest.mark.parametrize("endless", [sleeping, stubborn])
def test_a_method_that_hangs_is_stopped_and_the_others_run(listing, endless):
    listing(a=saying(endless), b=saying(2.0, anytime=True))
    start = time.monotonic()
    result = compared(time_limit=1.2)
    assert time.monotonic() - start < 4.0
    assert reasons(result) == {"a": "no answer in 0.6 s"}
    assert [row.name for row in result.rows] == ["b"]


def test_a_child_that_nobody_ends_ends_itself():
    question = Question(load(WEIGHTS), parse("inf"))
    child = _Child(lambda: stubborn(question), 0.1)
    assert os.waitstatus_to_exitcode(os.waitpid(child._number, 0)[1]) == -signal.SIGALRM
    os.close(child._read)


def test_what_a_method_has_when_time_is_over_counts(listing):
    listing(a=saying(patient))
    (row,) = compared(time_limit=0.2).rows
    assert row.answer == Answer(5.0, Label.CERTIFIED, "by then")


def test_the_time_of_all_together_is_kept(listing):
    late = {f"m{i}": saying(stubborn) for i in range(12)}
    listing(**late, a=saying(1.0))
    start = time.monotonic()
    result = compared(time_limit=1.0)
    assert time.monotonic() - start < 3.0
    assert [row.name for row in result.rows] == ["a"]
    assert reasons(result)["m9"] == "not tried: the time was over"


def test_methods_that_get_better_with_time_come_last_and_are_told_their_share(listing):
    def told(question):
        return Answer(question.settings.time_limit, Label.CERTIFIED)

    listing(a=saying(told, anytime=True), b=saying(told), c=saying(told))
    shares = {row.name: row.answer.value for row in compared(time_limit=9.0).rows}
    # The first of three, of two, and alone; each is told four fifths.
    assert shares["b"] == pytest.approx(0.8 * 3.0, rel=0.05)
    assert shares["c"] == pytest.approx(0.8 * 4.5, rel=0.05)
    assert shares["a"] == pytest.approx(0.8 * 9.0, rel=0.05)


def test_what_is_left_goes_to_those_that_could_use_more(listing):
    def growing(question):
        time.sleep(question.settings.time_limit)
        return Answer(1.0 / question.settings.time_limit, Label.CERTIFIED)

    listing(a=saying(growing), b=saying(2.0), c=saying(2.0), d=saying(2.0))
    start = time.monotonic()
    rows = {row.name: row for row in compared(time_limit=2.0).rows}
    assert time.monotonic() - start < 3.0
    # Once a quarter of the time, and then all that is left.
    assert 2 * 0.4 < rows["a"].seconds < 0.8 * (2.0 - 0.4) + 0.3
    assert rows["a"].answer.value == pytest.approx(1 / rows["a"].seconds, rel=0.2)


def test_an_answer_is_not_lost_when_more_time_brings_none(listing):
    def moody(question):
        time.sleep(question.settings.time_limit)
        if question.settings.time_limit > 0.5:
            raise ZeroDivisionError
        return Answer(3.0, Label.CERTIFIED)

    listing(a=saying(moody), b=saying(2.0), c=saying(2.0), d=saying(2.0))
    result = compared(time_limit=2.0)
    assert [row.name for row in result.rows] == ["a", "b", "c", "d"]


def test_an_interrupt_leaves_the_table_by_then(listing):
    def interrupting(question):
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

    listing(a=saying(1.0), b=saying(interrupting), c=saying(3.0))
    result = compared()
    assert result.interrupted
    assert [row.name for row in result.rows] == ["a"]
    assert reasons(result) == {"b": "interrupted", "c": "interrupted"}


def test_an_interrupt_before_the_first_answer_is_an_error(listing):
    listing(a=saying(lambda q: os.kill(os.getppid(), signal.SIGINT) or sleeping(q)))
    with pytest.raises(geolip.errors.InterruptedRunError):
        compared()


@pytest.mark.parametrize("label", [Label.LOWER, Label.FGL_LOWER])
@pytest.mark.parametrize("upper", [Label.CERTIFIED, Label.EXACT])
def test_a_lower_bound_above_an_upper_one_is_an_alarm(listing, label, upper):
    listing(low=saying(np.nextafter(2.0, 3.0), label), up=saying(2.0, upper))
    assert "low proves at least 2.0000000000000004" in compared().contradiction
    listing(low=saying(2.0, label), up=saying(2.0, upper))
    assert compared().contradiction is None


def test_an_estimate_below_the_truth_is_no_alarm(listing):
    listing(low=saying(2.0, Label.LOWER), guess=saying(1.0, Label.ESTIMATE))
    assert compared().contradiction is None


def test_no_answer_at_all_is_an_error_with_all_reasons(listing):
    listing(a=saying(1.0, refused="not this"), b=saying(unproved))
    with pytest.raises(CertificationError, match=r"a: not this\n  b: no multipliers"):
        compared()


def test_unknown_names_are_refused_before_the_model_is_read():
    with pytest.raises(UsageError, match="norm_product"):
        geolip.compare("nowhere.onnx", only=["k5"])


def test_a_name_given_twice_runs_once():
    result = compared(only=["norm_product", "norm_product"])
    assert [row.name for row in result.rows] == ["norm_product"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_budget_must_be_positive(seconds):
    with pytest.raises(UsageError, match="time limit"):
        compared(time_limit=seconds)


def test_the_json_object(listing):
    listing(
        up=saying(lambda q: Answer(4.0, Label.CERTIFIED, "late"), title="Up"),
        low=saying(2.0, Label.LOWER),
        out=saying(0.0, refused="no", title="Out"),
    )
    content = json.loads(compared(seed=3).to_json())
    up = content["rows"][0]
    assert up.pop("seconds") >= 0
    assert up == {
        "name": "up",
        "title": "Up",
        "label": "certified",
        "value": 4.0,
        "ratio": 2.0,
        "note": "late",
    }
    (out,) = content["silent"]
    assert out.pop("seconds") >= 0
    assert out == {"name": "out", "title": "Out", "reason": "no"}
    assert content["schema"] == comparison.SCHEMA == "geolip.bounds/1"
    assert content["norm"] == {"input": "inf", "output": "inf"}
    assert content["model"]["neurons"] == 2
    assert (content["best_upper"], content["best_lower"]) == ("up", "low")
    assert content["contradiction"] is None
    assert content["interrupted"] is False
    assert (content["seed"], content["accuracy"]) == (3, 1e-4)
    assert content["time_limit"] == 30.0
    assert {"notes", "versions", "threads", "seconds"} < set(content)


def test_other_systems_run_methods_in_this_process(monkeypatch):
    monkeypatch.setattr("sys.platform", "other")
    here = []
    question = Question(load(WEIGHTS), parse("inf"))
    done = attempt(saying(lambda q: here.append(1) or 2.0), question, 1.0)
    assert done.outcome == Answer(2.0, Label.CERTIFIED)
    assert here == [1]

    def stopped(question):
        raise KeyboardInterrupt

    assert attempt(saying(stopped), question, 1.0).interrupted
