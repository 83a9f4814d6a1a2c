"""From files to matrices, against nilearn's masker and closed forms."""

import dataclasses

import nibabel
import numpy as np
import pytest
from nilearn.maskers import MultiNiftiMasker

from voxelwise import RecordingError, correlate_with_screen, is_rest, load_recording, load_samples, load_stimuli


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


def test_scaled_integers_are_scaled(small_folder):
    """A file that stores integers with a slope and an offset reads as the numbers that they stand for."""
    recording = load_recording(small_folder)
    expected = load_samples(recording).responses
    for path in recording.func["random"]:
        image = nibabel.load(path)
        values = image.get_fdata()
        image.set_data_dtype(np.int16)
        nibabel.Nifti1Image(values, image.affine, image.header).to_filename(path)
        assert nibabel.load(path).dataobj.slope != 1
    np.testing.assert_allclose(load_samples(recording).responses, expected, atol=0.01)


def test_images_are_stored_column_by_column(tmp_path):
    rows = np.arange(18).reshape(2, 9)
    np.savetxt(tmp_path / "label.csv", rows, fmt="%d", delimiter=",")
    images = load_stimuli(tmp_path / "label.csv")
    np.testing.assert_array_equal(images[0], [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    np.testing.assert_array_equal(images[1], np.reshape(rows[1], (3, 3), order="F"))


def test_rest_is_minus_one_throughout():
    images = np.array([[[-1, -1], [-1, -1]], [[-1, 0], [-1, -1]], [[0, 0], [0, 0]]])
    assert is_rest(images).tolist() == [True, False, False]


def test_constant_voxels_answer_nothing(small_folder):
    """Whatever their value: of some, rounding leaves a trace that must not be blown up to a standard deviation of 1."""
    recording = load_recording(small_folder)
    mask = np.argwhere(nibabel.load(recording.mask).get_fdata())
    constants = np.random.default_rng(0).uniform(1, 3000, 30).astype(np.float32)
    for path in recording.func["random"]:
        image = nibabel.load(path)
        values = image.get_fdata(dtype=np.float32)
        values[tuple(mask[:30].T)] = constants[:, np.newaxis]
        nibabel.Nifti1Image(values, image.affine).to_filename(path)
    responses = load_samples(recording).responses
    np.testing.assert_array_equal(responses[:, :30], 0)
    assert responses[:, 30:].std(axis=0).min() > 0.9


@pytest.mark.parametrize("lag", [-1, 23, 100])
def test_a_lag_that_does_not_fit_is_refused_before_volumes_are_read(small_folder, lag):
    recording = load_recording(small_folder)
    for path in recording.func["random"]:
        path.write_text("not to be read")
    with pytest.raises(RecordingError, match=rf"lag={lag}.*run"):
        load_samples(recording, lag=lag)


def test_an_unknown_kind_lists_the_known_ones(small_folder):
    with pytest.raises(RecordingError, match='"figure"; it has "random"'):
        load_samples(load_recording(small_folder), kind="figure")


def test_labels_that_do_not_match_the_volumes_are_named(small_folder):
    labels = small_folder / "label" / "run2.csv"
    labels.write_text("\n".join(labels.read_text(encoding="utf-8").splitlines()[:-1]))
    with pytest.raises(RecordingError, match=r"run2.nii.gz: 24 volumes; expected 23"):
        load_samples(load_recording(small_folder))


def test_an_image_that_is_not_square_is_refused(tmp_path):
    (tmp_path / "label.csv").write_text("0,1,0\n")
    with pytest.raises(RecordingError, match="label.csv: 3 pixels"):
        load_stimuli(tmp_path / "label.csv")


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
