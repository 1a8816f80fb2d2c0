"""What ONNX defines for a node: its operator's schema and the attributes' defaults."""

from collections.abc import Iterable
from typing import Any

from onnx import (
    AttributeProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    defs,
    helper,
)

from geolip.errors import ModelError
from geolip.importer.refusals import RefusedError

ONNX_DOMAINS = ("", "ai.onnx")

# Before it, Add had its own broadcasting and Dropout could be in training.
_OLDEST_OPSET = 7


def opset_of(imports: Iterable[OperatorSetIdProto], whose: str) -> int:
    """Return the version of ONNX's own operators among the imported ones.

    Raises
    ------
    ModelError
        If there is not exactly one, or it is too old or too new.
    """
    versions = [entry.version for entry in imports if entry.domain in ONNX_DOMAINS]
    known = defs.onnx_opset_version()
    if len(versions) != 1 or not _OLDEST_OPSET <= versions[0] <= known:
        found = ", ".join(map(str, versions)) or "none"
        raise ModelError(
            f"{whose}'s opset version is {found}: expected one from {_OLDEST_OPSET} "
            f"to {known}; onnx.version_converter converts"
        )
    return int(versions[0])


def schema_of(node: NodeProto, opset: int) -> defs.OpSchema:
    """Return the definition of a node's operator in a version of the operator set.

    Raises
    ------
    RefusedError
        If ONNX defines no such operator.
    ValueError
        If the node has too few or too many inputs or outputs, or lacks one.
    """
    try:
        schema = defs.get_schema(node.op_type, opset, "")
    except defs.SchemaError as error:
        raise RefusedError(f"ONNX opset {opset} has no such operator") from error
    if schema.deprecated:
        raise RefusedError(f"no longer an operator in ONNX opset {opset}")
    if not schema.min_input <= len(node.input) <= schema.max_input:
        raise ValueError(f"it has {len(node.input)} inputs, which ONNX does not allow")
    if not schema.min_output <= len(node.output) <= schema.max_output:
        raise ValueError(
            f"it has {len(node.output)} outputs, which ONNX does not allow"
        )
    for formal, name in zip(schema.inputs, node.input, strict=False):
        if not name and formal.option == defs.OpSchema.FormalParameterOption.Single:
            raise ValueError(f"input {formal.name} is missing")
    return schema


def attributes_of(node: NodeProto, schema: defs.OpSchema) -> dict[str, Any]:
    """Return the attributes of a node, defaults filled in, strings decoded.

    Raises
    ------
    ValueError
        If one is unknown, given twice, of the wrong type or missing.
    """
    attributes: dict[str, Any] = {}
    for given in node.attribute:
        formal = schema.attributes.get(given.name)
        if formal is None:
            raise ValueError(f"ONNX defines no attribute {given.name!r} for it")
        if given.name in attributes:
            raise ValueError(f"attribute {given.name!r} is given twice")
        kind = AttributeProto.AttributeType.Name(given.type)
        expected = getattr(defs.OpSchema.AttrType, kind, None)
        if given.ref_attr_name or formal.type != expected:
            raise ValueError(f"attribute {given.name!r} has the wrong type")
        if given.t.data_location == TensorProto.EXTERNAL:
            raise ValueError(f"attribute {given.name!r} is stored outside the model")
        attributes[given.name] = _value(given)
    for name, formal in schema.attributes.items():
        if name in attributes:
            continue
        if formal.required:
            raise ValueError(f"attribute {name!r} is missing")
        if formal.default_value.type:
            attributes[name] = _value(formal.default_value)
    return attributes


def _value(attribute: AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    return value.decode() if isinstance(value, bytes) else value
