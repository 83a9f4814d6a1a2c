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
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))))


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


def slice_of(html, column):
    """The voxels of the same slice."""
    return np.flatnonzero(decoded(html).places[:, 2] == decoded(html).places[column, 2])


def assert_painted(page, canvas, xs, ys, values, cmap, low, high):
    """A canvas has the colours of the values at places that are given in shares of its width and height."""
    drawn = page.locator(canvas).evaluate(
        """(canvas, places) => {
          const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
          const context = copy.getContext("2d", { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          return places.map(([x, y]) => [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data]);
        }""",
        np.transpose([xs, ys]).tolist(),
    )
    expected = 255 * matplotlib.colormaps[cmap]((np.asarray(values) - low) / (high - low))
    np.testing.assert_allclose(drawn, expected, atol=12)  # a number may lie at the border of two steps of the colours


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
