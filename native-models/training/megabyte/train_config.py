"""A train.toml: what a pack is called, what its model is, what it is trained on and how."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .config import ModelConfig
from .export import Storage
from .tables import ConfigError, parse

Table = dict[str, Any]


@dataclass(frozen=True)
class PackConfig:
    """`[pack]`: what goes into pack.json as it stands (contract/pack.ts). The corpus adds to `media`."""

    title: str
    version: str
    license: str
    modality: Literal["text", "image", "audio", "bytes"]
    media: Table
    data: str
    sampling: Table | None = None
    ranges: Table | None = None
    presets: Table | None = None


@dataclass(frozen=True)
class DataConfig:
    """`[data]`: the corpus is `megabyte/KIND.py`'s, made with `options`."""

    kind: str
    options: Table = field(default_factory=dict)


@dataclass(frozen=True)
class TrainConfig:
    """`[train]`: the run. Learning rates are peaks: they rise for `warmup` steps and fall to nothing."""

    seed: int
    optimizer: Literal["muon", "adamw"]  # of the matrices
    lr: float
    weight_decay: float  # of the matrices
    warmup: int
    batch_bytes: int  # a step
    evaluations: int  # short looks at the held-out sets
    adam_lr: float | None = None  # of embeddings, norms and head; None: lr
    dropout: float = 0.0
    local_dropout: float | None = None  # None: dropout
    scored: int = 0  # patches of a row on which the local model runs; 0: all
    accumulate: int = 1  # parts of a batch, which may differ in shape
    init: str | None = None  # weights to begin with, a path from the train.toml, pack.json beside them


@dataclass(frozen=True)
class RunConfig:
    """A whole train.toml."""

    name: str
    storage: Storage
    pack: PackConfig
    model: ModelConfig
    data: DataConfig
    train: TrainConfig


def read_config(path: Path, overrides: list[str]) -> tuple[RunConfig, Table]:
    """A train.toml with `TABLE.KEY=JSON` set over it, and the same as written, for pack.json. Raises ConfigError."""
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    for item in overrides:
        override(tables, item)
    return parse(RunConfig, tables, path.name), tables


def override(tables: Table, item: str) -> None:
    """Sets one `TABLE.KEY=JSON`. Raises ConfigError."""
    key, given, value = item.partition("=")
    *places, last = key.split(".")
    table = tables
    for place in places:
        table = table.setdefault(place, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{item} cannot be set: {place} is no table.")
    if not given:
        raise ConfigError(f"{item} sets nothing: write TABLE.KEY=JSON.")
    try:
        table[last] = json.loads(value)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{item} cannot be set: {value} is not JSON (a text stands in double quotes).") from error
