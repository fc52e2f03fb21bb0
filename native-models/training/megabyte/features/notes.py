"""Notes heard in the sound before a patch: the pitch period, how long it has lasted, what stood a bar ago.

All are whole numbers, rows of an embedding table.

A note is sound after silence. Its period is the smallest whole number of samples after which it repeats exactly; where
a patch has none (it grew softer), the note keeps the one that it had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..config import Notes
from ..constants import CONSTANTS

_NOTES = CONSTANTS["notes"]
RATE: int = _NOTES["rate"]
SILENCE: int = CONSTANTS["samples"]["silence"]
GAP: int = _NOTES["gap"]  # samples of silence at a patch's end that end a note
SHORTEST: int = _NOTES["shortestPeriod"]  # periods in samples
LONGEST: int = _NOTES["longestPeriod"]
OVERLAP: int = _NOTES["overlap"]  # samples at least that repeat
STATES = 4 * (LONGEST + 1)  # of a patch: its period (0: none), whether a note begins in it and ends in it
AGES: int = _NOTES["ages"]  # patches since the last note or rest began, as far as they are told apart
RUNS: int = _NOTES["runs"]  # bits of the number of patches that came as a number of bars ago
SHARES: int = _NOTES["shares"]  # of the time so far, of each pitch class: bits of how many SHARE_STEPS it has
SHARE_STEPS: int = _NOTES["shareSteps"]
NONE = 256  # the byte where there is none

# Rows of each column of the local model's table: the byte a period ago, the place in the period, and the byte at this
# place of the last note that began alike.
BYTE_SIZES = [NONE + 1, LONGEST + 1, NONE + 1]
GUESSES = 2  # of a byte, where the head has logits of what is left after them: those a period ago and recalled


def patch_sizes(notes: Notes) -> list[int]:
    """Rows of each column of the global model's table."""
    bars = len(notes.bars)
    before = [LONGEST + 1, AGES] * notes.before
    return [256, STATES, AGES, notes.bar, *[STATES] * bars, *[RUNS] * bars, *before, *[SHARES] * 12]


def pitch_class(period: int) -> int:
    return round(69 + 12 * math.log2(RATE / period / 440)) % 12


