"""Backward-adaptive linear prediction of sound (as in G.728): coefficients are fitted to samples already known, so they
cost no bytes."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..constants import CONSTANTS

_LPC = CONSTANTS["lpc"]
LEVELS: int = _LPC["levels"]  # how wrong the fit was of late, in steps of _LPC["levelsPerOctave"] an octave
RECENT: int = _LPC["recent"]  # samples that this is measured on
# What is fitted is as if there were white noise 33 dB down, about what mu-law rounds away: what is made sound then does
# not ring on and grow when it is heard again, and what is heard is expected better (STUDY.md).
NOISE: float = _LPC["noise"]
COMPONENTS: int = _LPC["components"]  # logistic distributions around what a fit expects
FLOOR: float = _LPC["floor"]  # a byte's probability under them is at least this
LEAST: float = 2.0 ** _LPC["quietestOctave"]  # the spread of silence
SILENCE: int = CONSTANTS["samples"]["silence"]
MU: int = CONSTANTS["samples"]["mu"]


def _expand(curve: Tensor) -> Tensor:
    """The samples at places of G.711's curve, both in -1..1."""
    return curve.sign() * torch.expm1(curve.abs() * math.log(1 + MU)) / MU


@functools.cache
def mu_law_samples() -> Tensor:
    """The sample in -1..1 of each mu-law byte (contract/samples.ts): SILENCE is 0. [256] float64."""
    byte = torch.arange(256, dtype=torch.float64)
    curve = byte / 255 * 2 - 1
    curve[SILENCE] = 0
    return _expand(curve)


def mu_law_bytes(x: Tensor) -> Tensor:
    """The byte of each sample, as int64."""
    x = x.clamp(-1, 1)
    curve = x.sign() * torch.log1p(MU * x.abs()) / math.log(1 + MU)
    return ((curve + 1) / 2 * 255 + 0.5).floor().long()


def analysis_window(length: int) -> Tensor:
    """Weights of the samples before a patch, oldest first: half a Hann window, tapered over the newest of them."""
    at = torch.arange(length, dtype=torch.float64) + 0.5
    return torch.sin(math.pi / 2 * at / length) ** 2 * ((length - at) / (length // _LPC["taper"])).clamp(max=1)


def levinson(r: Tensor) -> Tensor:
    """Autocorrelation [..., order + 1] -> coefficients [..., order], newest sample first."""
    order = r.shape[-1] - 1
    a = torch.zeros_like(r[..., 1:])
    error = r[..., 0].clone()
    for i in range(order):
        known = a[..., :i]
        k = (r[..., i + 1] - (known * r[..., 1 : i + 1].flip(-1)).sum(-1)) / error
        a[..., :i] = known - k[..., None] * known.flip(-1)
        a[..., i] = k
        error = error * (1 - k * k)
    return a


@torch.compiler.disable
@torch.no_grad()
def predict(x: Tensor, patch: int, order: int, window: int, noise: float = NOISE) -> tuple[Tensor, Tensor]:
    """x [batch, length] mu-law bytes -> the sample expected at each place from those before it [batch, length], and the
    spread of each patch [batch, patches]: the fit's mean error on the RECENT samples before. Both float64; before the
    beginning there is silence."""
    batch, length = x.shape
    patches = length // patch
    samples = mu_law_samples().to(x.device)[x]
    before = max(window, order + RECENT)
    padded = torch.cat([samples.new_zeros(batch, before), samples], 1)
    weights = analysis_window(window).to(x.device)
    correlated, filtered = (-(-n // 256) * 256 for n in (window + order, order + RECENT + patch))
    expected, spread = [], []
    # In chunks, as the windows overlap and would fill the memory.
    for part in padded.unfold(1, before + patch, patch)[:, :patches].split(512, 1):
        spectrum = torch.fft.rfft(part[..., before - window : before] * weights, correlated)
        r = torch.fft.irfft(spectrum.real.square() + spectrum.imag.square(), correlated)
        r = r[..., : order + 1].clone()
        r[..., 0] = r[..., 0] * (1 + noise) + _LPC["ridge"]
        a = F.pad(levinson(r), (1, 0))
        # The fit applied to the last samples and to the patch at once, as a convolution.
        near = part[..., before - order - RECENT :]
        y = torch.fft.irfft(torch.fft.rfft(near, filtered) * torch.fft.rfft(a, filtered), filtered)
        guessed, actual = y[..., order : order + RECENT], near[..., order : order + RECENT]
        spread.append((actual - guessed).abs().mean(-1).clamp(min=LEAST))
        expected.append(y[..., order + RECENT : order + RECENT + patch])
    return torch.cat(expected, 1).reshape(batch, length), torch.cat(spread, 1)


def level_of(spread: Tensor) -> Tensor:
    """Spreads as steps 0..LEVELS-1 (int64): from LEAST to 1."""
    return ((torch.log2(spread) - _LPC["quietestOctave"]) * _LPC["levelsPerOctave"]).floor().clamp(0, LEVELS - 1).long()


def _mu_law_edges() -> Tensor:
    """The samples at which bytes 0..255 begin, the outermost ends far outside: [257] float64."""
    edges = _expand((torch.arange(257, dtype=torch.float64) - 0.5) / 255 * 2 - 1)
    edges[0], edges[-1] = -1e4, 1e4
    return edges


EDGES = _mu_law_edges()


def log_mixture(raw: Tensor, logits: Tensor, expected: Tensor, spread: Tensor, byte: Tensor | None = None) -> Tensor:
    """Log-probabilities under a mixture of softmax(logits) and logistic distributions around what linear prediction
    expects, discretised (as in PixelCNN++, Salimans et al. 2017).

    raw [..., 3 * parts + 1]: a weight for each part and one for the logits, then how narrow each part is and how
    far beside what is expected, in spreads; parts = COMPONENTS * fits. logits [..., 256]; expected and spread
    [..., fits], all of one type. Returns [..., 256], or with `byte` [...] (int64) that one's alone, in a hundredth of
    the time.
    """
    parts = COMPONENTS * expected.shape[-1]
    weights, narrow, beside = raw.split([parts + 1, parts, parts], -1)
    weights = weights.softmax(-1)
    spread = spread.repeat_interleave(COMPONENTS, -1)
    inverse = narrow.exp() / spread
    m = expected.repeat_interleave(COMPONENTS, -1) + beside * spread
    edges = EDGES.to(raw)
    if byte is None:
        below = ((edges - m[..., None]) * inverse[..., None]).sigmoid() * weights[..., :-1, None]
        p = below.sum(-2).diff(dim=-1).clamp(min=FLOOR)
        return (p + weights[..., -1:] * logits.softmax(-1)).log()
    low, high = (((edges[at][..., None] - m) * inverse).sigmoid() for at in (byte, byte + 1))
    p = ((high - low) * weights[..., :-1]).sum(-1).clamp(min=FLOOR)
    return (p + weights[..., -1] * logits.softmax(-1).gather(-1, byte[..., None])[..., 0]).log()
