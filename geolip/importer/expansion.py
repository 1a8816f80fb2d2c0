"""How far compressed content may expand: a small file must not fill the memory."""

_FREE, _RATIO = 2**26, 16


def largest(stored: int) -> int:
    """Return how many bytes so many compressed ones may stand for.

    No file of weights shrinks to a sixteenth; what is small anyway may.
    """
    return max(_FREE, _RATIO * stored)


def check(expanded: int, stored: int) -> None:
    """Refuse content that expands further.

    Raises
    ------
    ValueError
        If it does.
    """
    if expanded > largest(stored):
        raise ValueError(
            f"{stored} bytes would expand to more than {largest(stored)}: store the "
            "weights without compression"
        )
