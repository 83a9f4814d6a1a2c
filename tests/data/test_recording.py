"""Where a recording is looked for, which of its files belong together, and what is said when one is not there."""

import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from voxelwise import RecordingError, check_folder, load_recording, load_samples
from voxelwise.data.pairing import pair_runs

ENDINGS = (".nii.gz", ".csv")


def rename(folder, runs, labels):
    for name, ending, names in zip(("func", "label"), ENDINGS, (runs, labels), strict=True):
        for number, new in enumerate(names, start=1):
            (folder / name / f"run{number}{ending}").rename(folder / name / f"new_{new}{ending}")
        for path in (folder / name).iterdir():
            path.rename(path.with_name(path.name.removeprefix("new_")))


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(RecordingError, match=r'"miyawaki2009".*"simulated", "miyawaki2008".*folder'):
        load_recording("miyawaki2009")


def test_the_simulated_recording_brings_everything(recording):
    assert recording.name == "simulated" and recording.folder.is_absolute()
    assert {kind: len(files) for kind, files in recording.func.items()} == {"figure": 12, "random": 20}
    assert len(recording.rois) == 38 and recording.background.is_file()
    assert len(recording.truth) == 5438
    assert load_recording(Path("simulated"), stimulus_shape=[10, 10]).func == recording.func
    with pytest.raises(ValueError, match=r"stimulus_shape=\(20, 5\).*\(10, 10\)"):
        load_recording("simulated", stimulus_shape=(20, 5))


def test_the_real_recording_is_read_from_where_nilearn_keeps_it(recording):
    """The simulated files stand in for the downloaded ones: a whole folder is used, and nothing is fetched."""
    found = load_recording("miyawaki2008", data_dir=recording.mask.parents[2])
    assert found.name == "miyawaki2008"
    assert found.truth is None
    assert (found.func, found.label, found.rois) == (recording.func, recording.label, recording.rois)


def test_a_folder_of_ones_own(small_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(small_folder.parent))
    found = load_recording("~/mine")
    assert (found.name, found.folder) == ("mine", small_folder)
    assert [path.name for path in found.func["random"]] == ["run1.nii.gz", "run2.nii.gz", "run3.nii.gz", "run4.nii.gz"]
    assert [path.name for path in found.label["random"]] == ["run1.csv", "run2.csv", "run3.csv", "run4.csv"]
    assert (found.background, found.rois, found.truth) == (None, {}, None)
    assert load_samples(found, lag=1).stimuli.shape == (120 - 4, 16)
    assert check_folder("~/mine").faults == []


def test_a_folder_with_the_name_of_a_recording_is_told_from_it(small_folder, monkeypatch):
    monkeypatch.chdir(small_folder.parent)
    small_folder.rename("simulated")
    found = load_recording(Path("simulated"))
    assert (found.name, found.truth) == ("simulated (folder)", None)
    assert load_recording("./simulated").folder == found.folder == small_folder.with_name("simulated")
    assert load_recording("simulated").name == "simulated"


def test_kinds_come_from_the_names_of_the_volumes_and_run_2_before_run_10(small_folder):
    rename(small_folder, ["data_faces_run10", "data_faces_run2", "run3", "run12"], ["run10", "run2", "run3", "run12"])
    found = load_recording(str(small_folder))
    assert {kind: [path.name[:-7] for path in paths] for kind, paths in found.func.items()} == {
        "faces": ["data_faces_run2", "data_faces_run10"],
        "random": ["run3", "run12"],
    }
    assert [path.name for path in found.label["faces"]] == ["run2.csv", "run10.csv"]


#: Names of the runs, and of their label files in the same order.
AGREE = {
    "10 after 2": (["run2", "run3", "run10", "run11"], ["run2", "run3", "run10", "run11"]),
    "entities in another order": (
        ["ses-1_run-1", "ses-1_run-2", "ses-2_run-1", "ses-2_run-2"],
        ["run-01_ses-01", "run-02_ses-01", "run-01_ses-02", "run-02_ses-02"],
    ),
    "dates": (["s1_run-1", "s1_run-2", "s1_run-3"], ["2024-03-09_run1", "2024-01-30_run2", "2024-02-11_run3"]),
    "tasks": (["sub-01_task-a_bold", "sub-01_task-b_bold"], ["task-a_events", "task-b_events"]),
    "words": (["cats", "dogs", "zebras"], ["stim_cats", "my_dogs", "a_zebras"]),
    "other words for run": (["run3_echo-2", "run12_echo-2"], ["stim_03", "stim_12"]),
    "only one is numbered": (["run1", "run2"], ["first", "second"]),
    "one run": (["sub-01_bold"], ["labels"]),
    "a digit that is no decimal": (["²1", "²2"], ["²1", "²2"]),
}


