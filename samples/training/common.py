"""What the training scripts share: paths, seeding, ONNX export, and the check of the written file."""

import collections
import json
import os
import pathlib
import random

import numpy as np
import torch

SAMPLES = pathlib.Path(__file__).resolve().parent.parent
DATA = SAMPLES / "data"
MODELS = SAMPLES / "models"
OPSET = 13  # unless a network needs a later one


def seed_everything(seed, threads=2):
    """The same seed, thread count and versions give the same weights."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(threads)  # the order of float sums depends on it


def predict(model, x, batch=500):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(batch)])


def accuracy(scores, labels):
    return (scores.argmax(1) == labels).double().mean().item()


def export(model, example, path, input_name, output_name, opset=OPSET):
    """Write the model in inference form, with a free batch size N.

    TrainingMode.PRESERVE on a model in eval mode matters: the default mode folds every
    BatchNormalization into the Conv before it, and a file without them would exercise less.
    """
    import onnx  # here and below, so that training alone does without it

    model.eval()
    torch.onnx.export(
        model, example, str(path), opset_version=opset,
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        input_names=[input_name], output_names=[output_name],
        dynamic_axes={input_name: {0: "N"}, output_name: {0: "N"}})
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


def shape_of(value_info):
    return [d.dim_param or d.dim_value for d in value_info.type.tensor_type.shape.dim]


def note(path, entry):
    """Put the results of one network into results.json."""
    file = MODELS / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    results[path.name] = entry
    file.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
    print(path.name, json.dumps({k: v for k, v in entry.items() if k != "ops"}))


def report(path, model, x, labels, seconds, epochs, seed, **more):
    """Check the file against the model in memory on the held-out rows, and note the results in results.json."""
    import onnx

    from evaluate import run_onnx

    expected = predict(model, x)
    actual = torch.cat([run_onnx(path, part) for part in x.split(500)])
    difference = (expected - actual).abs().max().item()
    assert difference < 1e-3, f"{path.name} differs from the trained model by {difference}"

    proto = onnx.load(str(path))
    ops = [node.op_type for node in proto.graph.node]
    entry = {
        "accuracy": round(accuracy(actual, labels), 4),
        "held_out_rows": len(labels),
        "input": {"name": proto.graph.input[0].name, "shape": shape_of(proto.graph.input[0])},
        "output": {"name": proto.graph.output[0].name, "shape": shape_of(proto.graph.output[0])},
        "parameters": sum(p.numel() for p in model.parameters()),
        "file_bytes": path.stat().st_size,
        "opset": proto.opset_import[0].version,
        "ops": ops,
        "op_counts": dict(sorted(collections.Counter(ops).items())),
        "largest_difference_from_torch": float(f"{difference:.2g}"),
        "seed": seed,
        "epochs": epochs,
        "training_seconds": round(seconds, 1),
        **more,
    }
    note(path, entry)
