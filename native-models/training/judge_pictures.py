"""Judges pictures that the image pack has made: `python judge_pictures.py SAMPLES.json > VERDICT.json`.

SAMPLES.json is `{"styles": [a name a picture], "pictures": base64 of 1,024 indices each}`. A small convolutional net
that has seen the training pictures alone says which style each looks like, beside how often it is right on held-out
ones; further: the training picture that is most like each, the colors in use and the share of empty pictures.
native-models/image/report.ts calls it.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from megabyte import icons

STEPS = 1500
BATCH = 64
COPY = 0.95  # of a picture's pixels that are not ground
EMPTY = 0.02  # of the pixels: fewer that are unlike the commonest


class Classifier(nn.Module):
    """Which of STYLES a picture has: three convolutions, each at half the size of the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.colors = nn.Embedding(256, 16)
        widths = [16, 48, 96, 128]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:], strict=False))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in widths[1:])
        self.out = nn.Linear(128 * 16, len(icons.STYLES))

    def forward(self, pictures: Tensor) -> Tensor:
        """[n, 32, 32] indices -> [n, styles] logits; "any" is never the answer."""
        x = self.colors(pictures).permute(0, 3, 1, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.max_pool2d(F.relu(norm(layer(x))), 2)
        logits = self.out(F.dropout(x.flatten(1), 0.5, self.training))
        logits[:, 0] = -torch.inf
        return logits


def trained(corpus: icons.Icons, path: Path) -> Classifier:
    """A classifier of training pictures; kept at `path`."""
    torch.manual_seed(1)
    model = Classifier()
    if path.exists():
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()
    rng = np.random.default_rng(1)
    styled = np.flatnonzero(corpus.pictures.styles)
    shares = corpus.shares[styled] / corpus.shares[styled].sum()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS)
    for _ in range(STEPS):
        chosen = rng.choice(styled, BATCH, p=shares)
        pictures = np.stack([corpus.varied(i, False, rng) for i in chosen])
        wanted = torch.from_numpy(corpus.pictures.styles[chosen].astype(np.int64))
        loss = F.cross_entropy(model(torch.from_numpy(pictures.astype(np.int64))), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), path)
    return model.eval()


@torch.no_grad()
def answers(model: Classifier, pictures: np.ndarray) -> np.ndarray:
    """The style of each picture by its number."""
    return model(torch.from_numpy(pictures.astype(np.int64))).argmax(-1).numpy()


def right_by_style(wanted: np.ndarray, got: np.ndarray) -> dict[str, float]:
    """The share that is right of each style that occurs."""
    present = np.unique(wanted[wanted > 0])
    return {icons.STYLES[i]: float((got[wanted == i] == i).mean()) for i in present}


def nearest(picture: np.ndarray, known: np.ndarray) -> tuple[int, float]:
    """The training picture that shares most of a picture's pixels off the ground, and the share; mirrored ones too."""
    there = picture != icons.GROUND
    if not there.any():
        return 0, 0.0
    same = [(known[:, :, ::way][:, there] == picture[there]).mean(1) for way in (1, -1)]
    best = np.maximum(*same)
    return int(best.argmax()), float(best.max())


def is_empty(picture: np.ndarray) -> bool:
    return np.bincount(picture.ravel()).max() > (1 - EMPTY) * picture.size


def mean_colors(pictures: np.ndarray) -> float:
    return float(np.mean([len(np.unique(p[p != icons.GROUND])) for p in pictures]))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("samples", type=Path)
    args = p.parse_args()
    given = json.loads(args.samples.read_text())
    made = np.frombuffer(base64.b64decode(given["pictures"]), np.uint8).reshape(-1, icons.SIDE, icons.SIDE)
    wanted = np.array([icons.STYLES.index(name) for name in given["styles"]])
    corpus = icons.corpus()
    held_out = icons.read_pictures(icons.SHARED / "heldout" / "image")
    model = trained(corpus, Path(__file__).parent / "build" / "judge.pt")
    known = right_by_style(held_out.styles, answers(model, held_out.pixels))
    agreed = right_by_style(wanted, answers(model, made))
    both = [name for name in agreed if name in known]
    alike = [nearest(picture, corpus.pictures.pixels) for picture in made]
    right = float(np.mean([known[name] for name in both]))
    agreement = float(np.mean([agreed[name] for name in both]))
    verdict = {
        "heldOut": known,
        "agreed": agreed,
        "right": right,
        "agreement": agreement,
        "ofRight": agreement / right,
        "empty": float(np.mean([is_empty(picture) for picture in made])),
        "copies": float(np.mean([share > COPY for _, share in alike])),
        "nearest": [{"share": share, "picture": corpus.pictures.pixels[i].ravel().tolist()} for i, share in alike[::8]],
        "colors": mean_colors(made),
        "heldOutColors": mean_colors(held_out.pixels),
    }
    json.dump(verdict, sys.stdout)


if __name__ == "__main__":
    main()
