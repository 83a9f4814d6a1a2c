"""Maps as files of BIDS: written for several subjects, read back, and found by nilearn's own reader."""

import json

import numpy as np
import pandas as pd
import pytest
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename

from voxelwise import RecordingError, load_results, write_derivatives
from voxelwise.results import COLUMNS

SPACE = "MNI152NLin2009cAsym"
MAPS = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["r2", "mine"])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "derivatives"


def test_what_is_written_is_read_back_by_us_and_found_by_nilearn(folder, small_samples):
    mask_img, subjects = small_samples.mask_img, ["01", "02", "10"]
    folder.mkdir()
    (folder / "dataset_description.json").write_text("theirs")
    for subject in subjects:
        first, _ = write_derivatives(folder, MAPS + int(subject), mask_img, subject, "look", SPACE, dict(alpha=3.0))
        assert first == folder / f"sub-{subject}/func/sub-{subject}_task-look_space-{SPACE}_stat-r2_statmap.nii.gz"
    images, inside = load_results(folder, "mine"), mask_img.get_fdata() != 0
    assert list(images) == subjects
    for subject, image in images.items():
        np.testing.assert_allclose(image.get_fdata()[inside], MAPS["mine"] + int(subject), rtol=1e-6)
        assert np.isnan(image.get_fdata()[~inside]).all()
        np.testing.assert_array_equal(image.affine, mask_img.affine)
    found = get_bids_files(folder, "statmap", "nii.gz", sub_label="02", modality_folder="func")
    assert [parse_bids_filename(path)["entities"]["stat"] for path in found] == ["mine", "r2"]

    assert (folder / "dataset_description.json").read_text() == "theirs", "what others say of the folder stays"
    sidecar = json.loads(first.with_name(first.name.replace(".nii.gz", ".json")).read_text(encoding="utf-8"))
    assert (sidecar["Description"], sidecar["Units"]) == COLUMNS["r2"]
    assert sidecar["GeneratedBy"]["Parameters"] == dict(alpha=3.0)


def test_of_several_tasks_and_spaces_one_has_to_be_named(folder, small_samples):
    for task, space in (("look", None), ("look", SPACE), ("hear", SPACE)):
        path, _ = write_derivatives(folder, MAPS + len(task + str(space)), small_samples.mask_img, "01", task, space)
    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert described["DatasetType"] == "derivative" and {"Name", "BIDSVersion", "GeneratedBy"} <= described.keys()
    with pytest.raises(RecordingError, match=r"subject 01 has 2 maps with stat='r2', task='look'.*Say which"):
        load_results(folder, task="look")
    found = load_results(folder, task="look", space=SPACE)["01"].get_fdata()
    np.testing.assert_allclose(found[np.isfinite(found)], MAPS["r2"] + 4 + len(SPACE), rtol=1e-6)
    with pytest.raises(RecordingError, match=r"no map with stat='r3' .*found 6 maps, such as sub-01_"):
        load_results(folder, "r3")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RecordingError, match=r"stat-r2_statmap.nii.gz: .*Copy"):
        load_results(folder, task="hear")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(subject="sub-01"), "'sub-01': BIDS allows letters and digits"),
        (dict(maps={"best_alpha": np.zeros(50)}), "'best_alpha': BIDS allows"),
        (dict(mask_img=None), "mask_img is None"),
        (dict(maps={"r2": np.zeros((50, 3))}), r"maps: 'r2' has shape \(50, 3\)"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(folder, small_samples, change, message):
    arguments = dict(maps=MAPS, mask_img=small_samples.mask_img, subject="01", task="look") | change
    with pytest.raises(ValueError, match=message):
        write_derivatives(folder, **arguments)
    assert not folder.exists()
