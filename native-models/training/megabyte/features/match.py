"""The longest match: where the last bytes stood before, the byte that came after them is a good guess (PAQ's match
model; Mahoney 2005)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..constants import CONSTANTS

LENGTHS: int = CONSTANTS["matches"]["lengths"]  # of a match, told apart: none, 1, 2 .. and all from the last on


@torch.compiler.disable
@torch.no_grad()
def longest_match(x: Tensor, window: int, unit: int) -> tuple[Tensor, Tensor]:
    """x [batch, length] bytes -> the byte guessed for each place from those before it, and the length of the match
    (0..LENGTHS-1), both int64 [batch, length].

    The last bytes are compared with those `unit`, 2 * `unit` .. `window` bytes earlier; the nearest of the longest
    matches gives the guess. Without a match it is 0.

    One sort finds them all: hashes of the last 1 .. LENGTHS-1 bytes before every place, where equal ones become
    neighbors in the order of their places.
    """
    batch, length = x.shape
    device = x.device
    # Random odd factors of 64 bits; sums wrap around. Two unlike strings share a hash once in 2^56.
    generator = torch.Generator().manual_seed(20130)
    top = torch.iinfo(torch.int64).max
    factors = (torch.randint(-top, top, (LENGTHS + 2,), generator=generator) | 1).to(device)
    place = torch.arange(length, device=device)
    # Strings in unlike rows, of unlike lengths or in another phase of the unit never match.
    hashed = torch.arange(batch, device=device)[:, None] * factors[0] + place % unit * factors[1]
    padded = nn.functional.pad(x + 1, (LENGTHS - 1, 0))  # 0 before the beginning equals no byte
    keys = []
    for size in range(1, LENGTHS):
        hashed = hashed + padded[:, LENGTHS - 1 - size :][:, :length] * factors[1 + size]
        keys.append(hashed + size * factors[-1])
    key, order = torch.stack(keys).flatten().sort(stable=True)
    before = torch.full_like(order, -1)
    before[order[1:]] = torch.where(key[1:] == key[:-1], order[:-1], -1)
    before = before.view(LENGTHS - 1, batch, length)
    earlier = before % length
    found = (before >= 0) & (place - earlier <= window)
    lengths = found.sum(0)  # a match of n bytes is one of n - 1 bytes too
    at = earlier.gather(0, (lengths - 1).clamp(min=0)[None])[0]
    return x.gather(1, at) * (lengths > 0), lengths
