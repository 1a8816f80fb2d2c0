"""Solvers of the relaxations: one file each, the file name is the solver's name."""

if __name__ != "geolip.solvers":
    raise ImportError(
        "import this package as geolip.solvers (run `pip install -e .` first): under "
        f"the name {__name__!r} it would be a second copy"
    )
