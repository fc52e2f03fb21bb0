"""Short checks of the training code: `pytest` in native-models/training, a few seconds on a CPU."""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import train
from megabyte import data, stories
from megabyte.config import Lookback, Lpc, Match, ModelConfig, NGrams, Stage
from megabyte.export import load_stored, quantize, stored
from megabyte.features.lpc import LEAST, LEVELS, level_of, log_mixture, mu_law_bytes, mu_law_samples, predict
from megabyte.features.match import LENGTHS, longest_match
from megabyte.features.names import last_name
from megabyte.features.ngrams import coefficients, ngram_ids
from megabyte.model import Megabyte, Shift, attend_in_patch
from megabyte.muon import Muon

TOML = """
name = "tiny"
storage = "int8"
[pack]
title = "Tiny"
version = "1"
license = "CC0-1.0"
modality = "text"
media = {}
data = "made up"
[model]
patch = 4
context = 8
window = 4
global = { width = 128, layers = 1, heads = 4, kv_heads = 2, ff = 128 }
local = { width = 128, layers = 1, heads = 2, kv_heads = 1, ff = 128 }
[data]
kind = "words"
[train]
seed = 1
optimizer = "muon"
lr = 3e-3
weight_decay = 0.0
warmup = 4
batch_bytes = 256
evaluations = 2
"""


