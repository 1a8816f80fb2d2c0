"""Why an operator is not certified: the table of reasons, the error that carries one.

Source: docs/theory.md section 2, the functions without a finite global slope.
"""

PRODUCT = "product of two activations has no global Lipschitz constant"
QUOTIENT = "division by an activation has no global Lipschitz constant"
_JUMPS = "jumps, so it has no Lipschitz constant"
_STEEP = "has unbounded slope, so it has no global Lipschitz constant"
_RANDOM = "is random"
_CONTROL = "control flow is not supported"

_OPERATORS = {
    _JUMPS: """
        And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil
        DynamicQuantizeLinear Equal Floor Greater GreaterOrEqual Hardmax IsInf IsNaN
        Less LessOrEqual Mod NonMaxSuppression NonZero Not Or QuantizeLinear Round
        Sign Unique Xor""",
    _STEEP: """
        Acos Acosh Asin Atanh Attention Cosh Det Exp LRN Log LpNormalization Pow
        Reciprocal ReduceLogSum ReduceProd ReduceSumSquare Sinh Sqrt Tan""",
    _RANDOM: """
        Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform
        RandomUniformLike""",
    _CONTROL: "If Loop Scan SequenceMap",
    "is no scalar activation: remove it and certify what it reads": """
        LogSoftmax Softmax""",
}
_REASONS = {kind: why for why, kinds in _OPERATORS.items() for kind in kinds.split()}

# BitCast and CastLike depend on the element type, and folding widens it. The others
# have readers that take constants too, and refuse training mode and what runtimes
# read differently; ONNX's reference implementation blends the statistics of the batch
# into BatchNormalization before opset 14.
_NEVER_FOLDED = {
    "AveragePool",
    "BatchNormalization",
    "BitCast",
    "CastLike",
    "Conv",
    "Dropout",
}


class RefusedError(Exception):
    """A node that is well formed but cannot be certified; the text is the reason."""


def reason(kind: str) -> str:
    """Return why operator ``kind`` cannot be applied to activations."""
    return _REASONS.get(kind, "not supported yet")


def can_fold(kind: str) -> bool:
    """Return whether ``kind`` may be evaluated when all that it reads is constant."""
    if kind in _NEVER_FOLDED:
        return False
    return _REASONS.get(kind) not in (_RANDOM, _CONTROL)
