"""ECLipsE and ECLipsE-Fast: small programs layer by layer, or a closed form, l_2.

Source: Xu and Sivaranjani, NeurIPS 2024; the authors' package.
"""

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from published import Chain

TITLE = "eclipse-nn"
PACKAGE = "eclipse-nn"
NORM = "2"
FORMS = ("ECLipsE", "ECLipsE_Fast")


def refusal(chain: "Chain") -> str | None:
    """Return None: it takes any fully connected network."""
    del chain
    return None


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """Return what the package returns, which nobody checked."""
    import numpy as np
    import torch
    from eclipse_nn.LipConstEstimator import LipConstEstimator

    stored = np.load(task["chain"])
    count = len(stored.files) - 1
    weights = [torch.tensor(stored[f"W{k}"]) for k in range(1, count + 1)]
    lower, upper = map(float, stored["slopes"])
    slopes = {"alphas": [lower] * (count - 1), "betas": [upper] * (count - 1)}
    start = time.perf_counter()
    value = LipConstEstimator(weights=weights, **slopes).estimate(task["form"])
    return {
        "value": float(value),
        "label": "estimate",
        "note": f"{PACKAGE} {version(PACKAGE)}, unverified",
        "seconds": time.perf_counter() - start,
    }
