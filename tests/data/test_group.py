"""Maps of a group, against scipy's t-test and a closed form; as files of BIDS, read back by us and found by nilearn."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import from_matvec
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename
from scipy.stats import ttest_1samp

from voxelwise import RecordingError, group_maps, load_results, write_derivatives
from voxelwise.results import COLUMNS

DIAGONAL = np.diag([3.0, 3, 3, 1])


def image(values, affine=DIAGONAL):
    return nibabel.Nifti1Image(np.asarray(values, np.float32), affine)


def test_on_one_grid_it_is_the_t_test_of_each_voxel_that_all_have():
    values = np.random.default_rng(0).normal(0.1, 0.2, (7, 5, 6, 4)).astype(np.float32)
    values[2, 0], values[5, :, 3] = np.nan, np.nan
    known = np.isfinite(values).all(axis=0)
    found = group_maps({f"{n:02}": image(each) for n, each in enumerate(values)}, threshold=0.15)
    expected = {"mean": values.mean(axis=0), "t": ttest_1samp(values, 0).statistic}
    for name, each in (expected | {"share": (values > 0.15).mean(axis=0)}).items():
        np.testing.assert_array_equal(found[name].affine, DIAGONAL)
        np.testing.assert_allclose(found[name].get_fdata()[known], each[known], rtol=1e-4, atol=1e-6)
        assert np.isnan(found[name].get_fdata()[~known]).all()


def test_what_makes_no_group_is_refused():
    ones, elsewhere = image(np.ones((2, 2, 2))), image(np.ones((2, 2, 2)), from_matvec(np.eye(3), [90, 0, 0]))
    for images, said in (
        ({"01": ones}, "images: 1 of them; expected maps of two"),
        ({"01": ones, "02": np.ones(7)}, r"of subject '02' is \(7,\).*on a surface"),
        ([ones, elsewhere], "Are their maps in one space"),
    ):
        with pytest.raises(ValueError, match=said):
            group_maps(images)


SPACE = "MNI152NLin2009cAsym"
MAPS = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["r2", "mine"])


def test_what_is_written_is_read_back_by_us_and_found_by_nilearn(tmp_path, small_samples):
    mask_img, folder, inside = small_samples.mask_img, tmp_path / "derivatives", small_samples.mask_img.get_fdata() != 0
    for number, (subject, task, space) in enumerate(
        [("01", "look", SPACE), ("02", "look", SPACE), ("02", "look", None), ("02", "hear", SPACE)]
    ):
        first, _ = write_derivatives(folder, MAPS + number, mask_img, subject, task, space)
        (folder / "dataset_description.json").write_text("theirs")
    assert first == folder / f"sub-02/func/sub-02_task-hear_space-{SPACE}_stat-r2_statmap.nii.gz"
    images = load_results(folder, "mine", "look", SPACE)
    assert list(images) == ["01", "02"]
    for number, image in enumerate(images.values()):
        np.testing.assert_allclose(image.get_fdata()[inside], MAPS["mine"] + number, rtol=1e-6)
        assert np.isnan(image.get_fdata()[~inside]).all()
        np.testing.assert_array_equal(image.affine, mask_img.affine)
    found = get_bids_files(folder, "statmap", "nii.gz", sub_label="01", modality_folder="func")
    assert [parse_bids_filename(path)["entities"]["stat"] for path in found] == ["mine", "r2"]
    assert (folder / "dataset_description.json").read_text() == "theirs", "what others say of the folder stays"
    sidecar = json.loads(first.with_name(first.name.replace(".nii.gz", ".json")).read_text(encoding="utf-8"))
    assert (sidecar["Description"], sidecar["Units"]) == COLUMNS["r2"]
    with pytest.raises(RecordingError, match=r"subject 02 has 2 maps with stat='r2', task='look'.*Say which"):
        load_results(folder, task="look")
    with pytest.raises(RecordingError, match=r"no map with stat='r3' .*found 8 maps, such as sub-01_"):
        load_results(folder, "r3")


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, small_samples):
    arguments = dict(maps=MAPS, mask_img=small_samples.mask_img, subject="01", task="look")
    for change, said in (
        (dict(subject="sub-01"), "'sub-01': BIDS allows letters and digits"),
        (dict(maps={"best_alpha": np.zeros(50)}), "'best_alpha': BIDS allows"),
        (dict(mask_img=None), "mask_img=None"),
        (dict(maps={"r2": np.zeros((50, 3))}), r"maps: 'r2' has shape \(50, 3\)"),
    ):
        with pytest.raises(ValueError, match=said):
            write_derivatives(tmp_path, **arguments | change)
    assert not list(tmp_path.iterdir())
