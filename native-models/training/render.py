"""Renders the note data of ../shared/data/audio to sound: `python render.py`, some minutes.

Needs Debian's fluidsynth and fluid-soundfont-gm. Writes build/sound/{train,heldout}/STYLE.npy: clips of CLIP bytes,
8 kHz mu-law, [clips, CLIP] uint8. Training pieces are transposed and their tempo varied; held-out pieces are rendered
as they are written, and no held-out piece is in the training files.
"""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mido
import numpy as np
from scipy.signal import resample_poly

from megabyte.data import SHARED

RATE = 8000
CLIP = 4 * RATE  # bytes of a clip
SOUND_FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
OUT = Path(__file__).parent / "build" / "sound"

# A note: onset and length in quarters, MIDI pitch. A part: its notes and its General MIDI program, from 0.
Note = tuple[float, float, int]
Part = tuple[list[Note], int]

ORGAN, PIANO, CHOIR, STRINGS = 19, 0, 52, 48
QUARTET = (40, 40, 41, 42)  # two violins, viola, cello
SINGERS = (52, 68, 71, 73)  # the song's voice: choir, oboe, clarinet, flute


def mu_law(samples: np.ndarray) -> np.ndarray:
    """Samples in -1..1 -> bytes on G.711's curve (mu 255) as amounts: 0 the lowest, 128 silence, 255 the highest."""
    x = np.clip(samples, -1, 1)
    curve = np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256)
    return np.floor((curve + 1) / 2 * 255 + 0.5).astype(np.uint8)


def midi(parts: list[Part], tempo: float, transpose: int, path: Path) -> None:
    """Writes parts as a MIDI file at `tempo` quarters a minute."""
    file = mido.MidiFile(ticks_per_beat=480)
    for channel, (notes, program) in enumerate(parts):
        track = mido.MidiTrack()
        file.tracks.append(track)
        if channel == 0:
            track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
        channel += channel >= 9  # 9 is for drums
        track.append(mido.Message("program_change", channel=channel, program=program))
        events = []
        for onset, length, pitch in notes:
            pitch = min(127, max(0, pitch + transpose))
            events += [(onset, "note_on", pitch), (onset + length * 0.97, "note_off", pitch)]
        now = 0
        for time, kind, pitch in sorted(events, key=lambda e: (e[0], e[1] == "note_on")):
            tick = round(time * 480)
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=84, time=tick - now))
            now = tick
    file.save(path)


