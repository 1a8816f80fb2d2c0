"""From a model to a comparison of methods: the way of `geolip.compare`."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from geolip import importer, methods, norms, provenance
from geolip.attempt import TOLD, Attempt, attempt, refusal
from geolip.backend import Settings
from geolip.certification import checked, read
from geolip.comparison import Comparison, Row, Silence, ordered
from geolip.errors import CertificationError, InterruptedRunError
from geolip.importer import DEFAULT_LIMITS, Limits
from geolip.methods import Answer, Label, Method, Question
from geolip.network import Network
from geolip.norms import NormPair

TIME_LIMIT = 60.0
# How many times its former share a method must have, to be asked again.
_MORE = 1.5

_Ask = Callable[[Method, Question, float], Attempt]


def compare(
    model: Any,
    norm: object = "inf",
    *,
    only: Sequence[str] = (),
    example_input: Any = None,
    input_name: str | None = None,
    output_name: str | None = None,
    accuracy: float = Settings.accuracy,
    time_limit: float = TIME_LIMIT,
    seed: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Bound the Lipschitz constant of a network with every method there is.

    Parameters
    ----------
    model, norm, example_input, input_name, output_name, limits
        As for `geolip.certify`.
    only : sequence of str
        The methods' names; all by default.
    accuracy : float
        The relative gap at which methods that get better with time may stop.
    time_limit : float
        Seconds for all methods together. Those whose answer does not depend on time
        come first. Each may take an equal share of what is left for it and those after
        it; on Linux it runs in a child process, which is killed soon after that. What
        is left in the end goes to those whose share was too small: they run again.
    seed : int
        Of everything random.
    progress : callable, optional
        Called with a line before each method.

    Returns
    -------
    Comparison
        With a row for each answer, and a reason for each method without one.

    Raises
    ------
    UsageError
        An unknown name, a missing file, a value out of range.
    ModelError
        The model cannot be read, or uses something unsupported.
    CertificationError
        No method has an answer.
    InterruptedRunError
        The run was interrupted before the first answer.
    """
    start = time.monotonic()
    pair = norms.parse(norm)
    settings = checked(Settings(accuracy, time_limit, seed))
    names = list(dict.fromkeys(only or methods.names()))
    # Those that are asked for in vain are told before the model is read.
    found = {name: methods.get(name) for name in names}
    names.sort(key=lambda name: methods.is_anytime(found[name]))
    if example_input is not None:
        model = importer.export(model, example_input)
    network, summary = read(model, limits, input_name, output_name)
    question = Question(network.without_head(pair.output), pair, settings)
    asking = _Asking(found, question, time_limit, progress or _silent)
    asking.ask(names)
    rows: list[Row] = []
    silent: list[Silence] = []
    for name, done in asking.attempts.items():
        title = found[name].TITLE
        if isinstance(done.outcome, Answer):
            answer = _honest(done.outcome, network)
            rows.append(Row(name, title, answer, done.seconds))
        else:
            silent.append(Silence(name, title, done.outcome, done.seconds))
    interrupted = asking.interrupted
    if not rows:
        if interrupted:
            raise InterruptedRunError("interrupted before the first answer")
        reasons = "\n".join(f"  {one.name}: {one.reason}" for one in silent)
        raise CertificationError(f"no method has an answer:\n{reasons}")
    return Comparison(
        model=summary,
        input_norm=pair.input.name,
        output_norm=pair.output.name,
        rows=ordered(rows),
        silent=tuple(sorted(silent, key=lambda silence: silence.name)),
        settings={"accuracy": accuracy, "seed": seed, "time_limit": time_limit},
        seconds=time.monotonic() - start,
        interrupted=interrupted,
        notes=tuple(_notes(network, pair)),
        versions=provenance.versions(),
        threads=provenance.threads(),
    )


class _Asking:
    """Asks methods, one after the other, until all have had the time they can use.

    Attributes
    ----------
    attempts : dict of str to Attempt
        The last of each method that came to an answer, else the last.
    interrupted : bool
        Whether somebody wants no more methods.
    """

    def __init__(
        self,
        found: Mapping[str, Method],
        question: Question,
        seconds: float,
        progress: Callable[[str], None],
    ) -> None:
        self._found, self._question, self._progress = found, question, progress
        self._deadline = time.monotonic() + seconds
        self._shares = dict.fromkeys(found, 0.0)
        late = Attempt("not tried: the time was over", 0.0)
        self.attempts = dict.fromkeys(found, late)
        self.interrupted = False

    def ask(self, names: Sequence[str]) -> None:
        """Ask these methods, and again those that could use more than their share.

        Those that refuse take no share.
        """
        names, asked = [name for name in names if not self._refuses(name)], True
        while names and asked:
            again, asked = [], False
            for number, name in enumerate(names):
                if self.interrupted:
                    self._note(name, Attempt("interrupted", 0.0))
                    continue
                share = self._left() / (len(names) - number)
                if share <= _MORE * self._shares[name]:
                    again.append(name)
                    continue
                asked = True
                count = f"method {number + 1} of {len(names)}, up to {share:.0f} s"
                self._progress(f"{count}: {self._found[name].TITLE}")
                if self._try(name, share).seconds >= TOLD * share:
                    again.append(name)
            if self.interrupted:
                return
            # Whose share was smallest comes last, and may have all that is left.
            names = sorted(again, key=self._shares.__getitem__, reverse=True)

    def _refuses(self, name: str) -> bool:
        if self.interrupted or not self._left():
            return False
        done = self._done(refusal, name, self._left() / len(self._found))
        if done.outcome:
            self._note(name, done)
        return bool(done.outcome)

    def _try(self, name: str, share: float) -> Attempt:
        self._shares[name] = share
        done = self._done(attempt, name, share)
        self._note(name, done)
        return done

    def _done(self, asking: _Ask, name: str, seconds: float) -> Attempt:
        try:
            done = asking(self._found[name], self._question, seconds)
        except KeyboardInterrupt:
            done = Attempt("interrupted", 0.0, interrupted=True)
        self.interrupted = done.interrupted
        return done

    def _note(self, name: str, done: Attempt) -> None:
        """Keep the last attempt, but no failure in place of an answer."""
        answered = isinstance(self.attempts[name].outcome, Answer)
        if isinstance(done.outcome, Answer) or not answered:
            self.attempts[name] = done

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)


def _silent(_: str) -> None:
    """Show no progress."""


def _honest(answer: Answer, network: Network) -> Answer:
    """Return the answer, as an estimate where factors may have been rounded."""
    return replace(answer, label=Label.ESTIMATE) if network.inexact else answer


def _notes(network: Network, pair: NormPair) -> list[str]:
    notes = []
    head = network.head
    if head is not None:
        notes.append(
            f"all numbers are of what {head.name} reads, times its Lipschitz constant "
            f"{head.constants[pair.output.name]:g}: upper bounds hold for the model, "
            "lower bounds need not"
        )
    if network.inexact:
        notes.append(f"all numbers are estimates: {network.inexactness}")
    return notes
