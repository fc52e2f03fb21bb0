"""The longest match: where the last bytes stood before, the byte that came after them is a good guess (PAQ's match
model; Mahoney 2005). native-models/graph/match.ts finds the same matches: change here and there together."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LENGTHS = 16  # lengths of a match that are told apart: none, 1, 2 .. and all from 15 on


@torch.compiler.disable
@torch.no_grad()
def longest_match(x: Tensor, window: int, unit: int) -> tuple[Tensor, Tensor]:
    """x [batch, length] bytes -> the byte guessed for each place from those before it, and the length of the match
    (0..LENGTHS-1), both int64 [batch, length].

    The last bytes are compared with those `unit`, 2 * `unit` .. `window` bytes earlier; the nearest of the longest
    matches gives the guess. Without a match it is 0.
    """
    bytes_ = x.cpu().numpy().astype(np.int16)
    batch, length = bytes_.shape
    rows = np.arange(batch)
    # Newest first; -1 before the beginning equals no byte.
    past = np.concatenate([bytes_[:, ::-1], np.full((batch, window), -1, np.int16)], 1)
    guesses, lengths = np.zeros((2, batch, length), np.int64)
    runs = np.zeros((batch, window // unit), np.uint8)  # length of the match at each distance
    for t in range(length):
        at = length - 1 - t
        earlier = past[:, at + unit : at + window + 1 : unit]
        best = runs.argmax(1)
        lengths[:, t] = runs[rows, best]
        guesses[:, t] = earlier[rows, best] * (lengths[:, t] > 0)
        runs += 1
        np.minimum(runs, LENGTHS - 1, out=runs)
        runs *= earlier == bytes_[:, t : t + 1]
    return torch.from_numpy(guesses).to(x.device), torch.from_numpy(lengths).to(x.device)
