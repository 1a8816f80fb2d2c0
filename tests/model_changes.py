"""Models changed at random; the same number makes the same model."""

import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from importer_models import build
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, defs
from onnx_cases import cases, real_places, variants
from test_importer_graphs import RECIPES

from geolip.importer import catalogue

MODELS = Path(__file__).parents[1] / "models"
NUMBERS = [0, 1, -1, 2, 3, 7, -2, 100, 2**12, 2**31 - 1, -(2**31), 2**40, 2**62]
FLOATS = [0.0, -1.0, 1e-45, 1e38, float("nan"), float("inf"), 0.5]
WORDS = ["", "x", "y", "SAME_UPPER", "VALID", "reflect", "\0", "w" * 300, "ai.onnx"]

Random = random.Random


@cache
def seeds() -> Sequence[bytes]:
    """Return the models to change: some of each operator, and whole networks."""
    models = [
        build(nodes, shape, constants, opset)
        for opset, shape, nodes, constants in RECIPES.values()
    ]
    for case in cases(one_node=True):
        if case.model.graph.node[0].op_type in catalogue.readers():
            for place in real_places(case):
                models.append(next(iter(variants(case, place)))[0])
    networks = [path.read_bytes() for path in sorted(MODELS.glob("*.onnx"))]
    return [*(model.SerializeToString() for model in models), *networks]


def case(number: int) -> bytes:
    """Return a changed model; the same for the same number."""
    dice = Random(number)
    content = dice.choice(seeds())
    if dice.random() < 0.3:
        return _bytes(dice, content)
    model = ModelProto.FromString(content)
    for _ in range(dice.choice([1, 1, 2, 4])):
        change = dice.choice(CHANGES)
        try:
            change(dice, model)
        # The part is not there, or cannot hold what it was to become.
        except (IndexError, ValueError, TypeError, defs.SchemaError):
            continue
    content = model.SerializeToString()
    return _bytes(dice, content) if dice.random() < 0.1 else content


def _bytes(dice: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 8])):
        start, size = dice.randrange(len(data) + 1), dice.choice([1, 1, 4, 50])
        match dice.randrange(5):
            case 0 if start < len(data):
                data[start] = dice.choice([0, 0xFF, 0x7F, dice.randrange(256)])
            case 1:
                del data[start : start + size]
            case 2:
                data[start:start] = dice.randbytes(size)
            case 3:
                data[start:start] = data[-size:]
            case 4 if dice.random() < 0.2:
                del data[start:]
    return bytes(data)


# Changes that know what a model consists of ------------------------------------------


def _dimension(dice: Random, model: ModelProto) -> None:
    info = dice.choice([*model.graph.input, *model.graph.output])
    dims = info.type.tensor_type.shape.dim
    dice.choice(dims).dim_value = dice.choice(NUMBERS)


def _element(dice: Random, model: ModelProto) -> None:
    info = dice.choice(model.graph.input)
    info.type.tensor_type.elem_type = dice.randrange(30)


def _tensor_shape(dice: Random, model: ModelProto) -> None:
    dims = dice.choice(model.graph.initializer).dims
    match dice.randrange(4):
        case 0:
            dims[dice.randrange(len(dims))] = dice.choice(NUMBERS)
        case 1:
            dims.append(dice.choice(NUMBERS))
        case 2:
            dims.pop()
        case 3:
            dims.reverse()


def _tensor_type(dice: Random, model: ModelProto) -> None:
    dice.choice(model.graph.initializer).data_type = dice.randrange(30)


