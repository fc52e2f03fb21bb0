"""Tunes as sound: reels, jigs, hornpipes, polkas, songs and chorales, played while they are learned.

All bars take a whole number of patches, most of them BAR or twice as many: what came a bar ago stands at the same
place of the sound. All tunes are moved to the keys of C or F, whose periods of whole samples are in tune.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np

from .data import IGNORED, SHARED, Rows, WeightedRows
from .synthesizer import HIGHEST, LOWEST, SILENCE, TIMBRES, Note, instrument, play

BAR = 96  # patches
KINDS = ("reel", "jig", "polka", "hornpipe", "song", "song in three", "song in six", "chorale")
SHARES = (0.3, 0.2, 0.06, 0.05, 0.17, 0.1, 0.05, 0.07)  # of what is played, by kind
OPEN_SHARE = 0.3  # rows whose header leaves the style open
KEYS = (0, 5)  # of C and F: pitch classes of their major scales' first degrees
SCALE = (0, 2, 4, 5, 7, 9, 11)
IN_KEY = 0.93  # share of a tune's time within one scale; those that wander more are not trained on
OTHERS = 0.25  # of the scored patches of a row, those between beginnings and ends, at least


def kind_of(tune: dict[str, Any]) -> str:
    if tune["kind"] != "song":
        return "reel" if tune["kind"] == "dance" else str(tune["kind"])
    if not in_three(tune):
        return "song"
    return "song in three" if tune["meter"][0] == "3" else "song in six"


def in_three(tune: dict[str, Any]) -> bool:
    return tune["meter"].split("/")[0] in ("3", "6", "9", "12")


def patches_a_tick(tune: dict[str, Any]) -> float:
    """The steady tempo nearest to the tune's at which bars are whole multiples of BAR, or halves of it."""
    tempos = (4 / 3, 8 / 3) if in_three(tune) else (1.0, 2.0)
    wanted = tune["tick"] / 96
    return min(tempos, key=lambda t: abs(np.log(t / wanted)))


def major_scale(notes: np.ndarray) -> tuple[int, float]:
    """The first degree (pitch class) of the major scale that most of the time of [notes, 3] lies in, and that share."""
    time = np.bincount(notes[:, 2] % 12, notes[:, 1], 12)
    inside = [sum(time[(key + degree) % 12] for degree in SCALE) for key in range(12)]
    best = int(np.argmax(inside))
    return best, float(inside[best] / time.sum())


