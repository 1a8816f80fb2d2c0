"""A search in a file: it goes on where it stopped, or the file is refused."""

import hashlib
import json
from itertools import pairwise

import numpy as np
import pytest
from generators import random_graph
from oracles import formal_constant

import geolip
from geolip import norms
from geolip.branching.search import Search
from geolip.branching.state import restore, save
from geolip.errors import RefusedStateError, UsageError
from geolip.presolve import reduce
from geolip.strict_json import canonical

INF, TWO = norms.parse("inf"), norms.parse("2")


def network_of(seed: int, outputs: int = 2):
    return reduce(random_graph(np.random.default_rng([seed, 7]), 12, outputs)).network


def started(network, pair=INF, steps: int = 0) -> Search:
    search = Search(network, pair, largest=0.0)
    search.begin()
    for _ in range(steps):
        if search.open:
            search.step()
    return search


def weights_of(seed: int, *sizes: int):
    random = np.random.default_rng(seed)
    return [random.standard_normal((m, n)) for n, m in pairwise(sizes)]


@pytest.mark.parametrize("norm", ["inf", "2", "2:inf", "inf:2", "1", "inf:1"])
def test_a_search_that_goes_on_ends_where_one_that_never_stopped_does(norm, tmp_path):
    pair, path = norms.parse(norm), tmp_path / "state.json"
    for seed in range(3):
        network = network_of(seed)
        truth = formal_constant(network, pair)
        search = started(network, pair)
        for _ in range(8):
            save(search, path)
            again = Search(network, pair, largest=0.0)
            restore(again, path)
            assert (again.upper, again.lower) == (search.upper, search.lower)
            assert (again.nodes, again.first) == (search.nodes, search.first)
            assert again.upper >= truth * (1 - 1e-12)
            search = again
            if search.open:
                search.step()
        search.run()
        assert search.is_done
        assert search.lower <= truth * (1 + 1e-12)
        assert truth * (1 - 1e-12) <= search.upper


def changed(path, change, *, sign: bool = True) -> None:
    """Change a stored state, with a checksum that is right again unless not wanted."""
    content = json.loads(path.read_text())
    checksum = content.pop("checksum")
    change(content)
    if sign:
        checksum = hashlib.sha256(canonical(content).encode()).hexdigest()
    path.write_text(canonical({**content, "checksum": checksum}))


def _set(**entries):
    return lambda content: content.update(entries)


def _set_open(**entries):
    return lambda content: content["open"][0].update(entries)


def _set_pattern(**entries):
    return lambda content: content["pattern"][0].update(entries)


