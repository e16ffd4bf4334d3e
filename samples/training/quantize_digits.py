"""Write digits-cnn-int8.onnx: digits-cnn.onnx with weights and activations rounded to 8 bits. Takes seconds.

It is the form that quantizers write for inference (QDQ): QuantizeLinear and DequantizeLinear around float operators,
weights stored as signed bytes with a scale per output channel, biases as 32-bit integers. The ranges of the activations
are those that the training rows reach.
"""

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch

from common import MODELS, accuracy, note, shape_of
from evaluate import run_onnx, tensors
from train_digits import EVERY, read_csv

WEIGHTED = ("Conv", "Gemm")


def main():
    images, labels = read_csv()
    held_out = torch.arange(len(images)) % EVERY == 0
    model = onnx.load(str(MODELS / "digits-cnn.onnx"))
    graph = model.graph
    reached = tensors(graph, images[~held_out])
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    initializers, nodes, scales = [], [], {}

    def store(name, values):
        initializers.append(onnx.numpy_helper.from_array(values, name))
        return name

    def activation(name):
        """The tensor rounded to unsigned bytes and back; once, however many nodes read it."""
        if name not in scales:
            low, high = min(0.0, reached[name].min().item()), max(0.0, reached[name].max().item())
            scales[name] = np.float32((high - low) / 255)
            parameters = [store(f"{name}/scale", np.array(scales[name])),
                          store(f"{name}/zero", np.array(round(-low / scales[name]), np.uint8))]
            nodes.append(onnx.helper.make_node("QuantizeLinear", [name, *parameters], [f"{name}/bytes"], f"{name}/quantize"))
            nodes.append(onnx.helper.make_node("DequantizeLinear", [f"{name}/bytes", *parameters], [f"{name}/rounded"], f"{name}/dequantize"))
        return f"{name}/rounded"

    def parameter(name, values, scale, kind):
        """A weight as integers, with a scale per output channel (axis 0 of Conv's kernel, of Gemm's transposed matrix, of a bias)."""
        limits = np.iinfo(kind)
        rounded = np.round(values / scale.reshape([-1] + [1] * (values.ndim - 1))).clip(limits.min, limits.max).astype(kind)
        inputs = [store(f"{name}/integers", rounded), store(f"{name}/scale", scale), store(f"{name}/zero", np.zeros(len(scale), kind))]
        nodes.append(onnx.helper.make_node("DequantizeLinear", inputs, [f"{name}/rounded"], f"{name}/dequantize", axis=0))
        return f"{name}/rounded"

    for node in graph.node:
        node.input[0] = activation(node.input[0])
        if node.op_type in WEIGHTED:
            weights = stored[node.input[1]]
            scale = (np.abs(weights).reshape(len(weights), -1).max(1) / 127).astype(np.float32)
            of_bias = (scale * scales[node.input[0].removesuffix("/rounded")]).astype(np.float32)
            node.input[2] = parameter(node.input[2], stored[node.input[2]], of_bias, np.int32)
            node.input[1] = parameter(node.input[1], weights, scale, np.int8)
        nodes.append(node)
    rounded = onnx.helper.make_graph(nodes, "digits-cnn-int8", graph.input, graph.output, initializers)
    model = onnx.helper.make_model(rounded, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(model, full_check=True)
    path = MODELS / "digits-cnn-int8.onnx"
    onnx.save(model, str(path))

    scores = run_onnx(path, images[held_out])
    note(path, {
        "accuracy": round(accuracy(scores, labels[held_out]), 4),
        "held_out_rows": int(held_out.sum()),
        "input": {"name": graph.input[0].name, "shape": shape_of(graph.input[0])},
        "output": {"name": graph.output[0].name, "shape": shape_of(graph.output[0])},
        "file_bytes": path.stat().st_size,
        "opset": model.opset_import[0].version,
        "ops": [node.op_type for node in nodes],
        "largest_difference_from_digits_cnn": float(f"{(scores - run_onnx(MODELS / 'digits-cnn.onnx', images[held_out])).abs().max().item():.2g}"),
        "held_out": "rows of digits.csv whose 0-based index is a multiple of 7",
    })


if __name__ == "__main__":
    main()
