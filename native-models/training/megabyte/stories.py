"""Little stories: tiny tales, picture books and bedtime stories, each a document with a beginning and an end.

A row is one document or a window of one, never two, so that matches and n-grams see their own story only:

    header   style byte (1 + index in `styles`) PATCH / 2 times, then BEGINS or WITHIN as often
    story    UTF-8, the title first where there is one, paragraphs divided by an empty line
    END      where the story ends in the row, then padding that costs nothing

Control bytes never occur in text, so they can mean this.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .constants import CONSTANTS
from .data import IGNORED, OPEN_STYLE, SHARED, Rows

END = 0
BEGINS: int = CONSTANTS["text"]["begins"]  # the row begins where the story does
WITHIN: int = CONSTANTS["text"]["within"]
STYLES = ["any", "tiny tale", "picture book", "bedtime story"]
TALE, PICTURE_BOOK, BEDTIME = 1, 2, 3

SHORT, LONG = 768, 2048  # bytes of a row: 96 % of the tales fit into the short one
PICTURE_BOOK_SHARE = 0.12  # of the rows of the rest
EASY_SHARE = 0.55  # of the bedtime stories
OPEN_SHARE = 0.25  # rows whose style is left open
TYPOGRAPHIC_SHARE = 0.3
RENAMED_SHARE = {TALE: 0.3, PICTURE_BOOK: 0.5, BEDTIME: 0.5}
# Windows that begin somewhere within, at a word or a paragraph; long stories would else be known by their beginnings.
WITHIN_SHARE = {TALE: 0.2, PICTURE_BOOK: 0.25, BEDTIME: 0.65}
UNTOLD_SHARE = 0.25  # of those: said to begin there, as what a person types may begin anywhere


def stories_of(text: str) -> list[str]:
    """The documents of one file, which a form feed on a line of its own divides."""
    return [story for part in re.split(r"^\f$", text, flags=re.MULTILINE) if (story := part.strip())]


def _archive(name: str) -> list[str]:
    """All stories of an archive, its files in the order of their names."""
    files = {}
    with tarfile.open(SHARED / "text" / f"{name}.tar.xz", "r|xz") as tar:  # a stream: seeking back in xz starts over
        for member in tar:
            file = tar.extractfile(member)
            if file and member.name.endswith(".txt"):
                files[member.name] = file.read().decode()
    return [story for name in sorted(files) for story in stories_of(files[name])]


# Typographic spelling


_ELIDED = re.compile(r"(?<![^\s\"(—–-])'(?=(?:tis|twas|twere|twill|em|til|bout|cause|round|neath)\b)", re.IGNORECASE)
_OPENS = re.compile(r"(?:(?<=[\s(\[—–\-“‘])|^)([\"'])(?=\S)")


def typographic(text: str, dash: str, ellipsis: str = "…") -> str:
    """Curly quotes, `dash` for two hyphens and `ellipsis` for three dots."""
    text = re.sub(r" ?--+ ?", dash, text).replace("...", ellipsis)
    text = _ELIDED.sub("’", text)
    for _ in range(2):  # one quote may open right after another
        text = _OPENS.sub(lambda found: "“" if found[1] == '"' else "‘", text)
    return text.replace('"', "”").replace("'", "’")


_ACCENTED = str.maketrans("aeiouyncAEO", "áéíóúÿñçÁÉÖ")
_ACCENTED_OTHERWISE = str.maketrans("aeiou", "åèïöü")


def accented(name: str, rng: np.random.Generator) -> str:
    """One letter of a name with an accent, where one can have it."""
    at = int(rng.integers(len(name)))
    table = _ACCENTED if rng.random() < 0.5 else _ACCENTED_OTHERWISE
    return name[:at] + name[at].translate(table) + name[at + 1 :]


# Names: with others in their place, a story teaches to look for the name in it, not to know it


_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_HE_OR_SHE = re.compile(r"\b([A-Z][a-z]{2,})\b[^A-Z\n]{0,60}?\b([Hh]e|[Hh]is|[Hh]im|himself|[Ss]he|[Hh]er|herself)\b")
_NO_NAMES = set(
    "Mrs Miss Sir Lord Lady King Queen Prince Princess God Heaven English French Indian American German Mother Father "
    "Mamma Mama Papa Mom Dad Grandpa Grandma Grandmother Grandfather Uncle Aunt Auntie Cousin Brother Sister Old "
    "Little Great Christmas Easter Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March "
    "April May June July August September October November December North South East West Captain Doctor Master "
    "Mister Professor General Saint Good Green Forest Big River Meadow Meadows Wood Woods Pool Pond Brook Farmer "
    "Well Yes The And But Then There They She Her His You".split()
)


def names_of(text: str) -> list[str]:
    """Words that are capital within sentences, twice at least, and never small."""
    found = Counter(_NAME.findall(text))
    words = set(re.findall(r"[a-z]{3,}", text))
    return [n for n, count in found.items() if count > 1 and n not in _NO_NAMES and n.lower() not in words]


class Names:
    """Names of a corpus by what they are called later: he or she."""

    def __init__(self, stories: list[str]) -> None:
        self.of = [names_of(story) for story in stories]
        used = Counter(name for names in self.of for name in names)
        called: dict[str, Counter[bool]] = defaultdict(Counter)
        for story in stories:
            for name, pronoun in _HE_OR_SHE.findall(story):
                called[name][pronoun.lower() in ("she", "her", "herself")] += 1
        self.kind = {}
        for name in used:
            he, she = called[name][False], called[name][True]
            self.kind[name] = "he" if he > 2 * she else "she" if she > 2 * he else "unknown"
        self.pool = {
            kind: sorted(name for name, count in used.items() if count > 1 and self.kind[name] == kind)
            for kind in ("he", "she")
        }

    def other(self, name: str, rng: np.random.Generator) -> str:
        """Another name of its kind, or one made of two; the same where its kind is not known."""
        pool = self.pool.get(self.kind[name])
        if not pool:
            return name
        new = str(rng.choice(pool))
        if rng.random() < 0.4:
            end = str(rng.choice(pool))
            new = new[: int(rng.integers(2, 5))] + end[len(end) // 2 :]
        return new


@dataclass
class Shelf:
    """Stories of one style."""

    style: int
    stories: list[str]
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.stories)
        lengths = np.array([len(story) for story in self.stories], np.float64)
        self.ends = lengths.cumsum()

    def row(self, length: int, patch: int, rng: np.random.Generator) -> Rows:
        """A random story or window of one, told in one of many ways; both [length]."""
        within = rng.random() < WITHIN_SHARE[self.style]
        if within:  # every place of the shelf is as likely
            index = int(np.searchsorted(self.ends, rng.random() * self.ends[-1], side="right"))
        else:
            index = int(rng.integers(len(self.stories)))
        story = self.stories[index]
        # As far back that most of the row is filled.
        start = boundary(story, int(rng.integers(max(1, len(story) - length * 3 // 4))), rng) if within else 0
        text = self.retold(story[start : start + length], self.names.of[index], rng).encode()
        if start + length >= len(story):
            text += bytes([END])
        told = BEGINS if start == 0 or rng.random() < UNTOLD_SHARE else WITHIN
        style = OPEN_STYLE if rng.random() < OPEN_SHARE else self.style
        return row(text, length, header(style, told, patch))

    def retold(self, text: str, names: list[str], rng: np.random.Generator) -> str:
        """With other names, and in typographic spelling, as chance has it."""
        curly = rng.random() < TYPOGRAPHIC_SHARE
        new: dict[str, str] = {}
        if rng.random() < RENAMED_SHARE[self.style]:
            new = {name: self.names.other(name, rng) for name in names}
        if curly and rng.random() < 0.4:
            new |= {name: accented(new.get(name, name), rng) for name in names}
        if new:
            text = re.sub(rf"\b(?:{'|'.join(new)})\b", lambda found: new[found[0]], text)
        if curly:
            text = typographic(text, str(rng.choice(["—", " — ", " – "])), "…" if rng.random() < 0.7 else "...")
        elif rng.random() < 0.1:
            text = re.sub(" ?--+ ?", " - ", text)
        return text


def boundary(text: str, at: int, rng: np.random.Generator) -> int:
    """Where the first paragraph or word begins after `at`."""
    paragraph, word = text.find("\n\n", at) + 2, text.find(" ", at) + 1
    return paragraph if paragraph > 1 and rng.random() < 0.5 else word


def header(style: int, told: int, patch: int) -> bytes:
    return bytes([1 + style] * (patch // 2) + [told] * (patch - patch // 2))


def row(text: bytes, length: int, head: bytes, scored_from: int = 0) -> Rows:
    """A header and what fits of the text (scored from its byte `scored_from` on), padded; both int64 [length]."""
    text = text[: length - len(head)]
    seen, wanted = np.zeros(length, np.int64), np.full(length, IGNORED, np.int64)
    seen[: len(head)] = np.frombuffer(head, np.uint8)
    seen[len(head) : len(head) + len(text)] = np.frombuffer(text, np.uint8)
    scored = slice(len(head) + scored_from, len(head) + len(text))
    wanted[scored] = seen[scored]
    return seen, wanted


def windows(story: str, style: int, length: int, patch: int) -> list[Rows]:
    """A whole story for evaluation: windows of one row, moved by a half, the first scored whole, the others in their
    second half."""
    text = story.encode() + bytes([END])
    room = length - patch
    half = room // 2 // patch * patch
    result = [row(text, length, header(style, BEGINS, patch))]
    for start in range(half, len(text) - (room - half), half):
        result.append(row(text[start:], length, header(style, WITHIN, patch), room - half))
    return result


class Stories:
    """See the module."""

    styles = STYLES

    def __init__(self, patch: int, tales: float) -> None:
        self.header, self.tales_share = patch, tales
        self.raw = {name: _archive(name) for name in ("tiny-tales", "picture-books", "bedtime-easy", "bedtime-more")}
        self.tales = Shelf(TALE, self.raw["tiny-tales"])
        self.picture_books = Shelf(PICTURE_BOOK, self.raw["picture-books"])
        self.easy, self.more = (Shelf(BEDTIME, self.raw[f"bedtime-{name}"]) for name in ("easy", "more"))
        held = SHARED / "heldout"
        books = {path.stem: (path, BEDTIME, LONG) for path in sorted((held / "bedtime").glob("*.txt"))}
        self.held_out = {
            name: self.held(path, style, length)
            for name, (path, style, length) in {**books, "Tiny tales": (held / "tiny-tales.txt", TALE, 1024)}.items()
        }

    def held(self, path: Path, style: int, length: int) -> Rows:
        stories = stories_of(path.read_text())
        rows = [row for story in stories for row in windows(story, style, length, self.header)]
        return np.stack([seen for seen, _ in rows]), np.stack([wanted for _, wanted in rows])

    def sha256(self) -> str:
        every = (story.encode() for name in sorted(self.raw) for story in self.raw[name])
        return hashlib.sha256(bytes([END]).join(every)).hexdigest()

    def batch(self, rng: np.random.Generator, progress: float, batch_bytes: int) -> Rows:
        if rng.random() < self.tales_share:
            rows = [self.tales.row(SHORT, self.header, rng) for _ in range(batch_bytes // SHORT)]
        else:
            rows = [self.shelf(rng).row(LONG, self.header, rng) for _ in range(batch_bytes // LONG)]
        return np.stack([seen for seen, _ in rows]), np.stack([wanted for _, wanted in rows])

    def shelf(self, rng: np.random.Generator) -> Shelf:
        if rng.random() < PICTURE_BOOK_SHARE:
            return self.picture_books
        return self.easy if rng.random() < EASY_SHARE else self.more


def corpus(patch: int, tales: float) -> Stories:
    """All of it, from ../shared/data. `tales`: their share of the batches, which are either tales or the rest."""
    return Stories(patch, tales)
