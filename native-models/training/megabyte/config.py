"""The architecture of a model: `model` of pack.json, `[model]` of a train.toml. contract/pack.ts has the same names."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from .tables import parse


@dataclass(frozen=True)
class Stage:
    """One transformer: the global or the local model. `width` must be a multiple of `heads`."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    ff: int

    @property
    def head_dim(self) -> int:
        return self.width // self.heads


@dataclass(frozen=True)
class NGrams:
    """Hashed n-gram embeddings of the last bytes, added to the local input (see features/ngrams.py).

    `patch_embedder`: added to the bytes of the patch embedder too, as in BLT: for each byte those that end with it.

    One table of `rows` (a power of two) x `width` an order. The hash is linear with coefficients under 8192, so
    that orders up to 8 stay below 2^24 and a float32 holds it exactly: a graph needs no integer arithmetic.
    """

    orders: tuple[int, ...]
    rows: int
    width: int
    patch_embedder: bool = False


@dataclass(frozen=True)
class Lpc:
    """Backward-adaptive linear prediction of mu-law samples: the next sample from the `order` before it, with
    coefficients fitted to the `window` samples before the patch (see features/lpc.py)."""

    order: int
    window: int


@dataclass(frozen=True)
class Match:
    """The longest match of the last bytes with those up to `window` bytes earlier, in steps of `unit` (a pixel has 3
    bytes); or, with `names`, that of the word so far with names before it (see features/match.py and
    features/names.py)."""

    window: int
    unit: int = 1
    names: bool = False


@dataclass(frozen=True)
class Lookback:
    """Single earlier bytes, seen directly: the pixels around in a picture, the samples before in sound.

    The bytes `offsets` back are embedded in `width` dimensions each and added to the local input. Each of
    `predictions` is a sum of (bytes back, weight) and guesses the next byte from them, as PNG's filters do; `matches`
    by what followed the last bytes before. The head has 256 logits for what is left after each guess (modulo 256),
    added to the plain ones. `lpc` expects a sample by linear prediction: what the logits say is mixed with logistic
    distributions around it, whose weights and widths are the model's (see features/lpc.py). Bytes that `lpc` and
    `matches` expect, and how sure they are, are embedded too.
    """

    offsets: tuple[int, ...]
    width: int
    predictions: tuple[tuple[tuple[int, int], ...], ...] = ()
    lpc: tuple[Lpc, ...] = ()
    matches: tuple[Match, ...] = ()

    @property
    def bytes(self) -> int:
        """Columns that are bytes: earlier ones, then the guesses of `lpc` and `matches`."""
        return len(self.offsets) + len(self.lpc) + len(self.matches)

    @property
    def columns(self) -> int:
        """What is embedded for each byte: bytes, then levels of `lpc` and lengths of `matches`."""
        return self.bytes + len(self.lpc) + len(self.matches)

    @property
    def guesses(self) -> int:
        """Bytes guessed, for which the head has logits of what is left."""
        return len(self.predictions) + len(self.matches)


@dataclass(frozen=True)
class Notes:
    """Notes heard in 8-bit sound, told to both models (see features/notes.py).

    `bar` in patches: the place in it is told to the global model, and what stood each of `bars` of them ago. `before`:
    how many notes before the present one are told, period and length. `width` of the local embeddings. `guesses`:
    whether the head has logits of what is left after two guesses, the byte a period ago and the byte recalled.
    """

    bar: int
    bars: tuple[int, ...]
    before: int
    width: int
    guesses: bool = False


@dataclass(frozen=True)
class ModelConfig:
    """The architecture numbers of pack.json. Every switch is independent; `paper` sets them all as in the paper."""

    patch: int
    global_: Stage
    local: Stage
    context: int  # patches in a training sequence; the last position of learned positions
    window: int = 0  # patches a global layer sees, itself included; 0: all of the context
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    feed_forward: Literal["relu", "swiglu"] = "swiglu"
    position: Literal["learned", "rotary"] = "rotary"  # of the global model; inside a patch it is always learned
    global_to_local: Literal["slice", "full"] = "full"  # paper: p-th slice of the output; full: all of it
    tied_head: bool = False
    bias: bool = False
    ngrams: NGrams | None = None
    lookback: Lookback | None = None
    notes: Notes | None = None

    @staticmethod
    def paper(patch: int, global_: Stage, local: Stage, context: int) -> ModelConfig:
        """The paper's own: pre-norm LayerNorm, ReLU, learned positions, sliced output, tied head, biases."""
        return ModelConfig(patch, global_, local, context, 0, "layernorm", "relu", "learned", "slice", True, True)

    @staticmethod
    def from_json(data: Any, at: str = "model") -> ModelConfig:
        """Reads what `to_json` wrote, where it stands `at` some place. Raises ConfigError."""
        return parse(ModelConfig, data, at)

    def to_json(self) -> dict[str, Any]:
        """The form of pack.json and train.toml."""
        data = dataclasses.asdict(self)
        data["global"] = data.pop("global_")
        return {name: value for name, value in data.items() if value is not None}
