"""The mean of two packs' weights, measured and written as a pack: `python mean.py FIRST SECOND TARGET`.

For two stretches of one training (SECOND began with FIRST's weights): their mean lies in a flatter place than either
and does better on what was not seen (Wortsman et al. 2022, arXiv 2203.05482). FIRST's description is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from megabyte import data
from megabyte.export import load_stored, stored, write_weights
from megabyte.model import Config, Megabyte
from train import evaluate


def main() -> None:
    first, second, target = (Path(a) for a in sys.argv[1:4])
    pack, later = (json.loads((folder / "pack.json").read_text()) for folder in (first, second))
    config = Config.from_json(pack["model"])
    mean, other = Megabyte(config), Megabyte(config)
    load_stored(mean, load_file(first / "weights.safetensors"))
    load_stored(other, load_file(second / "weights.safetensors"))
    with torch.no_grad():
        for a, b in zip(mean.parameters(), other.parameters(), strict=True):
            a.lerp_(b, 0.5)
    weights = stored(mean, pack["storage"])
    load_stored(mean, weights)
    source = pack["training"]["config"]["data"]
    corpus = getattr(data, source["kind"])(**source.get("options", {}))
    files = evaluate(mean, config, corpus, lambda: torch.autocast("cpu", torch.bfloat16), None)
    pack["heldOut"] |= {
        "bitsPerByte": round(sum(files.values()) / len(files), 4),
        "files": {name: round(bits, 4) for name, bits in files.items()},
    }
    pack["heldOut"].pop("beforeQuantization", None)
    pack["training"] = {**later["training"], "meanWith": "the weights it began with", "init": pack["training"]}
    pack["training"]["init"]["name"] = pack["name"]
    target.mkdir(parents=True, exist_ok=True)
    write_weights(mean, target / "weights.safetensors", pack["storage"])
    (target / "pack.json").write_text(json.dumps(pack, indent=2, ensure_ascii=False) + "\n")
    print(f"{target}: {files}")


if __name__ == "__main__":
    main()
