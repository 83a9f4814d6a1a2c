"""Faults put into a good folder: each is named by ``check`` with its file, and stops the loader in the same words."""

import gzip
import io
import os
import re
import sys

import nibabel
import numpy as np
import pytest

from voxelwise import RecordingError, check_folder, load_recording, load_samples, regions_of_interest
from voxelwise.__main__ import main

SHIFTED = nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 2.5]), [1, 0, 0])


def rewrite(change=lambda values: values, affine=None):
    """A fault: an image with changed values, or elsewhere."""

    def put(path):
        image = nibabel.load(path)
        values = change(image.get_fdata(dtype=np.float32).copy())
        nibabel.Nifti1Image(values, image.affine if affine is None else affine).to_filename(path)

    return put


def edit(change):
    """A fault: a text with changed lines."""
    return lambda path: path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n")


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def forget_place(path):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[252:256] = bytes(4)  # the codes of qform and sform
    path.write_bytes(gzip.compress(content))


def fill(value):
    """A fault: one voxel in one volume; the first one of the mask in the fixture."""

    def change(values):
        values[(*np.argwhere(values[..., 0])[0], 3)] = value
        return values

    return rewrite(change)


def link_to_nothing(path):
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere")


#: Name of the fault -> file that it is put into, how, and what must be said of that file.
FAULTS = {
    "label file missing": ("label/run2.csv", os.unlink, r"4 runs .* 3 files .*partner: run2.nii.gz"),
    "run missing": ("func/run3.nii.gz", os.unlink, r"3 runs .* 4 files .*partner: run3.csv"),
    "mask missing": ("mask/mask.nii.gz", os.unlink, r"no mask/mask.nii.gz"),
    "mask empty": ("mask/mask.nii.gz", rewrite(np.zeros_like), r"empty mask"),
    "mask infinite": ("mask/mask.nii.gz", rewrite(lambda v: np.where(v > 0, np.inf, 0)), r"values from inf to inf"),
    "mask of shares": ("mask/mask.nii.gz", rewrite(lambda v: v * (1 + np.arange(4)) / 4), r"values from 0.25 to 1"),
    "a volume short": ("func/run3.nii.gz", rewrite(lambda v: v[..., 1:]), r"35 volumes; expected 36, .* in .*run3.csv"),
    "a pixel short": ("label/run1.csv", edit(lambda rows: [row[: row.rindex(",")] for row in rows]), r"15 pixels"),
    "a word": ("label/run4.csv", edit(lambda rows: ["a" + rows[0][1:], *rows[1:]]), r"not a table of numbers"),
    "an infinite pixel": ("label/run4.csv", edit(lambda rows: [*rows[:4], "inf," * 15 + "1"]), r"row 5 .*finite"),
    "labels empty": ("label/run1.csv", lambda path: path.write_text(""), r"empty"),
    "volumes cut off": ("func/run2.nii.gz", cut_in_half, r"cut off or damaged, volume \d+ of 24"),
    "volumes foreign": ("func/run2.nii.gz", lambda path: path.write_text("hello"), r"not a NIfTI file"),
    "another grid": ("func/run1.nii.gz", rewrite(lambda v: v[:-1]), r"grid of \(5, 5, 4\).*\(6, 5, 4\)"),
    "half a voxel off": ("func/run1.nii.gz", rewrite(affine=SHIFTED), r"affine differs .* up to 1,"),
    "no orientation": ("func/run1.nii.gz", forget_place, r"does not say where it lies.*with the mask's affine"),
    "three dimensions": ("func/run1.nii.gz", rewrite(lambda v: v[..., 0]), r"3 dimensions .* 4"),
    "NaN": ("func/run3.nii.gz", fill(np.nan), r"finite in 1 voxels .* volume 4"),
    "two of one name": ("func/run4.nii", lambda path: path.touch(), r"run4.nii and run4.nii.gz have one name"),
    "region behind a broken link": ("mask/V2.nii.gz", link_to_nothing, r"not a file"),
    "region elsewhere": ("mask/V1.nii.gz", rewrite(affine=np.eye(4)), r"affine differs"),
    "region cut off": ("mask/V1.nii.gz", lambda path: path.write_bytes(path.read_bytes()[:-4]), r"cut off|not a NIfTI"),
    "background behind a broken link": ("bg.nii.gz", link_to_nothing, r"not a file"),
}


@pytest.fixture
def folder(small_folder):
    """A good folder, with a region and a background."""
    mask = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    mask.to_filename(small_folder / "mask" / "V1.nii.gz")
    mask.to_filename(small_folder / "bg.nii.gz")
    return small_folder


def put(folder, name):
    """Put a fault into its file; return what must be said."""
    path, fault, said = FAULTS[name]
    fault(folder / path)
    # A file that is missing, or one too many, stands in a sentence about its folder.
    return said if "missing" in name or "one name" in said else rf"{re.escape(path)}: .*{said}"


