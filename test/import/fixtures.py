"""Writes the files of this folder with the real packages, so that the tests of the import need no Python.

`pip install torch MEGABYTE-pytorch==0.3.6 transformers`, then `python fixtures.py`; the result is committed.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

OUT = Path(__file__).resolve().parent


def checkpoint() -> dict[str, object]:
    """Tensors of every kind that a file of weights may hold, in a training script's surroundings."""
    base = torch.arange(24.0).reshape(4, 6)
    weights = OrderedDict(
        whole=base,
        turned=base.t(),
        part=base[1:3, 2:5],
        parameter=torch.nn.Parameter(torch.tensor([0.5, -2.0])),
        half=(torch.arange(4) / 8).half(),
        brain=(torch.arange(4) / 8).bfloat16(),
        double=torch.tensor([0.1], dtype=torch.float64),
        long=torch.tensor([-3, 2**40]),
        repeated=torch.tensor([7.0]).expand(3),
        scalar=torch.tensor(1.5),
        empty=torch.zeros(0, 3),
    )
    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(2)).sum().backward()
    optimizer.step()
    return {
        "model": weights,
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "best": np.float64(1.25),
        "size": base.shape,
        "device": torch.device("cpu"),
        "dtype": torch.float32,
    }


def pickles() -> None:
    """The two formats of torch.save, and a module saved whole."""
    torch.save(checkpoint(), OUT / "archive.pt")
    torch.save(checkpoint(), OUT / "legacy.pt", _use_new_zipfile_serialization=False)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sequential(torch.nn.LayerNorm(3)))
    module.requires_grad_(False)[0].weight.copy_(torch.arange(6.0).reshape(3, 2))
    torch.save(module, OUT / "module.pt")


if __name__ == "__main__":
    torch.manual_seed(1)
    pickles()
