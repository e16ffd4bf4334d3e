"""Train and export digits-vit.onnx, a small vision transformer. Takes about a minute; needs digits.csv (train_digits.py)."""

import torch
from torch import nn

from common import MODELS, export, report
from train_digits import EPOCHS, EVERY, LAST_BLOCK, SEED, fit, read_csv

OPSET = 16  # the last in which PyTorch 1.13 writes LayerNorm in small operators; GELU it writes with Erf in any
WIDTH = 32
HEADS = 4
BLOCKS = 2


class VisionTransformer(nn.Module):
    """Patches of 2x2 pixels, a class token, and blocks that normalise first (Dosovitskiy et al. 2021, arXiv 2010.11929)."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, 2, stride=2)
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(0.1 * torch.randn(1, 17, WIDTH))
        block = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, dropout=0.05, activation="gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, BLOCKS, nn.LayerNorm(WIDTH))
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, pixels):
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(pixels.shape[0], -1, -1), patches], dim=1)
        return self.head(self.blocks(tokens + self.positions)[:, 0])


def main():
    images, labels = read_csv()
    held_out = torch.arange(len(images)) % EVERY == 0
    _, unfamiliar, _ = fit(VisionTransformer, images, labels, torch.arange(len(images)) >= len(images) - LAST_BLOCK, threads=1)
    model, _, seconds = fit(VisionTransformer, images, labels, held_out, threads=1)
    path = MODELS / "digits-vit.onnx"
    export(model, images[:2], path, "pixels", "logits", OPSET)
    report(path, model, images[held_out], labels[held_out], seconds, EPOCHS, SEED,
           held_out="rows of digits.csv whose 0-based index is a multiple of 7",
           accuracy_if_trained_without_the_last_360_rows=round(unfamiliar, 4))


if __name__ == "__main__":
    main()
