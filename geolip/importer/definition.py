"""What ONNX defines for a node: its operator's schema and the attributes' defaults."""

from typing import Any

from onnx import AttributeProto, NodeProto, TensorProto, defs, helper

from geolip.importer.refusals import RefusedError


def schema_of(node: NodeProto, opset: int) -> defs.OpSchema:
    """Return the definition of a node's operator in a version of the operator set.

    Raises
    ------
    RefusedError
        If ONNX defines no such operator.
    ValueError
        If the node has too few or too many inputs or outputs.
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
