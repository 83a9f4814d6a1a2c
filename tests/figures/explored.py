"""How the pictures to touch read back: the arrays that a page holds, and what is drawn on the screen."""

import base64
import io
import json
import re

import matplotlib
import numpy as np
import pytest
from PIL import Image

#: A telephone, as Playwright's options of a page.
PHONE = dict(viewport={"width": 390, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=3)
by_mouse_and_finger = pytest.mark.parametrize("options", [{}, PHONE], ids=["mouse", "finger"])


def data_of(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def unpacked(text, dtype="<i2"):
    return np.array(np.frombuffer(base64.b64decode(text), dtype).tolist())


def picture(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(";base64,")[2]))))


def ask(page, kind, question, given=None):
    """What a picture's ``model`` says, the functions and numbers behind it; ``given`` may be an array."""
    plain = "(_, value) => (ArrayBuffer.isView(value) ? [...value] : value)"
    told = f"({{ model }}, given) => JSON.stringify({question}, {plain})"
    return json.loads(page.locator(f".brain-{kind}").evaluate(told, np.asarray(given).tolist()))


def on_page(page, element, x, y):
    """Where on the page a place lies that is given in shares of an element's width and height."""
    box = page.locator(element).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def press(page, *points):
    """Press a place, move on from point to point, and let go: with a finger on a telephone, else with the mouse."""
    if page.evaluate("navigator.maxTouchPoints"):
        touch = page.context.new_cdp_session(page)
        for kind, some in [("Start", points[:1]), *(("Move", [point]) for point in points[1:]), ("End", [])]:
            fingers = [{"x": x, "y": y} for x, y in some]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})
        page.evaluate("new Promise(requestAnimationFrame)")  # a tap becomes a click a moment later
    else:
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def swipe_up(page, x, y):
    """Put a finger there, scroll the page, and wait until it rests."""
    before = page.evaluate("window.rested = 0, onscrollend = () => { window.rested = scrollY; }, scrollY")
    press(page, *((x, y - 20 * n) for n in range(9)))
    page.wait_for_function("before => rested > before + 60", arg=before)


def painted(page, canvas, xs, ys):
    """The colours (RGBA) of a canvas at places that are given in shares of its width and height."""
    colours = picture(page.locator(canvas).evaluate("(canvas) => canvas.toDataURL()"))
    height, width, _ = colours.shape
    return colours[np.multiply(ys, height).astype(int), np.multiply(xs, width).astype(int)].astype(int)


def assert_painted(page, canvas, xs, ys, values, cmap, low, high):
    """A canvas has the colours of the values there."""
    expected = 255 * matplotlib.colormaps[cmap]((np.asarray(values) - low) / (high - low))
    # A number may lie at the border of two steps of the colours.
    np.testing.assert_allclose(painted(page, canvas, xs, ys), expected, atol=12)


def assert_field(page, canvas, field, limit):
    """A canvas shows a field; looked up in the first quarter of each pixel."""
    ys, xs = (np.indices(field.shape).reshape(2, -1) + 0.25) / np.transpose([field.shape])
    assert_painted(page, canvas, xs, ys, field.ravel(), "RdBu_r", -limit, limit)


def assert_shows(page, column):
    """The explorer tells of this voxel and draws its field."""
    shown, wanted = page.locator(".brain-voxels"), "[model.field(given), model.rows, model.colours.field.limit]"
    assert shown.get_attribute("data-voxel") == str(column)
    assert f"Voxel {column}" in shown.locator(".title").inner_text()
    field, n_rows, limit = ask(page, "voxels", wanted, column)
    assert_field(page, ".brain-voxels .field:first-child canvas", np.reshape(field, (n_rows, -1)), limit)


def spot(page, column):
    """Where on the page the middle of a voxel of the present slice lies."""
    place, shape = ask(page, "voxels", "[model.place(given), model.shape]", column)
    x, y, _ = np.add(place, 0.5) / shape
    return on_page(page, ".brain-voxels .stage canvas", x, 1 - y)
