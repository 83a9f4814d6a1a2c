"""Gaussian fields, against closed forms, scikit-learn and the truth."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut

from voxelwise import RunKFold, Samples, cross_validate_prf, fit_prf, is_rest, polar_coordinates

PLACE = ["row", "column", "size"]


def gaussians(fields, shape):
    """The fields' weights on the pixels, shape (n_voxels, n_pixels)."""
    rows, columns = np.indices(shape).reshape(2, -1)
    row, column, size = fields[PLACE].to_numpy().T[:, :, np.newaxis]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * size**2))


def answers(fields, shape=(10, 10), rest=True, n_samples=600, grey=False):
    """Samples of voxels that answer without noise, each with a gain of its own."""
    rng = np.random.default_rng(0)
    stimuli = rng.random((n_samples, shape[0] * shape[1])).astype(np.float32)
    stimuli = stimuli if grey else stimuli.round()
    if rest:
        stimuli[::4] = -1
    shown = ~is_rest(stimuli)[:, np.newaxis]
    responses = (stimuli * shown) @ gaussians(fields, shape).T * rng.uniform(0.1, 5, len(fields)) + 3 * shown - 7
    return Samples(stimuli, responses.astype(np.float32), np.repeat([0, 1], n_samples // 2), shape)


def table(*fields):
    return pd.DataFrame(fields, columns=PLACE)


def test_fields_on_the_grid_are_found_exactly_and_those_between_nearly():
    for shape, grey, rest in (((10, 10), False, True), ((9, 7), True, False)):
        sizes = np.geomspace(0.25, max(shape) / 2, 14)
        on_screen = (0, 0, sizes[4]), (4.5, 4.5, sizes[6]), (2.25, 5.75, sizes[3])
        truth = table(*on_screen, (-1.5, 3, sizes[9]), (shape[0] + 0.5, 2, sizes[13]))
        found = fit_prf(answers(truth, shape, rest, grey=grey))
        np.testing.assert_allclose(found[PLACE], truth)
        assert rest or np.allclose(found["r2"], 1, rtol=1e-5)
    rng = np.random.default_rng(1)
    truth = table(*zip(rng.uniform(0, 9, 40), rng.uniform(0, 9, 40), rng.uniform(0.4, 3, 40), strict=True))
    found = fit_prf(answers(truth))
    error = abs(found[["row", "column"]] - truth[["row", "column"]])
    assert error.max(axis=None) <= 0.25 and error.stack().median() <= 0.02
    np.testing.assert_allclose(found["size"], truth["size"], rtol=0.1)


def test_r2_is_what_the_field_adds_to_on_and_off_in_linear_regression(samples):
    on = ~is_rest(samples.stimuli)[:, np.newaxis]
    candidates = table(*[(row, column, size) for row in (2, 4, 6.5) for column in (2, 5) for size in (0.4, 0.8, 2)])
    for voxel, field in fit_prf(samples, [1951, 1780, 700]).iterrows():
        y, gains, r2 = samples.responses[:, voxel].astype(float), [], []
        for weights in gaussians(pd.concat([field.to_frame().T, candidates]), (10, 10)):
            pair = np.column_stack([samples.stimuli @ weights, on])
            both = LinearRegression().fit(pair, y)
            gains.append(both.coef_[0])
            r2.append(both.score(pair, y) - LinearRegression().fit(on, y).score(on, y))
        assert gains[0] > 0 and field["r2"] == pytest.approx(r2[0], rel=1e-6)
        assert all(other <= r2[0] + 1e-12 for other, gain in zip(r2, gains, strict=True) if gain > 0)


def test_scores_are_those_of_fields_of_the_other_runs(samples):
    some, on, expected = samples.take(voxels=[700, 1780, 1951]), ~is_rest(samples.stimuli), []
    for train, test in RunKFold(2).split(some.stimuli, groups=some.runs):
        designs = [
            np.column_stack([some.stimuli @ field, on]) for field in gaussians(fit_prf(some.take(train)), (10, 10))
        ]
        pairs = zip(designs, some.responses.T, strict=True)
        expected.append([LinearRegression().fit(x[train], y[train]).score(x[test], y[test]) for x, y in pairs])
    np.testing.assert_allclose(cross_validate_prf(some, cv=2), expected, atol=1e-5)
    with pytest.raises(ValueError, match="scores on a single sample"):
        cross_validate_prf(some.take(slice(0, 4)), cv=LeaveOneOut())


def test_voxels_without_a_field_and_few_samples():
    pairs = answers(table(*[(4, 2, 0.5)] * 5))
    pairs.responses[:, 0], pairs.responses[:, 1] = 5.3, 0
    pairs.responses[:, 2] = np.where(is_rest(pairs.stimuli), -1.1, 0.7)
    pairs.responses[:, 3] = -np.maximum(pairs.stimuli, 0).sum(axis=1)
    found = fit_prf(pairs)
    assert found.loc[:2, PLACE].isna().all(axis=None) and not found.loc[:2, "r2"].any()
    assert found.loc[3, "r2"] < 0.001 and found.loc[4, ["row", "column"]].tolist() == [4, 2]
    assert fit_prf(pairs.take(slice(0, 600, 4), [4]))["r2"].tolist() == [0], "rest alone"
    few = fit_prf(answers(table((4, 2, 0.5), (6, 7, 1.5)), rest=False, n_samples=30))
    assert np.isfinite(few).all(axis=None) and np.allclose(few["r2"], 1, rtol=0.02)


def test_pixels_that_never_change_hold_no_field():
    """A grey frame around the screen, of a value that floating point cannot sum exactly."""
    pairs = answers(table((4, 4, 0.5), (2, 6, 0.8)))
    frame = np.pad(np.zeros((6, 6), bool), 2, constant_values=True).ravel()
    pairs.stimuli[:, frame] = np.where(is_rest(pairs.stimuli), -1, 0.3)[:, np.newaxis]
    noise = np.random.default_rng(2).normal(size=(600, 50))
    found = fit_prf(dataclasses.replace(pairs, responses=np.hstack([pairs.responses, noise])))
    np.testing.assert_allclose(found.loc[:1, ["row", "column"]], [(4, 4), (2, 6)], atol=0.25)
    small = found[found["size"] < 0.5]
    assert np.isfinite(found).all(axis=None) and len(small) > 5
    assert small[["row", "column"]].stack().between(0, 9).all()


def test_polar_coordinates_of_known_places():
    row, column = pd.Series([4.5, 0, 4.5, 9, 4.5, 1.5]), pd.Series([9, 4.5, 0, 4.5, 4.5, 7.5])
    eccentricity, angle = polar_coordinates(row, column, (10, 10))
    np.testing.assert_allclose(eccentricity, [4.5, 4.5, 4.5, 4.5, 0, np.sqrt(18)])
    np.testing.assert_allclose(angle, [0, 90, 180, -90, 0, 45])
    np.testing.assert_allclose(polar_coordinates(0, 6, (9, 7)), (5, np.degrees(np.arctan2(4, 3))))
