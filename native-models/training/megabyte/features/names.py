"""The last name: where a word begins, the letters of the last name are a good guess, and within a word those of the
last name that began alike. A name is a word with a capital that stands within a sentence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..constants import CONSTANTS
from .match import LENGTHS

SPACE: int = CONSTANTS["names"]["space"]
JOINTS: list[int] = CONSTANTS["names"]["joints"]  # a comma, a semicolon: the sentence goes on after them


@torch.compiler.disable
@torch.no_grad()
def last_name(x: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """x [batch, length] bytes -> the byte guessed for each place by the names before it, and how sure it is: 0 without
    a name, otherwise 1 and the letters of its word so far (LENGTHS-1 at most), both int64 [batch, length].

    A name is a word with a capital that stands within a sentence: after a space, and before that a small letter, a
    comma or a semicolon. The nearest one within `window` bytes that begins with the letters since the last other byte
    gives the guess: its next byte.
    """
    batch, length = x.shape
    place = torch.arange(length, device=x.device).expand(batch, length)
    capital = (x >= 65) & (x <= 90)
    small = (x >= 97) & (x <= 122)
    before = nn.functional.pad(x, (2, 0))
    earlier, last = before[:, :length], before[:, 1 : length + 1]
    within = ((earlier >= 97) & (earlier <= 122)) | torch.isin(earlier, torch.tensor(JOINTS, device=x.device))
    name = capital & (last == SPACE) & within
    # Of each place: where its word begins, after the last byte that is no letter.
    ends = torch.where(capital | small, 0, place + 1)
    begins = nn.functional.pad(ends.cummax(1).values, (1, 0))[:, :length]
    letters = place - begins
    # The word so far as a polynomial in an odd number, which has an inverse: sums of 64 bits wrap around.
    factor, modulus = 0x9E3779B97F4A7C15, 2**64
    inverse = pow(factor, -1, modulus)

    def powers(base: int) -> Tensor:
        values, value = [], 1
        for _ in range(length):
            values.append(value - modulus if value >= modulus // 2 else value)
            value = value * base % modulus
        return torch.tensor(values, device=x.device)

    sums = nn.functional.pad(((x + 1) * powers(factor)).cumsum(1), (1, 0))[:, :length]
    key = (sums - sums.gather(1, begins)) * powers(inverse)[begins]
    row = torch.arange(batch, device=x.device)[:, None]
    key = (key * 0x2545F4914F6CDD1D + (row + 1) * 0x632BE59BD9B4E019).flatten()
    order = key.sort(stable=True).indices
    # Of those with the same letters, in the order of their places, the last one before that is in a name.
    in_name = name.gather(1, begins).flatten()[order]
    index = torch.arange(len(order), device=x.device)
    found = nn.functional.pad(torch.where(in_name, index, -1).cummax(0).values, (1, 0), value=-1)[:-1]
    same = (found >= 0) & (key[order] == key[order[found.clamp(min=0)]])
    source = torch.zeros_like(order)
    source[order] = torch.where(same, order[found.clamp(min=0)], -1)
    source = source.view(batch, length)
    near = (source >= 0) & (place - source % length <= window)
    guess = x.gather(1, source.clamp(min=0) % length)
    return guess * near, (letters + 1).clamp(max=LENGTHS - 1) * near
