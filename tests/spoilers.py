"""Ways to spoil a certificate as plain data."""

import numpy as np


def scaled(text, factor):
    return (factor * float.fromhex(text)).hex()


def lower_the_bounds(content, random):
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 1 - 1e-3)


def halve_a_tau(content, random):
    for proof in content["proofs"]:
        if "tau" in proof:
            j = random.integers(len(proof["tau"]))
            proof["tau"][j] = scaled(proof["tau"][j], 0.5)


def halve_all_tau(content, random):
    for proof in content["proofs"]:
        proof["tau"] = [scaled(t, 0.5) for t in proof.get("tau", [])]


def negate_a_tau(content, random):
    for proof in content["proofs"]:
        if "tau" in proof:
            j = int(np.argmax([float.fromhex(t) for t in proof["tau"]]))
            proof["tau"][j] = scaled(proof["tau"][j], -1.0)


def change_a_multiplier(content, random):
    for proof in content["proofs"]:
        if proof.get("d"):
            layer = proof["d"][random.integers(len(proof["d"]))]
            j = random.integers(len(layer))
            layer[j] = scaled(layer[j], random.choice([0.0, 0.9, 0.9999, 1.0001, 2.0]))


def raise_bounds_change_all(content, random):
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 1.1)
        for layer in [proof.get("tau", []), *proof.get("d", [])]:
            layer[:] = [scaled(x, random.uniform(0.96, 1.04)) for x in layer]


def swap_the_norms(content, random):
    ends = content["input"], content["output"]
    ends[0]["norm"], ends[1]["norm"] = ends[1]["norm"], ends[0]["norm"]


def measure_the_input_otherwise(content, random):
    norm = content["input"]["norm"]
    content["input"]["norm"] = "2" if norm == "inf" else "inf"


def call_it_a_norm_product(content, random):
    for proof in content["proofs"]:
        proof["method"] = "norm product"
        proof.pop("tau", None), proof.pop("d", None)


def raise_the_norm_product(content, random):
    call_it_a_norm_product(content, random)
    for proof in content["proofs"]:
        proof["bound"] = scaled(proof["bound"], 10.0 ** random.uniform(0, 2))


def call_it_constant(content, random):
    call_it_a_norm_product(content, random)
    for proof in content["proofs"]:
        proof["method"] = "constant"


def leave_a_row_out(content, random):
    content["proofs"] = content["proofs"][1:] or content["proofs"]


def prove_a_row_twice(content, random):
    content["proofs"][-1]["index"] = content["proofs"][0]["index"]


def narrow_the_slopes(content, random):
    for pair in content["slopes"]:
        pair[0] = (0.5).hex()


SPOILERS = [
    lower_the_bounds,
    halve_a_tau,
    halve_all_tau,
    negate_a_tau,
    change_a_multiplier,
    raise_bounds_change_all,
    swap_the_norms,
    measure_the_input_otherwise,
    call_it_a_norm_product,
    raise_the_norm_product,
    call_it_constant,
    leave_a_row_out,
    prove_a_row_twice,
    narrow_the_slopes,
]
