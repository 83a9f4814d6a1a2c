"""The estimators: scikit-learn's own checks, and its Ridge in plain loops."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneGroupOut, LeaveOneOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.plain import plain_loop
from voxelwise import BandedRidgeCV, RunKFold, Samples, VoxelwiseRidge, VoxelwiseRidgeCV

ALPHAS = [30.0, 0.1, 3.0, 1000.0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([VoxelwiseRidge(), VoxelwiseRidgeCV(alphas=ALPHAS, cv=3), BandedRidgeCV(alphas=ALPHAS, cv=3)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    """X, Y and runs: 6 runs of different length, voxels that answer more and less, far from 0."""
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(6), [20, 25, 30, 20, 35, 20])
    X = rng.normal(size=(150, 12)) + 5
    Y = X @ (rng.normal(size=(12, 9)) * np.geomspace(0.01, 2, 9)) + rng.normal(size=(150, 9)) + 100
    return X, Y, runs


def test_it_is_scikit_learns_ridge(data):
    X, Y, runs = data
    for n_samples in (9, 150):  # less than there are features, and more
        ours, theirs = (model.fit(X[:n_samples], Y[:n_samples]) for model in (VoxelwiseRidge(7.0), Ridge(7.0)))
        for name in ("coef_", "intercept_"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9)
    np.testing.assert_allclose(ours.score(X, Y, "raw_values"), r2_score(Y, theirs.predict(X), multioutput="raw_values"))
    np.testing.assert_allclose(VoxelwiseRidge(7.0).fit(X, Y[:, 3]).predict(X), theirs.predict(X)[:, 3])
    pipes = [make_pipeline(StandardScaler(), model) for model in (VoxelwiseRidgeCV([5.0]), Ridge(5.0))]
    np.testing.assert_allclose(*(cross_val_score(pipe, X, Y, groups=runs, cv=LeaveOneGroupOut()) for pipe in pipes))
    ours, theirs = (GridSearchCV(model, dict(alpha=ALPHAS), cv=RunKFold(3)) for model in (VoxelwiseRidge(), Ridge()))
    assert ours.fit(X, Y, groups=runs, runs=runs).best_params_ == theirs.fit(X, Y, groups=runs).best_params_
    with config_context(enable_metadata_routing=True):
        np.testing.assert_allclose(*(cross_val_score(p, X, Y, cv=RunKFold(3), params=dict(groups=runs)) for p in pipes))


def test_penalties_are_those_of_a_plain_loop(data):
    X, Y, runs = data
    samples = Samples(X, Y, runs, (12,))
    for splitter, cv, given in ((KFold(4), 4, None), (RunKFold(3), 3, runs)):
        curves = [plain_loop(samples, Ridge(alpha), splitter)[0].mean(axis=0) for alpha in sorted(ALPHAS)]
        best = np.sort(ALPHAS)[np.argmax(curves, axis=0)]
        assert len(set(best)) > 2
        for model in (VoxelwiseRidgeCV(ALPHAS, cv), BandedRidgeCV(None, ALPHAS, cv=cv)):
            model.fit(X, Y, runs=given)
            np.testing.assert_array_equal(np.ravel(model.best_alphas_), best)
            np.testing.assert_allclose(model.coef_, Ridge(best).fit(X, Y).coef_, atol=1e-9)


def test_a_voxel_is_fitted_to_the_runs_within_which_it_changes(data):
    X, Y, runs = data
    Y, kept = Y.copy(), runs != 2
    Y[~kept, 4], Y[:, 6] = 0, 3.5
    for model in (VoxelwiseRidge(2.0), VoxelwiseRidgeCV(ALPHAS, LeaveOneGroupOut())):
        fitted = clone(model).fit(X, Y, runs=runs)
        alone = clone(model).fit(X[kept], Y[kept][:, 4], runs=runs[kept])
        np.testing.assert_allclose(fitted.predict(X)[:, 4], alone.predict(X), atol=1e-9)
        assert not fitted.coef_[6].any() and fitted.intercept_[6] == 3.5
    assert fitted.best_alphas_[4] == alone.best_alphas_[0]


def test_what_cannot_be_fitted_is_refused(data):
    X, Y, runs = data
    for model, given, message in (
        (VoxelwiseRidge(-1), runs, "alpha=-1"),
        (VoxelwiseRidge([1.0, 2.0]), runs, r"alpha=\[1"),
        (VoxelwiseRidge(), runs[:, np.newaxis], r"runs has shape \(150, 1\)"),
        (VoxelwiseRidgeCV([]), runs, "alphas is empty"),
        (VoxelwiseRidgeCV(cv=[]), runs, "there is no split"),
        (VoxelwiseRidgeCV(cv=LeaveOneOut()), None, "scores on a single sample"),
        (BandedRidgeCV({"a": range(12), "b": [3]}), runs, "Feature spaces: expected each of the 12 columns"),
        (BandedRidgeCV([0] * 12), runs, "Feature spaces: expected a dict .*found list"),
        (BandedRidgeCV(ratios=[1, -0.1]), runs, "ratios=.*-0.1.*: expected"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, runs=given)
