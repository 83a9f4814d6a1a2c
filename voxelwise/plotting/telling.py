"""Figures and questions that say what was found: in a notebook below each other, in a program as printed text."""

import html

import matplotlib.pyplot as plt

from .style import find_notebook


def show_figure(figure, caption):
    """Show a figure, and below it what it found.

    On a page of the book that is the figure's caption and its alternative text. A program prints it, and shows its
    figures when it wants to.

    Parameters
    ----------
    figure : Figure
    caption : str
        Plain sentences, without markup, that state the result and its number.
    """
    if find_notebook():
        from IPython.display import display

        display(figure)
        plt.close(figure)
    _say(caption, {"text/markdown": caption})


def guess(question, answer):
    """Ask before the figure; the answer, which the run has found, unfolds on a click. A program prints both.

    Parameters
    ----------
    question, answer : str
        Plain sentences, without markup.
    """
    asked, found = html.escape(question), html.escape(answer)
    folded = f'<details class="guess"><summary><b>Guess first.</b> {asked}</summary>{found}</details>'
    _say(f"{question}\n{answer}", {"text/html": folded})


def _say(text, marked_up):
    """Display text in a notebook, in a richer form too, or print it."""
    if not find_notebook():
        print(text)
        return
    from IPython.display import display

    display(marked_up | {"text/plain": text}, raw=True)
