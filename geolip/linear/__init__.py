"""Linear operators, one file each, and the exact ways to combine them."""

from geolip.linear.composition import Composition as Composition
from geolip.linear.composition import compose as compose
from geolip.linear.convolution import Convolution as Convolution
from geolip.linear.dense import Dense as Dense
from geolip.linear.operator import LinearOperator as LinearOperator
from geolip.linear.restriction import restrict as restrict
from geolip.linear.restriction import scaled as scaled
from geolip.linear.sparse import Sparse as Sparse
from geolip.linear.sparse import identity as identity
from geolip.linear.sparse import scaling as scaling
from geolip.linear.sparse import selection as selection
from geolip.linear.sum import Sum as Sum
from geolip.linear.sum import add as add
from geolip.linear.transposed_convolution import (
    TransposedConvolution as TransposedConvolution,
)
