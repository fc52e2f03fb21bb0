"""Trains one pack from its train.toml: `python train.py ../text/train.toml --minutes 90`.

Resumes from OUT/checkpoint.pt by itself. Writes loss.csv there as it goes, and at the end exports pack.json and
weights.safetensors beside the train.toml (or to --export), with a short look at the held-out sets; `score.py PACK`
measures them whole.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import multiprocessing
import os
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from megabyte import data
from megabyte.config import ModelConfig
from megabyte.export import load_stored, stored, write_weights
from megabyte.model import Megabyte, flops_per_byte
from megabyte.muon import Muon
from megabyte.tables import ConfigError
from megabyte.train_config import TrainConfig, read_config

CHECKPOINT_SECONDS = 60
LOG_STEPS = 20
QUICK_LOOK = 2**14  # held-out bytes of each set that are scored while it trains
EXPORT_LOOK = 2**17  # and when it ends


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("config", type=Path)
    p.add_argument("--out", type=Path, help="checkpoints and logs; default: build/NAME")
    p.add_argument("--export", type=Path, help="where the pack goes; default: beside the config; 'none': nowhere")
    budget = p.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="time budget; the schedule follows it")
    budget.add_argument("--steps", type=int, help="step budget; a resumed run equals an unbroken one")
    budget.add_argument("--until", type=float, metavar="SECONDS", help="trains until this Unix time, then exports")
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: time of this process's threads")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--workers", type=int, default=0, help="processes that make batches ahead; 0: none")
    p.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=JSON", help="overrides a value of the config"
    )
    p.add_argument("--no-compile", action="store_true")
    return p.parse_args()


def optimizers(model: Megabyte, train: TrainConfig, half: bool) -> list[torch.optim.Optimizer]:
    """AdamW for embeddings, norms, head; Muon or AdamW for the matrices between. `half`: the device multiplies bf16."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, p in model.named_parameters():
        inner = p.dim() == 2 and "embed" not in name and "position" not in name and not name.startswith("head")
        (matrices if inner else rest).append(p)
    fused: dict[str, Any] = {"betas": (0.9, 0.98), "eps": 1e-8, "fused": True}
    adam_lr = train.lr if train.adam_lr is None else train.adam_lr
    result: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=adam_lr, weight_decay=0.0, **fused)]
    if train.optimizer == "muon":
        dtype = torch.bfloat16 if half else torch.float32
        result.append(Muon(matrices, lr=train.lr, weight_decay=train.weight_decay, dtype=dtype))
    else:
        result.append(torch.optim.AdamW(matrices, lr=train.lr, weight_decay=train.weight_decay, **fused))
    for opt in result:
        for group in opt.param_groups:
            group["peak"] = group["lr"]
    return result


def schedule(step: int, progress: float, warmup: int) -> float:
    """Share of the peak learning rate: linear to nothing (Bergsma et al. 2025: better than a cosine to a tenth), and a
    linear warm-up over the first `warmup` steps."""
    return max(0.0, 1 - progress) * min(1.0, (step + 1) / warmup)


