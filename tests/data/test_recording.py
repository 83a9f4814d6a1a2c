"""Where a recording is looked for, and what is said when it is not there."""

import pytest

from voxelwise import RecordingError, load_recording, load_samples


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(RecordingError, match='"miyawaki2009".*"simulated", "miyawaki2008".*folder'):
        load_recording("miyawaki2009")


def test_the_simulated_recording_brings_everything(recording):
    assert recording.name == "simulated"
    assert {kind: len(files) for kind, files in recording.func.items()} == {"figure": 12, "random": 20}
    assert len(recording.rois) == 38 and recording.background.is_file()
    assert len(recording.truth) == 5438


def test_a_folder_of_ones_own(small_folder):
    found = load_recording(small_folder)
    assert found.name == "mine"
    assert [path.name for path in found.func["random"]] == ["run1.nii.gz", "run2.nii.gz", "run3.nii.gz", "run4.nii.gz"]
    assert [path.name for path in found.label["random"]] == ["run1.csv", "run2.csv", "run3.csv", "run4.csv"]
    assert (found.background, found.rois, found.truth) == (None, {}, None)
    assert load_samples(found, lag=1).stimuli.shape == (120 - 4, 16)


def test_kinds_come_from_the_names_of_the_volumes(small_folder):
    for number in (1, 2):
        (small_folder / "func" / f"run{number}.nii.gz").rename(small_folder / "func" / f"data_faces_run{number}.nii.gz")
    found = load_recording(str(small_folder))
    assert {kind: len(files) for kind, files in found.func.items()} == {"faces": 2, "random": 2}


def test_run_2_comes_before_run_10(small_folder):
    for number in (1, 2):
        (small_folder / "func" / f"run{number}.nii.gz").rename(small_folder / "func" / f"run{number + 9}.nii.gz")
    (small_folder / "label" / "run1.csv").rename(small_folder / "label" / "run10.csv")
    (small_folder / "label" / "run2.csv").rename(small_folder / "label" / "run11.csv")
    found = load_recording(small_folder)
    assert [path.name[:-7] for path in found.func["random"]] == ["run3", "run4", "run10", "run11"]
    assert [path.stem for path in found.label["random"]] == ["run3", "run4", "run10", "run11"]


@pytest.mark.parametrize(
    ("missing", "message"),
    [("label/run4.csv", "4 runs.*3 files"), ("mask/mask.nii.gz", "no mask/mask.nii.gz")],
)
def test_missing_files_are_named(small_folder, missing, message):
    (small_folder / missing).unlink()
    with pytest.raises(RecordingError, match=message):
        load_recording(small_folder)


def test_the_real_recording_is_read_from_where_nilearn_keeps_it(recording):
    """The simulated files stand in for the downloaded ones: a whole folder is used, and nothing is fetched."""
    found = load_recording("miyawaki2008", data_dir=recording.mask.parents[2])
    assert found.name == "miyawaki2008"
    assert found.truth is None
    assert (found.func, found.label, found.rois) == (recording.func, recording.label, recording.rois)
