"""Train and export two parametric t-SNE encoders: networks that place an image on a map, learnt without labels.

L. van der Maaten, "Learning a Parametric Embedding by Preserving Local Structure", AISTATS 2009: a network is trained
on the loss of t-SNE, the Kullback-Leibler divergence of the map's neighbourhoods Q (Student t, one degree of freedom)
from the data's, P (Gaussians of a given perplexity). P is taken over all training images, and each batch is a sample
of it. The labels only serve to measure the map afterwards.
"""

import argparse
import gzip
import pathlib
import tempfile
import time

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from common import MODELS, export, note, predict, seed_everything
from evaluate import run_onnx
from train_digits import EVERY, read_csv, shift
from train_fashion import IMAGES_KEPT, read_idx, write_idx

SEED = 1
EXAGGERATION = 4  # of the data's neighbourhoods during the first fifth of the training, as t-SNE does
VALIDATION = 10_000  # the last training images of Fashion-MNIST, held out to choose by


def encoder(*widths, normalized=False):
    """Dense layers. Batch normalization takes a large map to finer detail in the same time."""
    layers = []
    for before, after in zip(widths[:-1], widths[1:]):
        layers += [nn.Linear(before, after), *([nn.BatchNorm1d(after)] if normalized else []), nn.ReLU()]
    return nn.Sequential(*layers[:-2 if normalized else -1])


def neighbourhoods(x, perplexity, rounds=30):
    """t-SNE's p(j|i), of each row i the nearest rows j, [rows, k], and their cumulative probabilities, [rows, k]: bisect
    the Gaussian's precision until the entropy is log(perplexity). Rows beyond the 3 * perplexity nearest count as 0
    (L. van der Maaten, "Accelerating t-SNE using Tree-Based Algorithms", JMLR 2014)."""
    squares = x.square().sum(1)
    parts = []
    for rows in torch.arange(len(x)).split(1000):  # all distances at once would take n * n * 4 bytes
        distances = squares[rows, None] + squares - 2 * x[rows] @ x.T
        distances[torch.arange(len(rows)), rows] = float("inf")  # a row is not its own neighbour
        parts.append(distances.topk(3 * perplexity, largest=False))
    distances, nearest = (torch.cat(part) for part in zip(*parts))
    distances -= distances[:, :1]  # the nearest at 0: no row underflows
    low, high = torch.zeros(len(x), 1), torch.full((len(x), 1), float("inf"))
    precision = torch.ones(len(x), 1)
    for _ in range(rounds):
        weights = torch.exp(-precision * distances)
        total = weights.sum(1, keepdim=True)
        entropy = torch.log(total) + precision * (weights * distances).sum(1, keepdim=True) / total
        wide = entropy > np.log(perplexity)
        low, high = torch.where(wide, precision, low), torch.where(wide, high, precision)
        precision = torch.where(torch.isinf(high), precision * 2, (low + high) / 2)
    return nearest, (weights / total).cumsum(1)


def divergence(places, exaggeration):
    """KL(P || Q) = sum of p * log(1 + d^2) + log of the sum of 1 / (1 + d^2), up to constants, estimated from rows
    drawn evenly and for each of them a neighbour drawn from P: [2, n, 2]. The first sum is then a mean over these
    pairs, the second one over all pairs of rows (and over all pairs of neighbours) that were drawn independently."""
    attraction = torch.log1p((places[0] - places[1]).square().sum(1)).mean()
    student = 1 / (1 + torch.cdist(places, places, compute_mode="use_mm_for_euclid_dist").square())
    n = places.shape[1]
    repulsion = torch.log((student.sum() - 2 * n) / (2 * n * (n - 1)))  # without the pairs of a point and itself
    return exaggeration * attraction + repulsion


