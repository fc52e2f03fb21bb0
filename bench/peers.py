"""What MEGABYTE-pytorch's own `generate` costs a byte, on one thread: prints one line of JSON.

`generate` recomputes the whole sequence for every byte, so a byte costs what its number of patches costs. Single bytes are
timed at the numbers of patches that are given, and a short sequence whole, to check what is made of them.

    python peers.py 1 32 64 128 192 256
"""

import json
import os
import sys
import time
from importlib.metadata import version

os.environ["TQDM_DISABLE"] = "1"

import torch
from MEGABYTE_pytorch import MEGABYTE

PATCH = 8
# Whole patches that are generated from nothing, to check with.
CHECKED = 8


@torch.inference_mode()
def seconds(model: MEGABYTE, patches: int, given: int) -> float:
    """Processor seconds of `generate` up to `patches` patches after `given` bytes."""
    model.max_seq_len = (patches, PATCH)
    prime = torch.randint(1, 256, (1, given))
    began = time.process_time()
    model.generate(prime)
    return time.process_time() - began


def main(lengths: list[int]) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = MEGABYTE(
        num_tokens=256, dim=(512, 384), depth=(8, 4), max_seq_len=(max(lengths), PATCH)
    ).eval()
    seconds(model, 1, 1)
    steps = [
        [m, min(seconds(model, m, m * PATCH - 1) for _ in range(2))] for m in lengths
    ]
    print(
        json.dumps(
            {
                "version": version("MEGABYTE-pytorch"),
                "torch": torch.__version__,
                "parameters": sum(p.numel() for p in model.parameters()),
                "steps": steps,
                "checked": {
                    "bytes": CHECKED * PATCH,
                    "seconds": seconds(model, CHECKED, 0),
                },
            }
        )
    )


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]])
