"""From files to matrices, against nilearn's masker and closed forms; columns and places."""

import pickle

import nibabel
import numpy as np
import pytest
import scipy.signal
from nilearn.maskers import MultiNiftiMasker

import voxelwise as vw
from tests.plain import rewrite
from voxelwise import Samples, load_samples


def test_each_stimulus_stands_beside_the_volume_lag_later(small_folder):
    recording = vw.load_recording(small_folder)
    masker = MultiNiftiMasker(mask_img=str(recording.mask), detrend=True, standardize="zscore_sample").fit()
    responses = masker.transform([str(path) for path in recording.func["random"]])
    stimuli = [vw.load_stimuli(path).reshape(-1, 16) for path in recording.label["random"]]
    for lag in (0, 3):
        samples = load_samples(recording, lag=lag)
        np.testing.assert_allclose(samples.responses, np.vstack([run[lag:] for run in responses]), atol=1e-4)
        np.testing.assert_array_equal(samples.stimuli, np.vstack([run[: len(run) - lag] for run in stimuli]))
        np.testing.assert_array_equal(np.bincount(samples.runs), [len(run) - lag for run in responses])
        assert samples.stimuli.dtype == samples.responses.dtype == np.float32


@pytest.mark.parametrize(("unit", "stored"), [(1, np.int16), (2.0**105, np.float32)])
def test_neither_a_mean_of_many_standard_deviations_nor_the_unit_takes_digits(small_folder, unit, stored):
    recording, rng, expected = vw.load_recording(small_folder), np.random.default_rng(1), []
    mask = nibabel.load(recording.mask).get_fdata() > 0
    for path in recording.func["random"]:
        rewrite(path, lambda values: unit * (3e5 + 3 * rng.normal(size=values.shape)), stored=stored)
        residuals = scipy.signal.detrend(nibabel.load(path).get_fdata()[mask].T, axis=0)
        expected.append(residuals / residuals.std(axis=0, ddof=1))
    np.testing.assert_allclose(load_samples(recording, lag=0).responses, np.concatenate(expected), atol=1e-4)


@pytest.mark.parametrize("noise", [0, 1e-10])
@pytest.mark.parametrize("dropped", [0, 2])
def test_constant_voxels_answer_nothing(small_folder, noise, dropped):
    """Whatever their value, in the volumes that stay: no trace of rounding is blown up to a standard deviation of 1."""
    recording, rng = vw.load_recording(small_folder), np.random.default_rng(0)
    inside = nibabel.load(recording.mask).get_fdata() > 0
    still = (inside & (inside.cumsum().reshape(inside.shape) <= 30))[..., np.newaxis]
    level = rng.uniform(1, 3000, still.shape)

    def hold_still(volumes):
        values = level * (1 + noise * rng.normal(size=volumes.shape))
        values[..., :dropped] *= 9
        return np.where(still, values, volumes)

    for path in recording.func["random"]:
        rewrite(path, hold_still, stored=np.float64)
    samples = load_samples(recording, drop_volumes=dropped)
    assert not samples.responses[:, :30].any() and samples.responses[:, 30:].std(axis=0).min() > 0.9
    assert samples.dead_runs.tolist() == [4] * 30 + [0] * 20


def test_a_lag_or_a_kind_that_does_not_fit_is_refused_before_volumes_are_read(small_folder):
    recording = vw.load_recording(small_folder)
    for path in recording.func["random"]:
        path.write_text("not to be read")
    for options, said in (
        *((dict(lag=lag), rf"lag={lag!r}.*expected") for lag in (-1, 23, 2.0)),
        (dict(kind="figure"), '"figure"; it has "random"'),
    ):
        with pytest.raises(ValueError, match=said):
            load_samples(recording, **options)


def test_samples_are_sent_whole_and_need_their_files_no_more(small_folder):
    samples = load_samples(vw.load_recording(small_folder))
    inside = np.asarray(samples.mask_img.dataobj).copy()
    for path in (small_folder / "mask" / "mask.nii.gz", *(small_folder / "func").iterdir()):
        path.write_text("changed")
    twin = pickle.loads(pickle.dumps(samples))
    np.testing.assert_array_equal(twin.responses, samples.responses)
    np.testing.assert_array_equal(np.asarray(twin.mask_img.dataobj), inside)


def test_some_rows_and_voxels_are_taken_with_their_places(small_samples):
    samples, chosen = small_samples, np.arange(50) % 3 == 1
    part = samples.take(rows=samples.runs > 1, voxels=chosen)
    np.testing.assert_array_equal(part.responses, samples.responses[samples.runs > 1][:, chosen])
    np.testing.assert_array_equal(part.stimuli, samples.stimuli[samples.runs > 1])
    np.testing.assert_array_equal(vw.grid_positions(part.mask_img), vw.grid_positions(samples.mask_img)[chosen])
    for wrong in ([1, 0], [1, 1], [[0, 1], [2, 3]]):
        with pytest.raises(ValueError, match="voxels: expected"):
            samples.take(voxels=wrong)


X, Y, RUNS = np.arange(12.0).reshape(6, 2), np.ones((6, 3)), np.zeros(6)
MASK = nibabel.Nifti1Image(np.eye(3, dtype=np.uint8)[..., np.newaxis], np.eye(4))


def test_samples_from_arrays():
    samples = Samples.from_arrays(X, Y, list("bbaacc"), {"first": 1, "second": 1}, mask_img=MASK).take(slice(2, None))
    assert samples.runs.tolist() == [1, 1, 2, 2] and samples.stimulus_shape == (2,)
    assert samples.stimuli.dtype == samples.responses.dtype == np.float32
    assert {name: list(columns) for name, columns in samples.features.items()} == {"first": [0], "second": [1]}


def test_arrays_that_do_not_fit_are_refused():
    for arguments, message in (
        ((X[:5], Y, RUNS), "X has 5 rows, Y 6 and runs 6"),
        ((X, Y, list("aabbaa")), "do not stand together"),
        ((X, Y, RUNS, {"first": 1, "second": 2}), "columns of each that add up to the 2 of X"),
        ((X, Y[:, :2], RUNS, None, None, MASK), "mask_img has 3 voxels; Y has 2 columns"),
        ((np.where(X == 5, np.nan, X), Y[0], RUNS), "X: row 2, column 1 is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            Samples.from_arrays(*arguments)


def test_voxel_at_finds_each_position(small_samples):
    mask_img = small_samples.mask_img
    assert [vw.voxel_at(mask_img, tuple(position)) for position in vw.grid_positions(mask_img)] == list(range(50))
    hole = np.argwhere(np.asarray(mask_img.dataobj) == 0)[0].tolist()
    for position, message in (((-1, 0, 0), r"outside the mask.*\(6, 5, 4\)"), (hole, "outside"), ((3, 1), "three")):
        with pytest.raises(ValueError, match=message):
            vw.voxel_at(mask_img, position)


def test_the_best_voxels_stand_in_for_absent_ones(small_samples):
    mask_img = small_samples.mask_img
    places, scores = vw.grid_positions(mask_img), np.sin(np.arange(50))
    assert vw.choose_voxels(mask_img, places[[4, 1, 0, 2]], scores) == ([4, 1, 0, 2], True)
    assert vw.choose_voxels(mask_img, [places[4], (60, 0, 0)], scores) == (np.argsort(-scores)[:2].tolist(), False)
    for positions in ([], [(0, 0, 0)] * 5, [(0, 0)]):
        with pytest.raises(ValueError, match="one to four grid positions"):
            vw.choose_voxels(mask_img, positions, scores)
