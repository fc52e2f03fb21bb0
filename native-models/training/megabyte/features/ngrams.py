"""Hashed n-gram embeddings of the last bytes (BLT, arXiv 2412.09871, section 3.2.1): which rows of the tables."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..config import NGrams
from ..constants import CONSTANTS


def coefficients(ngrams: NGrams) -> Tensor:
    """[max order, orders] float32: row 0 multiplies the newest byte; 0 beyond an order's length."""
    table = torch.zeros(max(ngrams.orders), len(ngrams.orders))
    generator = CONSTANTS["ngrams"]
    state = generator["seed"]
    for column, order in enumerate(ngrams.orders):
        for row in range(order):
            # A linear congruential generator (Numerical Recipes).
            state = (state * generator["multiplier"] + generator["increment"]) % 2**32
            table[row, column] = (state >> generator["shift"]) | 1
    return table


def ngram_ids(ngrams: NGrams, table: Tensor, x: Tensor) -> Tensor:
    """Rows of the n-gram embeddings for x [batch, length] bytes, int64 [batch, length, orders]: the id at t covers
    bytes t-n..t-1, those before the start count as 0. `table`: their `coefficients` on the device of x."""
    longest = max(ngrams.orders)
    padded = F.pad(x, (longest, 0))
    recent = padded.unfold(1, longest, 1)[:, :-1].flip(-1)  # [batch, length, longest], newest first
    # In whole numbers: a matrix product would fall to bf16 under autocast, and another hash be learned than run.
    hashed = (recent[..., None] * table.long()).sum(-2) % ngrams.rows
    return hashed + torch.arange(len(ngrams.orders), device=x.device) * ngrams.rows
