"""Files that are written whole or not at all."""

import os
from pathlib import Path

from geolip.errors import UsageError


def is_special(path: Path) -> bool:
    """Return whether it is a device or a pipe, to be written to and not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the work rather than after it.

    Raises
    ------
    UsageError
        If the path is a folder, or not in one that may be written to.
    """
    if is_special(path):
        return
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: name a file in a writable folder")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it is never seen half written, whatever happens.

    A device or a pipe is written to as it is.

    Raises
    ------
    UsageError
        If it cannot be written; what was there before is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        if is_special(path):
            path.write_bytes(data)
            return
        try:
            draft.write_bytes(data)
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
