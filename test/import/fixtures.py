"""Writes the files of this folder with the real packages, so that the tests of the import need no Python.

`pip install torch MEGABYTE-pytorch==0.3.6 transformers`, then `python fixtures.py`; once more with MEGABYTE-pytorch==0.2.1
as `python fixtures.py old`, whose modules can be saved whole and share keys and values. The result is committed.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from MEGABYTE_pytorch import MEGABYTE
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model

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


def expected(name: str, x: list[int], logits: torch.Tensor) -> None:
    """Bytes, and what the package says before each of them: fp32 [bytes, tokens]."""
    held = {"x": torch.tensor(x, dtype=torch.float32), "logits": logits.detach().float().contiguous()}
    save_file(held, OUT / f"{name}.expected.safetensors")


def halved(module: torch.nn.Module) -> torch.nn.Module:
    """The same with weights larger than at the start, so that every part tells, in numbers that fp16 holds."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((1.5 * p + 0.02 * torch.randn_like(p)).half())
    return module.eval()


def half_state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Its state_dict with parameters in fp16, to keep the files small."""
    parameters = {name for name, _ in module.named_parameters()}
    return {name: t.half() if name in parameters else t for name, t in module.state_dict().items()}


def megabyte(tokens: int, **options: object) -> tuple[MEGABYTE, list[int], torch.Tensor]:
    """A MEGABYTE, and the logits before each of some bytes: those that its training scores."""
    sizes = {"dim": (16, 8), "depth": (2, 2), "max_seq_len": (8, 4), "dim_head": 8, "heads": 2, "ff_mult": 2}
    model = MEGABYTE(num_tokens=tokens, **{**sizes, **options})
    halved(model)
    x = [(i * i * 31 + (i >> 1)) % min(tokens, 256) for i in range(13)]
    said: list[torch.Tensor] = []
    hook = model.to_logits.register_forward_hook(lambda _module, _inputs, out: said.append(out))
    with torch.no_grad():
        model(torch.tensor([x]))
    hook.remove()
    patches = said[0][0]  # [patches, P + 1, tokens]
    flat = patches[:, 1:].reshape(-1, tokens)
    return model, x, torch.cat([patches[0, :1], flat])[: len(x)]


def megabytes() -> None:
    """Its options that change numbers: positions of either kind or none, tokens; and wrappers and formats."""
    model, x, logits = megabyte(256, depth=(2, 1))
    torch.save({"state_dict": half_state(model)}, OUT / "megabyte.pt")
    expected("megabyte", x, logits)

    model, x, logits = megabyte(40, rel_pos=True, pos_emb=True, depth=(1, 1))
    wrapped = OrderedDict((f"module.{name}", t) for name, t in half_state(model).items())
    torch.save(wrapped, OUT / "megabyte-positions.pt", _use_new_zipfile_serialization=False)
    expected("megabyte-positions", x, logits)

    model, x, logits = megabyte(257, rel_pos=True, depth=(1, 2), heads=1, flash_attn=True)
    save_file(half_state(model), OUT / "megabyte-end.safetensors")
    expected("megabyte-end", x, logits)


class Patches(torch.nn.Module):
    """PatchLevelDecoder of bGPT's utils.py, at a size for tests."""

    def __init__(self, config: GPT2Config, patch: int) -> None:
        super().__init__()
        self.patch_embedding = torch.nn.Linear(patch * 257, config.n_embd)
        torch.nn.init.normal_(self.patch_embedding.weight, std=0.02)
        self.base = GPT2Model(config)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """[patches, P] -> [patches, width]"""
        hot = torch.nn.functional.one_hot(patches, num_classes=257).float().reshape(1, len(patches), -1)
        return self.base(inputs_embeds=self.patch_embedding(hot)).last_hidden_state[0]


class Bytes(torch.nn.Module):
    """ByteLevelDecoder of bGPT's utils.py."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.base = GPT2LMHeadModel(config)

    def forward(self, encoded: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """The encoded patch stands in place of the first input: [patches, P + 1, 257]"""
        begun = torch.cat((torch.full_like(patches[:, :1], 256), patches), dim=1)
        embedded = torch.nn.functional.embedding(begun, self.base.transformer.wte.weight)
        return self.base(inputs_embeds=torch.cat((encoded[:, None], embedded[:, 1:]), dim=1)).logits


class Bgpt(torch.nn.Module):
    """bGPTLMHeadModel of its utils.py."""

    def __init__(self, patch: int) -> None:
        super().__init__()
        sizes = {"n_embd": 8, "n_head": 1, "attn_pdrop": 0, "embd_pdrop": 0, "resid_pdrop": 0}
        self.patch_level_decoder = Patches(GPT2Config(n_layer=1, n_positions=12, vocab_size=1, **sizes), patch)
        self.byte_level_decoder = Bytes(GPT2Config(n_layer=1, n_positions=patch + 1, vocab_size=257, **sizes))


def bgpt() -> None:
    """A bGPT for .txt as its training script saves one, beside the optimizer's state."""
    patch = 2
    model = halved(Bgpt(patch))
    x = [(i * i * 31 + (i >> 1)) % 256 for i in range(11)]
    padded = torch.tensor([*b"tx", *x, 256]).reshape(-1, patch)
    with torch.no_grad():
        encoded = model.patch_level_decoder(padded[:-1])
        logits = model.byte_level_decoder(encoded, padded[1:])[:, :patch].reshape(-1, 257)
    state = half_state(model)
    # Tied, as it is saved: two names of one storage.
    state["byte_level_decoder.base.lm_head.weight"] = state["byte_level_decoder.base.transformer.wte.weight"]
    torch.save({"model": state, "epoch": 1, "best_epoch": 1, "min_eval_loss": 2.5}, OUT / "bgpt-text.pth")
    expected("bgpt-text", x, logits[: len(x)])


def old() -> None:
    """A module of version 0.2.1, saved whole as megaDNA's are."""
    model, x, logits = megabyte(40, rel_pos=True, depth=(1, 1))
    torch.save(model.half(), OUT / "megabyte-module.pt")
    expected("megabyte-module", x, logits)


if __name__ == "__main__":
    torch.manual_seed(1)
    if sys.argv[1:] == ["old"]:
        old()
        sys.exit()
    pickles()
    megabytes()
    bgpt()
