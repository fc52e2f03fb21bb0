"""The study behind STUDY.md: equal training time, same data. `python study.py NAME …` or all, or `none` to draw again;
resumes what was cut off.

Each run gets one thread and the same minutes of processor time, so that a busy machine changes nothing. Two at a time.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from megabyte.model import Config, Megabyte, flops_per_byte
from train import read_config

HERE = Path(__file__).resolve().parent
MINUTES = "6"
NO_NGRAMS = ["model.ngrams={}"]

# The same global and local sizes and 4,096 bytes of context; without n-grams, which would help the small patches less.
RUNS: dict[str, list[str]] = {
    "patch-4": [*NO_NGRAMS, "model.patch=4", "model.context=1024", "model.window=512"],
    "patch-8": NO_NGRAMS,
    "patch-16": [*NO_NGRAMS, "model.patch=16", "model.context=256", "model.window=128"],
    # A patch of one byte and no local layers is a plain byte-level transformer; 1,024 bytes of context.
    "transformer": [*NO_NGRAMS, "model.patch=1", "model.context=1024", "model.window=0", "model.local.layers=0"],
    "patch-8-ngrams": [],
    "patch-8-adamw": [*NO_NGRAMS, 'train.optimizer="adamw"', "train.lr=1.5e-3", "train.adam_lr=1.5e-3"],
}


def run(name: str) -> None:
    out = HERE / "build" / "study" / name
    command = [sys.executable, "train.py", "../text/train.toml", "--out", str(out), "--export", "none"]
    command += ["--minutes", MINUTES, "--clock", "cpu", "--threads", "1"]
    for setting in ["train.evaluations=4", *RUNS[name]]:
        command += ["--set", setting]
    subprocess.run(command, cwd=HERE, check=True)
    target = HERE / "study"
    target.mkdir(exist_ok=True)
    shutil.copy(out / "loss.csv", target / f"{name}.csv")


def plot() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(7, 4))
    for path in sorted((HERE / "study").glob("*.csv")):
        rows = [r for r in csv.DictReader(path.open()) if r["held_out"]]
        ax.plot([float(r["minutes"]) for r in rows], [float(r["held_out"]) for r in rows], "o-", ms=3, label=path.stem)
    ax.set(xlabel="minutes on one core", ylabel="held-out bits per byte")
    ax.legend()
    fig.savefig(HERE / "study" / "study.png", dpi=110, bbox_inches="tight")


def table() -> str:
    """A row a run: size, compute a byte, what it saw and where it ended."""
    lines = ["| run | parameters | MFLOP a byte | MB seen | TFLOP spent | held-out bits per byte |", "| --- " * 6 + "|"]
    for name, settings in RUNS.items():
        path = HERE / "study" / f"{name}.csv"
        if not path.exists():
            continue
        model = Megabyte(Config.from_json(read_config(HERE.parent / "text" / "train.toml", settings)["model"]))
        last = [r for r in csv.DictReader(path.open()) if r["held_out"]][-1]
        seen, flops = float(last["bytes"]), flops_per_byte(model)
        size = sum(p.numel() for p in model.parameters()) / 1e6
        cells = [name, f"{size:.1f}M", f"{flops / 1e6:.1f}", f"{seen / 1e6:.2f}", f"{3 * flops * seen / 1e12:.0f}"]
        lines.append(f"| {' | '.join(cells)} | **{float(last['held_out']):.3f}** |")
    return "\n".join(lines)


def main() -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [name for name in sys.argv[1:] or RUNS if name != "none"]))
    plot()
    page = HERE / "STUDY.md"
    before, after = page.read_text().split("<!-- table -->")[0], page.read_text().split("<!-- /table -->")[1]
    page.write_text(f"{before}<!-- table -->\n{table()}\n<!-- /table -->{after}")


if __name__ == "__main__":
    main()