def rows_of(columns: list[Tensor], sizes: list[int]) -> Tensor:
    """Columns of numbers, each below its size, as rows of one table: [..., columns]."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return torch.stack([column.long() + start for column, start in zip(columns, starts, strict=True)], -1)


def latest(marked: Tensor) -> Tensor:
    """[batch, patches] bool -> the number of the last marked patch up to each; 0 before the first."""
    at = torch.arange(marked.shape[1], device=marked.device)
    return (at * marked).cummax(1).values


def periods(x: Tensor, first: Tensor) -> Tensor:
    """x [batch, patches, P] -> the smallest period of each patch with the one before it, or of it alone where a note
    begins in it (`first`), 0 for none: [batch, patches]. Silence at its end is left out."""
    batch, patches, patch = x.shape
    before = F.pad(x, (0, 0, 1, 0))[:, :-1]
    sound = torch.cat([before, x], 2).to(torch.uint8)  # [batch, patches, 2 P]
    at = torch.arange(2 * patch, device=x.device)
    begin = (patch * first)[..., None]
    end = 2 * patch - tail(x)[..., None]
    found = torch.zeros(batch, patches, dtype=torch.long, device=x.device)
    for period in range(LONGEST, SHORTEST - 1, -1):
        outside = (at[period:] >= end) | (at[:-period] < begin)
        same = ((sound[..., period:] == sound[..., :-period]) | outside).all(-1)
        found[same & (end[..., 0] - begin[..., 0] - period >= OVERLAP)] = period
    return found


def tail(x: Tensor) -> Tensor:
    """Samples of silence at the end of each patch, or 0 for fewer than GAP: [batch, patches, P] -> [batch, patches]."""
    count = (x == SILENCE).flip(2).to(torch.int8).cummin(2).values.sum(2, dtype=torch.long)
    return count * (count >= GAP)


@dataclass
class Heard:
    """What was heard in each patch, all [batch, patches]: its period, whether it is no sound (all bytes alike),
    whether a note began in it and ended in it, and the first patch of the note or rest."""

    period: Tensor
    silent: Tensor
    began: Tensor
    ended: Tensor
    since: Tensor


def hear(patched: Tensor) -> Heard:
    """From bytes [batch, patches, P]."""
    silent = (patched == patched[..., :1]).all(2)
    ended = silent | (tail(patched) > 0)
    began = ~silent & F.pad(ended, (1, 0), value=True)[:, :-1]
    rests = silent & ~F.pad(silent, (1, 0), value=False)[:, :-1]
    since = latest(began | rests)
    own = periods(patched, began) * ~silent
    known = latest(own > 0)
    period = own.gather(1, known) * (known >= since) * ~silent
    return Heard(period, silent, began, ended, since)


def style_of(x: Tensor, patch: int) -> Tensor:
    """The byte of the header that x [batch, length] begins with, or SILENCE where it begins with sound: [batch]."""
    header = (x[:, :patch] == x[:, :1]).all(1)
    return torch.where(header, x[:, 0], SILENCE)


def patch_rows(notes: Notes, heard: Heard, style: Tensor) -> Tensor:
    """For each patch the rows of the global model's table, from the patches before it: [batch, patches, columns].

    `style` [batch] is told everywhere: the header itself is soon far away.
    """
    batch, patches = heard.period.shape
    at = torch.arange(patches, device=heard.period.device).expand(batch, patches)

    def back(values: Tensor, by: int) -> Tensor:
        return F.pad(values, (by, 0))[:, :patches]

    state = 4 * heard.period + 2 * heard.began + heard.ended
    age = (at - heard.since).clamp(max=AGES - 1)
    known = torch.where(at > 0, style[:, None], SILENCE)
    columns = [known, back(state, 1), back(age, 1), at % notes.bar]
    columns += [back(state, notes.bar * bars) for bars in notes.bars]
    for bars in notes.bars:
        lag = notes.bar * bars
        other = (state != back(state, lag)) | (at < lag)
        run = at - latest(other)  # 0 where it is another
        columns.append(back(bits(run), 1).clamp(max=RUNS - 1))
    since = heard.since
    for _ in range(notes.before):
        last = (since - 1).clamp(min=0)  # of the note before
        begin = heard.since.gather(1, last)
        columns += [back(heard.period.gather(1, last) * (since > 0), 1)]
        columns += [back((since - begin).clamp(max=AGES - 1), 1)]
        since = begin
    classes = torch.tensor([12] * SHORTEST + [pitch_class(p) for p in range(SHORTEST, LONGEST + 1)])
    sounding = F.one_hot(classes.to(at.device)[heard.period], 13)[..., :12].cumsum(1)
    share = bits(SHARE_STEPS * sounding // sounding.sum(2, keepdim=True).clamp(min=1))
    columns += [back(column, 1) for column in share.unbind(2)]
    return rows_of(columns, patch_sizes(notes))


@torch.compiler.disable
@torch.no_grad()
def notes_inputs(notes: Notes, patch: int, x: Tensor) -> tuple[Tensor, Tensor]:
    """For x [batch, length] bytes the rows of the tables of notes, for each patch and for each byte."""
    heard = hear(x.view(len(x), -1, patch))
    return patch_rows(notes, heard, style_of(x, patch)), byte_rows(heard, x, patch)


def bits(x: Tensor) -> Tensor:
    """Bits of whole numbers: 0 for 0, 1 for 1, 2 for 2 and 3, and so on."""
    return (x[..., None] >= 2 ** torch.arange(20, device=x.device)).sum(-1)


def guesses_of(rows: Tensor) -> Tensor:
    """The bytes that `byte_rows` tell of, SILENCE where there is none: [..., columns] -> [..., GUESSES]."""
    found = torch.stack([rows[..., 0], rows[..., 2] - BYTE_SIZES[0] - BYTE_SIZES[1]], -1)
    return torch.where(found == NONE, SILENCE, found)


def byte_rows(heard: Heard, x: Tensor, patch: int) -> Tensor:
    """For each of the bytes x [batch, length] the rows of the local model's table: [batch, length, columns]."""
    batch, length = x.shape
    patches = length // patch

    def before(values: Tensor) -> Tensor:  # of the patch before, for each byte
        return F.pad(values, (1, 0))[:, :-1].repeat_interleave(patch, 1)

    at = torch.arange(length, device=x.device)
    period = before(heard.period * ~heard.ended)
    goes_on = period > 0
    ago = torch.where(goes_on, x.gather(1, (at - period).clamp(min=0)), NONE)
    place = torch.where(goes_on, (at - patch * before(heard.since)) % period.clamp(min=1), LONGEST)

    # The last patch before in which a note began with the same byte.
    patched = x.view(batch, patches, patch)
    first = patched[..., 0]
    alike = (first[:, :, None] == first[:, None, :]) & heard.began[:, None, :]
    number = torch.arange(patches, device=x.device)
    last = torch.where(alike & (number[:, None] > number), number, -1).amax(2)  # [batch, patches]
    again = (last >= 0) & F.pad(heard.ended, (1, 0))[:, :-1]
    recalled = patched.gather(1, last.clamp(min=0)[..., None].expand(-1, -1, patch))
    recalled = torch.where(again[..., None], recalled, NONE)
    recalled[..., 0] = NONE
    return rows_of([ago, place, recalled.view(batch, length)], BYTE_SIZES)
