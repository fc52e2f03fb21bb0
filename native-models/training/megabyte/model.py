"""MEGABYTE (Yu et al. 2023, arXiv 2305.07185): patch embedder, global model over patches, local model in a patch.

Names of parameters are the names in weights.safetensors, and
main/engine/compile/weights.ts reads them by these names: rename here and there together.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig, Stage
from .constants import CONSTANTS
from .features.lookback import lookback_inputs, table_rows
from .features.lpc import COMPONENTS, log_mixture
from .features.ngrams import coefficients, ngram_ids
from .features.notes import BYTE_SIZES, GUESSES, guesses_of, notes_inputs, patch_sizes

EPSILON: float = CONSTANTS["norm"]["epsilon"]
ROTARY_BASE = float(CONSTANTS["rotary"]["base"])


class RMSNorm(nn.Module):
    """x / rms(x) * weight (Zhang and Sennrich 2019); one fused kernel under torch.compile."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + EPSILON) * self.weight).to(x.dtype)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021), halves convention. x [..., length, heads, head_dim], angles [length, d/2]."""
    cos, sin = angles.cos()[:, None].to(x.dtype), angles.sin()[:, None].to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def rotary_angles(length: int, head_dim: int, device: torch.device) -> Tensor:
    """Angles of positions 0..length-1: [length, head_dim/2]."""
    inverse = ROTARY_BASE ** (-torch.arange(0, head_dim, 2, device=device, dtype=torch.float64) / head_dim)
    return (torch.arange(length, device=device, dtype=torch.float64)[:, None] * inverse).float()


