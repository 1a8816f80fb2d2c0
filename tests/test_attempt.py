"""Methods in child processes: those that fail, those that hang, and interrupts."""

import os
import signal
import time
from functools import partial

import pytest
from fake_methods import WEIGHTS, compared, put_in_place, reasons, saying

import geolip
from geolip.attempt import _Child, attempt
from geolip.errors import CertificationError
from geolip.importer import load
from geolip.methods import Answer, Label, Question
from geolip.norms import parse


@pytest.fixture
def listing(monkeypatch):
    return partial(put_in_place, monkeypatch)


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
def test_a_method_that_hangs_is_stopped(endless):
    done = attempt(saying(endless), Question(load(WEIGHTS), parse("inf")), 0.3)
    assert done.outcome == "no answer in 0.3 s"


def test_a_child_that_nobody_ends_ends_itself():
    question = Question(load(WEIGHTS), parse("inf"))
    child = _Child(lambda: stubborn(question), 0.1)
    assert os.waitstatus_to_exitcode(os.waitpid(child._number, 0)[1]) == -signal.SIGALRM
    os.close(child._read)


def test_what_a_method_has_when_time_is_over_counts(monkeypatch):
    # Busy machines need longer to say it.
    monkeypatch.setattr("geolip.attempt._LEAST_GRACE", 10.0)
    done = attempt(saying(patient), Question(load(WEIGHTS), parse("inf")), 1.0)
    assert done.outcome == Answer(5.0, Label.CERTIFIED, "by then")


def test_an_interrupt_leaves_the_table_by_then(listing):
    def interrupting(question):
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)

    listing(a=saying(1.0), b=saying(interrupting), c=saying(3.0))
    result = compared()
    assert result.interrupted
    assert [row.name for row in result.rows] == ["a"]
    assert reasons(result) == {"b": "interrupted", "c": "interrupted"}


def test_a_refusal_that_fails_or_is_interrupted_is_no_other_end(listing):
    refusing = saying(1.0)
    refusing.refusal = broken
    listing(a=refusing, b=saying(2.0))
    result = compared()
    assert reasons(result) == {"a": "it failed: ZeroDivisionError: in line two"}
    refusing.refusal = lambda q: os.kill(os.getppid(), signal.SIGINT) or sleeping(q)
    with pytest.raises(geolip.errors.InterruptedRunError):
        compared()


def test_an_interrupt_before_the_first_answer_is_an_error(listing):
    listing(a=saying(lambda q: os.kill(os.getppid(), signal.SIGINT) or sleeping(q)))
    with pytest.raises(geolip.errors.InterruptedRunError):
        compared()


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
