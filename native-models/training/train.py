"""Trains one pack from its train.toml: `python train.py ../text/train.toml --minutes 90`.

Resumes from OUT/checkpoint.pt by itself. Writes there loss.csv, loss.png and samples.txt as it goes, and at
the end exports pack.json and weights.safetensors beside the train.toml (or to --export).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import shutil
import signal
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from megabyte import data
from megabyte.export import load_stored, stored, write_weights
from megabyte.model import Config, Megabyte, flops_per_byte
from megabyte.muon import Muon


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("config", type=Path)
    p.add_argument("--out", type=Path, help="checkpoints and logs; default: build/NAME")
    p.add_argument("--export", type=Path, help="where the pack goes; default: beside the config; 'none': nowhere")
    budget = p.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="time budget; the schedule follows it")
    budget.add_argument("--steps", type=int, help="step budget; a resumed run equals an unbroken one")
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: time of this process's threads")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=JSON", help="overrides a config value")
    p.add_argument("--no-compile", action="store_true")
    return p.parse_args()


def read_config(path: Path, overrides: list[str]) -> dict[str, Any]:
    config = tomllib.loads(path.read_text())
    for item in overrides:
        key, value = item.split("=", 1)
        *tables, last = key.split(".")
        table = config
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = json.loads(value)
    return config


def optimizers(model: Megabyte, train: dict[str, Any], half: bool) -> list[torch.optim.Optimizer]:
    """AdamW for embeddings, norms, head; Muon or AdamW for the matrices between. `half`: the device multiplies bf16."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, p in model.named_parameters():
        inner = p.dim() == 2 and "embed" not in name and "position" not in name and not name.startswith("head")
        (matrices if inner else rest).append(p)
    fused: dict[str, Any] = {"betas": (0.9, 0.98), "eps": 1e-8, "fused": True}
    adam_lr = train.get("adam_lr", train["lr"])
    result: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=adam_lr, weight_decay=0.0, **fused)]
    if train["optimizer"] == "muon":
        dtype = torch.bfloat16 if half else torch.float32
        result.append(Muon(matrices, lr=train["lr"], weight_decay=train["weight_decay"], dtype=dtype))
    else:
        result.append(torch.optim.AdamW(matrices, lr=train["lr"], weight_decay=train["weight_decay"], **fused))
    for opt in result:
        for group in opt.param_groups:
            group["peak"] = group["lr"]
    return result