def play(parts: list[Part], tempo: float, transpose: int) -> np.ndarray:
    """Sound of parts: mono float at RATE, its peak at 0.7. Rendered at four times the rate, then low-passed."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        midi(parts, tempo, transpose, score)
        command = [
            "fluidsynth",
            "-ni",
            "-q",
            "-g",
            "0.5",
            "-r",
            str(4 * RATE),
            "-F",
            str(sound),
            SOUND_FONT,
            str(score),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with wave.open(str(sound)) as file:
            data = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    mono = resample_poly(data.mean(1) / 32768, 1, 4)
    return mono * (0.7 / max(np.abs(mono).max(), 1e-3))


def excerpt(parts: list[Part], start: float, length: float) -> list[Part]:
    """The notes that begin within `length` quarters from `start` on."""
    return [([(o - start, d, p) for o, d, p in notes if start <= o < start + length], gm) for notes, gm in parts]


def clips(sound: np.ndarray) -> list[np.ndarray]:
    """Whole clips of a sound, the silent ones left out (rests, the hall's last echo)."""
    count = len(sound) // CLIP
    cut = sound[: count * CLIP].reshape(count, CLIP)
    return [mu_law(c) for c in cut if np.sqrt((c**2).mean()) > 0.01]


def read(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(lzma.decompress(data) if path.suffix == ".xz" else data)


def chorale(piece: list[list[int]]) -> list[list[Note]]:
    """Four voices of sixteenths -> notes; equal neighbours are one held note, as that data set means them."""
    voices: list[list[Note]] = []
    for voice in zip(*piece, strict=True):
        notes: list[Note] = []
        start = 0
        for i in range(1, len(voice) + 1):
            if i == len(voice) or voice[i] != voice[start]:
                if voice[start] >= 0:
                    notes.append((start / 4, (i - start) / 4, voice[start]))
                start = i
        voices.append(notes)
    return voices


def scored(item: dict[str, Any]) -> list[list[Note]]:
    """Parts of a lied or a quartet as notes in quarters."""
    return [[(o / 24, d / 24, p) for o, d, p in part["notes"]] for part in item["parts"] if part["notes"]]


Job = tuple[str, list[Part], float, int]


def jobs(folder: Path, train: bool) -> Iterator[Job]:
    """(style, parts, tempo, transposition) of everything to play; the training side is varied by a fixed seed."""
    rng = np.random.default_rng(5)

    def varied(tempo: float) -> tuple[float, int]:
        if not train:
            return tempo, 0
        return tempo * rng.uniform(0.85, 1.15), int(rng.integers(-5, 7))

    for piece in read(folder / "chorales.json")["pieces"]:
        voices = chorale(piece)
        for style, program in ("organ", ORGAN), ("choir", CHOIR):
            yield style, [(notes, program) for notes in voices], *varied(80)
    for style, name in ("piano", "lieder"), ("song", "lieder"), ("strings", "quartets"):
        for item in read(folder / f"{name}.json.xz")["items"]:
            parts = scored(item)
            if not parts:
                continue
            tempo = min(160.0, max(50.0, item["tempo_qpm"] or 90.0))
            end = max(o for notes in parts for o, _, _ in notes)
            # A lied gives one excerpt of a quarter of a minute, a quartet six, else they would drown the chorales.
            length = tempo / 4
            for _ in range(6 if name == "quartets" and train else 1):
                start = rng.uniform(0, max(0.0, end - length)) if train else 0.0
                programs = [PIANO] * len(parts)
                if style == "song":
                    programs[0] = SINGERS[int(rng.integers(len(SINGERS))) if train else 0]
                if style == "strings":
                    programs = [QUARTET[min(i, 3)] for i in range(len(parts))]
                yield style, excerpt(list(zip(parts, programs, strict=True)), start, length), *varied(tempo)


def digits(archive: Path) -> list[np.ndarray]:
    """Spoken digits in a seeded order, a fifth of a second of silence between them, as clips."""
    recordings = []
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".wav") else None
            if file:
                with wave.open(io.BytesIO(file.read())) as sound:
                    samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16) / 32768
                recordings.append((member.name, samples * (0.7 / max(np.abs(samples).max(), 1e-3))))
    recordings.sort(key=lambda r: r[0])
    order = np.random.default_rng(6).permutation(len(recordings))
    pause = np.zeros(RATE // 5)
    return clips(np.concatenate([x for i in order for x in (recordings[i][1], pause)]))


def main() -> None:
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else None  # jobs a side, for a quick look
    audio = SHARED / "audio"
    for side, folder in ("heldout", SHARED / "heldout" / "audio"), ("train", audio):
        made: dict[str, list[np.ndarray]] = {}
        todo = list(jobs(folder, side == "train"))[:limit]
        with ThreadPoolExecutor() as pool:
            for (style, *_), found in zip(todo, pool.map(lambda job: clips(play(*job[1:])), todo), strict=True):
                made.setdefault(style, []).extend(found)
        made["speech"] = digits(next(folder.glob("spoken-digits.tar*")))
        (OUT / side).mkdir(parents=True, exist_ok=True)
        for style, found in made.items():
            # In a fixed random order, so that the first clips are of many pieces.
            order = np.random.default_rng(7).permutation(len(found))
            np.save(OUT / side / f"{style}.npy", np.stack([found[i] for i in order]))
            print(f"{side} {style}: {len(found)} clips, {len(found) * CLIP / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
