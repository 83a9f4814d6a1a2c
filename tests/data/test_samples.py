"""From files to matrices, against nilearn's masker and closed forms."""

import copy
import dataclasses
import pickle

import nibabel
import numpy as np
import pytest
import scipy.signal
from nilearn.maskers import MultiNiftiMasker

import voxelwise
from voxelwise import Samples, correlate_with_screen, is_rest, load_recording, load_samples, load_stimuli


def nilearn_responses(recording, kind="random", runs=None):
    masker = MultiNiftiMasker(mask_img=str(recording.mask), detrend=True, standardize="zscore_sample").fit()
    paths = [str(path) for path in recording.func[kind]]
    return masker.transform(paths if runs is None else [paths[run] for run in runs])


def test_figure_runs_equal_nilearns_masker(recording):
    """In the first three and the last."""
    samples = load_samples(recording, kind="figure")
    assert samples.responses.shape == (1536, 5438)
    runs = np.split(samples.responses, 12)
    for run, expected in zip(runs[:3] + runs[-1:], nilearn_responses(recording, "figure", [0, 1, 2, 11]), strict=True):
        np.testing.assert_allclose(run, expected[2:], atol=1e-4)


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_each_image_stands_beside_the_volume_lag_later(small_folder, lag):
    recording = load_recording(small_folder)
    samples = load_samples(recording, lag=lag)
    responses, images = nilearn_responses(recording), [load_stimuli(path) for path in recording.label["random"]]
    lengths = [len(run) - lag for run in responses]
    np.testing.assert_allclose(samples.responses, np.vstack([run[lag:] for run in responses]), atol=1e-4)
    np.testing.assert_array_equal(
        samples.stimuli.reshape(-1, 4, 4), np.vstack([run[:n] for run, n in zip(images, lengths, strict=True)])
    )
    np.testing.assert_array_equal(np.bincount(samples.runs), lengths)
    assert samples.stimuli.dtype == samples.responses.dtype == np.float32


@pytest.mark.parametrize("factor", [2.0**-100, 2.0**110])
def test_responses_do_not_depend_on_the_unit(small_folder, factor):
    """Powers of 2 change no digit: no square that overflows, and no spread taken for none, may change the z-scores."""
    recording = load_recording(small_folder)
    expected = load_samples(recording).responses
    for path in recording.func["random"]:
        image = nibabel.load(path)
        nibabel.Nifti1Image(image.get_fdata(dtype=np.float32) * np.float32(factor), image.affine).to_filename(path)
    np.testing.assert_array_equal(load_samples(recording).responses, expected)


@pytest.mark.parametrize("stored", [np.int16, np.int32, np.float64])
def test_a_mean_of_many_standard_deviations_takes_no_digits(small_folder, stored):
    """Against float64; also, that integers are scaled as their header says."""
    recording, rng = load_recording(small_folder), np.random.default_rng(1)
    mask, expected = nibabel.load(recording.mask).get_fdata() > 0, []
    for path in recording.func["random"]:
        image = nibabel.load(path)
        volumes = np.full(image.shape, 3e5)
        volumes[mask] += 3 * rng.normal(size=volumes[mask].shape)
        image = nibabel.Nifti1Image(volumes, image.affine)
        image.set_data_dtype(stored)
        image.to_filename(path)
        values = nibabel.load(path).get_fdata()[mask].T
        residuals = scipy.signal.detrend(values, axis=0)
        expected.append(residuals / residuals.std(axis=0, ddof=1))
    responses = load_samples(recording, lag=0).responses
    assert responses.dtype == np.float32
    np.testing.assert_allclose(responses, np.concatenate(expected), atol=1e-4)


