"""Bits per byte of a pack by the training code itself.

`python score.py ../text --held-out`: of its held-out sets, whole, which goes into its pack.json.

`python score.py ../text < BYTES`: of canonical bytes, for `npm run bench -- --training`, which scores the same bytes by
the graphs: on CUDA in bf16 here, on WebGPU in fp16 there. Prints JSON. They must fit into the context that the pack was
trained on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from megabyte import data
from megabyte.config import ModelConfig
from megabyte.export import load_stored
from megabyte.model import Megabyte
from megabyte.tables import parse
from megabyte.train_config import DataConfig
from train import evaluate, multiplies_bf16


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("pack", type=Path)
    p.add_argument("--held-out", action="store_true", help="score the pack's held-out sets")
    p.add_argument("--header", type=int, default=0, help="bytes at the beginning that do not count")
    p.add_argument("--half", action="store_true", help="multiply bf16 and compile, as training does on CUDA, anywhere")
    args = p.parse_args()
    file = args.pack / "pack.json"
    pack = json.loads(file.read_text())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = args.half or multiplies_bf16(device)
    model = Megabyte(ModelConfig.from_json(pack["model"])).to(device).eval()
    load_stored(model, load_file(args.pack / "weights.safetensors"))
    if args.half:
        model.compile()

    def autocast() -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=half)

    if args.held_out:
        source = parse(DataConfig, pack["training"]["config"]["data"], "training.config.data")
        files = evaluate(model, data.load(source), autocast)
        pack["heldOut"] |= {
            "bitsPerByte": round(sum(files.values()) / len(files), 4),
            "files": {name: round(bits, 4) for name, bits in files.items()},
            "protocol": f"every set whole, stored weights, {'bf16' if half else 'fp32'}",
        }
        file.write_text(json.dumps(pack, indent=2, ensure_ascii=False) + "\n")
        print(json.dumps(files))
        return
    raw = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
    room = model.config.context * model.config.patch
    if not args.header < len(raw) <= room:
        sys.exit(f"{len(raw)} bytes do not fit into the context of {room}.")
    x = torch.from_numpy(np.pad(raw, (0, -len(raw) % model.config.patch)).astype(np.int64)).to(device)[None]
    with torch.no_grad(), autocast():
        nats = model.nats(x, x)[0, args.header : len(raw)]
    bits = nats.mean().item() / math.log(2)
    print(json.dumps({"bits": bits, "on": f"{device.type}, {'bf16' if half else 'fp32'}{', compiled' * args.half}"}))


if __name__ == "__main__":
    main()