@pytest.mark.parametrize("names", AGREE)
def test_names_that_agree_pair_runs_and_labels(names):
    runs, labels = ([Path(name + ending) for name in side] for ending, side in zip(ENDINGS, AGREE[names], strict=True))
    assert pair_runs(runs, sorted(labels)) == (labels, [])


DISAGREE = {
    "other numbers": ("run1 run2 run4 run5", "run1 run2 run3 run4", "run5.nii.gz, run3.csv"),
    "other numbers and words": ("run1 run2 run4 run5", "stim1 stim2 stim3 stim4", "run5.nii.gz, stim3.csv"),
    "another subject": ("sub-1_run-1 sub-1_run-2", "sub-2_run-1 sub-2_run-2", "sub-1_run-1.nii.gz, .*"),
    "counted on over sessions": ("ses-1_run-1 ses-1_run-2 ses-2_run-1", "run-1 run-2 run-3", "ses-1_run-1.nii.gz, .*"),
    "one that is another": ("run-1", "run-2", "run-1.nii.gz, run-2.csv"),
}


@pytest.mark.parametrize("names", DISAGREE)
def test_names_that_disagree_are_a_fault(small_folder, names):
    runs, labels, listed = DISAGREE[names]
    rename(small_folder, runs.split(), labels.split())
    for name in ("func", "label"):
        for path in (small_folder / name).iterdir():
            if path.name.split(".")[0] not in f"{runs} {labels}".split():
                path.unlink()
    message = rf"do not say which belong together; not clear: {listed}\. Give both"
    assert any(re.search(message, fault) for fault in check_folder(small_folder).faults)
    with pytest.raises(RecordingError, match=message):
        load_recording(small_folder)


def test_labels_go_with_the_volumes_that_they_belong_to(small_folder):
    """The order of the names of the label files is the other way round; so would be that of lengths."""
    expected = load_samples(load_recording(small_folder))
    rename(small_folder, ["ses-1_run-2", "ses-2_run-1", "ses-2_run-2", "ses-3_run-1"],
           ["run-2_ses-1", "run-1_ses-2", "run-2_ses-2", "run-1_ses-3"])  # fmt: skip
    found = load_samples(load_recording(small_folder))
    np.testing.assert_array_equal(found.stimuli, expected.stimuli)
    np.testing.assert_array_equal(found.responses, expected.responses)


def test_what_other_programs_write_is_taken(small_folder):
    """Not compressed; axes of length 1; hidden files; an affine that differs by rounding; no number outside a mask."""
    expected = load_samples(load_recording(small_folder))
    mask = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    values = np.where(mask.get_fdata() > 0, 255, np.nan).astype(np.float32)
    (small_folder / "mask" / "mask.nii.gz").unlink()
    nibabel.Nifti1Image(values[..., np.newaxis], mask.affine).to_filename(small_folder / "mask" / "mask.nii")
    nibabel.Nifti1Image(values, mask.affine).to_filename(small_folder / "mask" / "V1.nii")
    nibabel.Nifti1Image(values, mask.affine).to_filename(small_folder / "bg.nii")
    for path in (small_folder / "func").iterdir():
        image, affine = nibabel.load(path), mask.affine.copy()
        affine[0, 3] += 0.02  # mm, a hundredth of a voxel
        values = image.get_fdata(dtype=np.float32)[..., np.newaxis]
        nibabel.Nifti1Image(values, affine).to_filename(path.with_suffix(""))
        path.unlink()
    for name in ("func/._run1.nii", "label/._run1.csv", "mask/._V1.nii.gz", "._bg.nii.gz"):
        (small_folder / name).write_bytes(b"of another system")
    assert check_folder(small_folder).faults == []
    recording = load_recording(small_folder)
    assert recording.rois == {"V1": small_folder / "mask" / "V1.nii"} and recording.background.name == "bg.nii"
    np.testing.assert_array_equal(load_samples(recording).responses, expected.responses)
