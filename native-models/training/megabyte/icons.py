"""Pixel pictures from ../shared/data/image/icons.bin.xz (see SOURCES.md there): 32 x 32, a byte a pixel, each an index
into one palette. A document is a header of one row and 32 rows, or 32 columns: the picture read transposed."""

from __future__ import annotations

import hashlib
import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .data import IGNORED, SHARED, Rows

SIDE = 32
GROUND = 0  # the index of no color
OPEN_SHARE = 0.2  # documents trained without their style, so that it can be left open
COLUMN_SHARE = 0.25  # documents read column by column, so that columns from the left can be continued
MIRROR_SHARE = 0.3
MOVE_SHARE = 0.25
RECOLOR_SHARE = 0.2
PLAIN_FROM = 0.8  # of the run: from here on pictures are neither moved nor recolored

STYLES = [
    "any",
    "animal",
    "avatar",
    "face",
    "flag",
    "food",
    "icon",
    "item",
    "monster",
    "object",
    "person",
    "place",
    "plant",
    "symbol",
    "tile",
    "vehicle",
    "weapon",
]
# The classes of the data that make up a style under another name; those of neither list have no style.
_MERGED = {
    "drink": "food",
    "building": "place",
    **dict.fromkeys(("armour", "book", "jewel", "potion", "treasure"), "item"),
    **dict.fromkeys(("arrow", "heart", "letter"), "symbol"),
    **dict.fromkeys(("dungeon", "furniture", "town"), "tile"),
    **dict.fromkeys(("clock", "clothing", "device", "game", "music", "sport", "tool"), "object"),
}
# What a set means by a class, where that is not what a person would look for under its name.
_OF_SET = {
    ("animal", "dawnlike"): "monster",
    **{("person", name): "monster" for name in ("dawnlike", "crawl", "angband-gervais")},
    **{("object", name): "item" for name in ("dawnlike", "crawl", "angband-gervais")},
    **{("object", name): "any" for name in ("grafxkid", "pixelboy-medieval-fantasy")},
    **{("place", name): "any" for name in ("dawnlike", "crawl", "angband-gervais")},
    **{("icon", name): "any" for name in ("dawnlike", "crawl", "kenney-emotes-pack")},
    ("tile", "grafxkid"): "any",
}
# Noisy art, twice the bits of any other: less of it within its style.
_SHARES = {"crawl": 0.5, "angband-gervais": 0.4}
_NEVER_MIRRORED = {"flag", "symbol"}
_NEVER_MOVED = {"flag", "tile"}
_RECOLORED = {"flag", "icon", "item", "monster", "object", "symbol", "vehicle", "weapon"}


@dataclass(frozen=True)
class Pictures:
    """`pixels` [N, 32, 32] uint8 indices, the style [N] of each, whether it is 16 x 16 doubled, its set's name."""

    pixels: np.ndarray
    styles: np.ndarray
    doubled: np.ndarray
    sets: list[str]


def read_pictures(folder: Path) -> Pictures:
    """The pictures of FOLDER/icons.bin.xz with what icons.json.xz says of them."""
    about: dict[str, Any] = json.loads(lzma.decompress((folder / "icons.json.xz").read_bytes()))
    pixels = np.frombuffer(lzma.decompress((folder / "icons.bin.xz").read_bytes()), np.uint8).reshape(about["shape"])
    sets = [about["sets"][i] for i in about["set"]]
    classes = [about["classes"][i] for i in about["label"]]
    styles = [STYLES.index(style_of(*both)) for both in zip(classes, sets, strict=True)]
    return Pictures(pixels, np.array(styles, np.uint8), np.array(about["native16"], bool), sets)


def style_of(name: str, set_name: str) -> str:
    """The style of a picture by its class and its set; "any" where it has none."""
    style = _OF_SET.get((name, set_name)) or _MERGED.get(name, name)
    return style if style in STYLES else "any"


def shares(pictures: Pictures) -> np.ndarray:
    """How often each picture is drawn [N], summing to 1: styles by the root of their size, so that no small one is
    learned by heart and no large one takes all."""
    weights = np.array([_SHARES.get(name, 1.0) for name in pictures.sets])
    size = np.bincount(pictures.styles, weights, len(STYLES))
    weights = weights / np.sqrt(size)[pictures.styles]
    return weights / weights.sum()


def read_palette() -> np.ndarray:
    """[64, 3] uint8 sRGB; index GROUND is transparent."""
    return np.array(json.loads((SHARED / "image" / "palette64.json").read_text())["rgb"], np.uint8)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """sRGB [.., 3] of 0..255 -> OKLab [.., 3] (Ottosson 2020, "A perceptual color space for image processing")."""
    s = rgb / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    lms = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(lms) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


