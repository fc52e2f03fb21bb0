"""Tunes: what is played, what is heard of it, and what of it is scored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from megabyte.config import ModelConfig, Notes, Stage
from megabyte.data import SHARED
from megabyte.features.notes import BYTE_SIZES, byte_rows, hear, patch_rows, style_of
from megabyte.model import Megabyte
from megabyte.synthesizer import GAP, HIGHEST, LOWEST, SILENCE, TIMBRES, first_sample, period, periods, play

PATCH = 96
SCORE = [(0, 8, 60), (8, 8, 60), (16, 4, 45), (22, 20, 76), (42, 6, 53), (48, 8, 60)]
NOTES = Notes(bar=12, bars=(1, 2), before=2, width=8)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_every_note_is_whole_periods_and_is_known_by_its_first_byte(timbre: str) -> None:
    pitches = range(LOWEST, HIGHEST + 1)
    assert len({first_sample(pitch) for pitch in pitches}) == len(pitches)
    for pitch in pitches:
        sound = play([(1, 3, pitch)], timbre, PATCH, 6).astype(int)
        note = sound[PATCH : 4 * PATCH]
        assert (sound[:PATCH] == SILENCE).all() and (sound[4 * PATCH :] == SILENCE).all()
        assert note[0] == SILENCE + first_sample(pitch)
        length = period(pitch)
        whole = (3 * PATCH - GAP) // length * length
        assert (note[length:whole] == note[: whole - length]).all()
        assert (note[whole:] == SILENCE).all()


def test_a_plucked_note_gets_softer_and_never_takes_long_for_silence() -> None:
    levels = periods("pluck", LOWEST).astype(int) - SILENCE
    loud = np.abs(levels).max(1)
    assert (np.diff(loud) < 0).all()
    quiet = (np.tile(levels[-1], 2) == 0).astype(int)
    assert "1" * GAP not in "".join(map(str, quiet))


@pytest.mark.parametrize("timbre", TIMBRES)
def test_what_is_heard_is_what_was_played(timbre: str) -> None:
    sound = torch.from_numpy(play(SCORE, timbre, PATCH, 60)).long()
    heard = hear(sound.view(1, -1, PATCH))
    for first, length, pitch in SCORE:
        assert heard.period[0, first : first + length].tolist() == [period(pitch)] * length
        assert heard.began[0, first : first + length].tolist() == [True] + [False] * (length - 1)
        assert heard.ended[0, first : first + length].tolist() == [False] * (length - 1) + [True]
    assert heard.silent[0].tolist() == [not any(f <= i < f + n for f, n, _ in SCORE) for i in range(60)]


def test_what_is_told_of_notes_does_not_see_ahead() -> None:
    sound = torch.from_numpy(play(SCORE, "pluck", PATCH, 60)).long()[None]
    changed = sound.clone()
    at = 30 * PATCH + 50
    changed[:, at:] = torch.randint(0, 256, changed[:, at:].shape)
    rows = [
        (patch_rows(NOTES, heard, style_of(x, PATCH)), byte_rows(heard, x, PATCH))
        for x in (sound, changed)
        for heard in [hear(x.view(1, -1, PATCH))]
    ]
    assert torch.equal(rows[0][0][:, :31], rows[1][0][:, :31])
    assert torch.equal(rows[0][1][:, : at + 1], rows[1][1][:, : at + 1])
    assert not torch.equal(rows[0][0], rows[1][0])


def test_the_last_note_that_began_alike_is_recalled() -> None:
    sound = torch.from_numpy(play(SCORE, "organ", PATCH, 60)).long()[None]
    heard = hear(sound.view(1, -1, PATCH))
    recalled = byte_rows(heard, sound, PATCH)[0, :, 2] - sum(BYTE_SIZES[:2])
    again = slice(48 * PATCH + 1, 49 * PATCH)
    assert torch.equal(recalled[again], sound[0, again])


def test_only_the_scored_patches_cost_and_they_cost_the_same() -> None:
    torch.manual_seed(1)
    stage = Stage(96, 1, 4, 2, 64)
    config = ModelConfig(PATCH, stage, Stage(32, 1, 2, 1, 32), 24, notes=NOTES)
    model = Megabyte(config, scored=3).train()
    x = torch.from_numpy(np.stack([play(SCORE, timbre, PATCH, 24) for timbre in TIMBRES])).long()
    wanted = torch.full_like(x, -1)
    for row, patches in enumerate([(0, 5, 9), (1, 2, 3), (7, 8, 23), (22, 1, 16)]):
        for patch in patches:
            wanted[row, patch * PATCH : (patch + 1) * PATCH] = x[row, patch * PATCH : (patch + 1) * PATCH]
    some = model.nats(x, wanted)
    every = model.eval().nats(x, wanted)
    torch.testing.assert_close(some, every)


@pytest.mark.skipif(not SHARED.exists(), reason="the data is not here")
def test_rows_of_tunes_weigh_as_much_as_all_of_them_would() -> None:
    from megabyte.tunes import KINDS, corpus

    tunes = corpus(PATCH, 385, 128)
    seen, wanted, weights = tunes.batch(np.random.default_rng(3), 0.0, 4 * 385 * PATCH)
    assert seen.shape == wanted.shape == (4, 385 * PATCH)
    assert ((weights > 0).sum(1) == 128).all()
    np.testing.assert_allclose(weights.sum(1), 384, rtol=1e-5)
    by_patch = wanted.reshape(4, 385, PATCH)
    assert ((by_patch >= 0).all(2) == (weights > 0)).all()
    assert (wanted[wanted >= 0] == seen[wanted >= 0]).all()
    assert len(tunes.styles) == 1 + len(KINDS) * len(TIMBRES)
    assert (seen[:, :PATCH] == seen[:, :1]).all()
    heard = hear(torch.from_numpy(seen.astype(np.int64)).view(4, -1, PATCH))
    assert ((heard.period > 0) | heard.silent).all()


def test_what_lies_before_a_window_is_heard_and_changes_what_is_scored_in_it_alone() -> None:
    torch.manual_seed(1)
    notes = Notes(bar=12, bars=(1, 2), before=2, width=8, guesses=True)
    config = ModelConfig(PATCH, Stage(96, 1, 4, 2, 64), Stage(32, 1, 2, 1, 32), 48, 24, notes=notes)
    model = Megabyte(config).train()
    x = torch.from_numpy(np.stack([play(SCORE, timbre, PATCH, 56) for timbre in TIMBRES])).long()
    costs = model.nats(x, x)
    assert costs.shape == x.shape and (costs[:, : 32 * PATCH] == 0).all() and (costs[:, 32 * PATCH :] > 0).all()
    other = x.clone()
    other[:, : 30 * PATCH] = SILENCE
    assert not torch.equal(model.nats(other, other)[:, 40 * PATCH :], costs[:, 40 * PATCH :])


@pytest.mark.skipif(not SHARED.exists(), reason="the data is not here")
def test_no_rest_of_a_tune_is_two_bars_long() -> None:
    from megabyte.tunes import BAR, read

    for tune in read(SHARED / "audio" / "tunes.json.xz")[::20]:
        notes = tune.keys[0]
        assert (notes[1:, 0] - notes[:-1, 0] - notes[:-1, 1] < 2 * BAR).all() and notes[0, 0] < 2 * BAR
