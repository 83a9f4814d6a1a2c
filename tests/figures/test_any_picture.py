"""All pictures to touch, as the chapters hold them: on any screen, on paper, and without scripts."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.figures.explored import picture
from tests.notebooks import CHAPTERS
from tests.pages.running import read_chapter
from voxelwise import widgets


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
