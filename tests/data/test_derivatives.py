"""Maps as files of BIDS: written for several subjects, read back, and found by nilearn's own reader."""

import json

import numpy as np
import pandas as pd
import pytest
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename

from voxelwise import RecordingError, load_results, write_derivatives
from voxelwise.results import COLUMNS

SPACE = "MNI152NLin2009cAsym"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "derivatives"


@pytest.fixture
def maps():
    rng = np.random.default_rng(0)
    return {subject: pd.DataFrame(rng.normal(size=(50, 2)), columns=["r2", "mine"]) for subject in ("01", "02", "10")}


def test_what_is_written_is_read_back_by_us_and_found_by_nilearn(folder, maps, small_samples):
    mask_img = small_samples.mask_img
    for subject, table in maps.items():
        first, _ = write_derivatives(folder, table, mask_img, subject, "look", SPACE, dict(alpha=3.0))
        assert first == folder / f"sub-{subject}/func/sub-{subject}_task-look_space-{SPACE}_stat-r2_statmap.nii.gz"
    for stat in ("r2", "mine"):
        images = load_results(folder, stat)
        assert list(images) == list(maps)
        for subject, image in images.items():
            values, inside = image.get_fdata(dtype=np.float32), mask_img.get_fdata() != 0
            np.testing.assert_array_equal(values[inside], maps[subject][stat].astype(np.float32))
            assert np.isnan(values[~inside]).all()
            np.testing.assert_array_equal(image.affine, mask_img.affine)
    found = get_bids_files(folder, "statmap", "nii.gz", sub_label="02", modality_folder="func")
    assert [parse_bids_filename(path)["entities"]["stat"] for path in found] == ["mine", "r2"]

    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert described["DatasetType"] == "derivative" and described["GeneratedBy"][0]["Name"] == "voxelwise"
    assert {"Name", "BIDSVersion"} <= described.keys()
    sidecar = json.loads(first.with_name(first.name.replace(".nii.gz", ".json")).read_text(encoding="utf-8"))
    assert (sidecar["Description"], sidecar["Units"]) == COLUMNS["r2"]
    assert sidecar["GeneratedBy"]["Parameters"] == dict(alpha=3.0)


def test_same_bytes_twice_and_what_others_say_of_the_folder_stays(folder, maps, small_samples, monkeypatch):
    folder.mkdir()
    (folder / "dataset_description.json").write_text("theirs")
    written = []
    for now in (0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        write_derivatives(folder, maps["01"], small_samples.mask_img, "01", "look")
        written.append({path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert written[0] == written[1] and written[0]["dataset_description.json"] == b"theirs"
    names = [f"sub-01_task-look_stat-{stat}_statmap{end}" for stat in maps["01"] for end in (".json", ".nii.gz")]
    assert set(written[0]) == {"dataset_description.json", *names}


def test_of_several_tasks_and_spaces_one_has_to_be_named(folder, maps, small_samples):
    for task, space in (("look", None), ("look", SPACE), ("hear", SPACE)):
        write_derivatives(folder, maps["01"] + len(task + str(space)), small_samples.mask_img, "01", task, space)
    with pytest.raises(RecordingError, match=r"subject 01 has 2 maps with stat='r2', task='look'.*Say which"):
        load_results(folder, task="look")
    found = load_results(folder, task="look", space=SPACE)["01"].get_fdata()
    expected = maps["01"]["r2"] + 4 + len(SPACE)
    np.testing.assert_allclose(found[np.isfinite(found)], expected, rtol=1e-6)
    with pytest.raises(RecordingError, match=r"no map with stat='r3' in sub-\*/func/; found 6 maps, such as sub-01_"):
        load_results(folder, "r3")
    with pytest.raises(RecordingError, match="found 0 maps, such as none"):
        load_results(folder / "nowhere")


def test_a_damaged_map_is_told(folder, maps, small_samples):
    path, _ = write_derivatives(folder, maps["01"], small_samples.mask_img, "01", "look")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RecordingError, match=r"stat-r2_statmap.nii.gz: .*Copy"):
        load_results(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(subject="sub-01"), "'sub-01': BIDS allows letters and digits"),
        (dict(maps={"best_alpha": np.zeros(50)}), "'best_alpha': BIDS allows"),
        (dict(space="MNI 152"), "'MNI 152': BIDS allows"),
        (dict(mask_img=None), "mask_img is None: voxels without a place in a volume, such as those of a surface"),
        (
            dict(maps={"r2": np.zeros((50, 3))}),
            r"maps: 'r2' has shape \(50, 3\); expected a value for each of 50",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(folder, maps, small_samples, change, message):
    arguments = dict(maps=maps["01"], mask_img=small_samples.mask_img, subject="01", task="look") | change
    with pytest.raises(ValueError, match=message):
        write_derivatives(folder, **arguments)
    assert not folder.exists()
