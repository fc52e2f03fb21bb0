"""Training and held-out bytes from ../shared/data (see SOURCES.md there): running text as one flat array of bytes,
pictures and clips of sound as documents of one length, each with a header patch that holds its style."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
OPEN_STYLE = 0  # the style byte of "any"
OPEN_SHARE = 0.3  # documents trained without their style, so that it can be left open
PARAGRAPH_SHARE = 0.5  # windows of text that begin where a paragraph does, as a person's text does, after OPENING
END_OF_DOCUMENT = 0  # NUL never occurs in UTF-8 text, so it can mark where a book ends and the next begins
# Where a paragraph ends, as before most paragraphs; a whole patch, so that the text's own patches begin with it.
OPENING = b" away.\n\n"


@dataclass
class Corpus:
    """`main` for most of the run, `last` for its last stretch, `held_out` never trained on: name -> bytes.

    Running text is [bytes]; documents are [count, bytes], of which the first `header` hold the style and are given.
    """

    main: np.ndarray
    last: np.ndarray
    held_out: dict[str, np.ndarray]
    header: int = 0
    styles: list[str] = field(default_factory=list)
    open_style: int = OPEN_STYLE  # the byte of a header that leaves the style open
    opening: bytes = b""  # what every other window of running text begins with, and a person's text too

    def sha256(self) -> str:
        """Hash of the training bytes, for pack.json."""
        return hashlib.sha256(self.main.tobytes() + self.last.tobytes()).hexdigest()


def _books(archive: Path) -> np.ndarray:
    """All books of an archive in name order, an end-of-document mark before each and after the last."""
    books = {}
    with tarfile.open(archive, "r|xz") as tar:  # as a stream: seeking back in xz starts over
        for member in tar:
            file = tar.extractfile(member)
            if file and member.name.endswith(".txt"):
                books[member.name] = file.read().strip()
    end = bytes([END_OF_DOCUMENT])
    return np.frombuffer(end + b"".join(books[name] + end for name in sorted(books)), dtype=np.uint8)


def text(shards: int = 3) -> Corpus:
    """Classics and storybooks; the storybooks again as the last stretch. `shards`: how many archives of classics."""
    folder = SHARED / "text"
    storybooks = _books(folder / "storybooks.tar.xz")
    classics = [_books(folder / f"classics-{i + 1}.tar.xz") for i in range(shards)]
    held_out = {
        path.stem: np.frombuffer(path.read_bytes(), dtype=np.uint8)
        for path in sorted((SHARED / "heldout" / "text").glob("*.txt"))
    }
    return Corpus(np.concatenate([*classics, storybooks]), storybooks, held_out, opening=OPENING)


# The classes of the game tiles under names that a person would look for.
_SPRITES = {
    "mon": "monster",
    "item": "item",
    "player": "adventurer",
    "dngn": "dungeon",
    "effect": "effect",
    "gui": "symbol",
    "misc": "misc",
    "other": "other",
}


def _documents(pixels: np.ndarray, styles: np.ndarray, header: int, scan: str) -> np.ndarray:
    """[N, 32, 32, 3] -> [N, header + 3072]: the style byte `header` times, then raster order or square blocks."""
    if scan == "blocks":  # for the study: 4 x 4 pixels a patch of 48 bytes, as the paper's patch scan
        pixels = pixels.reshape(-1, 8, 4, 8, 4, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.concatenate([np.repeat(styles[:, None], header, 1).astype(np.uint8), pixels.reshape(len(pixels), -1)], 1)


def _halved(pixels: np.ndarray) -> np.ndarray:
    """64 x 64 -> 32 x 32 by the mean of 2 x 2 pixels, rounded half up."""
    blocks = pixels.reshape(-1, 32, 2, 32, 2, 3).astype(np.uint16)
    return ((blocks.sum((2, 4)) + 2) // 4).astype(np.uint8)


def _raw(file: Path) -> tuple[np.ndarray, dict]:
    """Pixels of NAME.rgb.xz or NAME.rgb, and what NAME.json says."""
    about = json.loads((file.parent / f"{file.name.split('.')[0]}.json").read_text())
    pixels = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
    return np.frombuffer(pixels, dtype=np.uint8).reshape(about["shape"]), about


def image(patch: int, scan: str = "raster") -> Corpus:
    """Game tiles and emoji (halved) of 32 x 32 pixels; the style is `emoji` or the tile's class."""
    styles = ["any", "emoji", *_SPRITES.values()]

    def labelled(about: dict) -> np.ndarray:
        return np.array([styles.index(_SPRITES[about["classes"][i]]) for i in about["labels"]])

    tiles, about_tiles = _raw(SHARED / "image" / "sprites.rgb.xz")
    emoji, _ = _raw(SHARED / "image" / "emoji.rgb.xz")
    main = np.concatenate(
        [
            _documents(tiles, labelled(about_tiles), patch, scan),
            _documents(_halved(emoji), np.full(len(emoji), styles.index("emoji")), patch, scan),
        ]
    )
    held = SHARED / "heldout" / "image"
    held_out = {
        "sprites": _raw(held / "sprites.rgb")[0],
        "emoji": _halved(_raw(held / "emoji.rgb")[0]),
    }
    opened = {name: _documents(p, np.full(len(p), OPEN_STYLE), patch, scan) for name, p in held_out.items()}
    return Corpus(main, main, opened, patch, styles)