def train(model, x, perplexity, batch, epochs, learning_rate, augment):
    """Each epoch takes every row once, with one of its neighbours."""
    generator = torch.Generator().manual_seed(SEED)
    nearest, cumulative = neighbourhoods(x, perplexity)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    steps = len(x) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=learning_rate, epochs=epochs, steps_per_epoch=steps)
    model.train()
    for epoch in range(epochs):
        losses = []
        for rows in torch.randperm(len(x), generator=generator)[:steps * batch].split(batch):
            drawn = (cumulative[rows] < torch.rand(batch, 1, generator=generator)).sum(1).clamp(max=nearest.shape[1] - 1)
            pairs = torch.cat([rows, nearest[rows, drawn]])
            loss = divergence(model(augment(x[pairs], generator)).view(2, batch, 2), EXAGGERATION if epoch < epochs // 5 else 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        if epoch % max(1, epochs // 20) == 0:
            print(f"epoch {epoch} of {epochs}: loss {np.mean(losses):.3f}", flush=True)


def finished(model, x):
    """The trained network as dense layers alone: batch normalization, by now constant, is multiplied into them, and the
    map is shifted and scaled to mean 0 and standard deviation 1. Who is whose neighbour stays; but the unit of t-SNE's
    map is the reach of a neighbourhood, the map is some hundred of these wide, and contributions of that size sum up to
    a coordinate near 0 with the rounding errors of a hundred."""
    placed = predict(model, x)
    layers = []
    for layer in model.double():
        if not isinstance(layer, nn.BatchNorm1d):
            layers.append(layer)
            continue
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        layers[-1].weight.data *= scale[:, None]
        layers[-1].bias.data = (layers[-1].bias - layer.running_mean) * scale + layer.bias
    centre, spread = placed.mean(0), (placed - placed.mean(0)).square().mean().sqrt()
    layers[-1].weight.data /= spread
    layers[-1].bias.data = (layers[-1].bias - centre) / spread
    dense = nn.Sequential(*layers).float()
    assert (predict(dense, x) - (placed - centre) / spread).abs().max() < 1e-4
    return dense


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


def write_learnt(path, model, x, labels):
    """Where the written network puts the images that it learnt from, and their labels: [n, 3] of x, y and label. With
    them held-out images find their neighbours, although the images themselves are too many to come along."""
    places = torch.cat([run_onnx(model, part) for part in x.split(1000)])
    write_idx(path, torch.cat([places, labels[:, None]], 1).numpy())


def measure(path, model, train_x, train_labels, test_x, test_labels, seconds, **more):
    """Export, and measure the written file's map of rows it has not seen beside that of two principal components."""
    model = finished(model, train_x)
    export(model, test_x[:2], path, "image", "position")
    train_map, test_map = (torch.cat([run_onnx(path, part) for part in x.split(1000)]).numpy() for x in (train_x, test_x))
    assert np.abs(test_map - predict(model, test_x).numpy()).max() < 1e-5
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
    return entry


def digits(epochs):
    images, labels = read_csv()
    x = images.flatten(1)
    held_out = torch.arange(len(x)) % EVERY == 0
    seed_everything(SEED, threads=1)
    model = encoder(64, 128, 128, 256, 2)
    start = time.time()
    train(model, x[~held_out], 20, 770, epochs, 3e-3, noise_and_shift)
    path = MODELS / "digits-tsne.onnx"
    note(path, measure(path, model, x[~held_out], labels[~held_out], x[held_out], labels[held_out], time.time() - start, epochs=epochs))


def fashion(epochs, source, validate):
    x, test_x = (torch.from_numpy(read_idx(source / f"{part}-images-idx3-ubyte.gz")).flatten(1).float() / 255 for part in ("train", "t10k"))
    labels, test_labels = (torch.from_numpy(read_idx(source / f"{part}-labels-idx1-ubyte.gz")).long() for part in ("train", "t10k"))
    if validate:
        x, test_x, labels, test_labels = *x.tensor_split([len(x) - VALIDATION]), *labels.tensor_split([len(x) - VALIDATION])
    seed_everything(SEED, threads=1)
    model = encoder(784, 300, 300, 800, 2, normalized=True)
    start = time.time()
    train(model, x, 15, 1024, epochs, 1e-2, noise)
    seconds = time.time() - start
    with tempfile.TemporaryDirectory() as elsewhere:
        path = (pathlib.Path(elsewhere) if validate else MODELS) / "fashion-tsne.onnx"
        entry = measure(path, model, x, labels, test_x, test_labels, seconds, epochs=epochs)
    if validate:
        print(entry)
        return
    note(path, entry)
    write_learnt(MODELS / "fashion-tsne-learnt-idx2-float.gz", path, x, labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--only", choices=["digits", "fashion"])
    parser.add_argument("--epochs", type=int, help="instead of 500 for the digits and 32 for the clothes")
    parser.add_argument("--validate", action="store_true", help="train the clothes without the last 10,000 training images, measure on them, write nothing")
    arguments = parser.parse_args()
    if arguments.only != "fashion" and not arguments.validate:
        digits(arguments.epochs or 500)
    if arguments.only != "digits":
        fashion(arguments.epochs or 32, arguments.source, arguments.validate)


if __name__ == "__main__":
    main()
