"""Shapes and places of an ONNX graph worked out before it is simplified.

The simplifier folds arithmetic on shapes in some runs and not in others, so that one network had
several texts. What is folded here it does not meet.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto


def fold_constants(model: "ModelProto") -> "ModelProto":
    """The model with every computation of shapes and places replaced by its values.

    Args:
        model: With nodes in topological order and a static input shape.
    """
    from onnx import numpy_helper, shape_inference

    model = shape_inference.infer_shapes(model)
    graph = model.graph
    shapes = _static_shapes(graph)
    known = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    kept = []
    for node in graph.node:
        inputs = [name for name in node.input if name]
        if node.op_type == "Shape" and inputs[0] in shapes and not node.attribute:
            known[node.output[0]] = np.array(shapes[inputs[0]], dtype=np.int64)
        elif all(name in known and _is_index(known[name]) for name in inputs):
            known |= _evaluate(model, node, {name: known[name] for name in inputs})
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input} | {each.name for each in graph.output}
    weights = [numpy_helper.from_array(known[name], name) for name in known if name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(weights)
    return model


def _is_index(values: np.ndarray) -> bool:
    """Whether values speak of shapes and places; an operation on constant features stays."""
    return values.dtype.kind in "iub"


def _static_shapes(graph: "GraphProto") -> dict[str, list[int]]:
    return {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.input)
        if all(size.HasField("dim_value") for size in value.type.tensor_type.shape.dim)
    }


def _evaluate(
    model: "ModelProto", node: "NodeProto", inputs: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What a node makes of known inputs, by ONNX's own reference implementation."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for name, a in inputs.items()
    ]
    made = [helper.make_empty_tensor_value_info(name) for name in node.output]
    alone = helper.make_model(
        helper.make_graph([node], "alone", given, made), opset_imports=model.opset_import
    )
    values = ReferenceEvaluator(alone).run(None, inputs)
    return dict(zip(node.output, map(np.asarray, values), strict=True))
