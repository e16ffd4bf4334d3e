"""Write the Fashion-MNIST sample files, and train and export fashion-cnn.onnx. Takes some fifteen minutes on two cores."""

import argparse
import gzip
import pathlib
import struct
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

from common import DATA, MODELS, accuracy, export, predict, report, seed_everything

SEED = 1
EPOCHS = 12
BATCH = 128
IMAGES_KEPT = 1000
PNGS_KEPT = 100
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def read_idx(path):
    """IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions, big-endian sizes, then the values."""
    raw = gzip.decompress(path.read_bytes())
    zeros, kind, dimensions = struct.unpack(">HBB", raw[:4])
    assert zeros == 0 and kind == 8
    sizes = struct.unpack(f">{dimensions}I", raw[4:4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(sizes).copy()


def write_idx(path, values):
    raw = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(raw, 9, mtime=0))  # without a time the same values give the same file


def write_samples(images, labels):
    folder = DATA / "fashion-mnist"
    (folder / "png").mkdir(parents=True, exist_ok=True)
    write_idx(folder / "t10k-1000-images-idx3-ubyte.gz", images[:IMAGES_KEPT])
    write_idx(folder / "t10k-1000-labels-idx1-ubyte.gz", labels[:IMAGES_KEPT])
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n")
    for k in range(PNGS_KEPT):
        name = CLASSES[labels[k]].lower().replace(" ", "-").replace("/", "-")
        Image.fromarray(images[k]).save(folder / "png" / f"{k:03}_{name}.png", optimize=True)


class Residual(nn.Module):
    """x + f(x), where f normalises first: here a BatchNormalization stands before its Conv and cannot fold into it."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


def network():
    return nn.Sequential(
        nn.BatchNorm2d(1),  # scales the pixels inside the network, so that callers only divide by 255
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 40, 3, padding=1, bias=False), nn.BatchNorm2d(40), nn.ReLU(),
        Residual(40), nn.MaxPool2d(2),
        nn.Conv2d(40, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        Residual(64), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 3 * 3, 10))


def augment(images, generator):
    """Mirror every second image at random, and move each by up to two pixels."""
    count = len(images)
    mirrored = torch.rand(count, generator=generator) < 0.5
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
    padded = nn.functional.pad(images, (2, 2, 2, 2))
    dy, dx = torch.randint(0, 5, (2, count, 1), generator=generator)
    rows, columns = dy + torch.arange(28), dx + torch.arange(28)
    return padded[torch.arange(count).view(-1, 1, 1), 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def train(model, images, labels, watch_images, watch_labels):
    generator = torch.Generator().manual_seed(SEED)
    steps = (len(images) + BATCH - 1) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, epochs=EPOCHS, steps_per_epoch=steps)
    start = time.time()
    for epoch in range(EPOCHS):
        model.train()
        for rows in torch.randperm(len(images), generator=generator).split(BATCH):
            scores = model(augment(images[rows], generator))
            loss = nn.functional.cross_entropy(scores, labels[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        # Only to watch: the last epoch is kept, whatever the figures.
        watched = accuracy(predict(model, watch_images), watch_labels)
        print(f"epoch {epoch + 1}: {time.time() - start:.0f} s, {watched:.4f} on the first test images", flush=True)
    return time.time() - start


def to_tensors(images, labels):
    return torch.from_numpy(images).float().unsqueeze(1) / 255, torch.from_numpy(labels).long()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist",
                        help="folder with the four original files (default: where dataset-fashion-mnist puts them)")
    parser.add_argument("--data-only", action="store_true", help="write the sample files and stop")
    options = parser.parse_args()

    raw_images = read_idx(options.source / "t10k-images-idx3-ubyte.gz")
    raw_labels = read_idx(options.source / "t10k-labels-idx1-ubyte.gz")
    write_samples(raw_images, raw_labels)
    if options.data_only:
        return

    MODELS.mkdir(exist_ok=True)
    test_images, test_labels = to_tensors(raw_images, raw_labels)
    train_images, train_labels = to_tensors(read_idx(options.source / "train-images-idx3-ubyte.gz"),
                                            read_idx(options.source / "train-labels-idx1-ubyte.gz"))
    seed_everything(SEED)
    model = network()
    seconds = train(model, train_images, train_labels, test_images[:IMAGES_KEPT], test_labels[:IMAGES_KEPT])
    path = MODELS / "fashion-cnn.onnx"
    export(model, test_images[:2], path, "image", "logits")
    report(path, model, test_images, test_labels, seconds, EPOCHS, SEED,
           held_out="the 10,000 official test images",
           accuracy_on_the_first_1000=round(accuracy(predict(model, test_images[:IMAGES_KEPT]),
                                                     test_labels[:IMAGES_KEPT]), 4))


if __name__ == "__main__":
    main()
