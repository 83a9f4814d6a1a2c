"""All pictures to touch, as the chapters hold them: on any screen, on paper, and without scripts."""

import dataclasses
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.figures.explored import picture
from tests.notebooks import CHAPTERS
from tests.pages.running import read_chapter
from voxelwise import cross_validate_ridge, fit_patterns, fit_receptive_fields, is_rest, unmask, widgets


@pytest.fixture(scope="module")
def pictures():
    """One of each kind."""
    outputs = [output for path in CHAPTERS for cell in read_chapter(path).cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}).get("text/html", "") for output in outputs]
    return {re.search(r"brain-fragment (\S+)\"", html)[1]: html for html in shown if "brain-fragment" in html}


def test_without_scripts_others_stand_in(pictures, visit):
    page = visit("".join(pictures.values()), java_script_enabled=False)
    stills = page.get_by_role("img").all()
    assert len(stills) == page.get_by_text("A still picture").count() == len(widgets.__all__)
    for still in stills:
        assert len(still.get_attribute("alt")) > 60 and still.bounding_box()["width"] > 500
        assert np.ptp(picture(still.get_attribute("src")).astype(int), axis=2).max() > 100, "in colour"


BOOK = dict(head='data-theme="dark"', color_scheme="light", device_scale_factor=3)
LAB = dict(body='data-jp-theme-light="true"', color_scheme="dark", device_scale_factor=1.25)


@pytest.mark.parametrize(("width", "options"), [(320, BOOK), (1440, LAB)], ids=["book", "lab"])
def test_they_fit_every_screen_and_can_be_read(pictures, visit, width, options):
    """Not too wide, large enough for a finger, dark where the page is, crisp; without buttons on paper."""
    html = "".join([*pictures.values(), pictures["brain-lag"]])  # one of them twice
    page = visit(html, viewport={"width": width, "height": 800}, **options)
    assert page.locator(".brain-lag .parts").count() == 2 and page.get_by_text("A still picture").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    targets, box = page.get_by_role("button").or_(page.get_by_role("slider")), "one.getBoundingClientRect()"
    sizes = targets.evaluate_all(f"all => all.flatMap((one) => [{box}.width, {box}.height])")
    assert len(sizes) > 40 and min(sizes) >= 44
    red = "roots => roots.map(root => parseInt(getComputedStyle(root).backgroundColor.slice(4)))"
    plates = page.locator(".brain-fragment").evaluate_all(red)
    assert max(plates) < 100 if options == BOOK else min(plates) > 150
    measure = "(canvas) => [canvas.width, canvas.getBoundingClientRect().width]"
    pixels, css = page.locator(".brain-voxels .stage canvas").evaluate(measure)
    assert css * options["device_scale_factor"] == pytest.approx(pixels, abs=0.1)
    faults = Axe().run(page, "main", {"resultTypes": ["violations"], "preload": False}).response["violations"]
    assert [fault["nodes"] for fault in faults if fault["impact"] in ("serious", "critical")] == []
    page.emulate_media(media="print")
    assert page.get_by_role("button").count() == page.get_by_role("slider").count() == 0
    narrow = (
        "all => all.map(one => (one.closest('main').style.width = '9em', one.clientWidth / one.viewBox.baseVal.width))"
    )
    assert max(page.locator(".brain-fragment svg").evaluate_all(narrow)) < 1, "charts shrink, and are not cut off"


def test_three_good_voxels_without_truth_background_rest_or_square_stimuli(visit, small_samples):
    few = dataclasses.replace(small_samples.take(~is_rest(small_samples.stimuli), [3, 20, 41]), stimulus_shape=(2, 8))
    scores = cross_validate_ridge(few, alpha=1, cv=4)
    assert scores.min() > 0
    shown = [
        widgets.draw_and_read(few, fit_patterns(few, np.arange(3), cv=4)),
        widgets.turn_knobs(few, scores.mean(axis=0), [0, 1, 2], n_splits=4),
        widgets.slide_lag(few, [0, 1, 2]),
        widgets.explore_voxels(scores, fit_receptive_fields(few), few.mask_img),
        widgets.view_planes(unmask(scores.mean(axis=0), few.mask_img)),
    ]
    page = visit("".join(each.html for each in shown), **LAB)
    assert page.locator(".brain-fragment > .parts").count() == len(shown) == len(widgets.__all__)
