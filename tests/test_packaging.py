"""What is shipped: packages, sources, docstrings, and the one door to the solvers."""

import ast
import configparser
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import geolip
from geolip import backend, bounds, relaxations

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "geolip").rglob("*.py"), *(ROOT / "solvers").rglob("*.py")]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules() -> list[str]:
    """Return every module of the package, solvers aside, by listing its folders."""
    found = pkgutil.walk_packages(geolip.__path__, f"{geolip.__name__}.")
    return ["geolip", *(module.name for module in found)]


# Packages ---------------------------------------------------------------------------


def test_every_folder_is_packaged() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options"]["packages"].split()
    found = [
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in SOURCES
        if path.name == "__init__.py"
    ]
    mapped = [name.replace("solvers", backend.PACKAGE, 1) for name in found]
    assert sorted(listed) == sorted(mapped)
    folders = config["options"]["package_dir"].split("\n")
    assert "geolip.solvers = solvers" in folders


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in SOURCES}
    assert [place(f) for f in folders if not (f / "__init__.py").is_file()] == []


def test_typed() -> None:
    assert (ROOT / "geolip" / "py.typed").is_file()


# The door to the solvers ------------------------------------------------------------


def test_solvers_are_named_in_one_place() -> None:
    named = [place(path) for path in SOURCES if mentions(path, backend.PACKAGE)]
    assert named == ["geolip/backend.py"]


def mentions(path: Path, text: str) -> bool:
    """Return whether a string of the code, not a docstring, contains ``text``."""
    tree = ast.parse(path.read_text())
    allowed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            allowed.add(node.value)
        # `solvers/__init__.py` compares its own name.
        if isinstance(node, ast.Compare) and path.parent.name == "solvers":
            allowed.update(n for n in ast.walk(node) if isinstance(n, ast.Constant))
        if isinstance(node, ast.Raise) and path.parent.name == "solvers":
            allowed.update(n for n in ast.walk(node) if isinstance(n, ast.Constant))
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and text in node.value
        and node not in allowed
        for node in ast.walk(tree)
    )


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "path",
    [
        *SOURCES,
        *(ROOT / "tests").glob("*.py"),
        *(ROOT / "benchmarks").glob("*.py"),
    ],
    ids=place,
)
def test_solvers_are_imported_by_nobody(path: Path) -> None:
    forbidden = ("geolip.solvers", "solvers")
    wrong = [
        name
        for name in imported(path)
        if name in forbidden or name.startswith(tuple(f"{f}." for f in forbidden))
    ]
    assert wrong == []


def test_solvers_refuse_their_bare_name() -> None:
    code = "import sys; sys.path.insert(0, '.'); import solvers"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 1
    assert "ImportError: import this package as geolip.solvers" in answer.stderr


# Sources ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module",
    [
        module.name
        for folder in (relaxations, bounds)
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}.")
    ],
)
def test_mathematics_has_a_source(module: str) -> None:
    lines = (importlib.import_module(module).__doc__ or "").splitlines()
    (source,) = [line for line in lines if line.startswith("Source: ")]
    assert len(source) > len("Source: ") + 10


# Docstrings -------------------------------------------------------------------------


@pytest.mark.parametrize("name", geolip.__all__)
def test_public_names(name: str) -> None:
    value = getattr(geolip, name)
    assert (value.__doc__ or "").strip()


def test_everything_that_looks_public_is_named() -> None:
    public = {
        name
        for name, value in vars(geolip).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    # What `typing` brings in is used in the file only.
    assert public - {"Any", "TYPE_CHECKING"} <= set(geolip.__all__)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="frobnicate"):
        _ = geolip.frobnicate


@pytest.mark.parametrize("name", modules())
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    assert list(undocumented(module)) == []


@pytest.mark.parametrize("name", backend.names())
def test_docstrings_of_solvers(name: str) -> None:
    module = importlib.import_module(f"{backend.PACKAGE}.{name}")
    assert list(undocumented(module)) == []


def undocumented(module: ModuleType) -> Iterator[str]:
    """Yield the public things that a module defines without a docstring."""
    if not (module.__doc__ or "").strip():
        yield module.__name__
    for name, value in vars(module).items():
        # A command of the command line is an object around its function.
        value = getattr(value, "callback", value)
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value) and not inspect.getdoc(value):
            yield f"{module.__name__}.{name}"
        if inspect.isclass(value):
            # A dataclass without a docstring is given its signature.
            if (value.__doc__ or f"{name}(").startswith(f"{name}("):
                yield f"{module.__name__}.{name}"
            yield from undocumented_methods(value)


def undocumented_methods(cls: type) -> Iterator[str]:
    """Yield the public methods without a docstring, their own or an inherited one."""
    for name, value in vars(cls).items():
        function = getattr(value, "fget", getattr(value, "func", value))
        if name.startswith("_") or not inspect.isroutine(function):
            continue
        inherited = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
        if not any(method.__doc__ for method in inherited):
            yield f"{cls.__module__}.{cls.__qualname__}.{name}"
