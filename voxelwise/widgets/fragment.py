"""One self-contained piece of HTML: a still picture, and the data, style and script that bring it to life."""

import base64
import html
import io
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from ..plotting.slices import background_box, tile
from ..plotting.style import MARKS
from ..simulation.cortex import SCREEN_CENTRE

FOLDER = Path(__file__).parent
#: JupyterLab runs no script of a notebook that was made elsewhere, and a page may not be allowed to.
STILL = "A still picture: allow scripts on the page, or run the chapter in JupyterLab, and it answers."


class Fragment:
    """What Jupyter shows: one element of HTML, which any page can hold, and the text that stands for it elsewhere."""

    def __init__(self, html, text):
        self.html, self.text = html, text

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return self.text


def build_fragment(kind, data, still, alt, shared=(), library=""):
    """A fragment whose script reads ``data`` and replaces the figure ``still``, which ``alt`` describes."""
    file = io.BytesIO()
    still.savefig(file, format="png", bbox_inches=None)
    plt.close(still)
    style, script = (_read(kind, ending, shared) for ending in ("css", "js"))
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")  # ends no script
    parts = (
        f'<div class="brain-fragment brain-{kind}">',
        f'<img class="still dark-light" src="{address(Image.open(file).convert("RGB"))}" alt="{html.escape(alt)}">',
        f'<p class="still-hint">{STILL}</p>',
        f'<script type="application/json">{packed}</script>',
        f"<style>{style}</style>",
        f"<script>(() => {{\n{library}{script}}})();</script>",
        "</div>",
    )
    return Fragment("\n".join(parts), alt)


def _read(kind, ending, shared):
    """The files of this ending: the common one, the shared ones, then those of the kind, its main one last."""
    shared = [path for name in ("common", *shared) for path in FOLDER.glob(f"{name}.{ending}")]  # not all have a style
    paths = [*shared, *sorted(FOLDER.glob(f"{kind}_*.{ending}")), FOLDER / f"{kind}.{ending}"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def mark(columns, n_voxels):
    """Name, column and colour of each marked voxel; a ValueError unless there are one to four of ``n_voxels``."""
    if not 0 < len(columns) <= len(MARKS) or not set(columns) <= set(range(n_voxels)):  # -1 would be the last one
        raise ValueError(f"Marked voxels {list(columns)}: expected one to four columns from 0 to {n_voxels - 1}.")
    pairs = zip(MARKS, map(int, columns), strict=False)
    return [{"name": letter, "column": column, "colour": colour} for (colour, letter), column in pairs]


def pack(values, dtype="<i2"):
    """Numbers as base64 text, whole ones only where they fit."""
    packed = np.asarray(values).astype(dtype)
    if packed.dtype.kind != "f" and not np.array_equal(packed, values):
        raise OverflowError(f"Numbers from {np.min(values)} to {np.max(values)} do not fit into {dtype}.")
    return base64.b64encode(packed.tobytes()).decode()


def pack_decimals(values):
    """Numbers to as many decimals as 16 bits hold, at most four: their unit, a power of ten, and the packed numbers."""
    largest, digits = np.abs(values).max(initial=0), 4
    while np.rint(largest * 10.0**digits) > np.iinfo(np.int16).max:
        digits -= 1
    return {"unit": 10.0**-digits, "values": pack(np.rint(values * 10.0**digits))}


def pack_truth(truth, shape):
    """Row, column and size (pixels) of each simulated voxel's Gaussian on stimuli of this shape; 0 without one."""
    if truth is None:
        return None
    corner = [(n - 1) / 2 - SCREEN_CENTRE for n in shape]
    places = truth[["row", "column", "size"]].to_numpy(float) + [*corner, 0]
    return pack_decimals(np.where((truth["share"] > 0).to_numpy()[:, np.newaxis], places, 0))


def pack_colours(cmap):
    """A colour map as 256 times three bytes."""
    return pack(np.rint(255 * plt.get_cmap(cmap)(np.arange(256))[:, :3]), "u1")


def address(image, form="png"):
    """The address of an image that is its own content; as ``"jpeg"`` it is small, and not the same to the last bit."""
    file = io.BytesIO()
    image.save(file, form, optimize=True, quality=85)
    return f"data:image/{form};base64,{base64.b64encode(file.getvalue()).decode()}"


def grey_box(background, image, first, shape, fineness):
    """A box of the background as bytes, the smallest value black, the 99.9th percentile white; black without one."""
    if background is None:
        return np.zeros(np.multiply(shape, fineness), np.uint8)
    values = background_box(background, image, first, shape, fineness)
    low, high = values.min(), np.quantile(values, 0.999)
    return np.clip(np.rint(255 * (values - low) / max(high - low, 1e-12)), 0, 255).astype(np.uint8)


def mosaic(slices, form="png"):
    """The picture of :func:`~voxelwise.plotting.slices.tile` as its address, and how many slices stand side by side."""
    tiles, n_columns = tile(slices)
    return address(Image.fromarray(tiles), form), n_columns
