"""Responses to single trials, against a run that was put together second by second."""

import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import spm_hrf

import voxelwise as vw

T_R, N_VOLUMES, STEP = 2.0, 120, 0.02


def put_together(events, strengths, baseline):
    """Boxes of some duration through a haemodynamic response, in steps of 20 ms; the middle of each volume is kept."""
    since = np.arange(0, N_VOLUMES * T_R, STEP)[:, np.newaxis] - events["onset"].to_numpy()
    on = ((since >= 0) & (since < events["duration"].to_numpy())).astype(float)
    response = spm_hrf(T_R, oversampling=round(T_R / STEP))
    course = np.stack([np.convolve(each, response)[: len(each)] for each in on.T], axis=1)
    middle = np.arange(N_VOLUMES) * round(T_R / STEP) + round(T_R / STEP / 2)
    return baseline * (1 + course[middle] @ strengths / 100)


def test_trials_of_any_duration_at_any_time_are_told_apart():
    """Two overlap, two follow each other at once; drift is no response, and a baseline scales what is measured."""
    rng = np.random.default_rng(0)
    events = pd.DataFrame(
        {"onset": [10.3, 31.7, 36.2, 60, 64, 90.05, 130, 171.4], "duration": [6, 8, 3, 4, 4, 0.5, 12, 2]}
    )
    strengths, baseline = rng.normal(1, 1, (8, 5)), np.array([1000, 250, 3, 1e5, 700])
    drift = 0.02 * np.cos(np.pi * np.arange(N_VOLUMES) / N_VOLUMES)[:, np.newaxis] * baseline
    found = vw.estimate_trials(put_together(events, strengths, baseline) + drift, events, T_R)
    assert found.shape == (8, 5) and found.dtype == np.float32
    np.testing.assert_allclose(found, strengths, atol=0.08)
    off = vw.estimate_trials(put_together(events, strengths, baseline), events, T_R, slice_time_ref=0)
    assert abs(off - strengths).max() > 0.2, "half a volume matters"


def test_confounds_are_told_from_trials_and_volumes_left_out():
    """A jerk of the head at each trial, and two volumes that are too bright."""
    rng = np.random.default_rng(0)
    events = pd.DataFrame({"onset": np.arange(14.5, 200, 15), "duration": 3.0})
    strengths, baseline = rng.normal(1, 1, (len(events), 4)), np.full(4, 500.0)
    movement = rng.normal(size=(N_VOLUMES, 2))
    movement[np.round(events["onset"] / T_R).astype(int) + 2] += 5
    movement -= movement.mean(axis=0)
    measured = put_together(events, strengths, baseline) + 20 * movement @ rng.normal(size=(2, 4))
    measured[:2] *= 1.4
    found = vw.estimate_trials(measured, events, T_R, confounds=movement, kept=np.arange(2, N_VOLUMES))
    np.testing.assert_allclose(found, strengths, atol=0.1)
    for options in (dict(confounds=movement), dict(kept=np.arange(2, N_VOLUMES))):
        assert abs(vw.estimate_trials(measured, events, T_R, **options) - strengths).max() > 1


@pytest.mark.parametrize(
    ("onsets", "message"),
    [([10.0, 250.0], "row 1 begins at 250.0 s"), (np.arange(0.0, 240, 2), "do not tell 120 trials")],
)
def test_events_that_do_not_fit_are_refused_and_a_voxel_without_a_baseline_has_no_response(onsets, message):
    with pytest.raises(ValueError, match=message):
        vw.estimate_trials(np.ones((N_VOLUMES, 2)), pd.DataFrame({"onset": onsets, "duration": 2.0}), T_R)
    events = pd.DataFrame({"onset": [20.0, 60.0], "duration": 4.0})
    constant = np.ones((N_VOLUMES, 3)) * [0, -5, 7]
    np.testing.assert_allclose(vw.estimate_trials(constant, events, T_R), 0, atol=1e-5)


def test_too_little_rest_is_told_and_without_any_trials_are_averaged(small_folder):
    labels = {path: np.loadtxt(path, delimiter=",", dtype=int) for path in (small_folder / "label").iterdir()}
    recording = vw.load_recording(small_folder)
    for n_rest in (1, 0):
        for path, rows in labels.items():
            rest = np.arange(len(rows))[:, np.newaxis] < n_rest
            np.savetxt(path, np.where(rest, -1, abs(rows)), fmt="%d", delimiter=",")
        if n_rest:
            with pytest.raises(vw.RecordingError, match=r"run\d.nii.gz: \d+ volumes do not tell"):
                vw.load_trials(recording)
    found, expected = vw.load_trials(recording, lag=1), vw.average_trials(vw.load_samples(recording, lag=1))
    np.testing.assert_array_equal(found.responses, expected.responses)
