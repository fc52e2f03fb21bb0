"""Backward-adaptive linear prediction of sound (as in G.728): coefficients are fitted to samples already known, so they
cost no bytes. native-models/graph/lpc.ts computes the same numbers: change here and there together."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

LEVELS = 64  # how large an error the fit expects, in quarter octaves


@functools.cache
def mu_law_samples() -> Tensor:
    """The sample in -1..1 of each mu-law byte (contract/samples.ts): 128 is silence. [256] float64."""
    byte = torch.arange(256, dtype=torch.float64)
    curve = byte / 255 * 2 - 1
    curve[128] = 0
    return curve.sign() * torch.expm1(curve.abs() * math.log(256)) / 255


def mu_law_bytes(x: Tensor) -> Tensor:
    """The byte of each sample, as int64."""
    x = x.clamp(-1, 1)
    curve = x.sign() * torch.log1p(255 * x.abs()) / math.log(256)
    return ((curve + 1) / 2 * 255 + 0.5).floor().long()


def analysis_window(length: int) -> Tensor:
    """Weights of the samples before a patch, oldest first: half a Hann window, tapered over the newest twentieth."""
    at = torch.arange(length, dtype=torch.float64) + 0.5
    return torch.sin(math.pi / 2 * at / length) ** 2 * ((length - at) / (length // 20)).clamp(max=1)


def levinson(r: Tensor) -> tuple[Tensor, Tensor]:
    """Autocorrelation [..., order + 1] -> coefficients [..., order], newest sample first, and the error's energy."""
    order = r.shape[-1] - 1
    a = torch.zeros_like(r[..., 1:])
    error = r[..., 0].clone()
    for i in range(order):
        known = a[..., :i]
        k = (r[..., i + 1] - (known * r[..., 1 : i + 1].flip(-1)).sum(-1)) / error
        a[..., :i] = known - k[..., None] * known.flip(-1)
        a[..., i] = k
        error = error * (1 - k * k)
    return a, error


@torch.compiler.disable
@torch.no_grad()
def predict(x: Tensor, patch: int, order: int, window: int) -> tuple[Tensor, Tensor]:
    """x [batch, length] mu-law bytes -> the byte guessed for each place from those before it, and the level of its
    patch (0..LEVELS-1), both int64 [batch, length]. Before the beginning there is silence."""
    batch, length = x.shape
    patches = length // patch
    samples = mu_law_samples().to(x.device)[x]
    padded = torch.cat([samples.new_zeros(batch, window), samples], 1)
    weights = analysis_window(window).to(x.device)
    # In chunks, as the windows overlap and would fill the memory.
    coefficients, energy = [], []
    for part in padded.unfold(1, window, patch)[:, :patches].split(512, 1):
        spectrum = torch.fft.rfft(part * weights, -(-(window + order) // 256) * 256)
        r = torch.fft.irfft(spectrum.real.square() + spectrum.imag.square(), -(-(window + order) // 256) * 256)
        r = r[..., : order + 1].clone()
        r[..., 0] = r[..., 0] * (1 + 1e-6) + 1e-7
        a, error = levinson(r)
        coefficients.append(a)
        energy.append(error)
    a = torch.cat(coefficients, 1)
    past = padded[:, window - order :].unfold(1, order, 1)[:, :length].reshape(batch, patches, patch, order)
    guess = mu_law_bytes((past @ a.flip(-1)[..., None]).view(batch, length))
    # From 2^-15 a sample, which is what the 1e-7 leaves of silence, to 1.
    size = torch.log2(torch.cat(energy, 1) / weights.square().sum()) / 2
    level = ((size + 15) * 4).floor().clamp(0, LEVELS - 1).long()
    return guess, level.repeat_interleave(patch, 1)
