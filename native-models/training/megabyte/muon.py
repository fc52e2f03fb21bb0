"""Muon (Jordan et al. 2024) as torch.optim.Muon has it, with two differences: matrices of one shape are done at once,
and in a type that the device multiplies itself (PyTorch always takes bf16, which made nine tenths of a step on
processors that only imitate it)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

# The quintic iteration whose slope at zero is greatest.
A, B, C = 3.4445, -4.7750, 2.0315
ITERATIONS = 5


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """[n, rows, columns] -> roughly U V^T of each one's singular value decomposition, by Newton and Schulz."""
    tall = matrices.size(1) > matrices.size(2)
    x = (matrices.mT if tall else matrices).to(dtype, copy=True)
    x.div_(x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7))
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For matrices alone. Steps are as large as AdamW's (Liu et al. 2025), so that learning rates carry over."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, weight_decay: float, dtype: torch.dtype, momentum: float = 0.95
    ) -> None:
        self.dtype = dtype
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            alike = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    alike[p.shape].append(p)
            for shape, params in alike.items():
                means = []
                for p in params:
                    state = self.state[p]
                    if "momentum_buffer" not in state:
                        state["momentum_buffer"] = torch.zeros_like(p)
                    means.append(state["momentum_buffer"])
                grads = [p.grad for p in params]
                torch._foreach_lerp_(means, grads, 1 - momentum)
                ahead = torch._foreach_lerp(grads, means, momentum)
                update = orthogonal(torch.stack(ahead), self.dtype).to(params[0].dtype)
                torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
                torch._foreach_add_(params, update.unbind(), alpha=-lr * 0.2 * max(shape) ** 0.5)
