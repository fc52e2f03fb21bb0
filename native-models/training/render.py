"""Plays the held-out tunes as the model is trained to hear them: `python render.py [PACK]`, some seconds.

With the folder of a pack it tells that pack.json the styles and instruments of today's code and how train.toml samples.

Writes build/tunes/TIMBRE-NN.wav (8 kHz, 8 bits) and build/tunes/tunes.json, the notes of each in patches of 12 ms:
[first patch, patches, MIDI pitch].
"""

from __future__ import annotations

import json
import sys
import tomllib
import wave
from pathlib import Path

from megabyte.data import SHARED
from megabyte.synthesizer import RATE, TIMBRES, play
from megabyte.tunes import media, read

PATCH = 96
SECONDS = 30
OUT = Path(__file__).parent / "build" / "tunes"


def describe(folder: Path) -> None:
    """Brings pack.json up to date where the pack was trained by earlier code; its model stays what it is."""
    path = folder / "pack.json"
    pack = json.loads(path.read_text())
    config = tomllib.loads((Path(__file__).parents[1] / "audio" / "train.toml").read_text())
    pack["media"] |= media(PATCH)
    pack["sampling"] = config["pack"]["sampling"]
    path.write_text(json.dumps(pack, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    for folder in sys.argv[1:]:
        describe(Path(folder))
    OUT.mkdir(parents=True, exist_ok=True)
    patches = SECONDS * RATE // PATCH
    tunes = read(SHARED / "heldout" / "audio" / "tunes.json.xz")
    scores = []
    for number, tune in enumerate(tunes):
        count = min(patches, tune.length)
        notes = tune.notes(0, 0, count)
        scores.append({"kind": tune.kind, "patches": count, "notes": notes})
        for timbre in TIMBRES:
            with wave.open(str(OUT / f"{timbre}-{number:02}.wav"), "wb") as file:
                file.setparams((1, 1, RATE, 0, "NONE", ""))
                file.writeframes(play(notes, timbre, PATCH, count).tobytes())
    (OUT / "tunes.json").write_text(json.dumps(scores))
    print(f"{len(tunes)} tunes in {len(TIMBRES)} timbres: {OUT}")


if __name__ == "__main__":
    main()
