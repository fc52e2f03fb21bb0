"""Plays the held-out tunes as the model is trained to hear them: `python render_tunes.py`, some seconds.

Writes build/tunes/TIMBRE-NN.wav (8 kHz, 8 bits) and build/tunes/tunes.json, the notes of each in patches of 12 ms:
[first patch, patches, MIDI pitch].
"""

from __future__ import annotations

import json
import wave
from pathlib import Path

from megabyte.data import SHARED
from megabyte.synthesizer import RATE, TIMBRES, play
from megabyte.tunes import read

PATCH = 96
SECONDS = 30
OUT = Path(__file__).parent / "build" / "tunes"


def main() -> None:
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
