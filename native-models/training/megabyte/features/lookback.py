"""Single earlier bytes and what is guessed from them, as rows of the lookback table."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..config import Lookback
from .lpc import LEVELS, level_of, mu_law_bytes, predict
from .match import LENGTHS, longest_match
from .names import last_name


def table_blocks(lookback: Lookback) -> list[tuple[str, int]]:
    """What the columns are, in their order, and the rows of each in the embedding table: 256 a byte, LEVELS a level,
    LENGTHS a length."""
    fits = [f"lpc {i}" for i in range(len(lookback.lpc))]
    matches = [f"match {i}" for i in range(len(lookback.matches))]
    columns = [(f"byte of {name}", 256) for name in [*(f"offset {o}" for o in lookback.offsets), *fits, *matches]]
    return [*columns, *((f"level of {f}", LEVELS) for f in fits), *((f"length of {m}", LENGTHS) for m in matches)]


def table_rows(lookback: Lookback) -> int:
    """Rows of the embedding table."""
    return sum(rows for _, rows in table_blocks(lookback))


def lookback_inputs(lookback: Lookback, patch: int, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """For x [batch, length] bytes: rows of the lookback table [batch, length, columns], guesses [.., guesses], and the
    samples that are expected and their spread, float64 [.., fits]."""
    ids = [_back(x, offset) for offset in lookback.offsets]
    guesses = [
        torch.as_tensor(sum(_back(x, offset) * weight for offset, weight in terms)).clamp(0, 255)
        for terms in lookback.predictions
    ]
    fits = [predict(x, patch, lpc.order, lpc.window) for lpc in lookback.lpc]
    spreads = [spread.repeat_interleave(patch, 1) for _, spread in fits]
    pairs = zip(fits, spreads, strict=True)
    found = [(mu_law_bytes(expected), level_of(spread), LEVELS) for (expected, _), spread in pairs]
    for match in lookback.matches:
        guessed = last_name(x, match.window) if match.names else longest_match(x, match.window, match.unit)
        found.append((*guessed, LENGTHS))
        guesses.append(found[-1][0])
    levels: list[Tensor] = []
    row = 256 * lookback.bytes
    for byte, level, count in found:
        ids.append(byte)
        levels.append(level + row)
        row += count
    table = torch.stack([column + 256 * i for i, column in enumerate(ids)] + levels, -1)

    def stacked(columns: list[Tensor]) -> Tensor:
        return torch.stack(columns, -1) if columns else x.new_zeros(*x.shape, 0)

    return table, stacked(guesses), stacked([e for e, _ in fits]), stacked(spreads)


def _back(x: Tensor, offset: int) -> Tensor:
    """[batch, length] bytes of x `offset` earlier; 0 before the start."""
    return F.pad(x, (offset, 0))[:, : x.shape[1]]