def test_images_are_stored_column_by_column(tmp_path):
    rows = np.arange(18).reshape(2, 9)
    np.savetxt(tmp_path / "label.csv", rows, fmt="%d", delimiter=",")
    images = load_stimuli(tmp_path / "label.csv")
    np.testing.assert_array_equal(images[0], [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    np.testing.assert_array_equal(images[1], np.reshape(rows[1], (3, 3), order="F"))


def test_rest_is_minus_one_throughout():
    images = np.array([[[-1, -1], [-1, -1]], [[-1, 0], [-1, -1]], [[0, 0], [0, 0]]])
    assert is_rest(images).tolist() == [True, False, False]


@pytest.mark.parametrize("noise", [0, 1e-10])
def test_constant_voxels_answer_nothing(small_folder, noise):
    """Whatever their value: of some, rounding leaves a trace that must not be blown up to a standard deviation of 1."""
    recording, rng = load_recording(small_folder), np.random.default_rng(0)
    mask = np.argwhere(nibabel.load(recording.mask).get_fdata())
    for path in recording.func["random"]:
        image = nibabel.load(path)
        values = image.get_fdata()
        values[tuple(mask[:30].T)] = rng.uniform(1, 3000, (30, 1)) * (1 + noise * rng.normal(size=values.shape[3]))
        nibabel.Nifti1Image(values, image.affine).to_filename(path)
    samples = load_samples(recording)
    np.testing.assert_array_equal(samples.responses[:, :30], 0)
    assert samples.responses[:, 30:].std(axis=0).min() > 0.9
    assert samples.dead_runs.tolist() == [4] * 30 + [0] * (len(mask) - 30)


@pytest.mark.parametrize("lag", [-1, 23, 100, 2.0, "2", None])
def test_a_lag_that_does_not_fit_is_refused_before_volumes_are_read(small_folder, lag):
    recording = load_recording(small_folder)
    for path in recording.func["random"]:
        path.write_text("not to be read")
    with pytest.raises(ValueError, match=rf"lag={lag!r}.*expected"):
        load_samples(recording, lag=lag)


def test_an_unknown_kind_lists_the_known_ones(small_folder):
    with pytest.raises(voxelwise.RecordingError, match='"figure"; it has "random"'):
        load_samples(load_recording(small_folder), kind="figure")


def test_samples_are_copied_and_sent_whole_and_need_their_files_no_more(small_folder):
    """A file that is changed after loading changes nothing."""
    samples = load_samples(load_recording(small_folder))
    inside = np.asarray(samples.mask_img.dataobj).copy()
    for path in (small_folder / "mask" / "mask.nii.gz", *(small_folder / "func").iterdir()):
        path.write_text("changed")
    for twin in (copy.deepcopy(samples), pickle.loads(pickle.dumps(samples))):
        np.testing.assert_array_equal(twin.responses, samples.responses)
        np.testing.assert_array_equal(np.asarray(twin.mask_img.dataobj), inside)
        np.testing.assert_array_equal(twin.mask_img.affine, samples.mask_img.affine)


def test_some_rows_and_voxels_are_taken_with_their_places(small_folder):
    samples = load_samples(load_recording(small_folder))
    assert [rows.tolist() for rows in samples.run_rows] == [
        np.flatnonzero(samples.runs == run).tolist() for run in range(4)
    ]
    n_voxels = samples.responses.shape[1]
    chosen = np.arange(n_voxels) % 3 == 1
    positions = np.argwhere(np.asarray(samples.mask_img.dataobj))[chosen]
    for voxels in (chosen, chosen.tolist(), np.flatnonzero(chosen), np.flatnonzero(chosen).tolist()):
        part = samples.take(rows=samples.runs > 1, voxels=voxels)
        np.testing.assert_array_equal(part.responses, samples.responses[samples.runs > 1][:, chosen])
        np.testing.assert_array_equal(part.stimuli, samples.stimuli[samples.runs > 1])
        np.testing.assert_array_equal(np.argwhere(np.asarray(part.mask_img.dataobj)), positions)
    assert samples.take(slice(3)).runs.tolist() == [0, 0, 0]
    for wrong in ([1, 0], [1, 1], [n_voxels], chosen[1:], [[0, 1]], 0, [0.5]):
        with pytest.raises(ValueError, match="voxels: expected"):
            samples.take(voxels=wrong)


def test_samples_from_arrays():
    X, Y = np.arange(12.0).reshape(6, 2), np.ones((6, 3))
    samples = Samples.from_arrays(X, Y, list("bbaacc"))
    assert samples.runs.tolist() == [0, 0, 1, 1, 2, 2] and samples.stimulus_shape == (2,)
    assert samples.stimuli.dtype == samples.responses.dtype == np.float32
    mask_img = nibabel.Nifti1Image(np.eye(3, dtype=np.uint8)[..., np.newaxis], np.eye(4))
    assert Samples.from_arrays(X, Y, np.zeros(6), (2, 1), mask_img).stimulus_shape == (2, 1)
    bad = np.where(np.arange(12).reshape(6, 2) == 5, np.nan, X)
    for arguments, message in [
        ((X[:5], Y, np.zeros(6)), "X has 5 rows, Y 6 and runs 6"),
        ((X, Y, list("aabbaa")), "do not stand together"),
        ((X, Y, np.zeros(6), (3, 1)), r"stimulus_shape=\(3, 1\) has 3 values; X has 2 columns"),
        ((X, Y[:, :2], np.zeros(6), None, mask_img), "mask_img has 3 voxels; Y has 2 columns"),
        ((bad, Y, np.zeros(6)), "X: row 2, column 1 is nan"),
        ((X, Y[0], np.zeros(6)), "Y has 1 dimensions"),
    ]:
        with pytest.raises(ValueError, match=message):
            Samples.from_arrays(*arguments)


def test_correlations_with_the_screen_find_the_lag(small_folder):
    """Against NumPy, run by run; and on responses that were shifted by 2 volumes the largest is at lag 2."""
    samples = load_samples(load_recording(small_folder), lag=0)
    correlations = correlate_with_screen(samples, max_lag=3)
    parts = [
        (samples.stimuli[samples.runs == run].mean(axis=1), samples.responses[samples.runs == run]) for run in range(4)
    ]
    screen = np.concatenate([screen[:-3] for screen, _ in parts])
    later = np.concatenate([response[3:] for _, response in parts])
    expected = [np.corrcoef(screen, voxel)[0, 1] for voxel in later.T]
    np.testing.assert_allclose(correlations[3], expected, atol=1e-6)

    late = np.concatenate([np.roll(np.tile(screen[:, np.newaxis], 5), 2, axis=0) for screen, _ in parts])
    shifted = dataclasses.replace(samples, responses=late)
    assert correlate_with_screen(shifted).argmax(axis=0).tolist() == [2] * 5
    np.testing.assert_allclose(correlate_with_screen(shifted)[2], 1, atol=1e-6)


def test_correlations_of_what_never_changes_are_0(small_folder):
    samples = load_samples(load_recording(small_folder), lag=0)
    constant = dataclasses.replace(samples, responses=np.ones_like(samples.responses))
    np.testing.assert_array_equal(correlate_with_screen(constant), 0)
    assert len(correlate_with_screen(samples, max_lag=100)) == 23
    with pytest.raises(ValueError, match=r"max_lag=1.5: expected a whole number"):
        correlate_with_screen(samples, max_lag=1.5)
