"""The trained networks that come with geolip."""

from pathlib import Path

from families import Folder, Member

TITLE = "trained on digits"
ABOUT = (
    "The networks of models/: fully connected, convolutional and residual "
    "classifiers of 8 x 8 pixels."
)
NORMS = ("inf", "2")
GROWS = ""
METHODS = ()

_MODELS = Path(__file__).parent.parent.parent / "models"


def members(full: bool) -> list[Member]:
    """Return all of them."""
    return Folder(_MODELS).members(full)
