"""The studies behind STUDY.md: equal training time, same data. `python study.py STUDY NAME …` (STUDIES below; all its
runs without a name, `none` to draw again); resumes what was cut off.

Each run gets one thread and the same minutes of processor time, so that a busy machine changes nothing. Two at a time.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from megabyte.model import Megabyte, flops_per_byte
from megabyte.train_config import read_config

HERE = Path(__file__).resolve().parent
NO_MATCHES = ["model.lookback={}"]
NO_NGRAMS = ["model.ngrams={}", *NO_MATCHES]
NO_LOOKBACK = ["model.lookback={}"]
PATCH_48 = ["model.patch=48", "model.context=65", "data.options.patch=48", "pack.media.header=48"]
# In a block of 4 x 4 pixels the row above lies 12 bytes back.
IN_BLOCK = [
    *PATCH_48,
    'data.options.scan="blocks"',
    "model.lookback.offsets=[1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 24, 48, 384]",
    "model.lookback.predictions=[[[3,1]], [[3,1],[12,1],[15,-1]], [[3,1],[1,1],[4,-1]], [[12,1],[1,1],[13,-1]]]",
]

# text: the same global and local sizes and 4,096 bytes of context; without n-grams, which help small patches less, and
# without matches.
TEXT: dict[str, list[str]] = {
    "patch-4": [*NO_NGRAMS, "model.patch=4", "model.context=1024", "model.window=512"],
    "patch-8": NO_NGRAMS,
    "patch-16": [*NO_NGRAMS, "model.patch=16", "model.context=256", "model.window=128"],
    # A patch of one byte and no local layers is a plain byte-level transformer; 1,024 bytes of context.
    "transformer": [*NO_NGRAMS, "model.patch=1", "model.context=1024", "model.window=0", "model.local.layers=0"],
    "patch-8-ngrams": NO_MATCHES,
    "patch-8-ngrams-matches": [],
}
# image: the order of the bytes, the patch, the pixels around seen directly or only through patches, and matches.
IMAGE: dict[str, list[str]] = {
    "raster-48": [*NO_LOOKBACK, *PATCH_48],
    "blocks-48": [*NO_LOOKBACK, *PATCH_48, 'data.options.scan="blocks"'],
    "raster-48-lookback": [*PATCH_48, "model.lookback.matches=[]"],
    "blocks-48-lookback": [*IN_BLOCK, "model.lookback.matches=[]"],
    "raster-24-lookback": ["model.lookback.matches=[]"],
    "raster-24-no-predictions": ["model.lookback.predictions=[]", "model.lookback.matches=[]"],
    # Again, on the machine that ran the one with matches: it is slower than the first.
    "raster-24-lookback-2": ["model.lookback.matches=[]"],
    "raster-24-matches": [],
}
# audio: the patch, the context, and the linear prediction (without it: FLAC's fixed predictors on the bytes); without
# noise in the past.
TWO_FITS = [
    'model.lookback.lpc=[{"order": 24, "window": 512}, {"order": 128, "window": 2048}]',
    "train.noise=[]",
]
PATCH_16 = [
    *("model.patch=16", "model.context=2001", "data.options.patch=16"),
    *("pack.media.header=16", "train.batch_bytes=32016"),
]
AUDIO: dict[str, list[str]] = {
    "patch-16": [*TWO_FITS, *PATCH_16],
    "patch-32": [*TWO_FITS, "model.window=256"],
    "patch-16-one-second": [
        *(*TWO_FITS, *PATCH_16, "model.context=501", "model.window=0"),
        *("data.options.seconds=1", "train.batch_bytes=32064"),
    ],
    "patch-16-no-lpc": [
        *(*TWO_FITS, *PATCH_16, "model.lookback.lpc=[]"),
        "model.lookback.predictions=[[[1,1]], [[1,2],[2,-1]], [[1,3],[2,-3],[3,1]]]",
    ],
}
# optimizer: the text pack as it is, with Muon and with AdamW; longer, since the steps of a slower machine are fewer.
ADAMW = 'train.optimizer="adamw"'
OPTIMIZER: dict[str, list[str]] = {
    "muon": [],
    "adamw-0.0015": [ADAMW, "train.lr=1.5e-3", "train.adam_lr=1.5e-3"],
    "adamw-0.003": [ADAMW],
}
# The pack whose config is varied, minutes a run, and the runs with what they set.
STUDIES: dict[str, tuple[str, int, dict[str, list[str]]]] = {
    "text": ("text", 6, TEXT),
    "image": ("image", 6, IMAGE),
    "audio": ("audio", 6, AUDIO),
    "optimizer": ("text", 18, OPTIMIZER),
}


def run(study: str, name: str) -> None:
    pack, minutes, runs = STUDIES[study]
    out = HERE / "build" / "study" / study / name
    command = [sys.executable, "train.py", f"../{pack}/train.toml", "--out", str(out), "--export", "none"]
    command += ["--minutes", str(minutes), "--clock", "cpu", "--threads", "1"]
    for setting in ["train.evaluations=4", *runs[name]]:
        command += ["--set", setting]
    subprocess.run(command, cwd=HERE, check=True)
    target = HERE / "study" / study
    target.mkdir(exist_ok=True, parents=True)
    shutil.copy(out / "loss.csv", target / f"{name}.csv")


def plot(study: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(7, 4))
    for path in sorted((HERE / "study" / study).glob("*.csv")):
        rows = [r for r in csv.DictReader(path.open()) if r["held_out"]]
        ax.plot([float(r["minutes"]) for r in rows], [float(r["held_out"]) for r in rows], "o-", ms=3, label=path.stem)
    ax.set(xlabel="minutes on one core", ylabel="held-out bits per byte")
    ax.legend()
    fig.savefig(HERE / "study" / study / "study.png", dpi=110, bbox_inches="tight")


def table(study: str) -> str:
    """A row a run: size, compute a byte, what it saw and where it ended."""
    lines = ["| run | parameters | MFLOP a byte | MB seen | TFLOP spent | held-out bits per byte |", "| --- " * 6 + "|"]
    pack, _, runs = STUDIES[study]
    for name, settings in runs.items():
        path = HERE / "study" / study / f"{name}.csv"
        if not path.exists():
            continue
        model = Megabyte(read_config(HERE.parent / pack / "train.toml", settings)[0].model)
        last = [r for r in csv.DictReader(path.open()) if r["held_out"]][-1]
        seen, flops = float(last["bytes"]), flops_per_byte(model)
        size = sum(p.numel() for p in model.parameters()) / 1e6
        cells = [name, f"{size:.1f}M", f"{flops / 1e6:.1f}", f"{seen / 1e6:.2f}", f"{3 * flops * seen / 1e12:.0f}"]
        lines.append(f"| {' | '.join(cells)} | **{float(last['held_out']):.3f}** |")
    return "\n".join(lines)


def main() -> None:
    study, names = sys.argv[1], sys.argv[2:] or list(STUDIES[sys.argv[1]][2])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: run(study, name), [name for name in names if name != "none"]))
    plot(study)
    write_table(HERE / "STUDY.md", study, table(study))


def write_table(page: Path, name: str, text: str) -> None:
    """Puts a table between its marks on a page."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, after = page.read_text().split(start)[0], page.read_text().split(end)[1]
    page.write_text(f"{before}{start}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
