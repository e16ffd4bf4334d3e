"""Evaluate an ONNX file node by node in PyTorch, so that a measured accuracy is the file's own, not the model's in memory.

It knows only the operators of the networks trained here, and refuses any other.
"""

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch
import torch.nn.functional as F


def run_onnx(path, x):
    """The first output for the input x."""
    graph = onnx.load(str(path)).graph
    return tensors(graph, x)[graph.output[0].name]


def tensors(graph, x):
    """Every tensor by name, for the input x."""
    values = {t.name: tensor(t) for t in graph.initializer}
    values[graph.input[0].name] = x
    for node in graph.node:
        attributes = {p.name: onnx.helper.get_attribute_value(p) for p in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        if node.op_type not in OPERATORS:
            raise NotImplementedError(node.op_type)
        results = OPERATORS[node.op_type](attributes, *inputs)
        values.update(zip(node.output, results if isinstance(results, tuple) else (results,)))
    return values


def tensor(proto):
    return torch.from_numpy(np.array(onnx.numpy_helper.to_array(proto)))


def conv(a, x, weights, bias=None):
    pads = a.get("pads", [0, 0, 0, 0])
    assert pads[:2] == pads[2:] and set(a["dilations"]) == {1} and a["group"] == 1
    return F.conv2d(x, weights, bias, stride=a["strides"], padding=pads[:2])


def batch_normalization(a, x, *parameters):
    assert a.get("training_mode", 0) == 0
    scale, bias, mean, variance = (p.view(1, -1, 1, 1) for p in parameters)
    return (x - mean) / torch.sqrt(variance + a["epsilon"]) * scale + bias


def max_pool(a, x):
    assert set(a["pads"]) == {0} and a.get("ceil_mode", 0) == 0
    return F.max_pool2d(x, a["kernel_shape"], a["strides"])


def flatten(a, x):
    assert a.get("axis", 1) == 1
    return x.flatten(1)


def gemm(a, x, weights, bias):
    assert a.get("alpha", 1) == 1 and a.get("beta", 1) == 1 and not a.get("transA", 0)
    return x @ (weights.T if a.get("transB", 0) else weights) + bias


def gather(a, x, indices):
    axis = a.get("axis", 0)
    picked = x.index_select(axis, indices.reshape(-1) % x.shape[axis])
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])


def slices(a, x, starts, ends, axes=None, steps=None):
    axes = range(len(starts)) if axes is None else axes.tolist()
    for k, axis in enumerate(axes):
        assert steps is None or steps[k] == 1
        window = range(x.shape[axis])[int(starts[k]):int(ends[k])]
        x = x.narrow(axis, window.start, len(window))
    return x


def unsqueeze(a, x, axes):
    for axis in sorted(axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def reshape(a, x, shape):
    sizes = [x.shape[k] if size == 0 else size for k, size in enumerate(shape.tolist())]
    return x.reshape(sizes)


def expand(a, x, shape):
    return x.expand(torch.broadcast_shapes(x.shape, shape.tolist()))


def divide(a, x, y):
    return x / y if x.is_floating_point() else x.div(y, rounding_mode="trunc")


def lstm(a, x, w, r, b, lengths, h, c):
    """Gates in the order i, o, f, c of the ONNX specification."""
    assert lengths is None and a.get("direction", b"forward") == b"forward" and w.shape[0] == 1
    h, c, states = h[0], c[0], []
    for step in x:
        i, o, f, g = (step @ w[0].T + h @ r[0].T + b[0].chunk(2)[0] + b[0].chunk(2)[1]).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return torch.stack(states)[:, None], h[None], c[None]


def along(a, x, parameter):
    """A parameter of the whole tensor, or one for each index of the axis."""
    return parameter if parameter.dim() == 0 else parameter.view([-1] + [1] * (x.dim() - 1 - a.get("axis", 1)))


def quantize(a, x, scale, zero):
    limits = torch.iinfo(zero.dtype)
    return (torch.round(x / along(a, x, scale)) + along(a, x, zero)).clamp(limits.min, limits.max).to(zero.dtype)


def dequantize(a, x, scale, zero):
    return (x.float() - along(a, x, zero).float()) * along(a, x, scale)


def cast(a, x):
    return x.to({1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool}[a["to"]])


OPERATORS = {
    "Conv": conv, "BatchNormalization": batch_normalization, "MaxPool": max_pool, "Flatten": flatten, "Gemm": gemm,
    "Gather": gather, "Slice": slices, "Unsqueeze": unsqueeze, "Reshape": reshape, "Expand": expand, "Div": divide,
    "LSTM": lstm, "Cast": cast, "QuantizeLinear": quantize, "DequantizeLinear": dequantize,
    "Constant": lambda a: tensor(a["value"]),
    "ConstantOfShape": lambda a, shape: tensor(a["value"]).expand(shape.tolist()),
    "Shape": lambda a, x: torch.tensor(x.shape),
    "Identity": lambda a, x: x,
    "Relu": lambda a, x: x.clamp(min=0),
    "Erf": lambda a, x: torch.erf(x),
    "Sqrt": lambda a, x: torch.sqrt(x),
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Pow": lambda a, x, y: x ** y,
    "Equal": lambda a, x, y: x == y,
    "Where": lambda a, condition, x, y: torch.where(condition, x, y),
    "MatMul": lambda a, x, y: x @ y,
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Concat": lambda a, *parts: torch.cat(parts, a["axis"]),
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=a.get("keepdims", 1) == 1),
}