class Shift(torch.autograd.Function):
    """out[..., v] = x[..., (v - by) mod 256] for x [..., 256], by [...]: logits of a rest -> logits of bytes.

    Both ways are a gather, as each row is only turned; autograd's own backward would scatter, which is slow.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, by: Tensor) -> Tensor:
        ctx.save_for_backward(by)
        return x.gather(-1, (torch.arange(256, device=x.device) - by[..., None]) % 256)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (by,) = ctx.saved_tensors
        return grad.gather(-1, (torch.arange(256, device=grad.device) + by[..., None]) % 256), None


class Block(nn.Module):
    """Pre-norm transformer block: x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, config: ModelConfig, stage: Stage, dropout: float) -> None:
        super().__init__()
        self.stage = stage
        self.dropout = dropout
        self.swiglu = config.feed_forward == "swiglu"

        def norm() -> nn.Module:
            return RMSNorm(stage.width) if config.norm == "rmsnorm" else nn.LayerNorm(stage.width, EPSILON)

        kv = stage.kv_heads * stage.head_dim
        self.attention_norm = norm()
        self.qkv = nn.Linear(stage.width, stage.width + 2 * kv, bias=config.bias)
        self.attention_out = nn.Linear(stage.width, stage.width, bias=config.bias)
        self.ff_norm = norm()
        self.ff_in = nn.Linear(stage.width, stage.ff * (2 if self.swiglu else 1), bias=config.bias)
        self.ff_out = nn.Linear(stage.ff, stage.width, bias=config.bias)

    def attend(self, x: Tensor, mask: Tensor | None, angles: Tensor | None) -> Tensor:
        """`mask` [length, length]: which places each place sees; None: itself and all before it."""
        n, length, _ = x.shape
        heads, kv_heads, d = self.stage.heads, self.stage.kv_heads, self.stage.head_dim
        q, k, v = self.qkv(x).split([heads * d, kv_heads * d, kv_heads * d], -1)
        q, k, v = q.view(n, length, heads, d), k.view(n, length, kv_heads, d), v.view(n, length, kv_heads, d)
        if angles is not None:
            q, k = rotate(q, angles), rotate(k, angles)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        if length <= 48 and mask is None:
            out = attend_in_patch(q, k, v, q.is_cuda and length <= 8)
        else:
            k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.attention_out(out.transpose(1, 2).reshape(n, length, -1))

    def forward(self, x: Tensor, mask: Tensor | None, angles: Tensor | None) -> Tensor:
        x = x + self.drop(self.attend(self.attention_norm(x), mask, angles))
        h = self.ff_in(self.ff_norm(x))
        if self.swiglu:
            gate, up = h.chunk(2, -1)
            h = F.silu(gate) * up
        else:
            h = F.relu(h)
        return x + self.drop(self.ff_out(h))

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def attend_in_patch(q: Tensor, k: Tensor, v: Tensor, as_sums: bool) -> Tensor:
    """Causal attention over few places: q [n, heads, length, d], k and v [n, kv_heads, length, d] -> like q.

    Fused attention kernels lose on tiles this small: plain products over the query group, or `as_sums` that the
    compiler fuses, as a GPU's matrix products lose on four places too.
    """
    n, heads, length, d = q.shape
    kv_heads = k.shape[1]
    later = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
    if as_sums:
        q = q.reshape(n, kv_heads, heads // kv_heads, length, 1, d)
        scores = (q * k[:, :, None, None]).sum(-1) * d**-0.5
        weights = scores.masked_fill(later, -1e30).softmax(-1).to(v.dtype)
        return (weights[..., None] * v[:, :, None, None]).sum(-2).reshape(n, heads, length, d)
    q = q.reshape(n, kv_heads, -1, d)
    scores = (q @ k.transpose(-1, -2)) * d**-0.5
    weights = scores.masked_fill(later.repeat(heads // kv_heads, 1), -1e30).softmax(-1)
    return (weights @ v).view(n, heads, length, d)


class Features(NamedTuple):
    """What the model is told of the bytes before each place, as far as it has such inputs; see features/."""

    ngrams: Tensor | None  # rows of the table [batch, length, orders]
    lookback: tuple[Tensor, Tensor, Tensor, Tensor] | None  # as lookback_inputs gives it
    notes: tuple[Tensor, Tensor] | None  # rows for each patch and for each byte

    def flat(self) -> tuple[tuple[Tensor, ...] | None, Tensor | None]:
        """What the head takes of lookback and notes, for places one after the other."""
        lookback = self.lookback and tuple(t.flatten(0, 1) for t in self.lookback)
        return lookback, self.notes and self.notes[1].flatten(0, 1)


class Megabyte(nn.Module):
    """Next-byte logits of a byte sequence, all patches in parallel (paper, section 2.2)."""

    ngram_coefficients: Tensor

    def __init__(
        self, config: ModelConfig, dropout: float = 0.0, local_dropout: float | None = None, scored: int = 0
    ) -> None:
        """`dropout`: of embeddings and of what each block adds, in training only; `local_dropout`: in the local model
        another. `scored`: patches of a row that are scored in training, on which alone the local model runs; 0: all."""
        super().__init__()
        self.dropout, self.scored = dropout, scored
        self.local_dropout = dropout if local_dropout is None else local_dropout
        c = self.config = config
        patch, g, loc = c.patch, c.global_, c.local
        if g.width % patch:
            raise ValueError(f"global width {g.width} is not a multiple of the patch {patch}")
        # Rows 256.. are the learned padding patch that shifts the sequence right by one patch.
        self.patch_embed = nn.Embedding(256 + patch, g.width // patch)
        if c.position == "learned":
            self.patch_position = nn.Parameter(torch.empty(c.context, g.width))
        self.global_blocks = nn.ModuleList(Block(c, g, dropout) for _ in range(g.layers))
        self.global_norm = RMSNorm(g.width) if c.norm == "rmsnorm" else nn.LayerNorm(g.width, EPSILON)
        if c.global_to_local == "slice":
            self.to_local = nn.Linear(g.width // patch, loc.width, bias=c.bias)
        else:
            self.to_local = nn.Linear(g.width, patch * loc.width, bias=c.bias)
        # Row 256 stands for "no byte yet" at the first place of a patch.
        self.local_embed = nn.Embedding(257, loc.width)
        self.local_position = nn.Parameter(torch.empty(patch, loc.width))
        if c.ngrams:
            n = c.ngrams
            self.ngram_embed = nn.Embedding(len(n.orders) * n.rows, n.width)
            self.ngram_to_local = nn.Linear(len(n.orders) * n.width, loc.width, bias=False)
            if n.patch_embedder:
                self.ngram_to_patch = nn.Linear(len(n.orders) * n.width, g.width // patch, bias=False)
            self.register_buffer("ngram_coefficients", coefficients(n), persistent=False)
        if c.lookback:
            b = c.lookback
            self.lookback_embed = nn.Embedding(table_rows(b), b.width)
            self.lookback_to_local = nn.Linear(b.columns * b.width, loc.width, bias=False)
            if b.guesses:
                self.head_rest = nn.Linear(loc.width, b.guesses * 256, bias=False)
            if b.lpc:
                self.head_mixture = nn.Linear(loc.width, 3 * COMPONENTS * len(b.lpc) + 1)  # see log_mixture
        if c.notes:
            self.notes_patch_embed = nn.Embedding(sum(patch_sizes(c.notes)), g.width)
            self.notes_byte_embed = nn.Embedding(sum(BYTE_SIZES), c.notes.width)
            self.notes_to_local = nn.Linear(len(BYTE_SIZES) * c.notes.width, loc.width, bias=False)
            if c.notes.guesses:
                self.head_rest = nn.Linear(loc.width, GUESSES * 256, bias=False)
        self.local_blocks = nn.ModuleList(Block(c, loc, self.local_dropout) for _ in range(loc.layers))
        self.local_norm = RMSNorm(loc.width) if c.norm == "rmsnorm" else nn.LayerNorm(loc.width, EPSILON)
        if not c.tied_head:
            self.head = nn.Linear(loc.width, 256, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal(0, 0.02); projections back into the residual stream are scaled by 1/sqrt(2 layers) (GPT-2)."""
        for name, p in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif p.dim() == 2:
                layers = self.config.global_.layers if name.startswith("global_") else self.config.local.layers
                scale = (2 * layers) ** -0.5 if name.endswith(("attention_out.weight", "ff_out.weight")) else 1.0
                nn.init.normal_(p, std=0.02 * scale)
        if self.config.lookback and self.config.lookback.lpc:
            # Around each fit one narrow and one wide; a logistic's mean error is 1.39 of its scale.
            parts = COMPONENTS * len(self.config.lookback.lpc)
            with torch.no_grad():
                self.head_mixture.bias[parts + 1 : 2 * parts + 1] = torch.tensor([1.2, -0.2]).repeat(parts // 2)
        if self.config.lookback and self.config.lookback.offsets:
            # Bytes are amounts here: those near each other begin alike.
            tables = (
                self.patch_embed.weight[:256],
                self.local_embed.weight[:256],
                *self.lookback_embed.weight[: 256 * self.config.lookback.bytes].split(256),
            )
            with torch.no_grad():
                for table in tables:
                    waves = 4.0 ** torch.linspace(-1, 3, (table.shape[1] + 1) // 2)
                    angles = torch.arange(256)[:, None] / 256 * waves * math.pi
                    table += 0.2 * torch.cat([angles.sin(), angles.cos()], 1)[:, : table.shape[1]]

    def forward(self, x: Tensor) -> Tensor:
        """x [batch, patches * P] bytes as int64 -> logits [batch, patches * P, 256]; logits at t see bytes < t."""
        told = self.features(x)
        y = self.hidden(x, told, None)
        return self.read_out(y, *told.flat(), None).view(*x.shape, 256)

    def nats(self, x: Tensor, wanted: Tensor) -> Tensor:
        """What each byte costs in nats [batch, patches * P]: `wanted` is like x, or -1 where a byte costs nothing. Not
        by way of `forward`, as training scores some patches alone, and of a mixture one byte's logit."""
        c = self.config
        told = self.features(x)
        unseen = 0
        if told.notes and self.training and 0 < c.window < x.shape[1] // c.patch:
            # What lies before a window is only heard: long rows cost no more than a window.
            unseen = x.shape[1] - c.window * c.patch
            x, wanted = x[:, unseen:], wanted[:, unseen:]
            told = told._replace(notes=(told.notes[0][:, -c.window :], told.notes[1][:, unseen:]))
        if not (self.training and self.scored):
            y = self.hidden(x, told, None)
            nats = self.read_out(y, *told.flat(), wanted.flatten()).view(x.shape)
        else:
            if told.lookback:
                raise ValueError("patches are not chosen where the model looks back")
            chosen = self.chosen(wanted)
            y = self.hidden(x, told, chosen)
            by_patch = wanted.unflatten(1, (-1, c.patch))
            notes = told.notes and told.notes[1].unflatten(1, (-1, c.patch))[chosen].flatten(0, 2)
            some = self.read_out(y, None, notes, by_patch[chosen].flatten())
            nats = some.new_zeros(by_patch.shape)
            nats[chosen] = some.view(len(x), -1, c.patch)
            nats = nats.view(x.shape)
        return F.pad(nats, (unseen, 0)) if unseen else nats

    def features(self, x: Tensor) -> Features:
        """What the model is told of the bytes before each place of x [batch, patches * P]."""
        c = self.config
        return Features(
            ngram_ids(c.ngrams, self.ngram_coefficients, x) if c.ngrams else None,
            lookback_inputs(c.lookback, c.patch, x) if c.lookback else None,
            notes_inputs(c.notes, c.patch, x) if c.notes else None,
        )

    def hidden(self, x: Tensor, told: Features, chosen: tuple[Tensor, Tensor] | None) -> Tensor:
        """The local model's output [n, D_L] at all places of x [batch, patches * P], or at those of the `chosen`
        patches."""
        c = self.config
        h, y = self.embed(x, told.ngrams, told.lookback and told.lookback[0], told.notes, chosen)
        patches = h.shape[1]
        angles = rotary_angles(patches, c.global_.head_dim, x.device) if c.position == "rotary" else None
        mask = None
        if 0 < c.window < patches:
            i = torch.arange(patches, device=x.device)
            mask = (i[:, None] >= i) & (i[:, None] - i < c.window)
        for block in self.global_blocks:
            h = block(h, mask, angles)
        # From here on rows do not matter: flat, so that those of any length share the compiled code.
        y = self.enter_patches((h if chosen is None else h[chosen]).flatten(0, 1), y)
        for block in self.local_blocks:
            y = block(y, None, None)
        return y.flatten(0, 1)

    def chosen(self, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Indices of `scored` patches a row: all those in which something is wanted."""
        marked = (wanted.view(len(wanted), -1, self.config.patch) >= 0).any(2)
        patches = marked.byte().topk(self.scored, dim=1).indices
        return torch.arange(len(wanted), device=wanted.device)[:, None], patches

    def compile(self, **options: Any) -> None:
        """Compiles each part by itself: blocks alike share their code, and the features stay as they are."""
        for block in [*self.global_blocks, *self.local_blocks]:
            block.compile(**options)
        for name in ("embed", "enter_patches", "read_out"):
            setattr(self, name, torch.compile(getattr(self, name), **options))

    def embed(
        self,
        x: Tensor,
        ngrams: Tensor | None,
        lookback: Tensor | None,
        notes: tuple[Tensor, Tensor] | None,
        chosen: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor]:
        """What both models begin with: patches [batch, patches, D_G], and places in them [batch * patches, P, D_L],
        or in the `chosen` patches, that do not yet know what the global model says."""
        c = self.config
        batch, length = x.shape
        patches = length // c.patch
        patched = x.view(batch, patches, c.patch)
        grams = self.ngram_embed(ngrams).flatten(2) if ngrams is not None else None

        pad = torch.arange(256, 256 + c.patch, device=x.device).expand(batch, 1, c.patch)
        h = self.patch_embed(torch.cat([pad, patched[:, :-1]], 1)).view(batch, length, -1)
        if grams is not None and c.ngrams and c.ngrams.patch_embedder:
            # N-grams that end with the byte itself: the local ones of the next place. None for the padding patch.
            h = h + F.pad(self.ngram_to_patch(grams[:, 1 : length - c.patch + 1]), (0, 0, c.patch, 0))
        h = h.view(batch, patches, c.global_.width)
        if c.position == "learned":
            h = h + self.patch_position[:patches]
        if notes:
            h = h + self.notes_patch_embed(notes[0]).sum(2)

        def inside(of_bytes: Tensor) -> Tensor:
            """[batch, length, ...] -> [patches, P, ...], the chosen ones."""
            by_patch = of_bytes.unflatten(1, (patches, c.patch))
            return (by_patch if chosen is None else by_patch[chosen]).flatten(0, 1)

        y = self.local_embed(F.pad(inside(x)[:, :-1], (1, 0), value=256)) + self.local_position
        if grams is not None:
            y = y + self.ngram_to_local(inside(grams))
        if lookback is not None:
            y = y + self.lookback_to_local(self.lookback_embed(inside(lookback)).flatten(2))
        if notes:
            y = y + self.notes_to_local(self.notes_byte_embed(inside(notes[1])).flatten(2))
        return F.dropout(h, self.dropout, self.training), F.dropout(y, self.local_dropout, self.training)

    def enter_patches(self, h: Tensor, y: Tensor) -> Tensor:
        """Adds what the global model says, h [n, D_G], to the places y [n, P, D_L] of n patches."""
        c = self.config
        h = self.global_norm(h)
        if c.global_to_local == "slice":
            h = h.view(-1, c.patch, c.global_.width // c.patch)
        return y + self.to_local(h).view_as(y)

    def read_out(
        self, y: Tensor, lookback: tuple[Tensor, ...] | None, notes: Tensor | None, wanted: Tensor | None
    ) -> Tensor:
        """y [n, D_L] and what `lookback_inputs` and the rows of notes say of these places -> logits [n, 256] or, with
        `wanted`, nats [n]."""
        c = self.config
        y = self.local_norm(y)
        logits = F.linear(y, self.local_embed.weight[:256]) if c.tied_head else self.head(y)
        if lookback and c.lookback and c.lookback.guesses:
            rest = self.head_rest(y).view(-1, c.lookback.guesses, 256)
            logits = logits + Shift.apply(rest, lookback[1]).sum(-2)
        if notes is not None and c.notes and c.notes.guesses:
            rest = self.head_rest(y).view(-1, GUESSES, 256)
            logits = logits + Shift.apply(rest, guesses_of(notes)).sum(-2)
        if lookback and c.lookback and c.lookback.lpc:
            # In fp32 to train, in fp64 where the model is (write_fixtures.py): the tails are small differences.
            real = torch.promote_types(logits.dtype, torch.float32)
            raw = self.head_mixture(y)
            expected, spread = (t.to(real) for t in lookback[2:])
            given = None if wanted is None else wanted.clamp(min=0)
            mixed = log_mixture(raw.to(real), logits.to(real), expected, spread, given)
            return mixed if wanted is None else -mixed * (wanted >= 0)
        if wanted is None:
            return logits
        return F.cross_entropy(logits.float(), wanted, ignore_index=-1, reduction="none")


def flops_per_byte(model: Megabyte) -> float:
    """Multiply-adds x 2 of one byte's forward pass, matrix products only (a lookup costs none); training is thrice."""
    c = model.config
    per_patch = per_byte = 0
    for name, p in model.named_parameters():
        if p.dim() != 2 or "embed" in name or "position" in name:
            continue
        if name.startswith("global_") or (name.startswith("to_local") and c.global_to_local == "full"):
            per_patch += p.numel()
        else:
            per_byte += p.numel()
    if c.tied_head:
        per_byte += 256 * c.local.width
    reach = min(c.context, c.window or c.context)
    per_patch += c.global_.layers * reach * c.global_.width  # scores and mix, half of the reach on average
    per_byte += c.local.layers * c.patch * c.local.width
    return 2 * (per_patch / c.patch + per_byte)