def photos(patch: int, scan: str = "raster") -> Corpus:
    """CIFAR-10's photos as that repository holds them, 32 x 32; the style is the class."""
    from PIL import Image

    held, about = _raw(SHARED / "heldout" / "image" / "photos.rgb")
    pixels, labels = [], []
    with tarfile.open(SHARED / "image" / "photos.tar.xz", "r|xz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".jpg") else None
            if file:
                pixels.append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")))
                labels.append(1 + about["classes"].index(Path(member.name).parent.name))
    main = _documents(np.stack(pixels), np.array(labels), patch, scan)
    held_out = _documents(held, np.full(len(held), OPEN_STYLE), patch, scan)
    return Corpus(main, main, {"photos": held_out}, patch, ["any", *about["classes"]])


SILENCE = 128  # the mu-law byte of no sound


def audio(patch: int, seconds: float = 4, held_out_clips: int = 20) -> Corpus:
    """Clips of rendered music and of spoken digits, four seconds of 8 kHz mu-law each (render.py makes them first).

    The style byte is SILENCE + the style: so near silence that a header sounds like none. Every style gets about the
    same share. `seconds`: cuts clips shorter, for the study.
    """
    folder = Path(__file__).resolve().parents[1] / "build" / "sound"
    if not (folder / "train").exists():
        raise SystemExit("There is no sound yet; `python render.py` makes it from the note data.")
    styles = ["any", "organ", "choir", "piano", "song", "strings", "speech"]

    def clips(side: str, name: str, style: int, limit: int | None = None) -> np.ndarray:
        sound = np.load(folder / side / f"{name}.npy", mmap_mode="r")[:limit]
        parts = round(4 / seconds)
        sound = sound.reshape(len(sound) * parts, -1)
        return np.concatenate([np.full((len(sound), patch), SILENCE + style, np.uint8), sound], 1)

    found = [clips("train", name, i + 1) for i, name in enumerate(styles[1:])]
    most = max(len(f) for f in found)
    main = np.concatenate([f for part in found for f in [part] * round(most / len(part))])
    held_out = {name: clips("heldout", name, OPEN_STYLE, held_out_clips) for name in styles[1:]}
    return Corpus(main, main, held_out, patch, styles, SILENCE)


def vary(rows: np.ndarray, header: int, rng: np.random.Generator) -> None:
    """Mirrors half of the pictures, moves half by up to two pixels, and swaps the colours' channels of half, in place:
    few pictures are soon learned by heart."""
    pixels = rows[:, header:].reshape(-1, 32, 32, 3)
    for picture in pixels:
        if rng.random() < 0.5:
            picture[:] = picture[:, ::-1].copy()
        if rng.random() < 0.5:
            picture[:] = picture[..., rng.permutation(3)]
        if rng.random() < 0.5:
            down, right = rng.integers(-2, 3, 2)
            padded = np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="edge")
            picture[:] = padded[2 - down : 34 - down, 2 - right : 34 - right]


def noisy(rows: np.ndarray, header: int, levels: list[float], rng: np.random.Generator) -> np.ndarray:
    """Documents of sound, half of them with noise in places, which the second half of their header tells.

    Trained to go on from such a past to the clean sound, a model that is told of noise while it generates does not take
    its own errors for the sound and let them grow. Half of the stretches are noisy, each with one of `levels`, which
    are deviations in bytes. A third of the noise rings at some pitch, as errors do that linear prediction repeats.
    """
    result = rows.copy()
    length = rows.shape[1]
    for i in np.flatnonzero(rng.random(len(rows)) < 0.5):
        row = rows[i].astype(np.float64)
        at = header
        while at < length:
            end = at + int(rng.integers(400, 4000))
            if rng.random() < 0.5:
                noise = rng.standard_normal(len(row[at:end]))
                if rng.random() < 1 / 3:
                    radius, angle = 1 - 10 ** rng.uniform(-3.5, -1.5), rng.uniform(0.05, 3)
                    noise = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], noise)
                    noise /= noise.std()
                row[at:end] += noise * rng.choice(levels)
            at = end
        result[i] = np.rint(row).clip(0, 255)
        result[i, header // 2 : header] = SILENCE + 1
    return result


def batch(
    source: np.ndarray,
    length: int,
    count: int,
    rng: np.random.Generator,
    header: int = 0,
    varied: bool = False,
    open_style: int = OPEN_STYLE,
) -> np.ndarray:
    """[count, length] int64: windows of running text at random offsets, every other one moved back to where a
    paragraph begins and after OPENING, or random documents, some with open style."""
    if source.ndim == 2:
        rows = source[rng.integers(0, len(source), count)].astype(np.int64)
        if varied:
            vary(rows, header, rng)
        rows[rng.random(count) < OPEN_SHARE, :header] = open_style
        return rows
    starts = rng.integers(0, len(source) - length + 1, count)
    rows = np.stack([source[s : s + length] for s in starts]).astype(np.int64)
    for i in np.flatnonzero(rng.random(count) < PARAGRAPH_SHARE):
        first = max(0, starts[i] - length)
        begin = source[first : starts[i]].tobytes().rfind(b"\n\n") + 2
        if begin > 1:
            rows[i] = np.frombuffer(OPENING + source[first + begin :][: length - len(OPENING)].tobytes(), np.uint8)
    return rows
