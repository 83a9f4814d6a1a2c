"""Stored pictures beside fresh ones: what nobody would see is forgiven, the rest is put where it can be looked at."""

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "differences"
WHOLE = {"panels": [[0, 0, 1, 1]], "text": ""}  # of a picture that show_figure has not described
MOVED = 2  # pixels, by which lines and letters in a panel may move
SHADES = 40  # of 255, which edges may differ by
SOFT = 0.7  # pixels; an edge may lie on one pixel or on two
MAX_SHARE = 3e-4  # of a panel's pixels; a thin curve that moved takes more


def compare_pictures(stored, fresh, name):
    """Say how the PNGs of two outputs differ, and leave both and the difference in ``FOLDER``; None if they do not.

    Text is compared as text, and each panel by itself: versions of Matplotlib set text otherwise, panels make room.
    """
    before, now = (output.metadata.get("image/png", WHOLE) for output in (stored, fresh))
    pngs = [base64.b64decode(output.data["image/png"]) for output in (stored, fresh)]
    if before == now and pngs[0] == pngs[1]:
        return None
    pictures = [Image.open(io.BytesIO(png)).convert("RGBA") for png in pngs]
    if len(before["panels"]) != len(now["panels"]):
        found = f"it has {len(now['panels'])} panels and had {len(before['panels'])}"
    elif before["text"] != now["text"]:
        found = f"the text differs: {before['text']} is now {now['text']}"
    else:
        places = zip(before["panels"], now["panels"], strict=True)
        unlike = max((find_unlike(*stretch_panels(pictures, pair)) for pair in places), key=np.mean)
        if unlike.mean() <= MAX_SHARE:
            return None
        found = f"the content differs, in {unlike.mean():.2%} of a panel"
        pictures.append(Image.fromarray(~unlike))
    FOLDER.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "-", name).strip("-")
    for picture, kind in zip(pictures, ("stored", "fresh", "difference"), strict=False):
        picture.save(FOLDER / f"{stem}-{kind}.png")
    return f"{found}; see {FOLDER.relative_to(ROOT)}/{stem}-*.png"


def stretch_panels(pictures, places):
    """A panel of two pictures, with a rim around it, at one size: two arrays (height, width, 4)."""
    rim = 2 * MOVED * np.array([-1, -1, 1, 1])
    pairs = zip(pictures, places, strict=True)
    panels = [picture.crop(tuple(place * np.tile(picture.size, 2) + rim)) for picture, place in pairs]
    size = np.max([panel.size for panel in panels], axis=0)
    # To the nearest pixel: any other way, a line of one pixel turns pale.
    return [np.asarray(panel.resize(size, Image.NEAREST), dtype=float) for panel in panels]


def find_unlike(before, now):
    """Pixels unlike all that lie near in the other picture, in either way; bool, (height, width) less the rim.

    They are so in the pictures as they are, and in softer ones, where a line between two pixels is as dark as on one.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter  # few pictures differ by a bit

    size, found = (2 * MOVED + 1, 2 * MOVED + 1, 1), []
    for soft in (0, SOFT):
        pair = [gaussian_filter(each, (soft, soft, 0)) for each in (before, now)]
        for one, other in (pair, pair[::-1]):
            low, high = minimum_filter(other, size) - SHADES, maximum_filter(other, size) + SHADES
            found.append(((one < low) | (one > high)).any(axis=2)[MOVED:-MOVED, MOVED:-MOVED])
    return (found[0] | found[1]) & (found[2] | found[3])
