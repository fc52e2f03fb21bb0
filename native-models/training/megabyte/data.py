"""What every pack is trained on: a corpus that makes batches of documents."""

from __future__ import annotations

import os
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Protocol

import numpy as np

from .tables import ConfigError
from .train_config import DataConfig

# Beside the repository, or where MEGABYTE_DATA says.
SHARED = Path(os.environ.get("MEGABYTE_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
OPEN_STYLE = 0  # the index of "any" among a corpus's styles
IGNORED = -1  # in `wanted`: no loss here

# Rows of bytes as the model sees them, and what it is to predict there, both int64 [n, length]: the same bytes, or
# IGNORED where there is nothing to learn (the header, padding, context that is scored elsewhere).
Rows = tuple[np.ndarray, np.ndarray]
# And how much each patch counts, float32 [n, patches], where only some of each row are scored.
WeightedRows = tuple[np.ndarray, np.ndarray, np.ndarray]


class Corpus(Protocol):
    """Training and held-out documents of one pack. A document begins with `header` bytes that hold its style.

    `megabyte/KIND.py` has `corpus(**options) -> Corpus` for `[data] kind = "KIND"` of a train.toml.
    """

    header: int  # bytes, a multiple of the patch
    styles: list[str]  # the first is "any": style left open
    held_out: dict[str, Rows]  # name -> all rows of that set, never trained on

    def sha256(self) -> str:
        """Hash of the training bytes, for pack.json."""
        ...

    def batch(self, rng: np.random.Generator, progress: float, batch_bytes: int) -> Rows | WeightedRows:
        """About `batch_bytes` bytes of rows. Their length is one of a few, and the number of rows depends on it alone
        (each shape is compiled once). A function of its arguments only: it runs ahead, in other processes. Asked
        `train.accumulate` times a step, each time for that share of `train.batch_bytes`.

        `progress`: how much of the run is over, 0..1."""
        ...


def load(config: DataConfig) -> Corpus:
    """The corpus of `megabyte/KIND.py`. Raises ConfigError where there is none, or none with such options."""
    try:
        corpus = import_module(f"megabyte.{config.kind}").corpus
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(f'data.kind "{config.kind}" is no corpus: megabyte has none of that name.') from error
    try:
        signature(corpus).bind(**config.options)
    except TypeError as error:
        raise ConfigError(f"data.options do not fit {config.kind}: {error}.") from error
    made: Corpus = corpus(**config.options)
    return made
