"""Writes weights.safetensors: matrices as blocks of signed 8-bit numbers with an fp16 scale, or as fp16/fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from .config import ModelConfig
from .constants import CONSTANTS
from .features.lookback import table_blocks
from .model import Megabyte

Storage = Literal["int8", "fp16", "fp32"]


def block_of(columns: int) -> int | None:
    """Numbers of a row that share a scale: the longest block that divides the row (main/engine/compile/quantize.ts)."""
    return next((block for block in CONSTANTS["quantization"]["blocks"] if columns % block == 0), None)


def quantize(weight: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """[n, k] -> int8 [n, k] and fp16 scales [n, k/block]; w = q * scale, symmetric, so that 0 stays 0."""
    blocks = weight.float().reshape(weight.shape[0], -1, block)
    scales = (blocks.abs().amax(-1) / 127).clamp(min=1e-7).half()
    q = (blocks / scales.float()[..., None]).round().clamp(-127, 127).to(torch.int8)
    return q.view(weight.shape), scales


def stored(model: Megabyte, storage: Storage) -> dict[str, Tensor]:
    """The tensors of weights.safetensors by name; `X.scale` lies beside each int8 X. Vectors stay fp32."""
    tensors: dict[str, Tensor] = {}
    for name, p in model.state_dict().items():
        weight = p.detach().cpu().float()
        block = block_of(weight.shape[1]) if weight.dim() == 2 else None
        if storage == "int8" and block:
            tensors[name], tensors[f"{name}.scale"] = quantize(weight, block)
        elif storage == "fp16" and weight.dim() == 2:
            tensors[name] = weight.half()
        else:
            tensors[name] = weight.contiguous().clone()
    return tensors


def load_stored(model: Megabyte, tensors: dict[str, Tensor], was: ModelConfig | None = None) -> None:
    """Puts stored tensors back into a model as fp32, so that what ships can be measured.

    `was`: what the stored model looked back at, where this one may look at more or less; what is new is zero on its way
    in and out, but for what linear prediction expects.
    """
    state = {}
    for name, t in tensors.items():
        if name.endswith(".scale"):
            continue
        if t.dtype == torch.int8:
            scales = tensors[f"{name}.scale"].float()[..., None]
            t = (t.float().view(*scales.shape[:2], -1) * scales).view(t.shape)
        state[name] = t.float()
    if was and model.config.lookback != was.lookback:
        state = {name: grown(name, own, state.get(name), model, was) for name, own in model.state_dict().items()}
    model.load_state_dict(state)


def grown(name: str, own: Tensor, old: Tensor | None, model: Megabyte, was: ModelConfig) -> Tensor:
    """A model's own tensor with what the stored one had in it, each embedded column and each guess in its place."""
    keeps = name == "lookback_embed.weight" or name.startswith("head_mixture")
    lookback, before = model.config.lookback, was.lookback
    if old is None or (old.shape == own.shape and "lookback" not in name):
        return own if old is None and keeps else torch.zeros_like(own) if old is None else old
    new = own.clone() if keeps else torch.zeros_like(own)
    if lookback and before and name.startswith("lookback"):
        table = name == "lookback_embed.weight"
        to, at = (spans(table_blocks(b), 0 if table else b.width) for b in (lookback, before))
        for block in to.keys() & at.keys():
            if table:
                new[to[block]] = old[at[block]]
            else:
                new[:, to[block]] = old[:, at[block]]
    else:
        new[: old.shape[0], : old.shape[1]] = old
    return new


def spans(blocks: list[tuple[str, int]], width: int) -> dict[str, slice]:
    """Where each block lies: of its own size, or of `width` where that is not 0."""
    found, at = {}, 0
    for name, rows in blocks:
        found[name] = slice(at, at + (width or rows))
        at += width or rows
    return found


def write_weights(model: Megabyte, path: Path, storage: Storage) -> None:
    save_file(stored(model, storage), path)
