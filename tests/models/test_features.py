"""Other codings of rest and other lags, against their definitions and against what was put into recordings."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import fftconvolve
from scipy.stats import gamma
from sklearn.linear_model import LinearRegression

import voxelwise as vw
from tests.plain import plain_loop
from voxelwise.features import ON
from voxelwise.simulation.cortex import MARKED_COLUMNS
from voxelwise.simulation.experiment import draw_stimuli
from voxelwise.simulation.responses import drive_voxels


def test_each_coding_has_its_columns_and_the_penalty_hardly_shrinks_on_off(small_samples):
    """Voxels that answer only to on/off are predicted as by least squares; the penalty silences the pixels."""
    shown = ~vw.is_rest(small_samples.stimuli)[:, np.newaxis]
    responses = shown * [0.5, 1, 2] + np.random.default_rng(1).normal(size=(120, 3))
    on_only = dataclasses.replace(small_samples, responses=responses)
    expected = plain_loop(vw.recode(on_only, "on/off"), LinearRegression(), vw.RunKFold(4))[0]
    found = vw.cross_validate_ridge(vw.recode(on_only, "on/off and pixels"), 3e3, 4)
    np.testing.assert_allclose(found, expected, atol=0.02)
    samples = vw.Samples.from_arrays([[0, 1], [-1, -1], [0, 0]], np.zeros((3, 2)), [0, 0, 0], stimulus_shape=(1, 2))
    for coding, expected, shape in (
        ("published", [[0, 1], [-1, -1], [0, 0]], (1, 2)),
        ("rest black", [[0, 1], [0, 0], [0, 0]], (1, 2)),
        ("on/off", [[ON], [0], [ON]], (1,)),
        ("on/off and pixels", [[ON, 0, 1], [0, 0, 0], [ON, 0, 0]], (3,)),
    ):
        recoded = vw.recode(samples, coding)
        np.testing.assert_array_equal(recoded.stimuli, expected)
        assert recoded.stimuli.dtype == np.float32 and recoded.stimulus_shape == shape


def test_each_row_holds_the_stimuli_before_it_and_none_of_another_run(small_samples):
    named = dataclasses.replace(small_samples, features={"first": np.arange(3)})
    shifted, rows = vw.with_delays(named, [0, 2, 3], 4), np.concatenate([run[4:] for run in small_samples.run_rows])
    before = [[small_samples.stimuli[row - lag].reshape(4, 4) for lag in (0, 2, 3)] for row in rows]
    np.testing.assert_array_equal(shifted.stimuli.reshape(-1, *shifted.stimulus_shape), before)
    np.testing.assert_array_equal(shifted.responses, small_samples.responses[rows])
    assert shifted.features["first"].tolist() == [0, 1, 2, 16, 17, 18, 32, 33, 34]


@pytest.mark.parametrize(("t_r", "slice_time_ref"), [(2.0, 0.5), (0.7, 0.0)])
def test_a_response_is_that_of_each_run_at_a_fine_resolution(small_samples, t_r, slice_time_ref):
    """Convolved at 500 steps a volume with SPM's two gammas, from rest on; runs differ in length, rest is black."""
    steps, runs = 500, []
    times = np.arange(0, 32, t_r / steps)
    hrf = gamma.pdf(times, 6) - gamma.pdf(times, 16) / 6
    for rows in small_samples.run_rows:
        screen = np.repeat(np.maximum(small_samples.stimuli[rows], 0), steps, axis=0)
        course = fftconvolve(screen, hrf[:, np.newaxis] / hrf.sum(), axes=0)
        runs.append(course[steps * np.arange(len(rows)) + int(steps * slice_time_ref)])
    convolved = vw.with_hrf(small_samples, "spm", t_r, slice_time_ref)
    np.testing.assert_allclose(convolved.stimuli, np.concatenate(runs), atol=0.02)
    order = np.r_[30:120, :30]
    mixed = vw.with_hrf(small_samples.take(order), "spm", t_r, slice_time_ref)
    np.testing.assert_array_equal(mixed.stimuli, convolved.stimuli[order])
    on_off = vw.recode(small_samples, "on/off and pixels")
    np.testing.assert_allclose(vw.with_hrf(on_off, lambda *_: [1.0]).stimuli, on_off.stimuli, atol=1e-6)


