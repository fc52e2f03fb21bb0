"""The longest match: where the last bytes stood before, the byte that came after them is a good guess (PAQ's match
model; Mahoney 2005). main/engine/features/match.ts finds the same matches: change here and there together."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

LENGTHS = 16  # lengths of a match that are told apart: none, 1, 2 .. and all from 15 on


@torch.compiler.disable
@torch.no_grad()
def longest_match(x: Tensor, window: int, unit: int) -> tuple[Tensor, Tensor]:
    """x [batch, length] bytes -> the byte guessed for each place from those before it, and the length of the match
    (0..LENGTHS-1), both int64 [batch, length].

    The last bytes are compared with those `unit`, 2 * `unit` .. `window` bytes earlier; the nearest of the longest
    matches gives the guess. Without a match it is 0.
    """
    return (by_place if x.device.type == "cpu" else by_distance)(x, window, unit)


def by_place(x: Tensor, window: int, unit: int) -> tuple[Tensor, Tensor]:
    """Place by place over all distances: few operations, one after the other, the faster way on a processor."""
    bytes_ = x.numpy().astype(np.int16)
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
    return torch.from_numpy(guesses), torch.from_numpy(lengths)


def by_distance(x: Tensor, window: int, unit: int, at_once: int = 64) -> tuple[Tensor, Tensor]:
    """`at_once` distances at a time over all places: seventeen times the work on a processor, no waiting on a GPU."""
    length = x.shape[1]
    bytes_ = x.to(torch.int16)
    past = nn.functional.pad(bytes_, (window, 0), value=-1)  # -1 before the beginning equals no byte
    guesses, lengths = torch.zeros_like(bytes_), torch.zeros_like(bytes_)
    for first in range(unit, window + 1, unit * at_once):
        last = min(first + unit * (at_once - 1), window // unit * unit)
        # [batch, distances, length], the nearest first.
        earlier = past.unfold(1, length, 1)[:, window - last : window - first + 1 : unit].flip(1)
        runs = (earlier == bytes_[:, None]).to(torch.int8)
        for known in (1, 2, 4, 8):  # a run of 1, 2, 4 or 8 that meets another one is as long as both
            runs = runs + (runs == known) * nn.functional.pad(runs, (known, 0))[..., :length]
        runs = nn.functional.pad(runs.clamp(max=LENGTHS - 1), (1, 0))[..., :length]  # those that end before the place
        count = runs.shape[1]
        nearness = torch.arange(count - 1, -1, -1, dtype=torch.int16, device=x.device)
        top, best = (runs.to(torch.int16) * count + nearness[:, None]).max(1)
        longer = top // count > lengths
        lengths = torch.where(longer, top // count, lengths)
        guesses = torch.where(longer, earlier.gather(1, best[:, None])[:, 0], guesses)
    return guesses.long(), lengths.long()
