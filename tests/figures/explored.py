"""How the pictures to touch read back: the arrays that a page holds, and what is drawn on the screen."""

import base64
import functools
import io
import json
import re
from types import SimpleNamespace

import matplotlib
import nbformat
import numpy as np
from PIL import Image

from tests.notebooks import ROOT

#: A telephone, as Playwright's options of a page.
PHONE = dict(viewport={"width": 390, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=3)


def stored(kind, chapter="03_mapping_the_brain"):
    """The fragment of a kind that a chapter's notebook holds."""
    cells = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    (html,) = [html for o in outputs if f'brain-{kind}"' in (html := o.get("data", {}).get("text/html", ""))]
    return html


def data_of(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def unpacked(text, dtype="<i2"):
    return np.array(np.frombuffer(base64.b64decode(text), dtype).tolist())


def decimals(packed):
    return unpacked(packed["values"]) * packed["unit"]


def picture(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(";base64,")[2]))))


@functools.cache
def decoded(html):
    """The arrays of an explorer, by the description in its docstrings and not by its script."""
    data = data_of(html)
    packed, counts = data["fields"], unpacked(data["fields"]["counts"])
    fields = np.zeros((len(counts), *packed["shape"]))
    voxels = np.repeat(np.arange(len(counts)), counts)
    fields.reshape(len(counts), -1)[voxels, unpacked(packed["pixels"], "<u2")] = decimals(packed)
    scores, *places = decimals(data["scores"]), unpacked(data["positions"]), unpacked(data["places"])
    scores, positions, places = (values.reshape(-1, 3) for values in (scores, *places))
    return SimpleNamespace(scores=scores, fields=fields, positions=positions, places=places, raw=data)


def ask(page, kind, question, given=None):
    """What the functions of a picture say."""
    plain = "(_, value) => (ArrayBuffer.isView(value) ? [...value] : value)"
    told = page.locator(f".brain-{kind}").evaluate(f"(root, given) => JSON.stringify({question}, {plain})", given)
    return json.loads(told)


def on_page(page, element, x, y):
    """Where on the page a place lies that is given in shares of an element's width and height."""
    box = page.locator(element).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def swipe(page, *points):
    """Put a finger on a page, move it from point to point, and lift it."""
    touch = page.context.new_cdp_session(page)
    for kind, some in [("Start", points[:1]), *(("Move", [point]) for point in points[1:]), ("End", [])]:
        points = [{"x": x, "y": y} for x, y in some]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def swipe_up(page, x, y):
    """Put a finger there and scroll the page."""
    before = page.evaluate("scrollY")
    swipe(page, *((x, y - 20 * n) for n in range(9)))
    page.wait_for_function("before => scrollY > before + 60", arg=before)


def painted(page, canvas, xs, ys):
    """The colours (RGBA) of a canvas at places that are given in shares of its width and height."""
    return page.locator(canvas).evaluate(
        """(canvas, places) => {
          const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
          const context = copy.getContext("2d", { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          return places.map(([x, y]) => [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data]);
        }""",
        np.transpose([xs, ys]).tolist(),
    )


def assert_painted(page, canvas, xs, ys, values, cmap, low, high):
    """A canvas has the colours of the values there."""
    expected = 255 * matplotlib.colormaps[cmap]((np.asarray(values) - low) / (high - low))
    # A number may lie at the border of two steps of the colours.
    np.testing.assert_allclose(painted(page, canvas, xs, ys), expected, atol=12)


def assert_field(page, canvas, field, limit):
    """A canvas shows a field; looked up in the first quarter of each pixel."""
    ys, xs = (np.indices(field.shape).reshape(2, -1) + 0.25) / np.transpose([field.shape])
    assert_painted(page, canvas, xs, ys, field.ravel(), "RdBu_r", -limit, limit)


def assert_shows(page, html, column):
    """The explorer tells of this voxel and draws its field."""
    shown, limit = page.locator(".brain-voxels"), decoded(html).raw["colours"]["field"]["limit"]
    assert shown.get_attribute("data-voxel") == str(column)
    assert f"Voxel {column}" in shown.locator(".title").inner_text()
    assert_field(page, ".brain-voxels .field:first-child canvas", decoded(html).fields[column], limit)


def spot(page, html, column):
    """Where on the page the middle of a voxel of the present slice lies."""
    x, y, _ = (decoded(html).places[column] + 0.5) / decoded(html).raw["shape"]
    return on_page(page, ".brain-voxels .stage canvas", x, 1 - y)
