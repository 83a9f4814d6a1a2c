"""The ridge penalty of each voxel, or of each feature space and voxel, chosen by cross-validation."""

import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from .batches import map_voxels
from .folds import draw_folds
from .ridge import Design, check_alpha, fill_unknown, mean_known

#: Penalties to choose from, evenly spaced on a logarithmic scale.
ALPHAS = tuple(np.logspace(0, 5, 20).tolist())
#: The smallest penalty over that of each space: what is tried, in all combinations.
RATIOS = (1.0, 0.1, 0.0)
#: A fold to fit to, one to choose on and one to score on.
MIN_FOLDS = 3
#: Of voxels with a higher held-out R2, so large a share of choices at one end of the grid is a reason to extend it.
PREDICTED = 0.1
TOO_MANY_AT_EDGE = 0.1


@dataclass(frozen=True)
class AlphaSearch:
    """What a search for each voxel's penalty found.

    Attributes
    ----------
    alphas : ndarray of float64, shape (n_alphas,)
        The penalties, rising.
    curves : ndarray of float64, shape (n_alphas, n_voxels)
        Mean R2 of each penalty on the inner folds.
    chosen : ndarray of float64, shape (n_splits, n_voxels)
        The penalty that was chosen without looking at each outer fold.
    scores : ndarray of float64, shape (n_splits, n_voxels)
        R2 on each outer fold, with that penalty.
    """

    alphas: np.ndarray
    curves: np.ndarray
    chosen: np.ndarray
    scores: np.ndarray


def check_alphas(alphas):
    """The penalties, rising and each once; others raise a ValueError."""
    for alpha in np.ravel(alphas):
        check_alpha(alpha)
    if not np.size(alphas):
        raise ValueError("alphas is empty: expected the ridge penalties to choose from, such as [1, 10, 100].")
    return np.unique(np.asarray(alphas, dtype=np.float64))


def draw_outer_folds(cv, samples):
    """The splits that ``cv`` stands for, and those within each of them: the others have to be able to take turns."""
    folds = draw_folds(cv, samples.runs, samples.stimuli, samples.responses).check_scored()
    inner = folds.nested()
    if len(folds) < MIN_FOLDS or not inner.test.reshape(len(folds), -1).any(axis=1).all():
        raise ValueError(f"cv={cv}: a search needs {MIN_FOLDS} folds, to fit, to choose and to score on.")
    return folds, inner


def search_alpha(samples, alphas=ALPHAS, cv=10, n_jobs=None):
    """Choose each voxel's ridge penalty and score the choice on samples that it has not seen.

    One fold of whole runs is held out, the outer one. The others take turns as inner folds: the penalty with the
    best mean R2 on them is chosen, the smaller one of equals. The voxel is then fitted with it to all but the outer
    fold, and scored on that fold; on a fold that helped to choose, a penalty would look better than it is (Varma and
    Simon 2006, BMC Bioinformatics 7, 91). The scores are those of ``Ridge`` and ``r2_score`` in nested loops.

    Parameters
    ----------
    samples, n_jobs
        As in :func:`~voxelwise.cross_validate_ridge`.
    alphas : sequence of float
        The penalties to choose from. Default: 20 from 1 to 100,000, evenly on a logarithmic scale.
    cv : int, splitter of scikit-learn, or iterable of (train, test)
        The outer folds, at least three. Within each, the others take turns, without the samples that it scores on.

    Returns
    -------
    search : AlphaSearch
        A voxel that never changes has the smallest penalty.

    Warns
    -----
    UserWarning
        If more than a tenth of the choices for well predicted voxels lie at one end of the penalties.
    """
    alphas = check_alphas(alphas)
    folds, inner_folds = draw_outer_folds(cv, samples)
    n_splits, n_voxels = len(folds), samples.responses.shape[1]
    curves, chosen, scores = (np.zeros((n, n_voxels)) for n in (len(alphas), n_splits, n_splits))
    chosen += alphas[0]
    one_space = np.zeros(samples.stimuli.shape[1], dtype=int)
    found = map_band(search_batch, samples, np.ones(1), one_space, alphas, folds, inner_folds, n_jobs)
    for columns, (inner, best, parts) in found:
        curves[:, columns], chosen[:, columns], scores[:, columns] = inner.mean(axis=0), best, parts[:, 0]
    search = AlphaSearch(alphas, curves, chosen, fill_unknown(scores))
    _warn_at_edge(search)
    return search


