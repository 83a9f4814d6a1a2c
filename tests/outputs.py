"""Stored outputs against those of a fresh run, where nbval does not look.

nbval compares the text that a cell prints. It passes a notebook whose outputs were stripped, looks at no picture, and
knows nothing of memory.
"""

import base64
import io
import re

import numpy as np
import psutil
from PIL import Image

from press.chapters import merge_streams
from press.memory import peak_memory

MAX_RMS = 2  # of 255: another version of a font, and not another curve
MAX_MEMORY = 1.5e9  # bytes, what Binder can be relied on to give


def compare_outputs(stored, fresh):
    """Fail unless the cell has all its outputs, with the same text, and pictures that look the same; count these."""
    stored, fresh = merge_streams(stored), merge_streams(fresh)
    assert list(map(read_text, stored)) == list(map(read_text, fresh)), "Other outputs; if that is meant: make refresh"
    pairs = list(zip(read_pictures(stored), read_pictures(fresh), strict=True))
    for before, now in pairs:
        assert before.shape == now.shape
        rms = np.sqrt(np.mean((before - now) ** 2))
        assert rms <= MAX_RMS, f"The picture differs by RMS {rms:.1f}; if that is meant: make refresh"
    return len(pairs)


def read_text(output):
    """What an output says: printed text, or a table as text and as HTML; of a picture, that it is there."""
    shown = output.get("data", {})
    return output.get("text") or {kind: kind if kind == "image/png" else without_data(text) for kind, text in shown.items()}


def without_data(text):
    """A picture to touch, less its numbers: their last digits may differ. test_explorer.py compares them with fresh ones."""
    return re.sub(r"[A-Za-z0-9+/=]{64,}", "...", text) if 'class="brain-fragment' in text else text


def read_pictures(outputs):
    """The PNG pictures among the outputs as arrays (height, width, 4)."""
    pngs = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"), dtype=float) for png in pngs]


def check_memory(pid):
    """Fail if a kernel and its workers may have held more than Binder gives; IPython alone takes more than 30 MB."""
    kernel = psutil.Process(pid)
    held = sum(map(peak_memory, [kernel, *kernel.children(recursive=True)]))
    assert 3e7 < held < MAX_MEMORY, f"The chapter took {held / 1e9:.1f} GB of memory"
