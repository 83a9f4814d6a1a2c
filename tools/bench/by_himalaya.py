"""The same with himalaya, on the same arrays."""

import numpy as np
from himalaya.lasso import SparseGroupLassoCV
from himalaya.ridge import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from voxelwise.models.search import ALPHAS

from . import inputs

#: From a penalty that leaves few voxels any pixel down to one below almost all that ``LassoLarsCV`` chooses here.
#: himalaya wants them given, and the largest first.
LASSO_ALPHAS = np.logspace(-0.5, -2, 10)


def ridge_scores():
    """``Ridge`` in the loop over ten folds."""
    samples = inputs.recorded()
    x, y = samples.stimuli, samples.responses
    splits = inputs.splits(samples.runs, 10)

    def run():
        model = Ridge(alpha=100.0, fit_intercept=True)
        return np.stack([model.fit(x[train], y[train]).score(x[test], y[test]) for train, test in splits])

    return run


def alpha_search_one_fold():
    """``RidgeCV`` over the other nine folds, for the first of ten outer folds."""
    samples = inputs.recorded()
    x, y = samples.stimuli, samples.responses
    train, test = inputs.splits(samples.runs, 10)[0]
    model = RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inputs.splits(samples.runs[train], 9))
    return lambda: model.fit(x[train], y[train]).score(x[test], y[test])


def alpha_search_once():
    """``RidgeCV`` over all ten folds, without an outer loop."""
    samples = inputs.recorded()
    model = RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inputs.splits(samples.runs, 10))
    return lambda: model.fit(samples.stimuli, samples.responses).best_alphas_


def sampled_fields():
    """``SparseGroupLassoCV`` without groups, for every 36th voxel."""
    samples = inputs.recorded()
    pixels = StandardScaler().fit_transform(samples.stimuli.astype(np.float64)).astype(np.float32)
    responses = samples.responses[:, inputs.EVERY_36TH]
    responses = responses - responses.mean(axis=0)  # it fits no intercept
    model = SparseGroupLassoCV(
        l1_regs=LASSO_ALPHAS, cv=inputs.splits(samples.runs, 5), solver_params={"progress_bar": False}
    )
    return lambda: model.fit(pixels, responses).coef_
