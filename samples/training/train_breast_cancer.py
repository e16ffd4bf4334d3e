"""Write breast-cancer.csv, and train and export breast-cancer-mlp.onnx. Takes seconds."""

import time

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

from common import DATA, MODELS, accuracy, export, predict, report, seed_everything

SEED = 1
EVERY = 5  # data rows 0, 5, 10, ... are held out
EPOCHS = 40


def write_csv():
    """Each feature in standard deviations from its mean, so that a contribution compares a case with the average one."""
    cases = load_breast_cancer()
    features = (cases.data - cases.data.mean(0)) / cases.data.std(0)
    table = np.column_stack([cases.target, features])
    folder = DATA / "breast-cancer"
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "breast-cancer.csv", table, fmt=["%d"] + ["%.4f"] * features.shape[1], delimiter=",",
               header=",".join(["diagnosis", *cases.feature_names]), comments="")
    raw = np.column_stack([cases.target, cases.data])
    np.savetxt(folder / "measurements.csv", raw, fmt=["%d"] + ["%.7g"] * features.shape[1], delimiter=",",
               header=",".join(["diagnosis", *cases.feature_names]), comments="")
    (folder / "labels.txt").write_text("\n".join(cases.target_names) + "\n")


def read_csv():
    table = np.loadtxt(DATA / "breast-cancer" / "breast-cancer.csv", delimiter=",", skiprows=1)
    return torch.from_numpy(table[:, 1:]).float(), torch.from_numpy(table[:, 0]).long()


def mlp():
    return nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))


def train(model, rows, labels):
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-1)
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(rows), generator=generator).split(32):
            loss = nn.functional.cross_entropy(model(rows[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def main():
    write_csv()
    rows, labels = read_csv()
    held_out = torch.arange(len(rows)) % EVERY == 0
    seed_everything(SEED)
    model = mlp()
    start = time.time()
    train(model, rows[~held_out], labels[~held_out])
    seconds = time.time() - start
    print(f"held-out accuracy {accuracy(predict(model, rows[held_out]), labels[held_out]):.4f}")
    path = MODELS / "breast-cancer-mlp.onnx"
    export(model, rows[:2], path, "features", "logits")
    report(path, model, rows[held_out], labels[held_out], seconds, EPOCHS, SEED,
           held_out="rows of breast-cancer.csv whose 0-based index is a multiple of 5")


if __name__ == "__main__":
    main()
