"""Figures and questions that say what was found: in a notebook below each other, in a program as printed text."""

import html
import io

import matplotlib.pyplot as plt
import numpy as np

from .style import find_notebook


def show_figure(figure, caption):
    """Show a figure, and below it what it found: its caption and its alternative text. A program prints that only.

    The ``caption`` is of plain sentences, without markup, that state the result and its number.
    """
    if find_notebook():
        from IPython.display import display

        picture, told = draw_and_describe(figure)
        display({"image/png": picture, "text/plain": repr(figure)}, metadata={"image/png": told}, raw=True)
        plt.close(figure)
    _say(caption, {"text/markdown": caption})


def guess(question, answer):
    """Ask before the figure; the answer, which the run has found, unfolds on a click. A program prints both.

    ``question`` and ``answer`` are plain sentences, without markup.
    """
    asked, found = html.escape(question), html.escape(answer)
    folded = f'<details class="guess"><summary><b>Guess first.</b> {asked}</summary>{found}</details>'
    _say(f"{question}\n{answer}", {"text/html": folded})


def draw_and_describe(figure):
    """A PNG; and where each panel lies (left, top, right, bottom; shares of the figure) and what is written.

    By these, pictures are compared. All comes from one drawing: Matplotlib's ``savefig`` alone would take two.
    """
    file, written = io.BytesIO(), []
    renderer = figure.canvas.get_renderer()
    draw_text = renderer.draw_text

    def note(gc, x, y, text, *settings, **others):
        written.append(text)
        draw_text(gc, x, y, text, *settings, **others)

    renderer.draw_text = note
    figure.canvas.print_png(file)
    places = [ax.get_position() for ax in figure.axes]
    panels = [(place.x0, 1 - place.y1, place.x1, 1 - place.y0) for place in places]
    return file.getvalue(), {"panels": np.round(panels, 4).tolist(), "text": " | ".join(written)}


def _say(text, marked_up):
    """Display text in a notebook, in a richer form too, or print it."""
    if not find_notebook():
        print(text)
        return
    from IPython.display import display

    display(marked_up | {"text/plain": text}, raw=True)
