"""What the parts of today's packs are worth: `python ablate.py STUDY NAME …` (STUDIES below; all its runs without a
name, `none` to draw again); resumes what was cut off. Writes study/STUDY: a CSV a run, curves.png and table.md.

Each run gets one thread and the same minutes of processor time, so that a busy machine changes nothing. Two at a time.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from megabyte.model import Megabyte, flops_per_byte
from megabyte.train_config import read_config

HERE = Path(__file__).resolve().parent
BYTES_ALONE = ["model.lookback={}", "model.ngrams={}"]
ADAMW = 'train.optimizer="adamw"'


@dataclass(frozen=True)
class Study:
    """A pack whose train.toml is varied: what all runs set (few bytes a step, for one core), and what each sets."""

    pack: str
    minutes: int
    all: list[str]
    runs: dict[str, list[str]]

    def settings(self, name: str) -> list[str]:
        """What a run sets over the train.toml."""
        return [*self.all, *self.runs[name], "train.evaluations=4"]


STUDIES = {
    # 2,048 bytes of context whatever the patch; a patch of one byte and no local layers is a plain transformer.
    "text": Study(
        "text",
        6,
        [],
        {
            "as-it-is": [],
            "no-names": ['model.lookback.matches=[{"window": 2048}]'],
            "no-matches": ["model.lookback={}"],
            "patch-4": BYTES_ALONE,
            "patch-8": [*BYTES_ALONE, "model.patch=8", "model.context=256", "data.options.patch=8"],
            "transformer": [
                *(*BYTES_ALONE, "model.patch=1", "model.context=2048", "model.local.layers=0"),
                "data.options.patch=1",
            ],
        },
    ),
    "image": Study(
        "image",
        6,
        ["train.batch_bytes=16896", "train.dropout=0.0", "train.warmup=30"],
        {
            "as-it-is": [],
            "no-matches": ["model.lookback.matches=[]"],
            "no-predictions": ["model.lookback.predictions=[]"],
            "no-lookback": ["model.lookback={}"],
            "patch-16": ["model.patch=16", "model.context=66"],
        },
    ),
    "audio": Study(
        "audio",
        6,
        [
            *("model.context=641", "train.batch_bytes=123072", "train.dropout=0.0", "train.warmup=20"),
            *("train.scored=144", "data.options.patches=641", "data.options.scored=144"),
        ],
        {
            "as-it-is": [],
            "no-guesses": ["model.notes.guesses=false"],
            "no-notes": ["model.notes={}"],
        },
    ),
    "optimizer": Study(
        "text",
        18,
        [],
        {
            "muon": [],
            "adamw-0.0015": [ADAMW, "train.lr=1.5e-3", "train.adam_lr=1.5e-3"],
            "adamw-0.003": [ADAMW],
        },
    ),
}


def run(name: str, run: str) -> None:
    """Trains one run of a study and keeps its curve."""
    study = STUDIES[name]
    out = HERE / "build" / "study" / name / run
    command = [sys.executable, "train.py", f"../{study.pack}/train.toml", "--out", str(out), "--export", "none"]
    command += ["--minutes", str(study.minutes), "--clock", "cpu", "--threads", "1"]
    for setting in study.settings(run):
        command += ["--set", setting]
    subprocess.run(command, cwd=HERE, check=True)
    target = HERE / "study" / name
    target.mkdir(exist_ok=True, parents=True)
    shutil.copy(out / "loss.csv", target / f"{run}.csv")


def plot(folder: Path) -> None:
    """Held-out bits per byte over time, a line a run."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(7, 4))
    for path in sorted(folder.glob("*.csv")):
        rows = [r for r in csv.DictReader(path.open()) if r["held_out"]]
        ax.plot([float(r["minutes"]) for r in rows], [float(r["held_out"]) for r in rows], "o-", ms=3, label=path.stem)
    ax.set(xlabel="minutes on one core", ylabel="held-out bits per byte")
    ax.legend()
    fig.savefig(folder / "curves.png", dpi=110, bbox_inches="tight")


def table(name: str) -> str:
    """A row a run: size, compute a byte, what it saw and where it ended."""
    lines = ["| run | parameters | MFLOP a byte | MB seen | TFLOP spent | held-out bits per byte |", "| --- " * 6 + "|"]
    study = STUDIES[name]
    for run in study.runs:
        path = HERE / "study" / name / f"{run}.csv"
        if not path.exists():
            continue
        config, _ = read_config(HERE.parent / study.pack / "train.toml", study.settings(run))
        model = Megabyte(config.model)
        last = [r for r in csv.DictReader(path.open()) if r["held_out"]][-1]
        seen, flops = float(last["bytes"]), flops_per_byte(model)
        size = sum(p.numel() for p in model.parameters()) / 1e6
        cells = [run, f"{size:.1f}M", f"{flops / 1e6:.1f}", f"{seen / 1e6:.2f}", f"{3 * flops * seen / 1e12:.0f}"]
        lines.append(f"| {' | '.join(cells)} | **{float(last['held_out']):.3f}** |")
    return "\n".join(lines) + "\n"


def main() -> None:
    name, runs = sys.argv[1], sys.argv[2:] or list(STUDIES[sys.argv[1]].runs)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: run(name, each), [each for each in runs if each != "none"]))
    folder = HERE / "study" / name
    plot(folder)
    (folder / "table.md").write_text(table(name))


if __name__ == "__main__":
    main()
