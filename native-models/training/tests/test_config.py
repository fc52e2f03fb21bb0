"""What a train.toml may say, and what is said of one that says something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ablate import STUDIES
from megabyte import data
from megabyte.config import Lookback, Match, ModelConfig, NGrams
from megabyte.model import Megabyte
from megabyte.tables import ConfigError
from megabyte.train_config import DataConfig, read_config

PACKS = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["text", "image", "audio"])
def test_a_shipped_train_toml_is_read_and_kept_as_written(name: str) -> None:
    config, tables = read_config(PACKS / name / "train.toml", ["train.lr=2", "train.evaluations=3"])
    assert config.name == name and config.train.lr == 2.0 and config.train.evaluations == 3
    # In pack.json stands what was written, and nothing that was not.
    assert tables["train"]["lr"] == 2 and "accumulate" not in tables["train"] and config.train.accumulate == 1
    assert config.model == ModelConfig.from_json(json.loads(json.dumps(config.model.to_json())))


@pytest.mark.parametrize("name", ["text", "image", "audio"])
def test_the_model_of_a_shipped_pack_keeps_its_form(name: str) -> None:
    model = json.loads((PACKS / name / "pack.json").read_text())["model"]
    again = json.loads(json.dumps(ModelConfig.from_json(model).to_json()))
    later: dict = {"lookback": {}, "notes": {}}  # fields that came after the pack are written too
    assert again | later == model | later
    assert ModelConfig.from_json(again) == ModelConfig.from_json(model)


def test_tables_are_set_over_and_an_empty_one_is_none() -> None:
    text = PACKS / "text" / "train.toml"
    config, _ = read_config(text, ["model.lookback={}", 'data.options={"patch": 8}', "model.ngrams.rows=64"])
    assert config.model.lookback is None and config.data == DataConfig("stories", {"patch": 8})
    assert isinstance(config.model.ngrams, NGrams) and config.model.ngrams.rows == 64
    config, _ = read_config(text, ["model.lookback.matches=[]", "model.lookback.predictions=[[[1, 2], [2, -1]]]"])
    assert config.model.lookback == Lookback((), 64, (((1, 2), (2, -1)),))
    config, _ = read_config(text, ['model.lookback.matches=[{"window": 9}]'])
    assert config.model.lookback and config.model.lookback.matches == (Match(9),)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("train.learning_rate=1", 'train.toml.train has no "learning_rate"; it knows seed, optimizer, lr,'),
        ("presets={}", 'train.toml has no "presets"; it knows name, storage, pack,'),
        ("model.lookback.matches=[{}]", 'train.toml.model.lookback.matches[0] needs "window".'),
        ("model.global.width=true", "train.toml.model.global.width must be a whole number, not true."),
        ("train.lr=[]", "train.toml.train.lr must be a number, not []."),
        ("train.init=1", "train.toml.train.init must be a text, not 1."),
        ('train.optimizer="sgd"', 'train.toml.train.optimizer must be "muon" or "adamw", not "sgd".'),
        ("model.lookback.predictions=[[[1]]]", "predictions[0][0] must be a list of 2, not [1]."),
        ("model.ngrams=[]", "train.toml.model.ngrams must be a table, not []."),
        ("train.optimizer=adamw", "adamw is not JSON (a text stands in double quotes)."),
        ("train.lr.peak=1", "train.lr.peak=1 cannot be set: lr is no table."),
        ("train.lr", "train.lr sets nothing: write TABLE.KEY=JSON."),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(setting: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(PACKS / "text" / "train.toml", [setting])
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_corpus_that_is_not_there_or_takes_other_options_is_refused() -> None:
    with pytest.raises(ConfigError, match='data.kind "novels" is no corpus'):
        data.load(DataConfig("novels"))
    with pytest.raises(ConfigError, match="data.options do not fit stories: .*'rows'"):
        data.load(DataConfig("stories", {"patch": 4, "tales": 1, "rows": 1}))
    with pytest.raises(ConfigError, match="missing.toml cannot be read"):
        read_config(Path("missing.toml"), [])


@pytest.mark.parametrize(("name", "run"), [(name, run) for name, study in STUDIES.items() for run in study.runs])
def test_every_ablation_fits_its_pack(name: str, run: str) -> None:
    study = STUDIES[name]
    config, _ = read_config(PACKS / study.pack / "train.toml", study.settings(run))
    with torch.device("meta"):
        Megabyte(config.model)
    assert config.data.options.get("patch", config.model.patch) == config.model.patch
    assert config.train.scored == config.data.options.get("scored", 0)