def test_a_good_folder_has_no_fault(folder):
    report = check_folder(folder)
    assert report.faults == []
    assert report.runs == [
        (f"run{number}.nii.gz", "random", f"run{number}.csv", n_volumes, n_rest)
        for number, n_volumes, n_rest in ((1, 30, 6), (2, 24, 5), (3, 36, 8), (4, 30, 6))
    ]
    n_voxels = load_samples(load_recording(folder)).responses.shape[1]
    for said in (
        "4 x 4 = 16 pixels",
        "6 x 5 x 4 voxels of 2 x 2 x 2.5 mm",
        f"{n_voxels} voxels, 0 of which",
        "bg.nii.gz",
    ):
        assert said in str(report)
    assert str(report).endswith("No fault found.")


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_file_and_stops_the_loader(folder, name):
    said = put(folder, name)
    faults = check_folder(folder).faults
    assert any(re.search(said, fault) for fault in faults), faults
    with pytest.raises(RecordingError, match=said):
        found = load_recording(folder)
        load_samples(found)
        regions_of_interest(found.rois, nibabel.load(found.mask))


@pytest.mark.parametrize(
    "pair",
    [("NaN", "a word"), ("label file missing", "mask empty"), ("volumes cut off", "half a voxel off"),
     ("mask missing", "volumes foreign"), ("a volume short", "region elsewhere")],
)  # fmt: skip
def test_two_faults_are_both_named(folder, pair):
    wanted = [put(folder, name) for name in pair]
    faults = check_folder(folder).faults
    for said in wanted:
        assert any(re.search(said, fault) for fault in faults), faults


def test_label_files_of_different_shape(folder):
    edit(lambda rows: [",".join(row.split(",")[:9]) for row in rows])(folder / "label" / "run2.csv")
    assert any("different shape" in fault for fault in check_folder(folder).faults)
    with pytest.raises(RecordingError, match=r"run2.csv: images of \(3, 3\).*\(4, 4\)"):
        load_samples(load_recording(folder))


def test_voxels_that_do_not_change_are_counted_and_no_fault(folder):
    mask = np.argwhere(nibabel.load(folder / "mask" / "mask.nii.gz").get_fdata())

    def still(values):
        values[tuple(mask[5])] = 1000.3
        return values

    said = (*["0 of which never change, 1 more do not change in some runs"] * 3, "1 of which never change\n")
    for number, (path, expected) in enumerate(zip(sorted((folder / "func").iterdir()), said, strict=True), start=1):
        rewrite(still)(path)
        report = check_folder(folder)
        assert report.faults == [] and expected in str(report)
        samples = load_samples(load_recording(folder))
        assert samples.dead_runs.tolist() == [number * (column == 5) for column in range(len(mask))]


def test_what_only_the_chapters_refuse_is_told(folder):
    """A run that is too short, runs of other kinds, too few runs."""
    for name, ending in (("func", ".nii.gz"), ("label", ".csv")):
        for number in (1, 2):
            path = folder / name / f"run{number}{ending}"
            path.rename(path.with_name(f"data_faces_{path.name}"))
    rewrite(lambda values: values[..., :3])(folder / "func" / "run3.nii.gz")
    edit(lambda rows: rows[:3])(folder / "label" / "run3.csv")
    faults = check_folder(folder).faults
    assert len(faults) == 2
    assert re.search("run3.nii.gz: 3 volumes; .* at least 4", faults[0])
    assert re.search('2 runs of the kind "random".*at least 3', faults[1])


def test_stimuli_that_are_not_square_need_their_shape(folder):
    for path in (folder / "label").iterdir():
        edit(lambda rows: [",".join(row.split(",")[:12]) for row in rows])(path)
    assert all("stimulus_shape" in fault for fault in check_folder(folder).faults)
    assert check_folder(folder, stimulus_shape=(4, 3)).faults == []
    assert "expected 10, 5 rows of 2" in str(check_folder(folder, stimulus_shape=(5, 2)))
    recording = load_recording(folder, stimulus_shape=[4, 3])
    assert load_samples(recording).stimulus_shape == (4, 3)
    for shape in (48, (4.0, 3.0), (4, 3, 1), (-4, -3), "43"):
        for function in (check_folder, load_recording):
            with pytest.raises(ValueError, match=r"stimulus_shape=.*expected the rows and columns"):
                function(folder, stimulus_shape=shape)


@pytest.mark.parametrize(
    ("name", "more", "code", "said"),
    [
        (
            "möin {0}",
            [],
            1,
            r"run2.nii.gz +random +run2.csv +24 +5\n(.*\n)+2 faults:\n- .*m\\xf6in \{0\}/mask/V1.nii.gz: ",
        ),
        ("mine", ["--stimulus-shape", "4", "4"], 0, "run3.nii.gz(.*\n)+No fault found.\n"),
        ("nowhere", [], 1, "found 0 runs"),
        ("mine", ["--stimulus-shape", "4", "0"], 2, "^$"),
    ],
)
def test_the_command_prints_a_table_and_exits_with_the_verdict(folder, monkeypatch, capsys, name, more, code, said):
    """On a terminal that cannot show every name of a folder."""
    if not name.isascii():
        put(folder, "NaN")
        put(folder, "region elsewhere")
        folder.rename(folder.with_name(name))
    monkeypatch.setattr(sys, "argv", ["voxelwise", "check", str(folder.with_name(name)), *more])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with pytest.raises(SystemExit) as ended:
        main()
    sys.stdout.flush()
    assert ended.value.code == code and re.search(said, sys.stdout.buffer.getvalue().decode())
    assert ("expected the rows and columns" if code == 2 else "") in capsys.readouterr().err
