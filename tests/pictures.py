"""Stored pictures beside fresh ones: what nobody would see is forgiven, the rest is put where it can be looked at."""

import re
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "differences"
MOVED = 1  # pixel, by which text and ticks may move from one version of a font or of Matplotlib to another
SHADES = 40  # of 255, which edges may differ by
MAX_SHARE = 3e-4  # of the pixels; a thin curve that moved takes more


def compare_pictures(before, now, name):
    """Say how two pictures (height, width, 4) differ, and leave both and the difference in ``FOLDER``; None if not."""
    if before.shape != now.shape:
        sizes = [f"{width} x {height}" for height, width, _ in (now.shape, before.shape)]
        unlike, found = None, f"it has {' pixels and had '.join(sizes)}"
    else:
        same = abs(before - now).max() <= SHADES  # nearly always, and sooner known
        if same or (unlike := find_unlike(before, now, MOVED)).mean() <= MAX_SHARE:
            return None
        far = find_unlike(before, now, 4 * MOVED).mean() > MAX_SHARE
        found = f"{unlike.mean():.2%} of its pixels differ: {'the content differs' if far else 'text or edges moved'}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "-", name).strip("-")
    for kind, values in {"stored": before, "fresh": now, "difference": unlike}.items():
        if values is not None:
            values = 255 * ~values if values.dtype == bool else values
            Image.fromarray(values.astype(np.uint8)).save(FOLDER / f"{stem}-{kind}.png")
    return f"{found}; see {FOLDER.relative_to(ROOT)}/{stem}-*.png"


def find_unlike(before, now, distance):
    """Pixels unlike all that lie within a distance in the other picture, in either way; bool, (height, width)."""
    size = (2 * distance + 1, 2 * distance + 1, 1)
    unlike = np.zeros(before.shape[:2], bool)
    for one, other in ((before, now), (now, before)):
        low, high = minimum_filter(other, size) - SHADES, maximum_filter(other, size) + SHADES
        unlike |= ((one < low) | (one > high)).any(axis=2)
    return unlike
