"""The trained networks that come with geolip."""

from pathlib import Path

from families import Member

TITLE = "trained on digits"
ABOUT = (
    "The networks of models/: fully connected, convolutional and residual "
    "classifiers of 8 x 8 pixels."
)
NORMS = ("inf", "2")
GROWS = "neurons"
METHODS = ()

_MODELS = Path(__file__).parent.parent.parent / "models"
_NEURONS = {
    "digits_fc": 32,
    "digits_sigmoid": 80,
    "digits_fc3": 144,
    "digits_conv": 224,
    "digits_resnet": 512,
}


def members(full: bool) -> list[Member]:
    """Return all of them."""
    del full
    return [Member(n, _MODELS / f"{n}.onnx", size) for n, size in _NEURONS.items()]
