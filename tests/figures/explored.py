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

BOOK = ROOT / "book"


def stored(kind, chapter="03_mapping_the_brain"):
    """The fragment of a kind that a chapter's notebook holds."""
    outputs = [
        output
        for cell in nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    (html,) = [html for o in outputs if f'brain-{kind}"' in (html := o.get("data", {}).get("text/html", ""))]
    return html


def data_of(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def unpacked(text, dtype="<i2"):
    return np.frombuffer(base64.b64decode(text), dtype).astype(int)


def decimals(packed):
    return unpacked(packed["values"]) * packed["unit"]


def picture(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(";base64,")[2]))))


@functools.cache
def decoded(html):
    """The arrays of an explorer, by the description in its docstrings and not by its script."""
    data = data_of(html)
    counts, (n_rows, n_columns) = unpacked(data["fields"]["counts"]), data["fields"]["shape"]
    fields = np.zeros((len(counts), n_rows * n_columns))
    fields[np.repeat(np.arange(len(counts)), counts), unpacked(data["fields"]["pixels"], "<u2")] = decimals(
        data["fields"]
    )
    positions, places = (unpacked(data[name]).reshape(-1, 3) for name in ("positions", "places"))
    fields, scores = fields.reshape(-1, n_rows, n_columns), decimals(data["scores"]).reshape(-1, 3)
    return SimpleNamespace(scores=scores, fields=fields, positions=positions, places=places, raw=data)


#: A telephone, as Playwright's options of a page.
PHONE = dict(viewport={"width": 390, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=3)


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


def assert_shows(page, html, column):
    """The explorer tells of this voxel and draws its field; looked up in the first quarter of each pixel."""
    shown, field = page.locator(".brain-voxels"), decoded(html).fields[column]
    assert shown.get_attribute("data-voxel") == str(column)
    assert f"Voxel {column}" in shown.locator(".title").inner_text()
    (rows, columns), limit = np.indices(field.shape).reshape(2, -1), data_of(html)["colours"]["field"]["limit"]
    xs, ys = (columns + 0.25) / field.shape[1], (rows + 0.25) / field.shape[0]
    assert_painted(page, ".brain-voxels .field:first-child canvas", xs, ys, field.ravel(), "RdBu_r", -limit, limit)


def spot(page, html, column):
    """Where on the page the middle of a voxel of the present slice lies."""
    (n_columns, n_rows, _), (c, r, _) = decoded(html).raw["shape"], decoded(html).places[column]
    box = page.locator(".brain-voxels .stage canvas").bounding_box()
    return box["x"] + (c + 0.5) * box["width"] / n_columns, box["y"] + (n_rows - r - 0.5) * box["height"] / n_rows
