"""What proves one bound of a certificate, and how a file holds it.

Source: docs/certificates.md section 1.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geolip.errors import RefusedCertificateError
from geolip.multipliers import Multipliers
from geolip.strict_json import Reader
from geolip.triangles import Triangles

# The methods of proof.
MULTIPLIERS, NORM_PRODUCT, CONSTANT = "multipliers", "norm product", "constant"


@dataclass(frozen=True, eq=False)
class Proof:
    """Why one output, or all together, cannot move faster.

    Parameters
    ----------
    index : int or None
        The output's flat index; None for the whole output.
    bound : float
        What is proved.
    method : str
        ``multipliers``, ``norm product`` or ``constant``.
    multipliers : Multipliers or None
        One for each input coordinate and each neuron of the model; zero for those that
        do not matter.
    """

    index: int | None
    bound: float
    method: str
    multipliers: Multipliers | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what a certificate holds of it, as plain data."""
        content: dict[str, Any] = {
            "index": self.index,
            "bound": self.bound.hex(),
            "method": self.method,
        }
        if self.multipliers is not None:
            content["tau"] = [float(t).hex() for t in self.multipliers.tau]
            content["d"] = [[float(x).hex() for x in d] for d in self.multipliers.d]
            if self.multipliers.triangles:
                content["triangles"] = _triangles_as_dict(self.multipliers.triangles)
        return content

    @classmethod
    def from_reader(cls, reader: Reader) -> "Proof":
        """Return the proof that plain data describes.

        Raises
        ------
        RefusedCertificateError
            If anything is missing, superfluous or of the wrong kind.
        """
        index, bound = reader.optional_integer("index"), reader.number("bound")
        method = reader.text("method")
        multipliers = None
        if method == MULTIPLIERS:
            multipliers = Multipliers(
                reader.numbers("tau"), tuple(reader.number_lists("d"))
            )
            if reader.has("triangles"):
                given = reader.object("triangles")
                triangles = _triangles_from(given, len(multipliers.tau))
                multipliers = replace(multipliers, triangles=triangles)
        reader.close()
        return cls(index, bound, method, multipliers)


def _triangles_as_dict(triangles: Triangles) -> dict[str, Any]:
    return {
        "corners": [int(place) for place in triangles.corners.ravel()],
        "signs": [float(sign).hex() for sign in triangles.signs.ravel()],
        "weights": [float(weight).hex() for weight in triangles.weights],
    }


def _triangles_from(reader: Reader, size: int) -> Triangles:
    corners = np.array(reader.integers("corners"), dtype=np.int64)
    signs, weights = reader.numbers("signs"), reader.numbers("weights")
    reader.close()
    if not corners.size == signs.size == 3 * weights.size:
        raise RefusedCertificateError("a triangle has three corners and three signs")
    return Triangles(size, corners.reshape(-1, 3), signs.reshape(-1, 3), weights)