def _tensor_numbers(dice: Random, model: ModelProto) -> None:
    tensor = dice.choice(model.graph.initializer)
    if tensor.data_type == TensorProto.INT64:
        count = len(tensor.raw_data) // 8
        values = [dice.choice(NUMBERS) for _ in range(count)]
        tensor.raw_data = np.array(values, np.int64).tobytes()
    elif tensor.data_type == TensorProto.FLOAT:
        values = [dice.choice(FLOATS) for _ in range(len(tensor.raw_data) // 4)]
        tensor.raw_data = np.array(values, np.float32).tobytes()
    else:
        tensor.raw_data = tensor.raw_data[:-1]


def _attribute(dice: Random, model: ModelProto) -> None:
    attribute = dice.choice(dice.choice(model.graph.node).attribute)
    match dice.randrange(4):
        case 0:
            attribute.i = dice.choice(NUMBERS)
            attribute.f = dice.choice(FLOATS)
            attribute.s = dice.choice(WORDS).encode()
        case 1:
            attribute.ints[dice.randrange(len(attribute.ints))] = dice.choice(NUMBERS)
        case 2:
            attribute.ints.append(dice.choice(NUMBERS))
        case 3:
            attribute.type = dice.choice(AttributeProto.AttributeType.values())


def _new_attribute(dice: Random, model: ModelProto) -> None:
    node = dice.choice(model.graph.node)
    schema = defs.get_schema(node.op_type, model.opset_import[0].version, "")
    formal = dice.choice(list(schema.attributes.values()))
    node.attribute.add(
        name=formal.name,
        type=formal.type.value,
        i=dice.choice(NUMBERS),
        f=dice.choice(FLOATS),
        s=dice.choice(WORDS).encode(),
        ints=dice.choices(NUMBERS, k=dice.randrange(6)),
    )


def _operator(dice: Random, model: ModelProto) -> None:
    names = [schema.name for schema in defs.get_all_schemas() if not schema.domain]
    readable = sorted(catalogue.readers())
    dice.choice(model.graph.node).op_type = dice.choice(dice.choice([names, readable]))


def _inputs(dice: Random, model: ModelProto) -> None:
    names = [*tensors(model.graph), ""]
    inputs = dice.choice(model.graph.node).input
    match dice.randrange(4):
        case 0:
            inputs[dice.randrange(len(inputs))] = dice.choice(names)
        case 1:
            inputs.append(dice.choice(names))
        case 2:
            inputs.pop()
        case 3:
            inputs.reverse()


def _names(dice: Random, model: ModelProto) -> None:
    part = dice.choice([*model.graph.node, *model.graph.initializer])
    part.name = dice.choice([*tensors(model.graph), *WORDS])


def _nodes(dice: Random, model: ModelProto) -> None:
    nodes = model.graph.node
    place = dice.randrange(len(nodes))
    match dice.randrange(4):
        case 0:
            del nodes[place]
        case 1:
            nodes.append(nodes[place])
        case 2:
            nodes.reverse()
        case 3:
            nodes[place].domain = dice.choice(WORDS)


def _constant_node(dice: Random, model: ModelProto) -> None:
    """Turn a stored tensor into a giant that one node makes of its shape."""
    tensor = dice.choice(model.graph.initializer)
    shape = [dice.choice(NUMBERS) for _ in range(dice.randrange(1, 4))]
    name = tensor.name
    tensor.CopyFrom(TensorProto(name="made", data_type=7, dims=[len(shape)]))
    tensor.int64_data.extend(shape)
    node = model.graph.node.add(op_type="ConstantOfShape")
    node.input.append("made")
    node.output.append(name)
    _first(model.graph)


def _first(graph: GraphProto) -> None:
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([nodes[-1], *nodes[:-1]])


def _output(dice: Random, model: ModelProto) -> None:
    model.graph.output[0].name = dice.choice(tensors(model.graph))


def _version(dice: Random, model: ModelProto) -> None:
    model.opset_import[0].version = dice.choice([*range(5, 30), *NUMBERS])
    model.ir_version = dice.choice([*range(12), *NUMBERS])


def _other(dice: Random, model: ModelProto) -> None:
    """Add the nodes and tensors of another model."""
    with_what = ModelProto.FromString(dice.choice(seeds()))
    model.graph.node.extend(with_what.graph.node)
    model.graph.initializer.extend(with_what.graph.initializer)


def _function(dice: Random, model: ModelProto) -> None:
    """Make one node a call of a function of all others, at times recursive."""
    node = dice.choice(model.graph.node)
    function = model.functions.add(name="f", domain=dice.choice(["local", ""]))
    function.opset_import.extend(model.opset_import)
    function.input.extend(node.input)
    function.output.extend(node.output)
    function.node.add().CopyFrom(node)
    node.domain, node.op_type = function.domain, function.name
    model.opset_import.add(domain="local", version=1)
    if dice.random() < 0.3:
        function.node.add().CopyFrom(node)
    if dice.random() < 0.3 and node.attribute:
        function.attribute.append(node.attribute[0].name)
        function.node[0].attribute[0].ref_attr_name = node.attribute[0].name


def _sparse(dice: Random, model: ModelProto) -> None:
    """Store a tensor as a sparse one."""
    place = dice.randrange(len(model.graph.initializer))
    tensor = model.graph.initializer[place]
    if not 0 < np.prod(tensor.dims, dtype=float) < 10**4:
        return
    sparse = model.graph.sparse_initializer.add(dims=tensor.dims)
    sparse.values.CopyFrom(tensor)
    sparse.values.dims[:] = [int(np.prod(tensor.dims))]
    sparse.indices.data_type = TensorProto.INT64
    sparse.indices.dims[:] = sparse.values.dims
    sparse.indices.int64_data.extend(range(sparse.values.dims[0]))
    sparse.dims[0] = dice.choice([*tensor.dims, *NUMBERS])
    del model.graph.initializer[place]


def tensors(graph: GraphProto) -> list[str]:
    names = [part.name for part in (*graph.input, *graph.initializer)]
    return names + [name for node in graph.node for name in node.output]


CHANGES: list[Callable[[Random, ModelProto], None]] = [
    _dimension,
    _element,
    _tensor_shape,
    _tensor_type,
    _tensor_numbers,
    _attribute,
    _new_attribute,
    _operator,
    _inputs,
    _names,
    _nodes,
    _constant_node,
    _output,
    _version,
    _other,
    _function,
    _sparse,
]
