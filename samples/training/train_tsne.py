"""Train and export two parametric t-SNE encoders: networks that place an image on a map, learnt without labels.

L. van der Maaten, "Learning a Parametric Embedding by Preserving Local Structure", AISTATS 2009: a network is trained
on the loss of t-SNE, the Kullback-Leibler divergence of the map's neighbourhoods (Student t, one degree of freedom)
from the data's (Gaussians of a given perplexity), batch by batch. The labels only serve to measure the map afterwards.
"""

import argparse
import gzip
import pathlib
import time

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from common import MODELS, export, note, predict, run_onnx, seed_everything
from train_digits import EVERY, read_csv, shift
from train_fashion import IMAGES_KEPT, read_idx

SEED = 1
EXAGGERATION = 4  # of the data's neighbourhoods during the first quarter of the training, as t-SNE does


def encoder(*widths):
    layers = []
    for before, after in zip(widths[:-1], widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def neighbourhoods(x, perplexity, rounds=25):
    """The joint probabilities P of t-SNE over one batch: for each row, bisect the Gaussian's precision until the
    entropy is log(perplexity); then make it symmetric and let it sum to 1."""
    n = len(x)
    distances = torch.cdist(x, x).square()
    own = torch.eye(n, dtype=torch.bool)
    distances[own] = float("inf")
    distances -= distances.min(1, keepdim=True).values  # the nearest at 0: no row underflows
    low, high = torch.zeros(n, 1), torch.full((n, 1), float("inf"))
    precision = torch.ones(n, 1)
    finite = distances.masked_fill(own, 0)
    for _ in range(rounds):
        weights = torch.exp(-precision * distances)
        total = weights.sum(1, keepdim=True)
        entropy = torch.log(total) + precision * (weights * finite).sum(1, keepdim=True) / total
        wide = entropy > np.log(perplexity)
        low, high = torch.where(wide, precision, low), torch.where(wide, high, precision)
        precision = torch.where(torch.isinf(high), precision * 2, (low + high) / 2)
    p = weights / total
    return (p + p.T) / (2 * n)


def divergence(p, y):
    """KL(P || Q) without P's own entropy, which the network cannot change."""
    student = 1 / (1 + torch.cdist(y, y, compute_mode="use_mm_for_euclid_dist").square())
    total = student.sum() - len(y)  # a point is not its own neighbour
    return -(p * torch.log(student)).sum() + p.sum() * torch.log(total)


def train(model, x, batch, perplexity, partitions, epochs, learning_rate, augment):
    """Each epoch takes another of a few fixed partitions into batches, whose neighbourhoods are computed once."""
    generator = torch.Generator().manual_seed(SEED)
    plans = []
    for _ in range(partitions):
        order = torch.randperm(len(x), generator=generator)
        plans.append([(rows, neighbourhoods(x[rows], perplexity)) for rows in order.split(batch) if len(rows) == batch])
    steps = len(plans[0])
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=learning_rate, epochs=epochs, steps_per_epoch=steps)
    model.train()
    for epoch in range(epochs):
        factor = EXAGGERATION if epoch < epochs // 4 else 1
        for rows, p in plans[epoch % partitions]:
            loss = divergence(p * factor, model(augment(x[rows], generator)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} of {epochs}: loss {loss.item():.3f}", flush=True)


def noise(x, generator, level=0.05):
    """The map should put an image where it puts the noisy one. Without it, pixels that are black in nearly every image
    keep the random weights they started with, and are the first that one sees in W. Level: the standard deviation,
    of pixels from 0 to 1."""
    return x + level * torch.randn(x.shape, generator=generator)


def noise_and_shift(x, generator):
    """Also, move a third of the 8x8 images by one pixel: 1,540 images alone are learnt by heart, and unseen digits land
    between the clusters."""
    return noise(shift(x.view(-1, 1, 8, 8), generator).flatten(1), generator, level=0.1)


def neighbour_accuracy(train_map, train_labels, test_map, test_labels):
    return KNeighborsClassifier(1).fit(train_map, train_labels).score(test_map, test_labels)


def measure(name, model, train_x, train_labels, test_x, test_labels, seconds, **more):
    """Export, and measure the written file's map of rows it has not seen beside that of two principal components."""
    path = MODELS / name
    export(model, test_x[:2], path, "image", "position")
    train_map, test_map = (torch.cat([run_onnx(path, part) for part in x.split(1000)]).numpy() for x in (train_x, test_x))
    assert np.abs(test_map - predict(model, test_x).numpy()).max() < 1e-3
    pca = PCA(2).fit(train_x.numpy())
    maps = {"map": (train_map, test_map), "pca": (pca.transform(train_x.numpy()), pca.transform(test_x.numpy()))}
    entry = {"parameters": sum(p.numel() for p in model.parameters()), "training_seconds": round(seconds, 1),
             "training_rows": len(train_x), "held_out_rows": len(test_x), "seed": SEED, **more}
    sample = slice(0, 2000)  # trustworthiness takes memory quadratic in the rows
    for kind, (fitted, held_out) in maps.items():
        entry[f"{kind}_1nn_accuracy"] = round(neighbour_accuracy(fitted, train_labels, held_out, test_labels), 4)
        entry[f"{kind}_trustworthiness_12"] = round(trustworthiness(test_x.numpy()[sample], held_out[sample], n_neighbors=12), 4)
        kept = held_out[:IMAGES_KEPT], test_labels[:IMAGES_KEPT]
        others = KNeighborsClassifier(2).fit(*kept).kneighbors(kept[0], return_distance=False)[:, 1]
        entry[f"{kind}_1nn_accuracy_among_held_out"] = round((kept[1][others] == kept[1]).double().mean().item(), 4)
    note(path, entry)


def digits(epochs):
    images, labels = read_csv()
    x = images.flatten(1)
    held_out = torch.arange(len(x)) % EVERY == 0
    seed_everything(SEED, threads=1)
    model = encoder(64, 128, 128, 256, 2)
    start = time.time()
    train(model, x[~held_out], 770, 20, 20, epochs, 3e-3, noise_and_shift)
    measure("digits-tsne.onnx", model, x[~held_out], labels[~held_out], x[held_out], labels[held_out],
            time.time() - start, epochs=epochs)


def fashion(epochs, source, rows):
    x = torch.from_numpy(read_idx(source / "train-images-idx3-ubyte.gz")).flatten(1).float() / 255
    labels = torch.from_numpy(read_idx(source / "train-labels-idx1-ubyte.gz")).long()
    test_x = torch.from_numpy(read_idx(source / "t10k-images-idx3-ubyte.gz")).flatten(1).float() / 255
    test_labels = torch.from_numpy(read_idx(source / "t10k-labels-idx1-ubyte.gz")).long()
    seed_everything(SEED, threads=1)
    model = encoder(784, 300, 300, 800, 2)
    start = time.time()
    train(model, x[:rows], 1000, 7, 2, epochs, 2e-3, noise)
    measure("fashion-tsne.onnx", model, x[:rows], labels[:rows], test_x, test_labels, time.time() - start, epochs=epochs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--only", choices=["digits", "fashion"])
    parser.add_argument("--epochs", type=int, help="instead of 500 for the digits and 120 for the clothes")
    arguments = parser.parse_args()
    if arguments.only != "fashion":
        digits(arguments.epochs or 500)
    if arguments.only != "digits":
        fashion(arguments.epochs or 120, arguments.source, 60000)


if __name__ == "__main__":
    main()
