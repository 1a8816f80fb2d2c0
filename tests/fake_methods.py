"""Methods that say what a test wants, in place of those of the folder."""

from types import SimpleNamespace

import numpy as np

import geolip
from geolip import methods
from geolip.methods import Answer, Label

WEIGHTS = [np.eye(2), np.ones((1, 2))]


def saying(outcome, label=Label.CERTIFIED, *, anytime=False, refused=None, title="t"):
    """Return a method that answers a number, or does what it is told."""

    def answer(question):
        value = outcome(question) if callable(outcome) else outcome
        return value if isinstance(value, Answer) else Answer(value, label)

    return SimpleNamespace(
        TITLE=title, ANYTIME=anytime, refusal=lambda q: refused, answer=answer
    )


def put_in_place(monkeypatch, **others):
    """Let these be all methods there are."""
    monkeypatch.setattr(methods, "names", lambda: sorted(others))
    monkeypatch.setattr(methods, "get", others.__getitem__)


def compared(**options):
    return geolip.compare(WEIGHTS, "inf", **{"time_limit": 30.0, **options})


def reasons(result):
    return {silence.name: silence.reason for silence in result.silent}
