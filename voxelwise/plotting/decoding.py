"""From patterns back to stimuli: which one it was, and what it looked like."""

import matplotlib.pyplot as plt
import numpy as np

from .style import GUIDE, LINE_COLOURS, SCORE_COLOURS, VERMILION, draw_screen, pair_up, settle

_RIGHT, _WRONG = VERMILION, "0.45"


def plot_candidates(correlations, right, candidates, stimulus_shape):
    """How well each candidate's predicted pattern agrees with a trial's; the right one and the best other are shown.

    ``candidates``, shape (n_candidates, n_pixels), are two stimuli or more; ``right`` is the number of the one shown.
    """
    wrong = np.setdiff1d(np.arange(len(correlations)), right)
    best = wrong[correlations[wrong].argmax()]
    shown = {"on the screen": (right, _RIGHT), "best of the others": (best, _WRONG)}
    figure, axes = plt.subplot_mosaic([["all", title] for title in shown], figsize=(8, 4), width_ratios=(3, 1))
    ax = axes["all"]
    ax.axhline(0, **GUIDE, linestyle="--")
    ax.scatter(wrong + 1, correlations[wrong], s=10, color=_WRONG, linewidth=0, label="other stimuli")
    ax.scatter(right + 1, correlations[right], s=70, color=_RIGHT, label="stimulus on the screen")
    ax.set(xlabel="candidate", ylabel="correlation with the measured pattern")
    for title, (number, colour) in shown.items():
        pixels = candidates[number].reshape(stimulus_shape)
        draw_screen(axes[title], pixels, colour, vmin=candidates.min(), vmax=candidates.max())
        axes[title].set_title(title, fontsize=10)
        axes[title].spines[:].set_linewidth(2.5)
    return settle(figure, legend=2)


def plot_identification(curves):
    """Share of identified stimuli over the number of candidates, up to six curves (numbers, accuracies), and chance."""
    figure, ax = plt.subplots()
    for colour, (name, (numbers, accuracies)) in pair_up(LINE_COLOURS, curves.items()):
        ax.plot(numbers, 100 * np.asarray(accuracies), color=colour, label=name, marker="o", markevery=[-1])
    most = max(np.max(numbers) for numbers, _ in curves.values())
    by_chance = np.geomspace(1, most, 200)
    ax.plot(by_chance, 100 / by_chance, **GUIDE, linestyle="--", label="chance")
    ax.set(xscale="log", xlabel="number of candidates (log scale)", ylabel="stimuli identified (%)", ylim=(0, 103))
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if n <= most]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    return settle(figure, legend=2)


def plot_reconstructions(rows, limits):
    """Stimuli that were seen, and below each what was reconstructed; at most ten stand side by side.

    ``rows`` holds arrays, (n_stimuli, n_rows, n_columns), by the name of the row; ``limits`` are black and white.
    """
    n_stimuli = len(next(iter(rows.values())))
    n_columns = min(10, n_stimuli)
    n_bands = -(-n_stimuli // n_columns)
    figure = plt.figure(figsize=(8, n_bands * (0.75 * len(rows) + 0.1) * 10 / max(n_columns, 5)))
    bands = figure.subfigures(n_bands, 1, squeeze=False)[:, 0]
    for first, band in zip(range(0, n_stimuli, n_columns), bands, strict=True):
        for line, (name, stimuli) in zip(band.subplots(len(rows), n_columns, squeeze=False), rows.items(), strict=True):
            for ax, stimulus in zip(line, stimuli[first : first + n_columns], strict=False):
                draw_screen(ax, stimulus, vmin=limits[0], vmax=limits[1])
            for unused in line[len(stimuli) - first :]:
                unused.set_axis_off()
            line[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    return settle(figure)


def plot_pixel_map(values, label):
    """A number for each pixel of the screen, as a map whose colours begin at 0; NaN is white."""
    figure, ax = plt.subplots(layout="compressed")
    drawn = draw_screen(ax, values, ticks=True, cmap=SCORE_COLOURS, vmin=0, vmax=np.nanmax(values, initial=0.1))
    ax.set(xlabel="column", ylabel="row")
    figure.colorbar(drawn, ax=ax, label=label)
    return settle(figure)