@torch.no_grad()
def evaluate(model: Megabyte, corpus: data.Corpus, autocast: Any, limit: int | None = None) -> dict[str, float]:
    """Bits per byte of each held-out set, over the bytes that its rows want. `limit`: bytes of rows a set at most."""
    model.eval()
    device = next(model.parameters()).device
    result = {}
    # Shapes that come once are not worth compiling.
    with torch.compiler.set_stance("force_eager"):
        for name, (seen, wanted) in corpus.held_out.items():
            count = len(seen) if limit is None else min(len(seen), -(-limit // seen.shape[1]))
            at_once = max(1, 2**16 // seen.shape[1])
            total, real = torch.zeros((), device=device, dtype=torch.float64), 0
            for first in range(0, count, at_once):
                rows = slice(first, min(first + at_once, count))
                with autocast():
                    nats = model.nats(*(torch.from_numpy(x[rows]).long().to(device) for x in (seen, wanted)))
                total += nats.double().sum()
                real += int((wanted[rows] >= 0).sum())
            result[name] = total.item() / math.log(2) / real
    model.train()
    return result


Part = tuple[np.ndarray, ...]  # data.Rows or data.WeightedRows

_corpus: data.Corpus  # of a worker process


def _adopt(corpus: data.Corpus) -> None:
    global _corpus
    _corpus = corpus
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make(*args: Any) -> list[Part]:
    return make_parts(_corpus, *args)


def make_parts(corpus: data.Corpus, train: TrainConfig, step: int, progress: float) -> list[Part]:
    """The batch of a step, in `accumulate` parts, which may differ in shape. A function of its arguments alone, so that
    a resumed run sees the same data. In small types, for the way between processes."""
    rng = np.random.default_rng((train.seed, step))
    share = train.batch_bytes // train.accumulate
    parts = [corpus.batch(rng, progress, share) for _ in range(train.accumulate)]
    return [(part[0].astype(np.uint8), part[1].astype(np.int16), *part[2:]) for part in parts]


class Batches:
    """Batches in the order of steps, made ahead by `workers` processes or, with none, when they are asked for.

    Make it before CUDA begins: the processes are forks and share the corpus's memory."""

    def __init__(self, corpus: data.Corpus, train: TrainConfig, workers: int) -> None:
        self.corpus, self.train = corpus, train
        self.ahead = 3 * workers
        self.made: dict[int, Future[list[Part]]] = {}
        self.pool: ProcessPoolExecutor | None = None
        if workers:
            fork = multiprocessing.get_context("fork")
            self.pool = ProcessPoolExecutor(workers, fork, _adopt, (corpus,))
            self.pool.submit(os.getpid).result()  # forks them now

    def take(self, step: int, progress_at: Callable[[int], float]) -> list[Part]:
        """The parts of `step`; `progress_at` tells how much of the run is over at a step."""
        if not self.pool:
            return make_parts(self.corpus, self.train, step, progress_at(step))
        for later in range(step, step + self.ahead):
            if later not in self.made:
                self.made[later] = self.pool.submit(_make, self.train, later, progress_at(later))
        return self.made.pop(step).result()

    def close(self) -> None:
        if self.pool:
            self.pool.shutdown(wait=False, cancel_futures=True)


def plot(csv_path: Path, png_path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = list(csv.DictReader(csv_path.open()))
    fig, ax = plt.subplots(figsize=(7, 4))
    ax.plot([float(r["bytes"]) / 1e6 for r in rows], [float(r["train"]) for r in rows], label="training", lw=1)
    held = [(float(r["bytes"]) / 1e6, float(r["held_out"])) for r in rows if r["held_out"]]
    if held:
        ax.plot(*zip(*held, strict=True), "o-", label="held out", ms=3)
    ax.set(xlabel="MB seen", ylabel="bits per byte", ylim=(0, 4.5))
    ax.legend()
    fig.savefig(png_path, dpi=110, bbox_inches="tight")
    plt.close(fig)


class Run:
    """A training run: everything that a checkpoint keeps, and one step of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.config, self.tables = read_config(args.config, args.set)
        self.train = self.config.train
        self.out = args.out or Path(__file__).parent / "build" / self.config.name
        self.out.mkdir(parents=True, exist_ok=True)
        self.corpus = data.load(self.config.data)
        self.batches = Batches(self.corpus, self.train, args.workers)
        torch.set_num_threads(args.threads)
        torch.manual_seed(self.train.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_float32_matmul_precision("high")
        self.half = multiplies_bf16(self.device)
        model, train = self.config.model, self.train
        self.model = Megabyte(model, train.dropout, train.local_dropout, train.scored).to(self.device)
        if train.init:
            # From another pack as it ships.
            init = args.config.parent / train.init
            was = ModelConfig.from_json(json.loads(init.with_name("pack.json").read_text())["model"])
            load_stored(self.model, load_file(init), was)
        if not args.no_compile:
            self.model.compile(dynamic=False)
        self.optimizers = optimizers(self.model, self.train, self.half)
        self.compiled = not args.no_compile
        self.step, self.elapsed, self.seen, self.stopping = 0, 0.0, 0, False  # elapsed: seconds of training
        self.begun = time.time()
        self.before = 0.0  # progress where a resumed run goes on
        self.writer: threading.Thread | None = None
        self.checkpoint = self.out / "checkpoint.pt"
        if self.checkpoint.exists():
            self.resume()

    def autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)

    def clock(self) -> float:
        return time.process_time() / self.args.threads if self.args.clock == "cpu" else time.monotonic()

    def resume(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for opt, saved in zip(self.optimizers, state["optimizers"], strict=True):
            opt.load_state_dict(saved)
        self.step, self.elapsed, self.seen = state["step"], state["elapsed"], state["seen"]
        self.before = state["progress"]
        torch.set_rng_state(state["random"].cpu())
        print(f"resumed at step {self.step}, {self.elapsed / 60:.1f} min", flush=True)

    def save(self) -> None:
        """Copies everything now and writes it in the background."""

        def copied(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.detach().to("cpu", copy=True)
            if isinstance(value, dict):
                return {key: copied(v) for key, v in value.items()}
            return [copied(v) for v in value] if isinstance(value, list) else value

        state = copied(
            {
                "model": dict(self.model.state_dict()),
                "optimizers": [o.state_dict() for o in self.optimizers],
                "step": self.step,
                "elapsed": self.elapsed,
                "seen": self.seen,
                "progress": self.progress_at(self.step),
                "random": torch.get_rng_state(),
            }
        )

        def write() -> None:
            temporary = self.checkpoint.with_suffix(".tmp")
            torch.save(state, temporary)
            temporary.rename(self.checkpoint)

        if self.writer:
            self.writer.join()
        self.writer = threading.Thread(target=write)
        self.writer.start()

    def progress_at(self, step: int) -> float:
        """How much of the budget is used up, 0..1 and on: at `step`, or now where it is a time."""
        if self.args.steps:
            return step / self.args.steps
        if self.args.minutes:
            return self.elapsed / (self.args.minutes * 60)
        return self.before + (1 - self.before) * (time.time() - self.begun) / max(1e-3, self.args.until - self.begun)

    def next_batch(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """What the model sees, what it is to predict, and how much each byte counts, in parts, on the device."""

        def moved(array: np.ndarray) -> Tensor:
            rows = torch.from_numpy(array)
            rows = rows.pin_memory() if self.device.type == "cuda" else rows
            return rows.to(self.device, non_blocking=True)

        parts = []
        for arrays in self.batches.take(self.step, self.progress_at):
            seen, wanted, *weights = map(moved, arrays)
            counts = (wanted >= 0).float()
            if weights:
                counts *= weights[0].repeat_interleave(self.config.model.patch, 1)
            parts.append((seen.long(), wanted.long(), counts))
        return parts

    def one_step(self) -> Tensor:
        """One step of the optimizers; returns the loss in bits per byte, on the device."""
        scale = schedule(self.step, self.progress_at(self.step), self.train.warmup)
        for opt in self.optimizers:
            for group in opt.param_groups:
                group["lr"] = group["peak"] * scale
        parts = self.next_batch()
        try:
            loss = self.gradients(parts)
        except Exception as error:  # whatever the compiler, or a compiler that it calls, says
            if not self.compiled:
                raise
            print(f"goes on without compiling: {type(error).__name__}: {str(error)[:2000]}", flush=True)
            self.compiled = False
            torch.compiler.set_stance("force_eager")
            self.zero_grad()
            loss = self.gradients(parts)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for opt in self.optimizers:
            opt.step()
        self.zero_grad()
        self.step += 1
        self.seen += sum(seen.numel() for seen, _, _ in parts)
        return loss

    def zero_grad(self) -> None:
        for opt in self.optimizers:
            opt.zero_grad(set_to_none=True)

    def gradients(self, parts: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """Adds the gradients of a batch; the loss in bits per byte that is wanted."""
        real = torch.stack([counts.sum() for _, _, counts in parts]).sum()
        loss = torch.zeros((), device=self.device)
        for seen, wanted, counts in parts:
            with self.autocast():
                nats = self.model.nats(seen, wanted)
            part_loss = (nats * counts).sum() / real
            part_loss.backward()
            loss += part_loss.detach() / math.log(2)
        return loss

    def log(self, train_loss: float, held_out: dict[str, float]) -> None:
        path = self.out / "loss.csv"
        new = not path.exists()
        with path.open("a", newline="") as f:
            w = csv.writer(f)
            if new:
                w.writerow(["step", "bytes", "minutes", "train", "held_out"])
            mean = sum(held_out.values()) / len(held_out) if held_out else None
            shown = f"{mean:.4f}" if mean is not None else ""
            w.writerow([self.step, self.seen, f"{self.elapsed / 60:.3f}", f"{train_loss:.4f}", shown])
        print(f"step {self.step} {self.elapsed / 60:.1f} min train {train_loss:.3f} held out {shown}", flush=True)

    def run(self) -> None:
        losses = torch.zeros((), device=self.device)  # of the `count` steps since the last line of the log
        count = 0
        evaluations = self.train.evaluations
        since = self.clock()
        self.begun = time.time()
        saved = time.monotonic()
        while (before := self.progress_at(self.step)) < 1 and not self.stopping:
            losses += self.one_step()
            count += 1
            now = self.clock()
            self.elapsed, since = self.elapsed + now - since, now
            look = int(before * evaluations) != int(self.progress_at(self.step) * evaluations)
            if look or self.step % LOG_STEPS == 0:
                loss = losses.item() / count
                if not math.isfinite(loss):
                    sys.exit(
                        f"The loss became {loss} at step {self.step}. Lower train.lr; the last checkpoint is kept."
                    )
                self.log(loss, evaluate(self.model, self.corpus, self.autocast, QUICK_LOOK) if look else {})
                losses.zero_()
                count = 0
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save()
                    saved = time.monotonic()
                if look:
                    since = self.clock()  # evaluation is not training time
        self.batches.close()
        self.save()

    def finish(self) -> None:
        """The pack, with a short look at what ships (the stored weights), and the loss curve."""
        target = self.args.export or self.args.config.parent
        if str(target) == "none":
            return
        target.mkdir(parents=True, exist_ok=True)
        storage = self.config.storage
        write_weights(self.model, target / "weights.safetensors", storage)
        exact = evaluate(self.model, self.corpus, self.autocast, EXPORT_LOOK)
        load_stored(self.model, stored(self.model, storage))
        held_out = evaluate(self.model, self.corpus, self.autocast, EXPORT_LOOK)
        mean = sum(held_out.values()) / len(held_out)
        pack = {
            "format": 1,
            **self.tables["pack"],
            "media": self.media(),
            "name": self.config.name,
            "model": self.config.model.to_json(),
            "storage": storage,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "heldOut": {
                "bitsPerByte": round(mean, 4),
                "files": {name: round(bits, 4) for name, bits in held_out.items()},
                "beforeQuantization": round(sum(exact.values()) / len(exact), 4),
                "protocol": f"the first {EXPORT_LOOK} bytes of each set, stored weights, {self.arithmetic()}",
            },
            "training": {
                "config": {"data": self.tables["data"], "train": self.tables["train"]},
                "dataSha256": self.corpus.sha256(),
                "steps": self.step,
                "bytesSeen": self.seen,
                "minutes": round(self.elapsed / 60, 1),
                "hardware": hardware(self.device, self.args.threads),
                "torch": torch.__version__,
                "flopsPerByte": round(flops_per_byte(self.model)),
            },
        }
        if self.train.init:
            begun_with = json.loads((self.args.config.parent / self.train.init).with_name("pack.json").read_text())
            pack["training"]["init"] = {"name": begun_with["name"], **begun_with["training"]}
        (target / "pack.json").write_text(json.dumps(pack, indent=2, ensure_ascii=False) + "\n")
        print(f"exported {target}: held out {mean:.4f} bits per byte", flush=True)
        shutil.copy(self.out / "loss.csv", target / "loss.csv")
        plot(target / "loss.csv", target / "loss.png")

    def media(self) -> dict[str, Any]:
        """What pack.json tells of documents: what the train.toml says, and what the corpus knows."""
        known = {"header": self.corpus.header, "styles": self.corpus.styles, **getattr(self.corpus, "media", {})}
        return self.config.pack.media | known

    def arithmetic(self) -> str:
        return "bf16" if self.half else "fp32"


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 itself: a processor that imitates it is thirty times slower than in fp32."""
    if device.type == "cuda":
        return True
    return any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def hardware(device: torch.device, threads: int) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return f"{cpu}, {threads} threads"


def main() -> None:
    args = parse()
    try:
        run = Run(args)
    except ConfigError as error:
        sys.exit(str(error))

    def stop(*_: Any) -> None:
        run.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run.run()
    if run.writer:
        run.writer.join()
    if run.stopping:
        print(f"stopped at step {run.step}; the same command goes on from here", flush=True)
    else:
        run.finish()


if __name__ == "__main__":
    main()
