"""What is on the screen: random patterns in some runs, shapes and letters in others, as in the published experiment.

The screen is a little larger than what is known of it: no label tells its outermost pixels. In random runs they are
random as well, around shapes and letters they stay black.
"""

import numpy as np

from .cortex import SCREEN_SHAPE
from .responses import REST

SEED = 12
N_RANDOM_RUNS = 20
#: A run: rest, then stimuli each shown for some volumes and followed by rest, then rest to the end (in volumes).
RANDOM_TIMING = dict(n_volumes=145, start=10, n_stimuli=22, on=3, rest=3)
FIGURE_TIMING = dict(n_volumes=130, start=10, n_stimuli=10, on=6, rest=6)

_SHAPES = """
####  ####  ...##...  ##....##  ########
####  #..#  ...##...  ###..###  ########
####  #..#  ...##...  .######.  ##....##
####  ####  ########  ..####..  ##....##
....  ....  ########  ..####..  ##....##
....  ....  ...##...  .######.  ##....##
....  ....  ...##...  ###..###  ########
....  ....  ...##...  ##....##  ########
"""  # square, small frame, plus, X, large frame
_BOLD = """
######  ######  ##..##  ######  ######
######  ##..##  ##..##  ######  ######
##..##  ##..##  ##..##  ##....  ##..##
##..##  ######  ##..##  ##....  ##..##
##..##  ##....  ######  ##....  ######
##..##  ######  ######  ##....  ######
"""  # n, e, u, r, o
_LONG = """
######  ######  ##..##  ######  ######
######  ######  ##..##  ######  ######
##..##  ##..##  ##..##  ##....  ##..##
##..##  ##..##  ##..##  ##....  ##..##
##..##  ######  ##..##  ##....  ##..##
##..##  ##....  ##..##  ##....  ##..##
##..##  ##....  ######  ##....  ######
##..##  ######  ######  ##....  ######
"""
_THIN = """
####  ####  #..#  ####  ####
#..#  #..#  #..#  #...  #..#
#..#  ####  #..#  #...  #..#
#..#  #...  #..#  #...  #..#
#..#  ####  ####  #...  ####
"""
#: What each figure run shows, by its number.
FIGURE_RUNS = [_SHAPES, _SHAPES, _BOLD, _LONG, _THIN, _SHAPES, _SHAPES, _BOLD, _LONG, _THIN, _THIN, _THIN]


def draw_stimuli():
    """What is on the screen in each run, by its name: int8, shape (n_volumes, 12, 12); 0 is black, 1 white, -1 rest."""
    rng, runs = np.random.default_rng(SEED), {}
    for number, drawings in enumerate(FIGURE_RUNS, start=1):
        pictures = rng.permutation([_on_screen(drawing) for drawing in _read_drawings(drawings)] * 2)
        runs[f"figure_run{number:02}"] = _show(pictures, **FIGURE_TIMING)
    for number in range(1, N_RANDOM_RUNS + 1):
        pictures = rng.integers(0, 2, size=(RANDOM_TIMING["n_stimuli"], *SCREEN_SHAPE))
        runs[f"random_run{number:02}"] = _show(pictures, **RANDOM_TIMING)
    return runs


def known_pixels(frames):
    """Those pixels of the screen that the labels tell, shape (n_volumes, 10, 10)."""
    return frames[:, 1:-1, 1:-1]


def _read_drawings(text):
    """The drawings that stand side by side in a text, ndarrays of int; empty lines fill up what is less high."""
    for lines in zip(*map(str.split, text.strip().split("\n")), strict=True):
        drawing = np.array([list(line) for line in lines]) == "#"
        yield drawing[drawing.any(axis=1)].astype(int)


def _on_screen(drawing):
    """A drawing in the middle of a black screen."""
    screen = np.zeros(SCREEN_SHAPE, dtype=int)
    top, left = ((n - m) // 2 for n, m in zip(screen.shape, drawing.shape, strict=True))
    screen[top : top + drawing.shape[0], left : left + drawing.shape[1]] = drawing
    return screen


def _show(pictures, n_volumes, start, n_stimuli, on, rest):
    """One run: each picture for ``on`` volumes, with ``rest`` after it."""
    frames = np.full((n_volumes, *SCREEN_SHAPE), REST, dtype=np.int8)
    for number, picture in enumerate(pictures[:n_stimuli]):
        first = start + number * (on + rest)
        frames[first : first + on] = picture
    return frames