HOSTILE = {
    "checksum": "checksum",
    "schema": _set(schema="geolip.fgl/2"),
    "other model": _set(semantic_sha256="0" * 64),
    "other norm": _set(input_norm="2"),
    "other accuracy": _set(accuracy=(0.5).hex()),
    "unknown key": _set(note="trust me"),
    "negative count": _set(nodes=-1),
    "no count": _set(nodes=None),
    "negative bound": _set(closed=(-1.0).hex()),
    "not a number": _set(closed="nan"),
    "infinite": _set(first="inf"),
    "open is text": _set(open="none"),
    "pattern is text": _set(pattern="none"),
    "closed above all": _set(closed=(1e9).hex()),
    "open above all": _set_open(bound=(1e9).hex()),
    "no such neuron": _set_open(slopes=[10**6]),
    "neuron twice": _set_open(slopes=[2, 3]),
    "half a neuron": _set_open(slopes=["0x1.8p+1"]),
    "no such input": _set_open(signs=[10**6]),
    "no such piece": _set_open(piece=17),
    "no piece": _set_open(piece=None),
    "old key": _set_open(output=0),
    "free pattern": _set_pattern(slopes=[]),
    "short direction": _set_pattern(direction=[]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_states_are_refused(case, tmp_path):
    path, change = tmp_path / "state.json", HOSTILE[case]
    network = network_of(5)
    search = started(network, steps=1)
    assert search.open
    save(search, path)
    if case == "checksum":
        changed(path, _set(closed=(0.25).hex()), sign=False)
    else:
        changed(path, change)
    fresh = Search(network, INF)
    with pytest.raises(RefusedStateError, match=r"state\.json is no state of a search"):
        restore(fresh, path)
    assert fresh.open == []
    assert fresh.lower == 0.0


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"{" * 999])
def test_what_is_no_state_at_all_is_refused(content, tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(RefusedStateError):
        restore(Search(network_of(0), INF), path)


def test_a_state_cut_short_is_refused(tmp_path):
    path = tmp_path / "state.json"
    save(started(network_of(5), steps=1), path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 37):
        path.write_bytes(whole[:length])
        with pytest.raises(RefusedStateError):
            restore(Search(network_of(5), INF), path)


def test_a_pattern_of_a_state_is_proved_again(tmp_path):
    path = tmp_path / "state.json"
    network = network_of(5)
    search = started(network, steps=1)
    save(search, path)
    changed(path, _set_pattern(direction=[(0.0).hex()] * network.input_size))
    again = Search(network, INF)
    restore(again, path)
    assert again.lower == 0.0
    assert again.upper == search.upper


def test_a_limited_run_and_its_continuation(tmp_path):
    weights = weights_of(0, 24, 32, 1)
    path = tmp_path / "state.json"
    short = geolip.exact_fgl(weights, "inf", time_limit=0.15, state=path)
    assert short.status == "time limit"
    assert short.open > 0
    assert short.lower < short.upper <= short.first
    whole = geolip.exact_fgl(weights, "inf", state=path)
    assert whole.status == "exact"
    assert whole.gap <= 1e-6
    assert short.lower <= whole.upper <= short.upper
    assert whole.nodes > short.nodes
    assert whole.seconds > short.seconds
    done = geolip.exact_fgl(weights, "inf", state=path)
    assert (done.upper, done.lower) == (whole.upper, whole.lower)
    assert done.nodes == whole.nodes
    with pytest.raises(RefusedStateError, match="model"):
        geolip.exact_fgl(weights_of(1, 24, 32, 1), "inf", state=path)
    with pytest.raises(RefusedStateError, match="input norm"):
        geolip.exact_fgl(weights, "2:inf", state=path)


def test_an_interrupt_reports_and_keeps_what_is_known(tmp_path, monkeypatch):
    weights = weights_of(0, 24, 32, 1)
    path = tmp_path / "state.json"
    real, calls = Search.step, []

    def step(search):
        calls.append(search)
        if len(calls) == 5:
            raise KeyboardInterrupt
        real(search)

    monkeypatch.setattr(Search, "step", step)
    found = geolip.exact_fgl(weights, "inf", state=path)
    assert found.status == "interrupted"
    again = Search(calls[0].network, INF)
    restore(again, path)
    assert (again.upper, again.lower) == (found.upper, found.lower)


def test_a_state_that_cannot_be_written_is_no_reason_to_lose_the_bounds(
    tmp_path, monkeypatch
):
    def full(*_, **__):
        raise UsageError("cannot write it: No space left on device")

    monkeypatch.setattr("geolip.branching.state.write_whole", full)
    path = tmp_path / "state.json"
    found = geolip.exact_fgl(weights_of(0, 4, 6, 2), "inf", state=path)
    assert found.status == "exact"
    assert any("No space" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"accuracy": 0.0}, "accuracy"),
        ({"accuracy": float("nan")}, "accuracy"),
        ({"time_limit": 0.0}, "time limit"),
        ({"time_limit": float("inf")}, "time limit"),
        ({"seed": -1}, "seed"),
    ],
)
def test_values_out_of_range(options, part):
    with pytest.raises(UsageError, match=part):
        geolip.exact_fgl(weights_of(0, 2, 2, 1), "inf", **options)


def test_a_large_network_is_refused():
    with pytest.raises(UsageError, match="5000 neurons"):
        geolip.exact_fgl(weights_of(0, 2, 5000, 1), "inf")


def test_a_constant_of_very_many_pieces_is_refused():
    with pytest.raises(UsageError, match="largest of 1800 others"):
        geolip.exact_fgl(weights_of(0, 60, 2, 30), "1:inf")