def _warn_at_edge(search):
    """Say so when the penalties that were offered end too early."""
    chosen = search.chosen[:, search.scores.mean(axis=0) > PREDICTED]
    for edge, word in ((search.alphas[0], "smallest"), (search.alphas[-1], "largest")):
        share = (chosen == edge).sum() / max(chosen.size, 1)
        if share > TOO_MANY_AT_EDGE and search.alphas.size > 1:
            found = f"{share:.0%} of the choices for well predicted voxels are the {word} penalty, {edge:g}."
            warnings.warn(f"{found} A better one may lie beyond: extend alphas.", stacklevel=3)


def map_band(function, samples, band, labels, alphas, outer, inner, n_jobs=None):
    """Call ``function(batch, (penalties, scale, spaces))`` on batches of voxels, with columns scaled space by space.

    A *band* has the common penalty over that of each space: its root scales the columns, and 0 leaves them out.
    ``labels`` are the spaces of the columns. Each outer split has a penalty of its own, by as many inner ones.
    """
    scale = np.sqrt(band[labels])
    there = scale > 0
    x, folds = samples.stimuli[:, there] * scale[there], outer.followed_by(inner)
    spaces = np.arange(len(band))[:, np.newaxis] == labels[there]

    def prepare(rows):
        return Penalties(Design(x, folds.within(rows)), alphas, len(outer)), scale, spaces

    return map_voxels(prepare, function, samples, n_jobs=n_jobs)


def search_batch(responses, prepared):
    """For each outer split: mean scores within it, the best penalty, and the parts of the score that spaces have."""
    penalties, _, spaces = prepared
    design = penalties.design
    by_row, _, spreads = design.sums(responses)
    inner, chosen, weights = penalties.choose(by_row, spreads)
    pairs = zip(weights, design.tests, strict=False)
    return inner, chosen, np.stack([_split_r2(design, test, each, by_row, spreads, spaces) for each, test in pairs])


def _split_r2(design, test, weights, by_row, spreads, spaces):
    """Parts of the R2 on a test set that spaces, masks of columns, have; shape (n_spaces, n_voxels)."""
    rows, (_, variance) = design.test_rows[test], spreads[test]
    x, y, root = design.x[rows], by_row[rows], design.root[rows]
    n = max((root**2).sum(), 1)
    middle, mean = root[:, 0] @ x / n, root[:, 0] @ y / n
    around, of_features = (x - root * middle)[:, :-1] @ design.back.T, design.back @ weights[:-1]
    predicted = [around[:, columns] @ of_features[columns] for columns in spaces]
    beyond = 2 * (y - root * mean) - sum(predicted)
    off = n * (middle @ weights - mean) ** 2 / len(spaces)
    return np.stack([np.einsum("rv,rv->v", part, beyond) - off for part in predicted]) / variance


