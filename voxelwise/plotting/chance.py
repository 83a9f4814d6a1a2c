"""What chance looks like, and what is found beyond it."""

import matplotlib.pyplot as plt
import numpy as np

from .style import BLUE, GREEN, GUIDE, LINE_COLOURS, VERMILION, draw_legend, pair_up, settle


def plot_chance(shifted, shuffled, score, largest, threshold):
    """Scores by chance, arrays of one number a permutation: of one voxel, and the ``largest`` of all voxels.

    The voxel's stimuli were ``shifted`` in each run, or its volumes ``shuffled``. ``score`` is its own, ``threshold``
    what a score must exceed among all voxels.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    edges = np.histogram_bin_edges(np.append(shifted, shuffled), bins=30)
    axes[0].hist(shifted, edges, color="0.75", edgecolor="white", label="stimuli shifted")
    axes[0].hist(shuffled, edges, color=BLUE, histtype="step", linewidth=1.6, label="volumes shuffled")
    axes[1].hist(largest, bins=20, color="0.75", edgecolor="white", label="stimuli shifted")
    marks = (score, VERMILION, "its own score"), (threshold, GREEN, "threshold")
    titles = "one voxel", "largest of all voxels"
    for ax, (mark, colour, label), title in zip(axes, marks, titles, strict=True):
        ax.axvline(mark, color=colour, linewidth=2, label=label)
        ax.axvline(0, **GUIDE, linestyle=":")
        ax.set(xlabel="R² on held-out runs")
        ax.set_title(title, pad=48)
        ax.locator_params(axis="x", nbins=5)
        draw_legend(ax, 2)
    axes[0].set_ylabel("permutations")
    return settle(figure)


def plot_power(strength, found, rate):
    """How many voxels are found, by how much of their variance is signal; dotted, an error rate.

    ``strength`` is the true share of the signal in groups of voxels, rising; ``found`` holds, by the name of up to four
    rules, the share of each group's voxels that it finds.
    """
    figure, ax = plt.subplots(figsize=(8, 3.8))
    lines = tuple(zip(LINE_COLOURS, ("o-", "s--", "^:", "v-."), strict=False))
    for (colour, line), (name, shares) in pair_up(lines, found.items(), "rules"):
        ax.plot(strength, shares, line, color=colour, markersize=5, clip_on=False, label=name)
    ax.axhline(rate, **GUIDE, linestyle=":")
    ax.set_xscale("function", functions=(np.sqrt, np.square))  # room for the faint voxels
    ax.set(xlim=(0, None), ylim=(0, 1), ylabel="share of the voxels found")
    ax.set_xlabel("true share of the signal in the variance (square root scale)")
    return settle(figure, legend=4)
