"""Population receptive fields: for each voxel, one round patch of the screen, with a place and a size."""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from ..data.samples import is_rest
from .batches import choose_columns, map_voxels
from .folds import draw_folds

#: Candidate centres lie this many pixels apart; on screens of more than ten pixels, a fortieth of the larger side.
STEP = 0.25
N_SIZES = 14
_COLUMNS = ["row", "column", "size", "r2", "gain", "on", "constant"]


def fit_prf(samples, voxels=None, n_jobs=None):
    """Find the Gaussian field that explains most of each voxel's response.

    The model is the population receptive field of Dumoulin and Wandell (2008, NeuroImage 39, 647-660), with the lag of
    the samples in place of a haemodynamic response::

        response = gain * sum over pixels of (field * pixel) + on * (1 with a stimulus, 0 at rest) + constant
        field = exp(-((pixel's row - row)**2 + (pixel's column - column)**2) / (2 * size**2)),    gain > 0

    All candidates are compared: centres on the screen and four steps around it, in steps of a quarter of a pixel, or of
    a fortieth of the larger side where that is more, and 14 sizes, from one step to half that side. The best one is
    moved by up to half a step in row, column and size, to the top of the parabola through it and its neighbours.

    Parameters
    ----------
    samples : Samples
        Of stimuli with rows and columns; pixels may be grey, and there need be no rest.
    voxels, n_jobs
        As in :func:`~voxelwise.predict_ridge`.

    Returns
    -------
    fields : DataFrame of float64, one row a voxel, by its column
        ``row`` and ``column`` of the centre in pixels, 0 at the centre of the top left one; ``size``, the standard
        deviation, in pixels; ``r2``, the share of the response's variance, in these samples, that the field explains
        beyond the reaction to any stimulus; ``gain``, ``on`` and ``constant``, as above, the last 0 without rest. NaN
        and an ``r2`` and a gain of 0 where no field has a positive gain. Runs within which a voxel does not change are
        left out for it.
    """
    if len(samples.stimulus_shape) != 2:
        raise ValueError(f"stimulus_shape={samples.stimulus_shape}: a field has its place among rows and columns.")
    voxels = choose_columns(voxels, samples.responses.shape[1])
    shown = ~is_rest(samples.stimuli)

    def prepare(rows):
        # The mean at rest and the mean of all stimuli fit "on" and the constant. What is left at rest is 0.
        images = samples.stimuli[shown & rows].astype(np.float64).reshape(-1, *samples.stimulus_shape)
        mean = images.sum(axis=0) / max(len(images), 1)
        return rows, shown, mean, images - mean, _Candidates(images - mean)

    fields = pd.DataFrame(np.nan, pd.Index(voxels, name="voxel"), _COLUMNS)
    fields[_COLUMNS[3:]] = 0.0
    for columns, found in map_voxels(prepare, _best, samples, voxels, n_jobs):
        fields.iloc[columns] = found
    return fields


def field_weights(fields, stimulus_shape):
    """Weight of each pixel in each voxel's response, its field times its gain; float64, shape (n_pixels, n_voxels).

    Parameters
    ----------
    fields : DataFrame
        As :func:`fit_prf` returns it.
    stimulus_shape : (int, int)
        Rows and columns of a stimulus, as ``samples.stimulus_shape``.
    """
    row, column, size = (fields[name].to_numpy() for name in _COLUMNS[:3])
    weights = fields["gain"].to_numpy() * np.nan_to_num(_gaussians(row, column, size, stimulus_shape)).T
    return weights.swapaxes(0, 1).reshape(-1, len(fields))


def cross_validate_prf(samples, cv=10, n_jobs=None):
    """Score Gaussian fields on runs that they were not fitted to.

    Parameters
    ----------
    samples, cv, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`.

    Returns
    -------
    scores : ndarray of float64, shape (n_folds, n_voxels)
        R2 on the held-out runs of each fold, 0 for a voxel that never changes there.
    """
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses).check_scored()
    scores = []
    for train, test in zip(folds.train, folds.test, strict=True):
        fields, held_out = fit_prf(samples.take(rows=train), n_jobs=n_jobs), samples.take(rows=test)
        shown = ~is_rest(held_out.stimuli)[:, np.newaxis]
        seen = held_out.stimuli @ field_weights(fields, samples.stimulus_shape) + fields["on"].to_numpy()
        predicted = np.where(shown, seen, 0) + fields["constant"].to_numpy()
        varies = np.ptp(held_out.responses, axis=0) > 0
        scores.append(np.where(varies, r2_score(held_out.responses, predicted, multioutput="raw_values"), 0))
    return np.array(scores)


class _Candidates:
    """Every field that is tried, products of a Gaussian along the rows and one along the columns, on centred images."""

    def __init__(self, images):
        n_rows, n_columns = images.shape[1:]
        step = max(STEP, max(n_rows, n_columns) / 40)
        sizes = np.geomspace(step, max(n_rows, n_columns) / 2, N_SIZES)
        rows, columns = (np.arange(-0.5 - 4 * step, n - 0.5 + 4.5 * step, step) for n in (n_rows, n_columns))
        self.places = rows, columns, np.log(sizes)
        row_weights = _gaussian(rows, sizes[:, np.newaxis], n_rows)
        column_weights = _gaussian(columns, sizes[:, np.newaxis], n_columns).swapaxes(1, 2)
        # Fewer images, with the same sums of products.
        images = np.linalg.qr(images.reshape(len(images), n_rows * n_columns), mode="r").reshape(-1, n_rows, n_columns)
        pairs = zip(row_weights, column_weights, strict=True)
        squares = np.stack([np.square(along @ images @ across).sum(axis=0) for along, across in pairs])
        seen = squares > 1e-6 * squares.max(axis=(1, 2), keepdims=True)
        # What a field explains is the square of its product with the response, once it has this length.
        scales = np.divide(1, np.sqrt(squares), out=np.zeros_like(squares), where=seen)
        # Half the digits tell which candidate is best, in half the time.
        self.scales = scales.astype(np.float32)
        # Numbers too small for all of a float32's digits would slow the products down.
        weights = (np.where(each > 1e-30, each, 0).astype(np.float32) for each in (row_weights, column_weights))
        self.row_weights, self.column_weights = weights
        self.images = images


