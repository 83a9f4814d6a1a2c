"""Receptive fields, against scikit-learn and the truth."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LassoLarsCV
from voxelwise import RecordingError, fit_receptive_fields, load_recording, load_samples, true_fields
from voxelwise.retinotopy import MARKED_COLUMNS

COLUMNS = list(MARKED_COLUMNS)


@pytest.fixture(scope="module")
def fields(samples):
    return fit_receptive_fields(samples, COLUMNS)


def test_equal_to_scikit_learn_on_scaled_pixels(samples, fields):
    """On 20 runs of one length, scikit-learn's own 5 folds cut between runs."""
    deviation = samples.stimuli.std(axis=0, dtype=float)
    pixels = (samples.stimuli - samples.stimuli.mean(axis=0, dtype=float)) / deviation
    for column, field in zip(COLUMNS, fields, strict=True):
        lasso = LassoLarsCV(max_iter=10).fit(pixels, samples.responses[:, column].astype(float))
        np.testing.assert_allclose(field.ravel(), lasso.coef_ / deviation, atol=1e-6)


def test_strongest_pixels_are_the_published_ones(fields):
    strongest = [np.unravel_index(field.argmax(), field.shape) for field in fields]
    assert strongest == [(4, 2), (4, 2), (3, 3), (4, 2)]
    published = np.array([0.62, 0.30, 0.42, 0.42])
    np.testing.assert_allclose(fields.max(axis=(1, 2)), published, atol=0.15)


def test_fields_are_sparse_and_where_the_truth_is(recording, samples):
    strong = recording.truth.query("area in ['V1d', 'V1v'] and share > 0.5").index[:20]
    fields = fit_receptive_fields(samples, strong)
    assert ((fields != 0).sum(axis=(1, 2)) <= 10).all()
    truth = true_fields(recording.truth.loc[strong])
    distance = [
        np.hypot(*np.subtract(np.unravel_index(field.argmax(), (10, 10)), np.unravel_index(true.argmax(), (10, 10))))
        for field, true in zip(fields, truth, strict=True)
    ]
    assert np.mean(np.array(distance) <= 1) >= 0.9


def test_weights_are_per_unit_of_pixel_value(samples, fields):
    doubled = dataclasses.replace(samples, stimuli=2 * samples.stimuli)
    np.testing.assert_allclose(fit_receptive_fields(doubled, COLUMNS), fields / 2, atol=1e-6)


def test_all_voxels_of_a_small_recording_in_parallel(small_folder):
    samples = load_samples(load_recording(small_folder), lag=0)
    fields = fit_receptive_fields(samples)
    assert fields.shape == (samples.responses.shape[1], 4, 4)
    np.testing.assert_array_equal(fit_receptive_fields(samples, n_jobs=2), fields)


def test_a_dull_pixel_gets_no_weight(small_folder):
    samples = load_samples(load_recording(small_folder), lag=0)
    stimuli = samples.stimuli.copy()
    stimuli[:, 6] = 0
    fields = fit_receptive_fields(dataclasses.replace(samples, stimuli=stimuli), [0, 1])
    np.testing.assert_array_equal(fields.reshape(2, -1)[:, 6], 0)
    assert np.isfinite(fields).all() and fields.any()


def test_images_that_repeat_give_bounded_fields(small_folder):
    """Four images over and over: pixels are copies of each other, on which least-angle regression can break down."""
    samples = load_samples(load_recording(small_folder), lag=0)
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 4, len(samples.runs))
    stimuli = rng.integers(0, 2, (4, 16))[shown].astype(np.float32)
    responses = (stimuli @ rng.normal(size=(16, 30)) + 0.1 * rng.normal(size=(len(shown), 30))).astype(np.float32)
    keep = np.concatenate([np.flatnonzero(samples.runs == run)[:4] for run in range(4)])
    few = dataclasses.replace(samples, stimuli=stimuli[keep], responses=responses[keep], runs=samples.runs[keep])
    fields = fit_receptive_fields(few)
    assert np.isfinite(fields).all() and np.abs(fields).max() < 30


def test_one_run_is_refused(small_folder):
    samples = load_samples(load_recording(small_folder))
    with pytest.raises(RecordingError, match="only one run"):
        fit_receptive_fields(dataclasses.replace(samples, runs=np.zeros_like(samples.runs)), [0])