def turned_palettes(palette: np.ndarray, turns: int = 6) -> np.ndarray:
    """[turns - 1, 64]: the index nearest to each color with its hue turned by a share of the circle, lightness and
    chroma kept. Grays and the ground stay what they are."""
    lab = oklab(palette.astype(np.float64))
    gray = np.hypot(lab[:, 1], lab[:, 2]) < 0.03
    result = []
    for turn in range(1, turns):
        angle = 2 * np.pi * turn / turns
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        turned = np.concatenate([lab[:, :1], lab[:, 1:] @ rotation], 1)
        distance = ((turned[:, None] - lab) ** 2 * [3, 1, 1]).sum(-1)
        distance[:, gray] = np.inf
        result.append(np.where(gray, np.arange(len(lab)), distance.argmin(1)))
    return np.array(result, np.uint8)


def moved(picture: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
    """A picture on its ground, moved by up to 4 pixels each way in multiples of `step`; none of its pixels is lost."""
    rows, columns = (np.flatnonzero((picture != GROUND).any(axis)) for axis in (1, 0))
    if not len(rows):
        return picture
    by = []
    for used in (rows, columns):
        least, most = max(-4, -int(used[0])) // step, min(4, SIDE - 1 - int(used[-1])) // step
        by.append(step * int(rng.integers(min(least, 0), max(most, 0) + 1)))
    return np.roll(picture, by, (0, 1))


def recolored(picture: np.ndarray, palettes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture with the hues of one of `palettes`; as it was where two of its colors would become one."""
    palette = palettes[rng.integers(len(palettes))]
    present = np.unique(picture)
    return palette[picture] if len(np.unique(palette[present])) == len(present) else picture


def documents(pixels: np.ndarray, styles: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """[N, 32, 32], [N], [N] -> [N, 33 * 32] uint8: half a row of the style, half a row that is 1 where the picture is
    read by columns, the picture."""
    read = np.where(columns[:, None, None], pixels.transpose(0, 2, 1), pixels)
    header = np.repeat(np.stack([styles, columns], 1).astype(np.uint8), SIDE // 2, 1)
    return np.concatenate([header, read.reshape(len(read), -1)], 1)


def wanted_of(seen: np.ndarray) -> np.ndarray:
    """What is to be predicted of `seen`: all but the header, which is given."""
    wanted = seen.copy()
    wanted[:, :SIDE] = IGNORED
    return wanted


class Icons:
    """The training pictures as batches; the held-out ones by rows, their style left open."""

    def __init__(self) -> None:
        self.header = SIDE
        self.styles = STYLES
        self.pictures = read_pictures(SHARED / "image")
        self.shares = shares(self.pictures)
        self.palettes = turned_palettes(read_palette())
        held_out = read_pictures(SHARED / "heldout" / "image").pixels
        none = np.zeros(len(held_out), np.uint8)
        seen = documents(held_out, none, none).astype(np.int64)
        self.held_out = {"icons": (seen, wanted_of(seen))}

    def sha256(self) -> str:
        """Hash of the training pictures and their styles, for pack.json."""
        return hashlib.sha256(self.pictures.pixels.tobytes() + self.pictures.styles.tobytes()).hexdigest()

    def varied(self, index: int, plain: bool, rng: np.random.Generator) -> np.ndarray:
        """Picture `index`, perhaps mirrored and, unless `plain`, perhaps moved and its hues turned."""
        picture, style = self.pictures.pixels[index], STYLES[self.pictures.styles[index]]
        mirror, move, recolor = rng.random(3)
        if mirror < MIRROR_SHARE and style not in _NEVER_MIRRORED:
            picture = picture[:, ::-1]
        if plain:
            return picture
        if move < MOVE_SHARE and style not in _NEVER_MOVED:
            picture = moved(picture, 2 if self.pictures.doubled[index] else 1, rng)
        if recolor < RECOLOR_SHARE and style in _RECOLORED:
            picture = recolored(picture, self.palettes, rng)
        return picture

    def batch(self, rng: np.random.Generator, progress: float, batch_bytes: int) -> Rows:
        """About `batch_bytes` of documents [n, 33 * 32], 0..1 of the run being over (see data.Corpus)."""
        count = max(1, batch_bytes // ((SIDE + 1) * SIDE))
        chosen = rng.choice(len(self.shares), count, p=self.shares)
        pixels = np.stack([self.varied(i, progress >= PLAIN_FROM, rng) for i in chosen])
        styles = np.where(rng.random(count) < OPEN_SHARE, 0, self.pictures.styles[chosen])
        seen = documents(pixels, styles, rng.random(count) < COLUMN_SHARE).astype(np.int64)
        return seen, wanted_of(seen)


def corpus() -> Icons:
    """For `[data] kind = "icons"`."""
    return Icons()
