"""The same with himalaya, on the same arrays."""

import numpy as np
from himalaya.lasso import SparseGroupLassoCV
from himalaya.ridge import GroupRidgeCV, Ridge, RidgeCV

from voxelwise.models.search import ALPHAS

from . import inputs

#: From a penalty that leaves few voxels any pixel down to one below almost all that ``LassoLarsCV`` chooses here.
#: himalaya wants them given, and the largest first.
LASSO_ALPHAS = np.logspace(-0.5, -2, 10)


def ridge_scores():
    """``Ridge`` in the loop over ten folds."""
    samples = inputs.recorded()
    x, y, splits = samples.stimuli, samples.responses, inputs.splits(samples)
    model = Ridge(alpha=100.0, fit_intercept=True)
    return lambda: np.stack([model.fit(x[train], y[train]).score(x[test], y[test]) for train, test in splits])


def alpha_search_one_fold(made="recorded"):
    """``RidgeCV`` over the other nine folds, for the first of ten outer folds."""
    train, test, inner = inputs.one_fold(getattr(inputs, made)())
    model = RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inner)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)


def alpha_search_once(made="recorded"):
    """``RidgeCV`` over all ten folds, without an outer loop."""
    samples = getattr(inputs, made)()
    model = RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inputs.splits(samples))
    return lambda: model.fit(samples.stimuli, samples.responses).best_alphas_


def sampled_fields():
    """``SparseGroupLassoCV`` without groups, for every 36th voxel."""
    pixels, responses, splits = inputs.sampled()
    pixels, responses = pixels.astype(np.float32), responses - responses.mean(axis=0)  # it fits no intercept
    model = SparseGroupLassoCV(l1_regs=LASSO_ALPHAS, cv=splits, solver_params={"progress_bar": False})
    return lambda: model.fit(pixels, responses).coef_


def banded_ridge():
    """``GroupRidgeCV`` with its own number of random scalings, 100, for the first of five outer folds."""
    train, test, inner = inputs.banded()
    labels = np.repeat(range(len(train.features)), [len(columns) for columns in train.features.values()])
    params = dict(alphas=np.array(ALPHAS), progress_bar=False)
    model = GroupRidgeCV(labels, solver_params=params, fit_intercept=True, cv=inner, random_state=0)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)
