"""What is on the screen: random patterns in some runs, shapes and letters in others, as in the published experiment."""

import numpy as np

from .cortex import SCREEN_SHAPE
from .responses import REST

SEED = 12
N_RANDOM_RUNS, N_RANDOM_STIMULI = 20, 22
#: A run: rest, then stimuli each shown for some volumes and followed by rest, then rest to the end (in volumes).
RANDOM_TIMING = dict(n_volumes=145, start=10, on=3, rest=3)
FIGURE_TIMING = dict(n_volumes=130, start=10, on=6, rest=6)

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
_LETTERS = """
######  ######  ##..##  ######  ######    ######  ######  ##..##  ######  ######    ####  ####  #..#  ####  ####
######  ##..##  ##..##  ######  ######    ######  ######  ##..##  ######  ######    #..#  #..#  #..#  #...  #..#
##..##  ##..##  ##..##  ##....  ##..##    ##..##  ##..##  ##..##  ##....  ##..##    #..#  ####  #..#  #...  #..#
##..##  ######  ##..##  ##....  ##..##    ##..##  ##..##  ##..##  ##....  ##..##    #..#  #...  #..#  #...  #..#
##..##  ##....  ######  ##....  ######    ##..##  ######  ##..##  ##....  ##..##    #..#  ####  ####  #...  ####
##..##  ######  ######  ##....  ######    ##..##  ##....  ##..##  ##....  ##..##    ....  ....  ....  ....  ....
......  ......  ......  ......  ......    ##..##  ##....  ######  ##....  ######    ....  ....  ....  ....  ....
......  ......  ......  ......  ......    ##..##  ######  ######  ##....  ######    ....  ....  ....  ....  ....
"""  # n, e, u, r, o: bold, long, thin
FIGURE_RUNS = (0, 0, 1, 2, 3, 0, 0, 1, 2, 3, 3, 3)  # what each shows: 0 shapes, 1 bold, 2 long, 3 thin letters


def draw_stimuli():
    """What is on the screen in each run, by its name: int8, shape (n_volumes, 12, 12); 0 is black, 1 white, -1 rest."""
    rng, runs = np.random.default_rng(SEED), {}
    drawings = [*_read_drawings(_SHAPES), *_read_drawings(_LETTERS)]
    for number, kind in enumerate(FIGURE_RUNS, start=1):
        pictures = rng.permutation(drawings[5 * kind : 5 * kind + 5] * 2)
        runs[f"figure_run{number:02}"] = _show(pictures, **FIGURE_TIMING)
    for number in range(1, N_RANDOM_RUNS + 1):
        pictures = rng.integers(0, 2, size=(N_RANDOM_STIMULI, *SCREEN_SHAPE))
        runs[f"random_run{number:02}"] = _show(pictures, **RANDOM_TIMING)
    return runs


def _read_drawings(text):
    """The drawings that stand side by side in a text, each in the middle of a black screen; empty lines fill up."""
    for lines in zip(*map(str.split, text.strip().split("\n")), strict=True):
        drawing = np.array([list(line) for line in lines if "#" in line]) == "#"
        before = [(n - m) // 2 for n, m in zip(SCREEN_SHAPE, drawing.shape, strict=True)]
        after = np.subtract(SCREEN_SHAPE, drawing.shape) - before
        yield np.pad(drawing.astype(int), np.transpose([before, after]))


def _show(pictures, n_volumes, start, on, rest):
    """One run: each picture for ``on`` volumes, with ``rest`` after it."""
    frames = np.full((n_volumes, *SCREEN_SHAPE), REST, dtype=np.int8)
    for number, picture in enumerate(pictures):
        first = start + number * (on + rest)
        frames[first : first + on] = picture
    return frames
