"""A lag to drag: what the page computes, and what a reader with a mouse, a finger or a keyboard drags."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tests.figures.explored import by_mouse_and_finger, press
from voxelwise import Samples, is_rest
from voxelwise.widgets import slide_lag

ROOT = ".brain-lag"


def make_samples():
    """4 runs of different length, a screen that is often empty, and two voxels that follow it 3 and 1 volumes late."""
    rng = np.random.default_rng(2)
    runs = np.repeat(range(4), [40, 31, 44, 35])
    shown = np.repeat(rng.random(50) < 0.5, 3)
    stimuli = np.where(shown[:, np.newaxis], rng.integers(0, 2, (150, 4)), -1)
    noise = rng.normal(0, 0.3, (150, 2))
    return Samples.from_arrays(stimuli, np.stack([np.roll(shown, 3), np.roll(shown, 1)], 1) + noise, runs)


SAMPLES = make_samples()


@pytest.fixture(scope="module")
def html():
    return slide_lag(SAMPLES, [0, 1], lag=3, t_r=1.5).html


def expected(voxel, lag):
    shown = pd.Series(~is_rest(SAMPLES.stimuli), dtype=float)
    return shown.groupby(SAMPLES.runs).shift(lag).corr(pd.Series(SAMPLES.responses[:, voxel]))


def assert_shows(page, voxel, lag):
    """What is told and where the dot lies are the correlation; the bands lie where the stimuli were, so much later."""
    r = [expected(voxel, each) for each in range(9)]
    told = f"lag {lag} volume{'s' * (lag != 1)} ({1.5 * lag:g}\xa0s): correlation {r[lag]:.2f}".replace("-", "−")
    best = ", the highest of all lags" if lag == np.argmax(r) else ""
    assert page.locator(f"{ROOT} .told").inner_text() == f"Voxel {'AB'[voxel]}, {told}{best}."
    low, high = min(0, *r) - 0.08, max(0, *r) + 0.08
    dot = float(page.locator(".scores circle").get_attribute("cy"))
    assert high - (dot - 8) * (high - low) / (170 - 8 - 38) == pytest.approx(r[lag], abs=1e-3)
    box = page.locator(f"{ROOT} .course svg").bounding_box()
    start = max(0, np.argmin(is_rest(SAMPLES.stimuli)) + lag - 0.5)
    band = float(page.locator(".band").first.get_attribute("x"))
    assert band == pytest.approx(40 + start * (box["width"] - 50) / 39, abs=0.1)


def test_keys_and_buttons_change_lag_and_voxel(html, page):
    assert_shows(page, 0, 0)
    page.get_by_role("slider", name="Lag 0 volumes (0 s)").press("ArrowRight")
    assert_shows(page, 0, 1)
    page.get_by_role("button", name="Voxel B").press("Enter")
    assert_shows(page, 1, 1)
    page.get_by_role("button", name="As in the book").click()
    assert_shows(page, 1, 3)
    page.locator(f"{ROOT} .status", has_text="lag 3 volumes").wait_for(state="attached")  # for a screen reader


@by_mouse_and_finger
def test_the_screen_is_dragged_along(html, visit, options):
    page = visit(html, **options)
    box = page.locator(f"{ROOT} .course svg").bounding_box()
    x, y, volume = box["x"] + box["width"] / 2, box["y"] + 60, (box["width"] - 50) / 39
    for wanted, by in ((4, 4), (1, -3), (8, 14)):
        press(page, (x, y), (x + 2 * by, y), (x + by * volume, y))
        assert_shows(page, 0, wanted)


def test_what_does_not_fit_is_refused():
    for marked, lag, told in (([2], 2, "columns from 0 to 1"), ([0], -1, "lag=-1"), ([0], 30, "run has 31 volumes")):
        with pytest.raises(ValueError, match=told):
            slide_lag(SAMPLES, marked, lag)


def test_a_screen_or_a_voxel_that_never_changes_correlates_at_0(visit):
    """As a recording without rest, and a voxel that is out of view."""
    unlike = dict(stimuli=np.ones((150, 4), np.float32)), dict(responses=np.zeros((150, 2), np.float32))
    for change in unlike:
        page = visit(slide_lag(dataclasses.replace(SAMPLES, **change), [0], lag=12).html)
        assert page.get_by_role("slider").get_attribute("max") == "12", "as far as the book's"
        page.get_by_role("slider").press("ArrowRight")
        assert "lag 1 volume (2\xa0s): correlation 0.00" in page.locator(f"{ROOT} .told").inner_text()
