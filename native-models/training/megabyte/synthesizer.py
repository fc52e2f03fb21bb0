"""Plays notes as 8-bit sound that repeats exactly: every note begins with a patch and is made of whole periods.

A model of bytes then has one decision a note for its pitch (the first byte tells it) and one a patch for its end; all
between follows from what it heard.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .constants import CONSTANTS

RATE: int = CONSTANTS["notes"]["rate"]
SILENCE: int = CONSTANTS["samples"]["silence"]
TIMBRES = ("organ", "triangle", "pulse", "pluck")
LOWEST, HIGHEST = 45, 76  # MIDI pitches played: 110 to 667 Hz
GAP: int = CONSTANTS["notes"]["gap"]  # samples of silence before the next note: the same pitch twice is two notes
DECAY_PATCHES = 4  # a plucked note gets softer so often
DECAY_LEVELS = 12
DECAY = 0.87

# A note: its first patch, its length in patches, its MIDI pitch.
Note = tuple[int, int, int]


def period(pitch: int) -> int:
    """Samples of one period, the whole number nearest to the pitch."""
    return round(RATE / (440 * 2 ** ((pitch - 69) / 12)))


def first_sample(pitch: int) -> int:
    """Where a period begins, another value for each pitch: the first byte of a note tells which it is."""
    step = pitch - LOWEST
    return (6 + step // 2) * (1 if step % 2 else -1)


def _shape(timbre: str, at: np.ndarray, length: int) -> np.ndarray:
    """The wave of a timbre around 0 at places `at` in periods; it rises through 0 at place 0."""
    turn = 2 * math.pi * at
    if timbre == "organ":
        parts = [(k, a) for k, a in ((1, 1.0), (2, 0.5), (3, 0.3), (4, 0.15)) if 2 * k < length]
        return 52 * np.sum([a * np.sin(k * turn) for k, a in parts], 0)
    if timbre == "triangle":
        return 90 * 2 / math.pi * np.arcsin(np.sin(turn))
    return 62 * np.sum([np.sin(k * turn) / k for k in range(1, 8) if 2 * k < length], 0)  # a plucked string


@functools.cache
def periods(timbre: str, pitch: int) -> np.ndarray:
    """One period of a pitch from loud to soft: [levels, samples] uint8; one level but for the plucked string."""
    length, first = period(pitch), first_sample(pitch)
    if timbre == "pulse":  # a quarter high, without offset; the edges fall between samples
        covered = np.clip(length / 4 + 0.5 - np.arange(length), 0, 1)
        wave = -20 + 80 * covered
        wave[0] = first
    else:
        # Begun where the wave has that first value: on its way up through 0.
        near = np.linspace(-0.2, 0.2, 4001)
        values = _shape(timbre, near, length)
        rising = np.abs(values - first) + 1e3 * (np.gradient(values) <= 0) + np.abs(near)
        wave = _shape(timbre, near[rising.argmin()] + np.arange(length) / length, length)
        wave[0] = first
    levels = [np.rint(wave).clip(-127, 127)]
    if timbre == "pluck":
        for _ in range(DECAY_LEVELS - 1):  # each from the one before, so that it follows from what was heard
            levels.append(np.rint(levels[-1] * DECAY))
    return (np.stack(levels) + SILENCE).astype(np.uint8)


def instrument(timbre: str, patch: int) -> bytes:
    """The first patches of all its notes, one after the other, as a pack tells them."""
    return b"".join(play([(0, 8, pitch)], timbre, patch, 1).tobytes() for pitch in range(LOWEST, HIGHEST + 1))


def play(notes: list[Note], timbre: str, patch: int, patches: int) -> np.ndarray:
    """The sound of notes, one at a time: [patches * patch] uint8. What goes beyond `patches` is cut."""
    sound = np.full(patches * patch, SILENCE, np.uint8)
    for first, length, pitch in notes:
        if first >= patches:
            break
        levels = periods(timbre, pitch)
        samples = levels.shape[1]
        count = (length * patch - GAP) // samples
        at = np.arange(count) * samples // (DECAY_PATCHES * patch)
        wave = levels[np.minimum(at, len(levels) - 1)].ravel()
        start = first * patch
        wave = wave[: len(sound) - start]
        sound[start : start + len(wave)] = wave
    return sound
