"""What becomes of a node of the graph: one line of what `geolip inspect` tells."""

from dataclasses import dataclass

FOLDED, LINEAR, ACTIVATION, HEAD = "folded", "linear", "activation", "head"
REFUSED, UNREAD = "refused", "not read"


@dataclass(frozen=True)
class Fate:
    """What becomes of a node that the output depends on.

    Parameters
    ----------
    name, operator : str
        The node's, or of several that are one activation the last one's.
    shape : tuple of int or None
        Of its first output, where it is known.
    kind : str
        ``folded`` for constants, ``linear`` where it is merged into a map,
        ``activation``, or ``head`` for a last Softmax or norm; ``refused``, or
        ``not read`` where it reads what is refused.
    reason : str or None
        Why it is refused.
    """

    name: str
    operator: str
    shape: tuple[int, ...] | None
    kind: str
    reason: str | None = None
