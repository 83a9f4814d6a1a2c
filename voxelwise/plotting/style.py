"""The look that all figures share: one palette, and what several of them draw alike."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap

# The colours of Okabe and Ito, which colour-blind readers tell apart.
BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
GREY = "#666666"
LINE_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, GREY)  # of lines, and groups of voxels, by their number
MARK_COLOURS = (SKY, GREEN, ORANGE, PURPLE)  # one for each marked voxel, on the brain and in its field
MARK_LETTERS = "ABCD"
MARKS = tuple(zip(MARK_COLOURS, MARK_LETTERS, strict=True))
INK, FRAME = "0.25", "0.6"  # of lines that stand for no data and of measured values; of frames around pictures
GUIDE = dict(color=INK, linewidth=1)
ABOVE = dict(loc="lower center", bbox_to_anchor=(0.5, 1))  # of a legend above its axes

SCORE_COLOURS = "plasma"  # for scores, from 0 on
FIELD_COLOURS = "RdBu_r"  # for weights of either sign; red and blue are told apart by colour-blind readers
#: For directions in the visual field, from -180 to 180 degrees: left, down, right, up, left. Left and right differ in
#: warm and cold, up and down in light and dark, which colour-blind readers see too.
_DIRECTIONS = "#E66100", "#4B1D91", "#2CA0E0", "#F7E55B", "#E66100"
DIRECTION_COLOURS = LinearSegmentedColormap.from_list("direction", _DIRECTIONS)


def use_book_style():
    """Set the book's look for all figures that follow, which appear below their cells, whatever a reader has set."""
    sheet = Path(__file__).with_name("book.mplstyle")
    plt.style.use(["default", sheet, {"axes.prop_cycle": cycler(color=LINE_COLOURS)}])
    if shell := find_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        shell.enable_matplotlib("inline")
        # The notebook's default crops each figure to its content; the book keeps the canvas.
        set_matplotlib_formats("png", bbox_inches=None)


def find_notebook():
    """The notebook's shell, or None in a program."""
    ipython = sys.modules.get("IPython")  # whoever is in a notebook has imported it
    shell = ipython and ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None


def settle(figure, legend=0, **settings):
    """Lay a figure out once and for all, with a legend of so many columns above its first panel, if any; return it."""
    if legend:
        figure.axes[0].legend(**ABOVE, ncols=legend, **settings)
    # Left to itself, the layout would change a little each time the figure is drawn.
    if layout := figure.get_layout_engine():  # without the book's style there is none
        for _ in range(2):  # the first pass does not know yet how much room axes of a fixed aspect leave
            layout.execute(figure)
        figure.set_layout_engine("none")
    return figure


def dark_figure(height):
    """A black figure on which each axes has a place of its own."""
    figure = plt.figure(figsize=(8, height), facecolor="black")
    figure.set_layout_engine("none")  # given to plt.figure, it would be forgotten once the figure was saved
    return figure


def pair_up(colours, things):
    """Each thing with its colour; a ValueError if there are more things than colours."""
    if len(things) > len(colours):
        raise ValueError(f"{len(things)} to draw; expected up to {len(colours)}, as many as there are colours.")
    return zip(colours[: len(things)], things, strict=True)


def draw_screen(ax, values, frame=FRAME, ticks=False, **colours):
    """Draw values of the screen's pixels, the first row on top, in a thin frame; ticks only on demand."""
    drawn = ax.imshow(values, origin="upper", **colours)
    ax.spines[:].set(visible=True, color=frame)
    if not ticks:
        ax.set(xticks=[], yticks=[])
    return drawn


def draw_diagonal(ax):
    """Give both axes one scale, and draw the line on which both values are the same."""
    ax.axline((0, 0), slope=1, **GUIDE, linestyle="--", zorder=3)
    ends = min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1])
    ax.set(xlim=ends, ylim=ends, aspect="equal")