class Penalties:
    """A design made ready for many penalties, to choose from for its first splits by those that follow.

    With ``X = Q R`` of a test set, the squared error of weights w is ``|Q'y - R w|^2``, of no more rows than columns,
    and what none could explain, ``y'y - |Q'y|^2``. Errors are only compared: float32 will do, in half the time.
    """

    def __init__(self, design, alphas, n_outer):
        self.design, self.alphas, self.n_outer = design, alphas, n_outer
        self._pairs = list(zip(design.trains[n_outer:], design.tests[n_outer:], strict=True))
        self._rotations, triangles = zip(*[np.linalg.qr(design.x[rows]) for rows in design.test_rows], strict=True)
        self._across = [np.float32(triangles[test] @ design.bases[train].directions) for train, test in self._pairs]
        self._shrinkage = [np.float32(basis.shrinkage(alphas)) for basis in design.bases]

    def _score(self, products, by_row, spreads):
        """R2 of each inner split, penalty and voxel; NaN where nothing varies."""
        # Powers of 2 change no digit, and no square leaves the range of float32.
        scale = np.ldexp(1.0, -np.frexp(np.sqrt([squares for squares, _ in spreads]).max(axis=0))[1])
        rotated = zip(self._rotations, self.design.test_rows, strict=True)
        measured = [rotation.T @ (by_row[rows] * scale) for rotation, rows in rotated]
        scores = np.empty((len(self._pairs), len(self.alphas), by_row.shape[1]))
        along = {
            train: np.float32(self.design.bases[train].directions.T) @ np.float32(products(train) * scale)
            for train in {train for train, _ in self._pairs}
        }
        for split, (train, test) in enumerate(self._pairs):
            y, (squares, variance) = measured[test], spreads[test]
            beyond, y = squares * scale**2 - np.einsum("rv,rv->v", y, y), np.float32(y)
            for number, shrinkage in enumerate(self._shrinkage[train]):
                error = (self._across[split] * shrinkage) @ along[train]
                error -= y
                residual = beyond + np.einsum("rv,rv->v", error, error)
                scores[split, number] = 1 - residual / (variance * scale**2)
        return scores

    def choose(self, by_row, spreads):
        """Mean R2 within each outer split, shape (n_outer, n_alphas, n_voxels), best penalties, weights with them."""
        products = self.design.train_products(by_row)
        scores = self._score(products, by_row, spreads)
        inner = mean_known(scores.reshape(self.n_outer, -1, *scores.shape[1:]), axis=1)
        chosen = self.alphas[inner.argmax(axis=1)]
        pairs = zip(chosen, self.design.trains, strict=False)
        return inner, chosen, [self.design.bases[train].solve(products(train), alpha) for alpha, train in pairs]


def search_bands(samples, models, alphas, cv, n_jobs=None):
    """Parts of R2 in nested searches among its bands: for each model an array (n_splits, n_spaces, n_voxels)."""
    alphas = check_alphas(alphas)
    labels = label_columns(samples.features, samples.stimuli.shape[1])
    folds, inner_folds = draw_outer_folds(cv, samples)
    n_splits, n_voxels = len(folds), samples.responses.shape[1]
    best = np.full((len(models), n_splits, 1, n_voxels), -np.inf)
    split = np.zeros((len(models), n_splits, labels.max() + 1, n_voxels))
    for band in np.unique(np.concatenate(models), axis=0)[::-1]:  # once each, whichever models have it
        known = [number for number, bands in enumerate(models) if (bands == band).all(axis=1).any()]
        found = map_band(search_batch, samples, band, labels, alphas, folds, inner_folds, n_jobs)
        for columns, (inner, _, parts) in found:
            inner = inner.max(axis=1, keepdims=True)
            for model in known:
                better = inner > best[model][..., columns]
                for kept, new in ((best, inner), (split, parts)):
                    kept[model][..., columns] = np.where(better, new, kept[model][..., columns])
    return [fill_unknown(parts) for parts in split]


def label_columns(features, n_columns):
    """Number of the space of each column; raises a ValueError unless each column is in one space."""
    if not isinstance(features, dict | None):
        raise ValueError(f"Feature spaces: expected a dict of columns by name; found {type(features).__name__}.")
    spaces = [np.ravel(columns) for columns in (features or {"": range(n_columns)}).values()]
    columns, sizes = np.concatenate(spaces), [len(columns) for columns in spaces]
    if not all(sizes) or not np.array_equal(np.sort(columns), np.arange(n_columns)):
        raise ValueError(f"Feature spaces: expected each of the {n_columns} columns in one of them, and in no other.")
    return np.repeat(np.arange(len(sizes)), sizes)[np.argsort(columns)]


def draw_bands(n_spaces, ratios):
    """All combinations of ratios that have the largest, itself 1, in some space; an array (n_bands, n_spaces)."""
    if np.min(ratios, initial=0) < 0 or not 0 < np.max(ratios, initial=0) < np.inf:
        raise ValueError(f"ratios={ratios}: expected finite numbers, at least one above 0, such as [1, 0.1, 0].")
    ratios = np.unique(ratios)[::-1] / np.max(ratios)
    return np.array([band for band in itertools.product(ratios, repeat=n_spaces) if max(band) == 1])
