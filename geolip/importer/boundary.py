"""The boundary that no foreign exception crosses on its way out of the importer."""

from collections.abc import Iterator
from contextlib import contextmanager

from geolip.errors import GeolipError, ModelError
from geolip.importer.refusals import RefusedError


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a `ModelError` of one line on ``subject``.

    Protobuf, ONNX and NumPy raise many types on a damaged model and document few of
    them; the original stays attached as the cause.
    """
    try:
        yield
    except (GeolipError, RefusedError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(f"{subject}: {reason}") from error
