"""Why an operator is not certified: the table of reasons, the error that carries one.

Source: docs/theory.md section 2, the functions without a finite global slope.
"""

PRODUCT = "product of two activations has no global Lipschitz constant"
QUOTIENT = "division by an activation has no global Lipschitz constant"
_JUMPS = "jumps, so it has no Lipschitz constant"
_COMPARES = (
    f"{_JUMPS}, except to choose between lines that meet there; PyTorch's Softplus "
    "jumps by 2e-9 at its threshold, unless dynamo=False exports it"
)
_STEEP = "has unbounded slope, so it has no global Lipschitz constant"
_EPSILON = "has a constant of about 1/sqrt(epsilon), which is not supported yet"
_RANDOM = "is random"
_CONTROL = "control flow is not supported"
_SEQUENCES = "sequences and optional values are not supported"

_OPERATORS = {
    PRODUCT: "CumProd LinearAttention ReduceProd SwiGLU",
    _JUMPS: """
        And ArgMax ArgMin BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
        Ceil DynamicQuantizeLinear Equal Floor Hardmax IsInf IsNaN Mod NonMaxSuppression
        NonZero Not Or QuantizeLinear Range Round Sign Unique Xor""",
    _COMPARES: "Greater GreaterOrEqual Less LessOrEqual",
    _STEEP: """
        Acos Acosh Asin Atanh Attention Cosh Det Exp Log LpNormalization Pow Reciprocal
        ReduceLogSum ReduceSumSquare Sinh Sqrt Tan""",
    _EPSILON: """
        GroupNormalization InstanceNormalization LayerNormalization
        MeanVarianceNormalization RMSNormalization""",
    _RANDOM: """
        Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform
        RandomUniformLike""",
    _CONTROL: "If Loop Scan SequenceMap",
    _SEQUENCES: """
        ConcatFromSequence Optional OptionalGetElement OptionalHasElement SequenceAt
        SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength
        SplitToSequence""",
    "takes integers or texts, which no activation is": """
        BlackmanWindow ConstantOfShape ConvInteger DequantizeLinear HammingWindow
        HannWindow ImageDecoder MatMulInteger MelWeightMatrix QLinearConv QLinearMatMul
        RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer""",
    "takes the Indices of a MaxPool, which jump": "MaxUnpool",
    "recurrent layers are not supported yet": "GRU LSTM RNN",
    "is a training loss: remove it and certify what it reads": """
        NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss""",
}
_REASONS = {kind: why for why, kinds in _OPERATORS.items() for kind in kinds.split()}

# BitCast depends on the element type, and folding widens it; ONNX's reference
# implementation does not know Scatter and fails on the normalisation. The others have
# readers that take constants too, and refuse training mode and what runtimes read
# differently; the reference blends the statistics of the batch into BatchNormalization
# before opset 14, and takes only some groups in ConvTranspose. ImageDecoder hands bytes
# of the model to parsers of images, where there are any.
_KEPT = """
    AveragePool BatchNormalization BitCast CastLike Conv ConvTranspose Dropout
    GridSample ImageDecoder MeanVarianceNormalization Resize RoiAlign Scatter
    Upsample"""
_NEVER_FOLDED = frozenset(_KEPT.split())


class RefusedError(Exception):
    """A node that is well formed but cannot be certified; the text is the reason."""


def reason(kind: str) -> str:
    """Return why operator ``kind`` cannot be applied to activations."""
    return _REASONS.get(kind, "not supported yet")


def can_fold(kind: str) -> bool:
    """Return whether ``kind`` may be evaluated when all that it reads is constant."""
    if kind in _NEVER_FOLDED:
        return False
    return _REASONS.get(kind) not in (_RANDOM, _CONTROL, _SEQUENCES)
