"""Settings are refused from the labels alone, before any volume is read."""

import pytest
from voxelwise import RecordingError, check_settings, load_recording


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(lag=23), "lag=23.*run2.csv.*24 volumes.*0 to 22"),
        (dict(lag=-1), "lag=-1"),
        (dict(alpha=-0.5), "alpha=-0.5"),
        (dict(n_splits=5), "n_splits=5.*from 2 to 4"),
        (dict(alpha_range=[10, 1]), r"alpha_range=\[10, 1\].*smallest and the largest"),
        (dict(alpha_range=[0, 1]), "alpha_range.*above 0"),
        (dict(alpha_range=[1]), "alpha_range"),
        (dict(alpha_range=[1, 10], n_alphas=1), "n_alphas=1.*at least two"),
    ],
)
def test_what_does_not_fit_is_refused(small_folder, settings, message):
    recording = load_recording(small_folder)
    for path in recording.func["random"]:
        path.write_text("not to be read")
    with pytest.raises(RecordingError, match=message):
        check_settings(recording, **settings)


def test_what_fits_passes(small_folder):
    assert check_settings(load_recording(small_folder), lag=22, alpha=0, n_splits=4) is None


def test_two_runs_are_too_few_for_a_search(small_folder):
    for name in ("func/run1.nii.gz", "func/run2.nii.gz", "label/run1.csv", "label/run2.csv"):
        (small_folder / name).unlink()
    two_runs = load_recording(small_folder)
    check_settings(two_runs, n_splits=2)
    with pytest.raises(RecordingError, match="2 runs.*needs 3"):
        check_settings(two_runs, n_splits=2, alpha_range=[1, 10], n_alphas=2)


def test_a_recording_without_runs_to_fit_is_refused(small_folder):
    for path in (small_folder / "func").iterdir():
        path.rename(path.with_name(f"data_faces_{path.name}"))
    with pytest.raises(RecordingError, match='"random"; it has "faces"'):
        check_settings(load_recording(small_folder))
