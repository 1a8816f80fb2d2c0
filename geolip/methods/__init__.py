"""Ways to bound a Lipschitz constant, upper and lower, one file each.

What stands beside each other in `geolip bounds` is found by listing this folder. A
module here has

``TITLE``
    what the method is called for people,
``refusal(question)``
    None, or one line that says why the method has no answer to this question, and
``answer(question)``
    its `Answer`.

and, where more time makes the answer better, ``ANYTIME = True``: such methods run last
and share what is left of the time.
"""

import math
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from geolip import listing
from geolip.backend import Settings
from geolip.network import Network
from geolip.norms import NormPair


class Label(Enum):
    """What a method's number is; the value is the word for people."""

    CERTIFIED = "certified"
    EXACT = "exact"
    LOWER = "lower"
    FGL_LOWER = "FGL lower"
    ESTIMATE = "estimate"

    @property
    def is_upper(self) -> bool:
        """Whether the constant is proved not to be above the number."""
        return self in (Label.CERTIFIED, Label.EXACT)


@dataclass(frozen=True, eq=False)
class Question:
    """The Lipschitz constant that is asked for, and how much may be spent on it.

    Parameters
    ----------
    network : Network
        Without a head (`Network.without_head`).
    norms : NormPair
        Of inputs and outputs.
    settings : Settings
        Accuracy, seed and seconds of methods that can be stopped at any time.
    """

    network: Network
    norms: NormPair
    settings: Settings = field(default_factory=Settings)

    def deadline(self, parts: int = 1) -> float:
        """Return when, by `time.monotonic`, one of equal parts of the time is over.

        If it begins now.
        """
        limit = self.settings.time_limit
        return math.inf if limit is None else time.monotonic() + limit / parts


@dataclass(frozen=True)
class Answer:
    """What a method says of the constant.

    Parameters
    ----------
    value : float
        The number, rounded up for upper bounds and down for lower ones.
    label : Label
        What it is.
    note : str
        What the reader should know, such as that the time was over.
    """

    value: float
    label: Label
    note: str = ""


class Method(Protocol):
    """The contract of a module in this folder."""

    TITLE: str

    def refusal(self, question: Question) -> str | None:
        """Return None, or one line that says why there will be no answer."""

    def answer(self, question: Question) -> Answer:
        """Return the method's number for a question that it does not refuse."""


def names() -> list[str]:
    """Return the names of all methods, found by listing the folder."""
    return listing.names(__path__)


def is_anytime(method: Method) -> bool:
    """Return whether more time makes a method's answer better."""
    return bool(getattr(method, "ANYTIME", False))


def get(name: str) -> Method:
    """Return the method of that name.

    Raises
    ------
    UsageError
        If there is none; the message lists all.
    """
    method: Method = listing.module(__name__, name, names(), "method")
    return method