class Words:
    """Windows of made-up text after a header of one patch."""

    header = 4
    styles = ["any"]
    text = np.frombuffer(b"the cat sat on the mat and ate the rat. " * 200, dtype=np.uint8)

    def __init__(self) -> None:
        self.held_out = {"held": self.batch(np.random.default_rng(5), 0, 256)}

    def sha256(self) -> str:
        return "made up"

    def batch(self, rng: np.random.Generator, progress: float, batch_bytes: int) -> data.Rows:
        rows = [self.text[at : at + 28] for at in rng.integers(0, 7000, batch_bytes // 32)]
        seen = np.pad(np.stack(rows), ((0, 0), (4, 0))).astype(np.int64)
        wanted = seen.copy()
        wanted[:, :4] = data.IGNORED
        return seen, wanted


@pytest.fixture(autouse=True)
def made_up_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "load", lambda config: Words())


def run(folder: Path, steps: int | None, stop_after: int | None = None, **options: Any) -> train.Run:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.toml").write_text(TOML)
    args = argparse.Namespace(
        config=folder / "train.toml",
        out=folder / "out",
        export=folder / "pack",
        steps=steps,
        threads=1,
        **{"minutes": None, "until": None, "workers": 0, "clock": "wall", "set": [], "no_compile": True, **options},
    )
    r = train.Run(args)
    one_step = r.one_step

    def counted() -> torch.Tensor:
        loss = one_step()
        r.stopping = r.step == stop_after
        return loss

    r.one_step = counted  # type: ignore[method-assign]
    r.run()
    return r


def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 8)
    run(tmp_path / "broken", 8, stop_after=3)
    resumed = run(tmp_path / "broken", 8)
    assert resumed.step == 8
    for (name, a), b in zip(whole.model.named_parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_training_learns_and_exports_a_pack(tmp_path: Path) -> None:
    r = run(tmp_path, 60)
    r.finish()
    pack = json.loads((tmp_path / "pack" / "pack.json").read_text())
    assert pack["heldOut"]["bitsPerByte"] < 3.5  # 8 at the start
    assert abs(pack["heldOut"]["bitsPerByte"] - pack["heldOut"]["beforeQuantization"]) < 0.05
    assert pack["training"]["steps"] == 60
    assert (tmp_path / "pack" / "loss.png").exists()
    assert (tmp_path / "pack" / "weights.safetensors").stat().st_size > 1000


def test_batches_that_workers_make_ahead_change_nothing(tmp_path: Path) -> None:
    settings: dict = {"set": ["train.dropout=0.1", "train.accumulate=2"]}
    alone, helped = run(tmp_path / "alone", 6, **settings), run(tmp_path / "helped", 6, workers=2, **settings)
    for (name, a), b in zip(alone.model.named_parameters(), helped.model.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_a_run_until_a_moment_ends_there_with_no_rate_left(tmp_path: Path) -> None:
    r = run(tmp_path, None, until=time.time() + 3)
    assert r.step > 3 and 1 <= r.progress_at(r.step) < 1.5
    assert r.optimizers[0].param_groups[0]["lr"] < 0.2 * r.optimizers[0].param_groups[0]["peak"]


def test_bytes_not_wanted_cost_nothing_and_teach_nothing() -> None:
    model = Megabyte(ModelConfig(4, Stage(32, 1, 2, 1, 32), Stage(32, 1, 2, 1, 32), context=8))
    x = torch.randint(0, 256, (2, 32))
    wanted = x.clone()
    wanted[:, 9:] = data.IGNORED
    nats = model.nats(x, wanted)
    assert torch.equal(nats[:, :9], model.nats(x, x)[:, :9]) and (nats[:, 9:] == 0).all()
    other = x.clone()
    other[:, 9:] = 7
    assert torch.equal(model.nats(other, wanted), nats)


def test_compiled_in_parts_it_is_the_same_model() -> None:
    lookback = Lookback((), 32, matches=(Match(16),))
    ngrams = NGrams((2, 3), 16, 32, True)
    config = ModelConfig(4, Stage(32, 1, 2, 1, 32), Stage(32, 1, 2, 1, 32), 8, ngrams=ngrams, lookback=lookback)
    plain, compiled = Megabyte(config), Megabyte(config)
    compiled.load_state_dict(plain.state_dict())
    compiled.compile(dynamic=False, backend="aot_eager")
    x = torch.randint(0, 4, (2, 32))
    plain.nats(x, x).mean().backward()
    compiled.nats(x, x).mean().backward()
    for (name, a), b in zip(plain.named_parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, msg=name)


def test_attention_in_a_patch_is_plain_causal_attention() -> None:
    q, k, v = (torch.randn(3, 4, heads, 8).transpose(1, 2) for heads in (4, 2, 2))  # as in a block
    keys, values = (t.repeat_interleave(2, 1) for t in (k, v))
    expected = torch.nn.functional.scaled_dot_product_attention(q, keys, values, is_causal=True)
    torch.testing.assert_close(attend_in_patch(q, k, v, as_sums=True), expected)
    torch.testing.assert_close(attend_in_patch(q, k, v, as_sums=False), expected)


@pytest.mark.parametrize(
    "extra",
    [
        {"ngrams": NGrams((2, 3), 16, 32)},
        {"ngrams": NGrams((2, 3), 16, 32, True), "lookback": Lookback((), 32, matches=(Match(32),))},
        {"lookback": Lookback((1, 5), 32, (((1, 1),), ((1, 1), (6, 1), (7, -1))))},
    ],
)
def test_logits_never_see_the_byte_they_predict(extra: dict) -> None:
    config = ModelConfig(4, Stage(32, 1, 2, 1, 32), Stage(32, 1, 2, 1, 32), context=8, window=4, **extra)
    model = Megabyte(config).eval()
    x = torch.randint(0, 256, (1, 32))
    with torch.no_grad():
        before = model(x)
        for t in range(32):
            y = x.clone()
            y[0, t] = (y[0, t] + 1) % 256
            after = model(y)
            assert torch.equal(before[0, : t + 1], after[0, : t + 1]), t
            assert not torch.equal(before[0, t + 1 :], after[0, t + 1 :]) or t == 31


def test_eight_bits_lose_half_a_step_at_most_and_come_back() -> None:
    w = torch.randn(8, 256)
    q, scales = quantize(w, 128)
    back = q.float().view(8, 2, 128) * scales.float()[..., None]
    assert ((back.view(8, 256) - w).abs() <= scales.float().repeat_interleave(128, 1) * 0.51).all()
    config = ModelConfig(4, Stage(128, 1, 2, 1, 128), Stage(128, 1, 2, 1, 128), context=8)
    a, b = Megabyte(config), Megabyte(config)
    load_stored(b, stored(a, "int8"))
    x = torch.randint(0, 256, (1, 32))
    with torch.no_grad():
        assert abs(a.nats(x, x).mean() - b.nats(x, x).mean()) < 0.01 * math.log(2)


def test_the_ngram_hash_is_the_same_under_autocast() -> None:
    ngrams = NGrams((2, 3, 6), 16384, 32)
    table = coefficients(ngrams)
    x = torch.randint(0, 256, (2, 32))
    with torch.autocast("cpu", torch.bfloat16):
        ids = ngram_ids(ngrams, table, x)
    assert torch.equal(ids, ngram_ids(ngrams, table, x))
    of_three = table[:3, 1].long()
    assert ids[1, 9, 1] == (x[1, [8, 7, 6]] * of_three).sum() % 16384 + 16384


def test_shifted_logits_and_their_gradient_are_those_of_plain_indexing() -> None:
    x = torch.randn(3, 5, 256, dtype=torch.double, requires_grad=True)
    by = torch.randint(0, 256, (3, 5))
    out = Shift.apply(x, by)
    assert out[2, 4, 7] == x[2, 4, (7 - by[2, 4]) % 256]
    weights = torch.randn_like(out)
    (out * weights).sum().backward()
    plain = x.detach().clone().requires_grad_()
    (plain.gather(-1, (torch.arange(256) - by[..., None]) % 256) * weights).sum().backward()
    assert x.grad is not None and plain.grad is not None and torch.equal(x.grad, plain.grad)


def test_linear_prediction_looks_only_back_and_follows_a_tone() -> None:
    tone = mu_law_bytes(0.5 * torch.sin(torch.arange(2048, dtype=torch.float64) * 0.3))[None]
    expected, spread = predict(tone, 16, 12, 512)
    # What mu-law rounds away is up to 0.011 there.
    assert (expected - mu_law_samples()[tone])[0, 1024:].abs().mean() < 0.01
    assert spread[0, 0] == LEAST and 0.001 < spread[0, 100] < 0.01
    assert level_of(spread).min() >= 0 and level_of(spread).max() < LEVELS
    other = tone.clone()
    other[0, 1600:] = 7
    again, _ = predict(other, 16, 12, 512)
    torch.testing.assert_close(again[0, :1601], expected[0, :1601])


def test_a_mixture_is_a_distribution_and_one_byte_of_it_costs_the_same() -> None:
    g = torch.Generator().manual_seed(2)
    raw, logits = torch.randn(1, 9, 13, generator=g), torch.randn(1, 9, 256, generator=g)
    expected, spread = torch.rand(1, 9, 2, generator=g) * 2 - 1, torch.rand(1, 9, 2, generator=g) * 0.1 + LEAST
    logp = log_mixture(raw, logits, expected, spread)
    torch.testing.assert_close(logp.exp().sum(-1), torch.ones(1, 9), atol=1e-5, rtol=0)
    byte = torch.randint(0, 256, (1, 9), generator=g)
    one = log_mixture(raw, logits, expected, spread, byte)
    # Sigmoids near 1 are a rounding error apart, which tells in the tails.
    torch.testing.assert_close(one, logp.gather(-1, byte[..., None])[..., 0], atol=1e-3, rtol=0)


def test_what_is_expected_of_sound_does_not_see_the_byte_itself() -> None:
    lookback = Lookback((1,), 32, lpc=(Lpc(6, 40), Lpc(16, 128)))
    model = Megabyte(ModelConfig(4, Stage(32, 1, 2, 1, 32), Stage(32, 1, 2, 1, 32), 16, lookback=lookback)).eval()
    x = torch.randint(0, 256, (1, 64))
    with torch.no_grad():
        before = model(x)
        for t in range(0, 64, 5):
            y = x.clone()
            y[0, t] = 255 - y[0, t]
            # Nearly: a Fourier transform of the whole patch lies between.
            torch.testing.assert_close(model(y)[0, : t + 1], before[0, : t + 1], atol=1e-4, rtol=0)


def test_longest_match_is_what_a_plain_search_finds() -> None:
    x = torch.randint(0, 3, (2, 150), generator=torch.Generator().manual_seed(1))
    for window, unit in ((60, 1), (60, 3)):
        guess, length = longest_match(x, window, unit)
        for row in range(2):
            seen = x[row].tolist()
            for t in range(150):
                best = (0, 0)  # length, byte
                for back in range(unit, min(window, t) + 1, unit):
                    run = 0
                    while run < min(LENGTHS - 1, t - back) and seen[t - 1 - run] == seen[t - 1 - run - back]:
                        run += 1
                    if run > best[0]:
                        best = (run, seen[t - back])
                assert (length[row, t].item(), guess[row, t].item()) == best


def test_a_model_grown_by_matches_begins_with_the_same_logits() -> None:
    stage = Stage(64, 1, 2, 1, 64)
    old = ModelConfig(8, stage, stage, 8, lookback=Lookback((1, 3), 32, (((3, 1),),)))
    new = ModelConfig(8, stage, stage, 8, lookback=Lookback((1, 3), 32, (((3, 1),),), matches=(Match(32),)))
    x = torch.randint(0, 4, (1, 64))
    small, large = Megabyte(old), Megabyte(new)
    load_stored(large, stored(small, "fp32"), old)
    torch.testing.assert_close(large(x), small(x))
    large.nats(x, x).mean().backward()
    assert large.head_rest.weight.grad is not None and large.head_rest.weight.grad[256:].abs().sum() > 0


def test_a_model_grown_by_names_begins_with_the_same_logits() -> None:
    stage = Stage(64, 1, 2, 1, 64)
    old = ModelConfig(8, stage, stage, 8, lookback=Lookback((1,), 32, matches=(Match(32),)))
    new = ModelConfig(8, stage, stage, 8, lookback=Lookback((1,), 32, matches=(Match(32), Match(32, names=True))))
    x = torch.tensor([list(b"one day Ann saw Bo, and Ann said to Bo and her: Ann and Bo, well.")[:64]])
    small, large = Megabyte(old), Megabyte(new)
    load_stored(large, stored(small, "fp32"), old)
    torch.testing.assert_close(large(x), small(x))


def test_the_last_name_is_what_a_plain_search_finds() -> None:
    text = "There was a girl, Mia, with a dog named Max. Max saw Mia; Ma I Al. Mi. In Mo, Mum Ma. so Maxim"
    rows = [
        text,
        text[9:] + text[:9],
        "and Xa " * 10 + "X" * (len(text) - 70),
        "x Ab" + "c" * (len(text) - 10) + " x, Ab",
    ]
    for window in (len(text), 30):
        guess, length = last_name(torch.tensor([list(row.encode()) for row in rows]), window)
        for r, row in enumerate(rows):
            for t in range(len(row)):
                word = re.search(r"[A-Za-z]*$", row[:t])[0]  # type: ignore[index]
                best = (0, 0)
                for at in re.finditer(r"(?<=[a-z,;] )[A-Z]", row[:t]):
                    q = at.start() + len(word)
                    # The word itself is no name before it.
                    if at.start() < t - len(word) and row[at.start() : q] == word and t - q <= window:
                        best = (min(LENGTHS - 1, len(word) + 1), ord(row[q]))
                assert (length[r, t].item(), guess[r, t].item()) == best, (row, t)


@pytest.mark.parametrize("shape", [(48, 32), (32, 48)])
def test_muon_steps_like_pytorchs_own_where_both_take_bf16(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    weights = [torch.nn.Parameter(start.clone()) for _ in range(3)]
    options: dict = {"lr": 0.02, "weight_decay": 0.1}
    ours, exact = (
        Muon([w], dtype=d, **options) for w, d in zip(weights, (torch.bfloat16, torch.float32), strict=False)
    )
    theirs = torch.optim.Muon([weights[2]], adjust_lr_fn="match_rms_adamw", **options)
    for _ in range(3):
        gradient = torch.randn(shape)
        for weight, optimizer in zip(weights, (ours, exact, theirs), strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    assert (weights[0] - weights[2]).norm() < 0.005 * (weights[1] - start).norm()
    assert (weights[1] - weights[2]).norm() < 0.03 * (weights[1] - start).norm()


def test_a_story_is_alone_in_its_row_between_its_header_and_its_end() -> None:
    shelf = stories.Shelf(
        stories.TALE, [f"Tale {i}\n\nOne day, Anna met Bob. Then Bob saw Anna. The end {i}." for i in range(9)]
    )
    whole = 0
    for seed in range(200):
        seen, wanted = shelf.row(128, 4, np.random.default_rng(seed))
        style, told = seen[0], seen[2]
        assert seen[1] == style and seen[3] == told and style in (1, 2) and told in (stories.BEGINS, stories.WITHIN)
        text = bytes(seen[4:].astype(np.uint8)).rstrip(b"\0").decode()
        size = len(text.encode())
        assert (wanted[:4] == data.IGNORED).all() and (wanted[4 : 4 + size] == seen[4 : 4 + size]).all()
        assert wanted[4 + size] == stories.END and (wanted[5 + size :] == data.IGNORED).all()
        assert text.count("The end") <= 1 and (told == stories.BEGINS or not text.startswith("Tale"))
        whole += text.startswith("Tale")
    assert 0.7 < whole / 200 < 0.9


def test_typographic_spelling_turns_quotes_by_where_they_stand() -> None:
    plain = '"\'Tis late," she said--"don\'t go... \'Yes,\' he said." ("No!")'
    assert stories.typographic(plain, " — ") == "“’Tis late,” she said — “don’t go… ‘Yes,’ he said.” (“No!”)"


def test_a_renamed_story_keeps_who_is_who() -> None:
    text = "One day, Anna met Bob. Then, Anna saw that Bob was sad, and he was. So Anna sang, and she smiled at Bob."
    names = stories.Names([text, text])
    assert names.of[0] == ["Anna", "Bob"] and names.kind == {"Anna": "she", "Bob": "he"}
    assert stories.names_of("One day, Then met then. So, Then met then.") == []


def test_windows_of_a_story_score_every_byte_once() -> None:
    story = "".join(f"{i:04d}" for i in range(300))
    rows = stories.windows(story, stories.TALE, 128, 4)
    scored = b"".join(bytes(wanted[wanted >= 0].astype(np.uint8)) for _, wanted in rows)
    assert scored == story.encode() + b"\0"
    assert [seen[2] for seen, _ in rows[:2]] == [stories.BEGINS, stories.WITHIN]
