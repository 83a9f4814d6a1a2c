"""Settings are refused from the labels alone, before any volume is read."""

import pytest
from voxelwise import RecordingError, check_settings, load_recording
from voxelwise.settings import RULES

from conftest import CHAPTERS
from press.parameters import collect_values, read_parameters


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
        (dict(alpha_range=[1, 1e400]), "alpha_range"),
        (dict(alpha_range=["a", "b"]), "alpha_range"),
        (dict(n_alphas=1), "n_alphas=1.*at least 2"),
        (dict(stimulus_shape=[9]), r"stimulus_shape=\[9\].*rows and the columns"),
        (dict(stimulus_shape=[0, 16]), "stimulus_shape"),
        (dict(example_runs=[0, 3]), r"example_runs=\[0, 3\].*counted from 1"),
        (dict(example_volumes=[5]), "example_volumes.*two volumes"),
        (dict(marked_voxels=[]), "marked_voxels.*one to 4 grid positions"),
        (dict(marked_voxels=[[1, 2, 3]] * 5), "marked_voxels.*one to 4"),
        (dict(marked_voxels=[1, 2, 3]), "marked_voxels.*one to 4"),
        (dict(marked_voxels=[[1, 2]]), "marked_voxels.*one to 4"),
        (dict(marked_pixel=[-1, 2]), "marked_pixel.*counted from 0"),
        (dict(marked_pixel=[0.5, 2]), "marked_pixel.*row and the column"),
        (dict(max_iter=0), "max_iter=0.*at least 1"),
        (dict(max_lag=-1), "max_lag=-1.*at least 0"),
        (dict(min_score=1.0), "min_score=1.*below 1"),
        (dict(min_score=-0.1), "min_score=-0.1.*at least 0"),
        (dict(min_errors=-1.0), "min_errors=-1"),
        (dict(n_permutations=0), "n_permutations=0.*at least 1"),
        (dict(n_permutations=99, rate=0.005), "n_permutations=99.*0.005.*at least 199"),
        (dict(rate=0.0), "rate=0.*above 0 and below 1"),
        (dict(rate=1.0), "rate=1.*above 0 and below 1"),
        (dict(rate=5.0), "rate=5"),
        (dict(seed=-1), "seed=-1"),
        (dict(n_voxels=1), "n_voxels=1.*at least 2"),
        (dict(repeat_kind="figrue"), "repeat_kind=figrue.*one of figure, random"),
    ],
)
def test_what_does_not_fit_is_refused(small_folder, settings, message):
    recording = load_recording(small_folder)
    for path in recording.func["random"]:
        path.write_text("not to be read")
    with pytest.raises(RecordingError, match=message):
        check_settings(recording, **settings)


def test_what_fits_passes(small_folder):
    recording = load_recording(small_folder)
    check_settings(recording, lag=22, alpha=0, n_splits=4)
    check_settings(recording, n_permutations=199, rate=0.005, min_score=0, repeat_kind="random", stimulus_shape=[2, 8])


def test_every_parameter_of_a_chapter_is_checked_and_its_default_passes(small_folder):
    """Those that ``load_recording`` takes to find the files are checked by looking for them."""
    declared = {chapter: read_parameters(chapter) for chapter in CHAPTERS}
    values = collect_values(declared, {chapter: {} for chapter in CHAPTERS})
    others = values.keys() - {"dataset", "data_dir", "lag", "alpha", "n_splits", "repeat_kind"}
    assert others == RULES.keys()
    check_settings(load_recording(small_folder), **values | {"n_splits": 4})


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
