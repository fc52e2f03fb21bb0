"""Writes weights.safetensors: matrices as blocks of signed 8-bit numbers with an fp16 scale, or as fp16/fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from .model import Megabyte

Storage = Literal["int8", "fp16", "fp32"]


def block_of(columns: int) -> int | None:
    """Numbers of a row that share a scale: the longest block that divides the row (main/engine/compile/quantize.ts)."""
    return next((block for block in (128, 64, 32) if columns % block == 0), None)


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


def load_stored(model: Megabyte, tensors: dict[str, Tensor], grown: bool = False) -> None:
    """Puts stored tensors back into a model as fp32, so that what ships can be measured.

    `grown`: the model may look back at more or less than the stored one; what is new is zero on its way in and out,
    but for what linear prediction expects.
    """
    state = {}
    for name, t in tensors.items():
        if name.endswith(".scale"):
            continue
        if t.dtype == torch.int8:
            scales = tensors[f"{name}.scale"].float()[..., None]
            t = (t.float().view(*scales.shape[:2], -1) * scales).view(t.shape)
        state[name] = t.float()
    if grown:
        for name, own in model.state_dict().items():
            old = state.get(name)
            if old is None or old.shape != own.shape:
                keeps = name == "lookback_embed.weight" or name.startswith("head_mixture")
                state[name] = own.clone() if keeps else torch.zeros_like(own)
                if old is not None:
                    state[name][: old.shape[0], : old.shape[1]] = old
        state = {name: state[name] for name in model.state_dict()}
    model.load_state_dict(state)


def write_weights(model: Megabyte, path: Path, storage: Storage) -> None:
    save_file(stored(model, storage), path)
