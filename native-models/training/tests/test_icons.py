"""The pixel pictures: what a document is, what is varied and what never is."""

from __future__ import annotations

import numpy as np
import pytest

from megabyte import icons
from megabyte.data import IGNORED

ROW = icons.SIDE


@pytest.fixture(scope="module")
def corpus() -> icons.Icons:
    return icons.corpus()


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_document_begins_with_its_style_and_the_way_it_is_read(corpus: icons.Icons) -> None:
    pixels = np.arange(2 * ROW * ROW).reshape(2, ROW, ROW).astype(np.uint8)
    rows, columns = icons.documents(pixels, np.array([3, 5]), np.array([False, True]))
    assert rows[:ROW].tolist() == [3] * 16 + [0] * 16
    assert columns[:ROW].tolist() == [5] * 16 + [1] * 16
    assert (rows[ROW:].reshape(ROW, ROW) == pixels[0]).all()
    assert (columns[ROW:].reshape(ROW, ROW) == pixels[1].T).all()


def test_a_batch_teaches_pictures_and_never_headers(corpus: icons.Icons) -> None:
    seen, wanted = corpus.batch(rng(), 0.0, 100_000)
    assert seen.shape == (100_000 // 1056, 1056) and seen.dtype == np.int64
    assert (wanted[:, :ROW] == IGNORED).all() and (wanted[:, ROW:] == seen[:, ROW:]).all()
    assert seen[:, ROW:].max() < 64 and set(seen[:, 16]) == {0, 1}
    again, _ = corpus.batch(rng(), 0.0, 100_000)
    assert (again == seen).all()


def test_held_out_pictures_are_open_and_none_is_trained_on(corpus: icons.Icons) -> None:
    seen, wanted = corpus.held_out["icons"]
    assert len(seen) == 496 and not seen[:, :ROW].any() and (wanted[:, :ROW] == IGNORED).all()
    trained = {picture.tobytes() for picture in corpus.pictures.pixels}
    assert not any(row[ROW:].astype(np.uint8).tobytes() in trained for row in seen)


def test_every_style_has_its_share(corpus: icons.Icons) -> None:
    shares = [corpus.shares[corpus.pictures.styles == i].sum() for i in range(len(icons.STYLES))]
    assert sum(shares) == pytest.approx(1)
    assert all(0.02 < share < 0.16 for share in shares)


def test_styles_are_what_a_person_would_look_for() -> None:
    assert icons.style_of("potion", "crawl") == "item"
    assert icons.style_of("animal", "noto") == "animal"
    assert icons.style_of("animal", "dawnlike") == "monster"
    assert icons.style_of("effect", "dawnlike") == "any"


def test_moving_loses_no_pixel_and_keeps_doubled_ones_whole() -> None:
    picture = np.zeros((ROW, ROW), np.uint8)
    picture[2:30, 6:20] = 5
    r = rng()
    for _ in range(20):
        there = icons.moved(picture, 2, r)
        rows, columns = np.nonzero(there)
        assert (there != 0).sum() == (picture != 0).sum()
        assert rows.min() % 2 == 0 and columns.min() % 2 == 0
        assert np.ptp(rows) == 27 and np.ptp(columns) == 13


def test_turned_hues_keep_ground_grays_and_lightness() -> None:
    palette = icons.read_palette()
    lab = icons.oklab(palette.astype(float))
    for turned in icons.turned_palettes(palette):
        assert turned[:3].tolist() == [0, 1, 2]
        assert np.abs(lab[turned, 0] - lab[:, 0]).mean() < 0.04


def test_oklab_of_white_and_red() -> None:
    lab = icons.oklab(np.array([[255.0, 255, 255], [255, 0, 0]]))
    assert lab[0] == pytest.approx([1, 0, 0], abs=1e-4)
    assert lab[1] == pytest.approx([0.628, 0.2249, 0.1258], abs=1e-3)
