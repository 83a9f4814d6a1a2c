"""What is on the screen: random patterns in some runs, shapes and letters in others, as in the published experiment."""

import numpy as np

from .cortex import STIMULUS_SHAPE
from .responses import REST

N_RANDOM_RUNS = 20
#: A run: rest, then stimuli each shown for some volumes and followed by rest, then rest to the end (in volumes).
RANDOM_TIMING = dict(n_volumes=145, start=10, n_stimuli=22, on=3, rest=3)
FIGURE_TIMING = dict(n_volumes=130, start=10, n_stimuli=10, on=6, rest=6)

_SHAPES = """
.....  .....  #####  ..#..  #...#
.###.  .###.  #...#  ..#..  .#.#.
.###.  .#.#.  #...#  #####  ..#..
.###.  .###.  #...#  ..#..  .#.#.
.....  .....  #####  ..#..  #...#
"""  # square, small frame, large frame, plus, X
_LETTERS = """
####.  .###.  #...#  #.###  .###.
#...#  #...#  #...#  ##...  #...#
#...#  #####  #...#  #....  #...#
#...#  #....  #...#  #....  #...#
#...#  .####  .####  #....  .###.
"""  # n, e, u, r, o
#: What the figure runs show: how many runs, which drawings, how many pixels high and wide each of their points is.
FIGURE_SETS = ((4, _SHAPES, (2, 2)), (4, _LETTERS, (2, 2)), (2, _LETTERS, (1, 1)), (2, _LETTERS, (2, 1)))


def draw_stimuli(rng):
    """Draw what is on the screen at each volume: by the name of the run, ndarray of int8, shape (n_volumes, 10, 10).

    0 is black, 1 white, -1 rest.
    """
    runs = {}
    for n_runs, drawings, scale in FIGURE_SETS:
        pictures = [np.kron(drawing, np.ones(scale, int)) for drawing in _drawings(drawings)]
        for _ in range(n_runs):
            order = rng.permutation(np.repeat(np.arange(len(pictures)), 2))
            runs[f"figure_run{len(runs) + 1:02}"] = _show([_on_screen(pictures[i]) for i in order], **FIGURE_TIMING)
    for number in range(1, N_RANDOM_RUNS + 1):
        pictures = rng.integers(0, 2, size=(RANDOM_TIMING["n_stimuli"], *STIMULUS_SHAPE))
        runs[f"random_run{number:02}"] = _show(pictures, **RANDOM_TIMING)
    return runs


def _drawings(text):
    """The five 5 x 5 drawings that stand side by side in a text."""
    points = np.array([[list(word) for word in line.split()] for line in text.split("\n") if line])
    return (points == "#").astype(int).swapaxes(0, 1)


def _on_screen(picture):
    """A small picture in the middle of a black screen."""
    screen = np.zeros(STIMULUS_SHAPE, dtype=int)
    top, left = ((n - m) // 2 for n, m in zip(screen.shape, picture.shape, strict=True))
    screen[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return screen


def _show(pictures, n_volumes, start, n_stimuli, on, rest):
    """One run: each picture for ``on`` volumes, with ``rest`` after it."""
    frames = np.full((n_volumes, *STIMULUS_SHAPE), REST, dtype=np.int8)
    for number, picture in enumerate(pictures[:n_stimuli]):
        first = start + number * (on + rest)
        frames[first : first + on] = picture
    return frames
