"""What linear prediction gives without any model: `python expected.py` writes the table of STUDY.md, some minutes.

Logistic distributions of eight widths around what each fit expects, as in megabyte/lpc.py, mixed with fixed weights
(fitted to each clip by expectation maximisation), on the second halves of two held-out clips of each style. Needs the
clips that render.py makes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from megabyte.lpc import EDGES, NOISE, predict
from render import OUT
from study import HERE, write_table

PATCH = 32
WIDTHS = 2.0 ** torch.arange(-2.5, 1.5, 0.5, dtype=torch.float64)
SHORT, MIDDLE, LONG = (24, 512), (256, 2048), (512, 4096)  # order and window
ROWS: dict[str, tuple[list[tuple[int, int]], float]] = {
    "512 samples": ([SHORT], NOISE),
    "2048": ([MIDDLE], NOISE),
    "4096": ([LONG], NOISE),
    "all three": ([SHORT, MIDDLE, LONG], NOISE),
    "all three, noise 60 dB down": ([SHORT, MIDDLE, LONG], 1e-6),
    "all three, noise 30 dB down": ([SHORT, MIDDLE, LONG], 1e-3),
}
STYLES = ("organ", "choir", "piano", "song", "strings", "speech")


def bits(x: Tensor, fits: list[tuple[int, int]], noise: float) -> float:
    """Mean bits a byte of the second half of x [length]."""
    half = len(x) // 2
    wanted = x[half:]
    columns = []
    for order, window in fits:
        expected, spread = predict(x[None], PATCH, order, window, noise)
        m = expected[0, half:, None]
        scale = spread[0].repeat_interleave(PATCH)[half:, None] * WIDTHS
        columns.append(
            ((EDGES[wanted + 1, None] - m) / scale).sigmoid() - ((EDGES[wanted, None] - m) / scale).sigmoid()
        )
    p = torch.cat(columns, 1).clamp(min=1e-7)
    weights = torch.full((p.shape[1],), 1 / p.shape[1], dtype=torch.float64)
    for _ in range(60):
        share = p * weights
        weights = (share / share.sum(1, keepdim=True)).mean(0)
    return -(p @ weights).log().mean().item() / math.log(2)


def main() -> None:
    lines = ["| fitted to | " + " | ".join(STYLES) + " |", "| --- " * (1 + len(STYLES)) + "|"]
    for name, (fits, noise) in ROWS.items():
        cells = []
        for style in STYLES:
            clips = np.load(OUT / "heldout" / f"{style}.npy", mmap_mode="r")[:2]
            all_bits = [bits(torch.from_numpy(clip.astype(np.int64)), fits, noise) for clip in clips]
            cells.append(f"{np.mean(all_bits):.3f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    write_table(HERE / "STUDY.md", "expected", "\n".join(lines))


if __name__ == "__main__":
    main()