def schedule(progress: float, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up, then cosine to 2 %."""
    if progress < warmup:
        return max(progress, 1e-3) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


@torch.no_grad()
def evaluate(model: nn.Module, c: Config, corpus: data.Corpus, autocast: Any, limit: int | None) -> dict:
    """Bits per byte of each held-out set. Documents: whole, without their header. Running text: windows of the trained
    length, each moved by a half and scored on its second half (the first window whole). `limit`: bytes a set, for the
    quick look during training."""
    model.eval()
    device = next(model.parameters()).device
    length = c.context * c.patch
    half = length // 2
    result = {}
    for name, book in corpus.held_out.items():
        if book.ndim == 2:
            bits = 0.0
            rows = torch.from_numpy(book[: limit and 4 * limit // book.shape[1]].astype(np.int64))
            for part in rows.split(max(1, 2**15 // book.shape[1])):
                part = part.to(device)
                with autocast():
                    nats = model(part, part)[:, corpus.header :]
                bits += nats.mean().item() / math.log(2) * len(part)
            result[name] = bits / len(rows)
            continue
        book = book[:limit]
        total, count = 0.0, 0
        for start in range(0, max(1, len(book) - half), half):
            window = torch.from_numpy(book[start : start + length].astype(np.int64))
            size = len(window)
            window = nn.functional.pad(window, (0, length - size)).to(device)[None]
            with autocast():
                nats = model(window, window)[0]
            scored = nats[half if start else 0 : size]
            total, count = total + scored.sum().item() / math.log(2), count + len(scored)
        result[name] = total / count
    model.train()
    return result


@torch.no_grad()
def sample(model: Megabyte, count: int, seed: int) -> bytes:
    """`count` bytes where a paragraph begins, temperature 0.8; recomputes everything: for the log only."""
    c = model.config
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    known = list(data.OPENING)
    for _ in range(min(count, c.context * c.patch - 1)):
        padded = -(-(len(known) + 1) // c.patch) * c.patch
        x = torch.tensor(known + [0] * (padded - len(known)), device=device)[None]
        p = (model(x)[0, len(known)].float().cpu() / 0.8).softmax(-1)
        known.append(int(torch.multinomial(p, 1, generator=generator)))
    return bytes(known[len(data.OPENING) :])


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
    ax.set(xlabel="MB seen", ylabel="bits per byte", ylim=(1, 4.5))
    ax.legend()
    fig.savefig(png_path, dpi=110, bbox_inches="tight")
    plt.close(fig)


class Run:
    """A training run: everything that a checkpoint keeps, and one step of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.file = read_config(args.config, args.set)
        self.train = self.file["train"]
        self.config = Config.from_json(self.file["model"])
        self.out = args.out or Path(__file__).parent / "build" / self.file["name"]
        self.out.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(args.threads)
        torch.manual_seed(self.train["seed"])
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_float32_matmul_precision("high")
        self.half = multiplies_bf16(self.device)
        self.corpus = getattr(data, self.file["data"]["kind"])(**self.file["data"].get("options", {}))
        if self.corpus.styles:
            self.file["pack"]["media"]["styles"] = self.corpus.styles
        if self.corpus.opening:
            self.file["pack"]["media"]["opening"] = self.corpus.opening.decode()
        self.model = Megabyte(self.config).to(self.device)
        if "init" in self.train:
            # From another pack as it ships: what it learned of edges and areas helps where there is little time.
            load_stored(self.model, load_file(args.config.parent / self.train["init"]), grown=True)
        self.compiled: Any = self.model if args.no_compile else torch.compile(self.model)
        self.optimizers = optimizers(self.model, self.train, self.half)
        self.step, self.elapsed, self.stopping = 0, 0.0, False
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
        self.step, self.elapsed = state["step"], state["elapsed"]
        print(f"resumed at step {self.step}, {self.elapsed / 60:.1f} min", flush=True)

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "step": self.step,
            "elapsed": self.elapsed,
        }
        temporary = self.checkpoint.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.rename(self.checkpoint)

    def progress(self) -> float:
        if self.args.steps:
            return self.step / self.args.steps
        return self.elapsed / (self.args.minutes * 60)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """What the model sees and what it is to predict: a function of seed and step alone, so that a resumed run sees
        the same data. The two differ where the past is made noisy."""
        rng = np.random.default_rng((self.train["seed"], self.step))
        length = self.config.context * self.config.patch
        last = self.progress() > 1 - self.train["last_stretch"] and rng.random() < self.train["last_share"]
        source = self.corpus.last if last else self.corpus.main
        count, varied = self.train["batch_bytes"] // length, self.train.get("varied", False)
        rows = data.batch(source, length, count, rng, self.corpus.header, varied, self.corpus.open_style)
        levels = self.train.get("noise")
        seen = data.noisy(rows, self.corpus.header, levels, rng) if levels else rows
        return torch.from_numpy(seen).to(self.device), torch.from_numpy(rows).to(self.device)

    def one_step(self) -> float:
        """Gradient step with accumulation in `accumulate` parts; returns the loss in bits per byte."""
        scale = schedule(self.progress(), self.train["warmup"])
        for opt in self.optimizers:
            for group in opt.param_groups:
                group["lr"] = group["peak"] * scale
        count = self.train.get("accumulate", 1)
        parts = list(zip(*(x.chunk(count) for x in self.next_batch()), strict=True))
        loss = 0.0
        for seen, wanted in parts:
            with self.autocast():
                nats = self.compiled(seen, wanted)[:, self.corpus.header :].mean()
            (nats / len(parts)).backward()
            loss += nats.item() / math.log(2) / len(parts)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for opt in self.optimizers:
            opt.step()
            opt.zero_grad(set_to_none=True)
        self.step += 1
        return loss

    def log(self, train_loss: float, held_out: dict[str, float]) -> None:
        path = self.out / "loss.csv"
        new = not path.exists()
        with path.open("a", newline="") as f:
            w = csv.writer(f)
            if new:
                w.writerow(["step", "bytes", "minutes", "train", "held_out"])
            mean = sum(held_out.values()) / len(held_out) if held_out else None
            seen = self.step * self.train["batch_bytes"]
            shown = f"{mean:.4f}" if mean else ""
            w.writerow([self.step, seen, f"{self.elapsed / 60:.3f}", f"{train_loss:.4f}", shown])
        print(f"step {self.step} {self.elapsed / 60:.1f} min train {train_loss:.3f} held out {shown}", flush=True)

    def run(self) -> None:
        recent: list[float] = []
        evaluations = self.train["evaluations"]
        since = self.clock()
        while self.progress() < 1 and not self.stopping:
            before = self.progress()
            loss = self.one_step()
            if not math.isfinite(loss):
                sys.exit(f"The loss became {loss} at step {self.step}; the last checkpoint is kept. Lower train.lr.")
            recent.append(loss)
            now = self.clock()
            self.elapsed, since = self.elapsed + now - since, now
            if int(before * evaluations) != int(self.progress() * evaluations):
                held_out = evaluate(self.model, self.config, self.corpus, self.autocast, 16384)
                self.log(sum(recent) / len(recent), held_out)
                recent = []
                if self.corpus.main.ndim == 1:
                    with (self.out / "samples.txt").open("ab") as f:
                        f.write(f"\n=== step {self.step}\n".encode() + sample(self.model, 120, self.step) + b"\n")
                self.save()
                since = self.clock()  # evaluation is not training time
            elif self.step % 20 == 0:
                self.log(sum(recent) / len(recent), {})
                recent = []
        self.save()

    def finish(self) -> None:
        """Loss curve, and the pack with what was measured on what ships (the stored weights, full held-out files)."""
        target = self.args.export or self.args.config.parent
        if str(target) == "none":
            return
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.out / "loss.csv", target / "loss.csv")
        plot(target / "loss.csv", target / "loss.png")
        storage = self.file["storage"]
        exact = evaluate(self.model, self.config, self.corpus, self.autocast, None)
        load_stored(self.model, stored(self.model, storage))
        held_out = evaluate(self.model, self.config, self.corpus, self.autocast, None)
        write_weights(self.model, target / "weights.safetensors", storage)
        parameters = sum(p.numel() for p in self.model.parameters())
        mean = sum(held_out.values()) / len(held_out)
        pack = {
            "format": 1,
            **self.file["pack"],
            "name": self.file["name"],
            "model": self.config.to_json(),
            "storage": storage,
            "parameters": parameters,
            "heldOut": {
                "bitsPerByte": round(mean, 4),
                "files": {name: round(bits, 4) for name, bits in held_out.items()},
                "beforeQuantization": round(sum(exact.values()) / len(exact), 4),
                "protocol": "windows of the trained length moved by half, second half scored, "
                f"{'bf16' if self.half else 'fp32'}, stored weights",
            },
            "training": {
                "config": {"data": self.file["data"], "train": self.train},
                "dataSha256": self.corpus.sha256(),
                "steps": self.step,
                "bytesSeen": self.step * self.train["batch_bytes"],
                "minutes": round(self.elapsed / 60, 1),
                "hardware": hardware(self.device, self.args.threads),
                "torch": torch.__version__,
                "flopsPerByte": round(flops_per_byte(self.model)),
            },
        }
        if "init" in self.train:
            begun_with = json.loads((self.args.config.parent / self.train["init"]).with_name("pack.json").read_text())
            pack["training"]["init"] = {"name": begun_with["name"], **begun_with["training"]}
        (target / "pack.json").write_text(json.dumps(pack, indent=2, ensure_ascii=False) + "\n")
        print(f"exported {target}: held out {mean:.4f} bits per byte", flush=True)


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
    run = Run(args)

    def stop(*_: Any) -> None:
        run.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run.run()
    if run.stopping:
        print(f"stopped at step {run.step}; the same command goes on from here", flush=True)
    else:
        run.finish()


if __name__ == "__main__":
    main()