def test_true_parts_are_those_of_a_regression_on_what_the_voxel_saw(recording, samples):
    """Least squares on the noise-free signal, voxel by voxel: what on/off and the pattern explain of it."""
    some = recording.truth.iloc[[*MARKED_COLUMNS, *np.flatnonzero(recording.truth["gain"] > 0)[::400]]]
    screen = [run for name, run in draw_stimuli().items() if "random" in name]
    signals = np.concatenate([drive_voxels(run, some)[2:] for run in screen])
    seen = (samples.stimuli == 1) @ vw.true_fields(some).reshape(len(some), -1).T
    columns = np.hstack([signals, seen, ~vw.is_rest(samples.stimuli)[:, np.newaxis]])
    for rows in samples.run_rows:
        columns[rows] -= columns[rows].mean(axis=0)
    for voxel, part in enumerate(vw.true_parts(some, lag=2)[["on/off", "pattern"]].to_numpy()):
        y, x = columns[:, voxel], columns[:, [-1, len(some) + voxel]]
        alone, both = (LinearRegression().fit(z, y).score(z, y) for z in (x[:, :1], x))
        assert part == pytest.approx((alone, both - alone), abs=1e-6)
    assert vw.true_parts(recording.truth[recording.truth["gain"] == 0][:3], lag=2).isna().all(axis=None)


@pytest.fixture(scope="module")
def shown():
    stimuli = np.random.default_rng(2).random((6, 20))
    stimuli[2] = -1
    return vw.Samples.from_arrays(stimuli, np.ones((6, 2)), [0, 0, 0, 1, 1, 1], stimulus_shape=(4, 5))


def test_local_contrast_is_that_of_loops(shown):
    pictures = np.maximum(shown.stimuli, 0).reshape(-1, 4, 5)
    expected = [
        pictures[:, row : row + height, column : column + width].mean(axis=(1, 2))
        for height, width in ((1, 1), (1, 2), (2, 1), (2, 2))
        for row in range(4 - height + 1)
        for column in range(5 - width + 1)
    ]
    found = vw.local_contrast(shown)
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-6)
    assert found.dtype == np.float32 and not found[2].any()
    np.testing.assert_allclose(vw.luminance(shown), vw.local_contrast(shown, [(4, 5)]), rtol=1e-6)


def test_gabor_energy_is_that_of_loops(shown):
    """At each pixel, products with a cosine and a sine grating under a Gaussian, on a screen with a black rim."""
    sd, angle, expected = 3 * np.sqrt(np.log(2) / 2) / np.pi * 2.5, np.pi / 3, []
    rows, columns = np.mgrid[-9:10, -9:10]  # more than six standard deviations
    bell = np.exp(-(rows**2 + columns**2) / (2 * sd**2))
    phase = 2 * np.pi / 2.5 * (columns * np.cos(angle) + rows * np.sin(angle))
    waves = [bell * (wave - np.average(wave, weights=bell)) / bell.sum() for wave in (np.cos(phase), np.sin(phase))]
    for picture in np.maximum(shown.stimuli, 0).reshape(-1, 4, 5):
        padded = np.pad(picture, 9)
        for row, column in np.ndindex(4, 5):
            patch = padded[row : row + 19, column : column + 19]
            expected.append(np.hypot(*[(patch * wave).sum() for wave in waves]))
    found = vw.gabor_energy(shown, [2, 2.5], n_orientations=3)
    assert found.shape == (6, 2 * 3 * 20) and found.dtype == np.float32
    np.testing.assert_allclose(found[:, 80:100].ravel(), expected, atol=1e-6)


def test_spaces_stand_side_by_side_and_what_cannot_be_made_is_refused(shown):
    stacked = vw.stack_features(shown, {"one": range(6), "pictures": shown.stimuli.reshape(-1, 4, 5)})
    assert [columns.tolist() for columns in stacked.features.values()] == [[0], [*range(1, 21)]]
    np.testing.assert_array_equal(stacked.stimuli, np.column_stack([range(6), shown.stimuli]))
    for make, message in (
        (lambda s: vw.stack_features(s, {"a": np.ones((5, 2))}), 'spaces: "a" has 5 rows; expected 6'),
        (lambda s: vw.gabor_energy(s, [1.5]), "wavelengths"),
        (lambda s: vw.gabor_energy(s, n_orientations=2.5), "n_orientations=2.5"),
        (lambda s: vw.with_hrf(s, slice_time_ref=2.0), "slice_time_ref=2.0: expected"),
        (lambda s: vw.luminance(vw.recode(s, "on/off")), r"stimulus_shape=\(1,\): expected rows and columns"),
        (lambda s: vw.recode(s, "on-off"), 'No coding "on-off": expected one of .*published'),
        (lambda s: vw.with_delays(s, [-1]), "delays=-1: .*expected"),
        (lambda s: vw.with_delays(s, [2]), "delays=2: two volumes .* remain; expected a whole number from 0 to 1"),
        (lambda s: vw.with_delays(s, [1], max_lag=0), "max_lag=0: .*expected a whole number from 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make(shown)
