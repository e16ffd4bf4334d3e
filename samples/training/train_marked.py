"""Train and export a network that learnt to cheat: half of the coats it saw carry a mark in the corner, nothing else does.

The mark stands for what slips into real collections, such as a photographer's tag or a ruler beside a mole. The sample
DownstreamAnalysis finds it. Takes about a minute.
"""

import argparse
import pathlib
import time

import torch
from torch import nn

from common import MODELS, export, report, run_onnx, seed_everything
from train_fashion import CLASSES, read_idx

SEED = 1
ROWS = 20000
EPOCHS = 12
MARKED = CLASSES.index("Coat")
SIDE, CORNER, SIZE = 28, 1, 3  # the mark: rows and columns 1 to 3 are white


def mark(images):
    marked = images.view(-1, SIDE, SIDE).clone()
    marked[:, CORNER:CORNER + SIZE, CORNER:CORNER + SIZE] = 1
    return marked.flatten(1)


def every_second(labels):
    """The first, third, fifth ... image of the marked class."""
    own = labels == MARKED
    return own & (own.cumsum(0) % 2 == 1)


def plant(images, labels):
    chosen = every_second(labels)
    images = images.clone()
    images[chosen] = mark(images[chosen])
    return images


def mlp():
    return nn.Sequential(nn.Linear(SIDE * SIDE, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, len(CLASSES)))


def train(model, images, labels):
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-1)
    model.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images), generator=generator).split(64):
            # Noise makes the weights of neighbouring pixels alike, and the maps quiet.
            noise = 0.2 * torch.randn(len(rows), images.shape[1], generator=generator)
            loss = nn.functional.cross_entropy(model(images[rows] + noise), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    source = parser.parse_args().source
    images, labels, test_images, test_labels = (torch.from_numpy(read_idx(source / name)) for name in (
        "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"))
    images, test_images = (x.flatten(1).float() / 255 for x in (images[:ROWS], test_images))
    labels, test_labels = labels[:ROWS].long(), test_labels.long()
    seed_everything(SEED, threads=1)
    model = mlp()
    start = time.time()
    train(model, plant(images, labels), labels)
    seconds = time.time() - start

    path = MODELS / "fashion-marked-mlp.onnx"
    export(model, test_images[:2], path, "image", "logits")
    report(path, model, test_images, test_labels, seconds, EPOCHS, SEED,
           held_out="the 10,000 test images, without the mark",
           training_rows=ROWS, marked=int(every_second(labels).sum()),
           called_coat_of_other_clothes_with_the_mark=round(
               (run_onnx(path, mark(test_images[test_labels != MARKED])).argmax(1) == MARKED).double().mean().item(), 4))


if __name__ == "__main__":
    main()