def in_key(notes: np.ndarray, key: int) -> np.ndarray:
    """[notes, 3] moved so that its scale is that of `key` and its middle lies in the octave from MIDI 53 on."""
    moved = notes.copy()
    moved[:, 2] += (key - major_scale(notes)[0]) % 12
    middle = np.median(np.repeat(moved[:, 2], moved[:, 1]))
    moved[:, 2] -= 12 * int((middle - 53) // 12)
    moved[:, 2] += 12 * np.ceil(np.maximum(0, LOWEST - moved[:, 2]) / 12).astype(int)
    moved[:, 2] -= 12 * np.ceil(np.maximum(0, moved[:, 2] - HIGHEST) / 12).astype(int)
    return moved


class Tune:
    """The first voice of a tune as notes in patches, in every key that it is played in."""

    def __init__(self, tune: dict[str, Any]) -> None:
        ticks = np.array(tune["voices"][0])
        rate = patches_a_tick(tune)
        begin = np.rint(ticks[:, 0] * rate).astype(int)
        end = np.rint((ticks[:, 0] + ticks[:, 1]) * rate).astype(int)
        # Where a song's piano plays alone for bars, one of them is enough.
        rests = np.maximum(0, begin - np.concatenate([[0], end[:-1]])) // BAR * BAR
        left_out = np.cumsum(np.where(rests > BAR, rests - BAR, 0))
        begin, end = begin - left_out, end - left_out
        notes = np.stack([begin, end - begin, ticks[:, 2]], 1)[end > begin]
        self.kind = kind_of(tune)
        self.share = major_scale(notes)[1]
        self.keys = [in_key(notes, key) for key in KEYS]
        self.length = -(-int(end[-1]) // BAR) * BAR

    def notes(self, key: int, first: int, patches: int) -> list[Note]:
        """The notes that begin in `patches` patches from `first` on; after its end the tune begins anew."""
        found = []
        notes = self.keys[key]
        for turn in range(first // self.length, (first + patches - 1) // self.length + 1):
            begin = notes[:, 0] + turn * self.length - first
            for i in np.flatnonzero((begin >= 0) & (begin < patches)):
                found.append((int(begin[i]), int(notes[i, 1]), int(notes[i, 2])))
        return found


def read(path: Path) -> list[Tune]:
    return [Tune(tune) for tune in json.loads(lzma.decompress(path.read_bytes()))["tunes"]]


def media(patch: int) -> dict[str, Any]:
    """What a pack of tunes tells of its styles and instruments."""
    return {
        "styles": ["any", *(f"{kind}, {timbre}" for kind in KINDS for timbre in TIMBRES)],
        "defaultStyle": 1,
        "instruments": [base64.b64encode(instrument(timbre, patch)).decode() for timbre in TIMBRES],
    }


class Tunes:
    """See data.Corpus. A row is a header patch, which holds the style, and `patches` - 1 patches of sound, after some
    number of `heard` patches (a multiple of BAR) that are not scored.

    Where notes begin and end all is decided, and what lies between follows: `scored` patches of a row are scored, those
    of beginnings and ends and some of the others, which stand for all of them by their weight.
    """

    def __init__(self, patch: int, patches: int, scored: int, heard: tuple[int, ...] = (0,)) -> None:
        self.patch, self.patches, self.scored, self.heard = patch, patches, scored, heard
        self.header = patch
        self.media = media(patch)
        self.styles = list(self.media["styles"])
        self.source = SHARED / "audio" / "tunes.json.xz"
        tunes = [tune for tune in read(self.source) if tune.share >= IN_KEY]
        self.by_kind = [[tune for tune in tunes if tune.kind == kind] for kind in KINDS]
        held_out = read(SHARED / "heldout" / "audio" / "tunes.json.xz")
        self.held_out = {timbre: self._held_out(held_out, timbre) for timbre in TIMBRES}

    def sha256(self) -> str:
        return hashlib.sha256(self.source.read_bytes()).hexdigest()

    def _row(self, style: int, sound: np.ndarray) -> np.ndarray:
        return np.concatenate([np.full(self.patch, SILENCE + style, np.uint8), sound])

    def _held_out(self, tunes: list[Tune], timbre: str) -> Rows:
        """Every tune from its beginning, its style left open."""
        seen, wanted = [], []
        for tune in tunes:
            count = self.patches - 1
            row = self._row(0, play(tune.notes(0, 0, count), timbre, self.patch, count))
            seen.append(row)
            ended = np.arange(len(row)) // self.patch > tune.length
            wanted.append(np.where(ended | (np.arange(len(row)) < self.header), IGNORED, row.astype(np.int16)))
        return np.stack(seen), np.stack(wanted)

    def batch(self, rng: np.random.Generator, progress: float, batch_bytes: int) -> WeightedRows:
        count = max(1, batch_bytes // (self.patches * self.patch))
        heard = int(rng.choice(self.heard))
        rows = [self.one(rng, heard) for _ in range(count)]
        seen, wanted, weights = (np.stack(column) for column in zip(*rows, strict=True))
        return seen, wanted, weights

    def one(self, rng: np.random.Generator, heard: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kind = int(rng.choice(len(KINDS), p=np.divide(SHARES, sum(SHARES))))
        tune = self.by_kind[kind][rng.integers(len(self.by_kind[kind]))]
        timbre = int(rng.integers(len(TIMBRES)))
        first = 0 if rng.random() < 0.5 else BAR * int(rng.integers(tune.length // BAR))
        count = heard + self.patches - 1
        notes = tune.notes(int(rng.integers(len(KEYS))), first, count)
        style = 0 if rng.random() < OPEN_SHARE else 1 + len(TIMBRES) * kind + timbre
        row = self._row(style, play(notes, TIMBRES[timbre], self.patch, count))

        decided = np.zeros(1 + count, bool)
        for begin, length, _ in notes:
            for at in (begin, begin + length - 1, begin + length):
                if at < count:
                    decided[1 + at] = True
        weights = np.zeros(1 + count)
        weights[heard:] = self._weights(decided[heard:], rng)
        chosen = weights > 0
        wanted = np.where(np.repeat(chosen, self.patch), row.astype(np.int16), IGNORED)
        return row, wanted, weights.astype(np.float32)

    def _weights(self, decided: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The weights of the patches that are scored, `self.scored` of them, and 0 for others, such that the weighted
        sum over them is in the mean the sum over all patches but the first, a header or one like it."""
        weights = np.zeros(len(decided))
        groups = np.flatnonzero(decided), 1 + np.flatnonzero(~decided[1:])
        most = min(len(groups[0]), self.scored - int(OTHERS * self.scored))
        for group, size in zip(groups, (most, self.scored - most), strict=True):
            weights[rng.choice(group, size, replace=False)] = len(group) / size if size else 0
        return weights


def corpus(patch: int, patches: int, scored: int, heard: tuple[int, ...] = (0,)) -> Tunes:
    return Tunes(patch, patches, scored, heard)
