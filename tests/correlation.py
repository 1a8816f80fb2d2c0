"""Convolutions as SciPy correlates."""

import numpy as np
from scipy.signal import correlate

from geolip.arrays import Array
from geolip.linear import Convolution


def correlated(conv: Convolution, X: Array) -> Array:
    """Return the convolution of every column by SciPy, channel by channel."""
    c_out, depth = conv.kernel.shape[:2]
    c_in = depth * conv.groups
    spread = [(k - 1) * d + 1 for k, d in zip(conv.taps, conv.dilations, strict=True)]
    kernel = np.zeros((c_out, depth, *spread))
    kernel[(..., *(slice(None, None, d) for d in conv.dilations))] = conv.kernel
    steps = tuple(slice(None, None, s) for s in conv.strides)
    results = []
    for x in X.T:
        tensor = np.pad(
            x.reshape(conv.batch, c_in, *conv.space), [(0, 0), (0, 0), *conv.pads]
        )
        images = []
        for image in tensor:
            for o in range(c_out):
                first = o // (c_out // conv.groups) * depth
                channels = [
                    correlate(image[first + i], kernel[o, i], "valid", "direct")[steps]
                    for i in range(depth)
                ]
                images.append(sum(channels))
        results.append(np.stack(images).ravel())
    return np.stack(results, axis=1)
