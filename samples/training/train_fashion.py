"""Write the Fashion-MNIST sample files, and train and export fashion-cnn.onnx. A GPU makes the training much shorter.

The network learns from images that were changed a little so as to mislead it, beside the images themselves (Madry et
al. 2018, arXiv 1706.06083). The reason is its maps: a network that small changes cannot sway has to rely on what is
visible in an image, and its gradients show that (Tsipras et al. 2019, arXiv 1805.12152), where ordinary training gives
speckle. The price is about two points of accuracy.
"""

import argparse
import gzip
import pathlib
import struct
import time

import numpy as np
import torch
from torch import nn

from common import DATA, MODELS, accuracy, export, predict, report, seed_everything

SEED = 1
EPOCHS = 24
BATCH = 256
RADIUS = 0.5  # the largest L2 norm of a change to an image, whose pixels are from 0 to 1
STEPS = 2  # of gradient ascent towards the worst change
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
    kind = {"uint8": 8, "float32": 13}[values.dtype.name]
    raw = struct.pack(">HBB", 0, kind, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + values.astype(values.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(raw, 9, mtime=0))  # without a time the same values give the same file


def write_samples(images, labels):
    from PIL import Image  # here, so that training alone does without it

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
    count, device = len(images), images.device
    mirrored = torch.rand(count, generator=generator, device=device) < 0.5
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
    padded = nn.functional.pad(images, (2, 2, 2, 2))
    dy, dx = torch.randint(0, 5, (2, count, 1), generator=generator, device=device)
    rows, columns = dy + torch.arange(28, device=device), dx + torch.arange(28, device=device)
    each = torch.arange(count, device=device).view(-1, 1, 1)
    return padded[each, 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def lengths(changes):
    return changes.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-12  # to divide by, also where there is no change


def perturb(model, images, labels):
    """Change each image by at most RADIUS so that the loss rises: projected gradient ascent."""
    model.eval()  # mislead the network as it will be used, and leave its running statistics alone
    change = torch.zeros_like(images)
    for _ in range(STEPS):
        change.requires_grad_()
        loss = nn.functional.cross_entropy(model(images + change), labels)
        slope, = torch.autograd.grad(loss, change)
        # Steps of 1.5 times their share of the radius, so that the change can reach it though the path bends.
        change = change.detach() + 1.5 * RADIUS / STEPS * slope / lengths(slope)
        change = change * (RADIUS / lengths(change)).clamp(max=1)
        change = (images + change).clamp(0, 1) - images  # pixels stay pixels
    model.train()
    return images + change


def train(images, labels, watch_images, watch_labels, device):
    """Train a new network; returns its weights, and the time and device they took."""
    images, labels, watch_images, watch_labels = (
        t.to(device) for t in (images, labels, watch_images, watch_labels))
    seed_everything(SEED)
    model = network().to(device)
    generator = torch.Generator(device).manual_seed(SEED)
    batches = (len(images) + BATCH - 1) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=8e-3, epochs=EPOCHS, steps_per_epoch=batches)
    start = time.time()
    for epoch in range(EPOCHS):
        model.train()
        for rows in torch.randperm(len(images), generator=generator, device=device).split(BATCH):
            clean, truth = augment(images[rows], generator), labels[rows]
            # Both in equal parts: the network is to be right about unchanged images above all.
            scores = model(torch.cat([clean, perturb(model, clean, truth)]))
            loss = nn.functional.cross_entropy(scores, torch.cat([truth, truth]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        # Only to watch: the last epoch is kept, whatever the figures.
        watched = accuracy(predict(model, watch_images), watch_labels)
        print(f"epoch {epoch + 1}: {time.time() - start:.0f} s, {watched:.4f} on the first test images", flush=True)
    return {"weights": {name: t.cpu() for name, t in model.state_dict().items()},
            "seconds": time.time() - start, "device": device}


def export_and_report(trained, images, labels):
    model = network()
    model.load_state_dict(trained["weights"])
    MODELS.mkdir(exist_ok=True)
    path = MODELS / "fashion-cnn.onnx"
    export(model, images[:2], path, "image", "logits")
    report(path, model, images, labels, trained["seconds"], EPOCHS, SEED,
           training_device=trained["device"],
           perturbation={"norm": "L2", "radius": RADIUS, "steps": STEPS},
           held_out="the 10,000 official test images",
           accuracy_on_the_first_1000=round(accuracy(predict(model, images[:IMAGES_KEPT]), labels[:IMAGES_KEPT]), 4))


def to_tensors(images, labels):
    return torch.from_numpy(images).float().unsqueeze(1) / 255, torch.from_numpy(labels).long()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist",
                        help="folder with the four original files (default: where dataset-fashion-mnist puts them)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu",
                        help="where to train (default: cuda when available)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--data-only", action="store_true", help="write the sample files and stop")
    only.add_argument("--train-only", type=pathlib.Path, metavar="FILE",
                      help="train, save the weights to FILE and stop; needs only PyTorch and NumPy")
    only.add_argument("--export-only", type=pathlib.Path, metavar="FILE",
                      help="export and evaluate the weights that --train-only saved, perhaps on another machine")
    options = parser.parse_args()

    def read(name):
        return (read_idx(options.source / f"{name}-images-idx3-ubyte.gz"),
                read_idx(options.source / f"{name}-labels-idx1-ubyte.gz"))

    test = read("t10k")
    if not options.train_only and not options.export_only:
        write_samples(*test)
    if options.data_only:
        return

    images, labels = to_tensors(*test)
    if options.export_only:
        trained = torch.load(options.export_only)
    else:
        trained = train(*to_tensors(*read("train")), images[:IMAGES_KEPT], labels[:IMAGES_KEPT], options.device)
    if options.train_only:
        torch.save(trained, options.train_only)
    else:
        export_and_report(trained, images, labels)


if __name__ == "__main__":
    main()
