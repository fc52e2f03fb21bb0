"""Training and held-out bytes from ../shared/data (see SOURCES.md there), as flat uint8 arrays."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
END_OF_DOCUMENT = 0  # NUL never occurs in UTF-8 text, so it can mark where a book ends and the next begins


@dataclass
class Corpus:
    """`main` for most of the run, `last` for its last stretch, `held_out` never trained on: name -> bytes."""

    main: np.ndarray
    last: np.ndarray
    held_out: dict[str, np.ndarray]

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
    return Corpus(np.concatenate([*classics, storybooks]), storybooks, held_out)


def batch(source: np.ndarray, length: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` windows of `length` bytes at random offsets: [count, length] int64."""
    starts = rng.integers(0, len(source) - length + 1, count)
    return np.stack([source[s : s + length] for s in starts]).astype(np.int64)
