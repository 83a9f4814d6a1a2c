"""The look that all figures share."""

from pathlib import Path

import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.patheffects import withStroke
from matplotlib_inline.backend_inline import set_matplotlib_formats

#: One colour for each marked voxel, on the brain and in its field; told apart by colour-blind readers (Okabe and Ito).
MARK_COLOURS = ("#56B4E9", "#009E73", "#E69F00", "#CC79A7")
MARK_LETTERS = "ABCD"
HALO = withStroke(linewidth=3.5, foreground="black")


def draw_diagonal(ax):
    """Give both axes one scale, and draw the line on which both values are the same."""
    ax.axline((0, 0), slope=1, color="0.25", linewidth=1, linestyle="--", zorder=3)
    ends = min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1])
    ax.set(xlim=ends, ylim=ends, aspect="equal")


def use_book_style():
    """Set the book's look for all figures that follow."""
    plt.style.use(Path(__file__).with_name("book.mplstyle"))
    if get_ipython() is not None:
        # The notebook's default crops each figure to its content; the book keeps the canvas.
        set_matplotlib_formats("png", bbox_inches=None)