def _gaussian(centre, size, n_pixels):
    """Weights along one side of the screen, shape (..., n_pixels)."""
    return np.exp(-0.5 * ((np.arange(n_pixels) - centre[..., np.newaxis]) / size[..., np.newaxis]) ** 2)


def _best(responses, prepared):
    """What ``_COLUMNS`` names, of the best field for each voxel of a batch, shape (n_voxels, 7)."""
    rows, shown, mean, images, candidates = prepared
    y = responses - responses[rows].mean(axis=0, dtype=np.float64)
    products = np.tensordot(y[shown & rows], images, axes=(0, 0))
    fields, positive = _choose(products, candidates)
    fields, gain, explained = _refine(fields, products, candidates)
    # What a field explains of a voxel that never changes, or only with on and off, is nothing but rounding.
    total = np.square(y[rows]).sum(axis=0)
    found = positive & (explained > 1e-10 * total)
    r2 = np.divide(explained, total, out=np.zeros(len(total)), where=found)
    gain = np.where(found, gain, 0)

    moments = rows & shown, rows & ~shown
    with_stimulus, at_rest = (responses[some].sum(axis=0, dtype=np.float64) / max(some.sum(), 1) for some in moments)
    row, column, size = *fields[:2], np.exp(fields[2])
    on = with_stimulus - gain * np.tensordot(_gaussians(row, column, size, mean.shape), mean) - at_rest
    return np.column_stack([*np.where(found, [row, column, size], np.nan), r2, gain, on, at_rest])


def _choose(products, candidates):
    """Row, column and log size of each voxel's best candidate, shape (3, n_voxels); and whether it has any."""
    most, best = np.zeros(len(products), np.float32), np.zeros(len(products), dtype=int)
    rounded = products.astype(np.float32)
    for number, scale in enumerate(candidates.scales):
        along = candidates.row_weights[number] @ rounded @ candidates.column_weights[number]
        along *= scale
        along = along.reshape(len(products), -1)
        here = along.argmax(axis=1)
        value = along[np.arange(len(here)), here]
        better = value > most
        most[better], best[better] = value[better], number * scale.size + here[better]
    size, row, column = np.unravel_index(best, candidates.scales.shape)
    fields = np.stack([along[at] for along, at in zip(candidates.places, (row, column, size), strict=True)])
    return fields, most > 0


def _refine(fields, products, candidates):
    """Move each field to the top of the parabolas through it and its neighbours, where it explains more there."""
    gain, explained = _gains(fields, products, candidates.images)
    moved = fields.copy()
    for measure, along in enumerate(candidates.places):
        step = along[1] - along[0]
        aside = step * (np.arange(3) == measure)[:, np.newaxis]
        before, after = (_gains(fields + way * aside, products, candidates.images)[1] for way in (-1, 1))
        bend = 2 * explained - before - after
        top = np.divide(after - before, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
        moved[measure] += step * np.clip(top, -0.5, 0.5)
    new_gain, now = _gains(moved, products, candidates.images)
    better = now > explained
    return np.where(better, moved, fields), np.where(better, new_gain, gain), np.where(better, now, explained)


def _gains(fields, products, images):
    """Gain of each voxel's field by least squares, at least 0, and the sum of squares that it explains."""
    weights = _gaussians(*fields[:2], np.exp(fields[2]), images.shape[1:])
    squares = np.square(np.tensordot(images, weights, axes=([1, 2], [1, 2]))).sum(axis=0)
    along = (weights * products).sum(axis=(1, 2))
    gains = np.maximum(np.divide(along, squares, out=np.zeros_like(along), where=squares > 0), 0)
    return gains, gains * along


def _gaussians(row, column, size, shape):
    """Fields of voxels, shape (n_voxels, n_rows, n_columns), 1 at their centres."""
    down, across = (_gaussian(centre, size, n) for centre, n in zip((row, column), shape, strict=True))
    return down[:, :, np.newaxis] * across[:, np.newaxis]


def polar_coordinates(row, column, stimulus_shape):
    """Where in the visual field a place on the screen lies, for eyes that rest on the centre of the screen.

    Parameters
    ----------
    row, column : float, ndarray or Series
        In pixels, 0 at the centre of the top left pixel.
    stimulus_shape : (int, int)

    Returns
    -------
    eccentricity, angle : like ``row``
        Distance from the centre of the screen, in pixels; times ``Recording.degrees_per_pixel``, in degrees of visual
        angle. Direction from there in degrees, in (-180, 180]: 0 to the right, 90 up, 180 to the left, -90 down.
    """
    up = (stimulus_shape[0] - 1) / 2 - row
    right = column - (stimulus_shape[1] - 1) / 2
    angle = np.degrees(np.arctan2(up, right))
    return np.hypot(up, right), 180 - (180 - angle) % 360
