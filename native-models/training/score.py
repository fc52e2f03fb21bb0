"""Bits per byte of canonical bytes under a pack, by the training code itself: `python score.py ../text < BYTES`.

For `npm run bench -- --training`, which scores the same bytes by the graphs: on CUDA in bf16 here, on WebGPU in fp16
there. Prints JSON. The bytes must fit into the context that the pack was trained on.
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

from megabyte.export import load_stored
from megabyte.model import Config, Megabyte
from train import multiplies_bf16


@torch.no_grad()
def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("pack", type=Path)
    p.add_argument("--header", type=int, default=0, help="bytes at the beginning that do not count")
    p.add_argument("--half", action="store_true", help="multiply bf16 and compile, as training does on CUDA, anywhere")
    args = p.parse_args()
    config = Config.from_json(json.loads((args.pack / "pack.json").read_text())["model"])
    raw = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
    if not args.header < len(raw) <= config.context * config.patch:
        sys.exit(f"{len(raw)} bytes do not fit into the context of {config.context * config.patch}.")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = args.half or multiplies_bf16(device)
    model = Megabyte(config).to(device).eval()
    load_stored(model, load_file(args.pack / "weights.safetensors"))
    x = torch.from_numpy(np.pad(raw, (0, -len(raw) % config.patch)).astype(np.int64)).to(device)[None]
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        nats = (torch.compile(model) if args.half else model)(x, x)[0, args.header : len(raw)]
    bits = nats.mean().item() / math.log(2)
    print(json.dumps({"bits": bits, "on": f"{device.type}, {'bf16' if half else 'fp32'}{', compiled' * args.half}"}))


if __name__ == "__main__":
    main()
