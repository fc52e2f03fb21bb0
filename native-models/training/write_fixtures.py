"""Writes test/parity: tiny random-weight models and the logits that this PyTorch model gives for them.

`python write_fixtures.py [FOLDER]`; the result is committed, so that the tests of the ONNX path need no Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from megabyte.config import Lookback, Lpc, Match, ModelConfig, NGrams, Notes, Stage
from megabyte.export import Storage, load_stored, stored, write_weights
from megabyte.model import Megabyte
from megabyte.synthesizer import play

# A picture of 6 x 10 pixels after a header of one patch, so that this pack also serves the tests of pictures.
MEDIA = {
    "story": ("text", {"encoding": "utf-8", "endOfDocument": 0, "header": 4, "styles": ["any", "other"]}),
    "picture": ("image", {"width": 6, "height": 10, "header": 6, "styles": ["any", "other"]}),
    "tunes": ("audio", {"rate": 8000, "encoding": "linear-8", "header": 32, "styles": ["any", "reel, organ"]}),
    "sound": ("audio", {"rate": 8000, "encoding": "mu-law", "header": 8, "styles": ["any", "other"]}),
}
OUT = Path(__file__).resolve().parents[2] / "test" / "parity"

CASES = {
    "paper": ModelConfig.paper(patch=4, global_=Stage(64, 2, 4, 4, 96), local=Stage(32, 2, 2, 2, 64), context=16),
    "modern": ModelConfig(
        patch=8,
        global_=Stage(64, 3, 4, 2, 96),
        local=Stage(32, 2, 4, 2, 64),
        context=64,
        window=8,
        ngrams=NGrams((2, 3, 6), 64, 32),
        lookback=Lookback((), 32, matches=(Match(100),)),
    ),
    "story": ModelConfig(
        patch=4,
        global_=Stage(64, 2, 4, 2, 96),
        local=Stage(32, 2, 4, 2, 64),
        context=64,
        ngrams=NGrams((2, 3, 6), 64, 32, patch_embedder=True),
        lookback=Lookback((), 32, matches=(Match(100), Match(80, names=True))),
    ),
    "picture": ModelConfig(
        patch=6,
        global_=Stage(96, 2, 4, 2, 96),
        local=Stage(32, 2, 4, 1, 64),
        context=32,
        position="learned",
        lookback=Lookback(
            (1, 2, 3, 5, 12, 15),
            32,
            (((3, 1),), ((3, 1), (12, 1), (15, -1))),
            matches=(Match(120, 3), Match(48, 6)),
        ),
    ),
    "sound": ModelConfig(
        patch=8,
        global_=Stage(64, 2, 4, 2, 96),
        local=Stage(32, 2, 4, 1, 64),
        context=48,
        window=24,
        lookback=Lookback((1, 2, 3, 5, 12), 32, (((1, 2), (2, -1)),), (Lpc(6, 40), Lpc(16, 128))),
    ),
    "tunes": ModelConfig(
        patch=32,
        global_=Stage(32, 2, 2, 1, 64),
        local=Stage(32, 2, 4, 1, 64),
        context=20,
        notes=Notes(bar=4, bars=(1, 2), before=2, width=16, guesses=True),
    ),
    "byte": ModelConfig(patch=1, global_=Stage(64, 2, 4, 1, 96), local=Stage(32, 0, 1, 1, 32), context=32, window=12),
}

# Names come back in it, at the beginnings of sentences and within them, and some begin like others.
TALE = (
    b'There was a girl named Mia, and a dog named Max. Mia ran to Max. "Oh, Max!" said Mia. They saw Martha; Martha\'s '
    b"hat was red. I saw Mo, Ma and Mia's dog Maximilian, who met Max. \nMa, Mia and Max went home. Mr. Mum knew Mia Ma"
)


def main() -> None:
    out = Path(sys.argv[1]) if sys.argv[1:] else OUT
    for name, config in CASES.items():
        torch.manual_seed(7)
        model = Megabyte(config).eval()
        with torch.no_grad():
            for p in model.parameters():  # larger than at the start of training, so that a mistake shows
                p.add_(torch.randn_like(p) * 0.15)
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        storage: Storage = "int8" if name == "byte" else "fp32"
        write_weights(model, folder / "weights.safetensors", storage)
        load_stored(model, stored(model, storage))
        x = torch.randint(0, 256, (config.context * config.patch,))
        if name == "sound":  # a tone with some noise, so that there is something to predict
            x = (128 + 60 * torch.sin(torch.arange(len(x)) * 0.3)).long() + x // 32
        if name == "story":
            x = torch.tensor(list((b"\2\2\1\1" + 2 * TALE)[: len(x)]))
        if name == "tunes":
            score = [(0, 3, 70), (3, 1, 76), (4, 3, 70), (8, 1, 76), (9, 3, 60), (12, 3, 70), (15, 5, 66)]
            sound = torch.from_numpy(play(score, "pluck", config.patch, config.context - 1)).long()
            x = torch.cat([torch.full((config.patch,), 129), sound])
        if name in ("modern", "picture"):  # some of it comes back, so that there are matches
            for at, back, count in [(60, 33, 12), (100, 60, 20), (130, 96, 5), (150, 18, 40)]:
                x[at : at + count] = x[at - back : at - back + count].clone()
        with torch.no_grad():
            logits = model.double()(x[None])[0].float()
        save_file({"x": x.float(), "logits": logits.contiguous()}, folder / "expected.safetensors")
        modality, media = MEDIA.get(name, ("bytes", {}))
        pack = {
            "format": 1,
            "name": f"parity-{name}",
            "title": f"Random weights, {name}",
            "version": "1",
            "license": "CC0-1.0",
            "modality": modality,
            "media": media,
            "data": "none: random weights",
            "model": config.to_json(),
            "storage": storage,
            "parameters": sum(p.numel() for p in model.parameters()),
            "heldOut": {"bitsPerByte": 8.0, "files": {}},
            "training": {},
        }
        (folder / "pack.json").write_text(json.dumps(pack, indent=2) + "\n")


if __name__ == "__main__":
    main()
