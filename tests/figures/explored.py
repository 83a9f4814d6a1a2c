"""How the pictures to touch read back: the arrays that a page holds, and what is drawn on the screen."""

import base64
import io
import json
import re
from types import SimpleNamespace

import matplotlib
import nbformat
import numpy as np
from PIL import Image

from tests.notebooks import ROOT

CHAPTER = ROOT / "book" / "03_mapping_the_brain.ipynb"
CLEAR = 12  # of 255, in which two colours may differ: a number at the border of two steps of the colour map


def stored(kind):
    """The fragment of a kind that the chapter's notebook holds."""
    notebook = nbformat.read(CHAPTER, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    (html,) = [html for o in outputs if f'brain-{kind}"' in (html := o.get("data", {}).get("text/html", ""))]
    return html


def data_of(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def unpacked(text, dtype="<i2"):
    return np.frombuffer(base64.b64decode(text), dtype).astype(int)


def picture(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))))


def decoded(html):
    """The arrays of an explorer, by the description in its docstrings and not by its script."""
    data = data_of(html)
    counts, (n_rows, n_columns) = unpacked(data["fields"]["counts"]), data["fields"]["shape"]
    fields = np.zeros((len(counts), n_rows * n_columns))
    voxels, pixels = np.repeat(np.arange(len(counts)), counts), unpacked(data["fields"]["pixels"], "<u2")
    fields[voxels, pixels] = unpacked(data["fields"]["values"]) * data["fields"]["unit"]
    return SimpleNamespace(
        scores=unpacked(data["scores"]["values"]).reshape(-1, 3) * data["scores"]["unit"],
        fields=fields.reshape(-1, n_rows, n_columns),
        positions=unpacked(data["positions"]).reshape(-1, 3),
        places=unpacked(data["places"]).reshape(-1, 3),
        raw=data,
    )


def pixel_colours(page, selector, xs, ys):
    """Colours (n, 3) of a canvas at places that are given in shares of its width and height."""
    script = """(canvas, [xs, ys]) => {
      const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      return xs.map((x, n) => [...context.getImageData(x * canvas.width, ys[n] * canvas.height, 1, 1).data.slice(0, 3)]);
    }"""
    return np.array(page.locator(selector).evaluate(script, [list(map(float, xs)), list(map(float, ys))]))


def drawn_field(page, shape, root=".brain-voxels"):
    """The colours of the field that is on the screen, shape (n_rows, n_columns, 3); a quarter into each pixel."""
    rows, columns = np.indices(shape).reshape(2, -1)
    xs, ys = (columns + 0.25) / shape[1], (rows + 0.25) / shape[0]
    return pixel_colours(page, f"{root} .field canvas", xs, ys).reshape(*shape, 3)


def expected_field(field, limit):
    return 255 * matplotlib.colormaps["RdBu_r"]((field + limit) / (2 * limit))[..., :3]


def assert_shows(page, column, html, fields):
    """The explorer tells of this voxel and draws its field."""
    shown = page.locator(".brain-voxels")
    assert shown.get_attribute("data-voxel") == str(column)
    assert f"Voxel {column}" in shown.locator(".title").inner_text()
    limit = data_of(html)["colours"]["field"]["limit"]
    np.testing.assert_allclose(drawn_field(page, fields.shape[1:]), expected_field(fields[column], limit), atol=CLEAR)


def spot(page, html, column):
    """Where on the page the middle of a voxel of the present slice lies."""
    arrays = decoded(html)
    n_columns, n_rows, _ = arrays.raw["shape"]
    c, r, _ = arrays.places[column]
    box = page.locator(".brain-voxels .stage canvas").bounding_box()
    return box["x"] + (c + 0.5) * box["width"] / n_columns, box["y"] + (n_rows - r - 0.5) * box["height"] / n_rows


def in_slice_of(html, column):
    places = decoded(html).places
    return np.flatnonzero(places[:, 2] == places[column, 2])


def hear(page, text, kind="voxels"):
    """Wait until a screen reader is told a text."""
    page.locator(f".brain-{kind} .status", has_text=text).wait_for(state="attached")
