"""Faults put into a good folder: each is named by ``check`` with its file, and stops the loader in the same words."""

import gzip
import os
import re
import subprocess
import sys

import nibabel
import numpy as np
import pytest

from voxelwise import RecordingError, load_recording, load_samples
from voxelwise.__main__ import main
from voxelwise.data.check import check_folder


def rewrite(path, change=lambda values: values, affine=None):
    image = nibabel.load(path)
    values = change(image.get_fdata(dtype=np.float32).copy())
    nibabel.Nifti1Image(values, image.affine if affine is None else affine).to_filename(path)


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def ramp(values):
    return values * np.linspace(0.5, 1, values.size).reshape(values.shape)


def forget_place(path):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[252:256] = bytes(4)  # the codes of qform and sform
    path.write_bytes(gzip.compress(content))


def set_first_mask_voxel(path, value):
    mask = nibabel.load(path.parents[1] / "mask" / "mask.nii.gz").get_fdata() > 0

    def change(values):
        values[(*np.argwhere(mask)[0], 3)] = value
        return values

    rewrite(path, change)


def relink(path):
    path.unlink()
    path.symlink_to("nowhere")


def edit(path, change):
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n")


SHIFTED = np.diag([-2.0, 2.0, 2.5, 1.0]) + np.array([[0, 0, 0, 1.0], *[[0] * 4] * 3])
#: Name of the fault -> file that it is put into, how, and what must be said of that file.
FAULTS = {
    "label file missing": ("label/run2.csv", lambda path: path.unlink(), r"4 runs .* 3 files"),
    "run missing": ("func/run2.nii.gz", lambda path: path.unlink(), r"3 runs .* 4 files"),
    "mask missing": ("mask/mask.nii.gz", lambda path: path.unlink(), r"no mask/mask.nii.gz"),
    "mask empty": ("mask/mask.nii.gz", lambda path: rewrite(path, np.zeros_like), r"empty mask"),
    "mask infinite": ("mask/mask.nii.gz", lambda path: rewrite(path, lambda v: np.where(v > 0, np.inf, 0)), r"to inf"),
    "mask of shares": ("mask/mask.nii.gz", lambda path: rewrite(path, ramp), r"values from 0.\d+ to 1, so"),
    "mask foreign": ("mask/mask.nii.gz", lambda path: path.write_text("hello"), r"not a NIfTI file"),
    "a row short": ("label/run3.csv", lambda path: edit(path, lambda rows: rows[:-1]), r"36 volumes; expected 35"),
    "a pixel short": (
        "label/run1.csv", lambda path: edit(path, lambda rows: [row[: row.rindex(",")] for row in rows]), r"15 pixels",
    ),
    "rows of different width": (
        "label/run1.csv", lambda path: edit(path, lambda rows: [rows[0] + ",1", *rows[1:]]), r"not a table of numbers",
    ),
    "a word": ("label/run4.csv", lambda path: edit(path, lambda rows: ["a" + rows[0][1:], *rows[1:]]), r"not a table"),
    "an infinite pixel": (
        "label/run4.csv", lambda path: edit(path, lambda rows: [*rows[:4], "inf," * 15 + "1", *rows[5:]]), r"row 5 .*f",
    ),
    "labels empty": ("label/run1.csv", lambda path: path.write_text(""), r"empty"),
    "volumes cut off": ("func/run2.nii.gz", cut_in_half, r"cut off or damaged, volume \d+ of 24"),
    "volumes foreign": ("func/run2.nii.gz", lambda path: path.write_bytes(gzip.compress(b"none")), r"not a NIfTI file"),
    "another grid": ("func/run1.nii.gz", lambda path: rewrite(path, lambda v: v[:-1]), r"\(5, 5, 4\).*\(6, 5, 4\)"),
    "another affine": ("func/run1.nii.gz", lambda path: rewrite(path, affine=np.eye(4)), r"affine differs"),
    "no orientation": ("func/run1.nii.gz", forget_place, r"does not say where it lies.*with the mask's affine"),
    "half a voxel off": ("func/run1.nii.gz", lambda path: rewrite(path, affine=SHIFTED), r"affine differs .* up to 1,"),
    "three dimensions": ("func/run1.nii.gz", lambda path: rewrite(path, lambda v: v[..., 0]), r"3 dimensions .* 4"),
    "NaN": ("func/run3.nii.gz", lambda path: set_first_mask_voxel(path, np.nan), r"finite in 1 voxels .* volume 4"),
    "infinite": ("func/run4.nii.gz", lambda path: set_first_mask_voxel(path, np.inf), r"finite in 1 voxels"),
    "two of one name": ("func/run4.nii", lambda path: path.touch(), r"/run4.nii and run4.nii.gz have one name"),
    "region twice": ("mask/V1.nii", lambda path: path.touch(), r"mask/V1.nii and V1.nii.gz have one name"),
    "region behind a broken link": ("mask/V2.nii.gz", lambda path: path.symlink_to("nowhere"), r"not a file"),
    "background behind a broken link": ("bg.nii.gz", relink, r"not a file"),
    "region elsewhere": ("mask/V1.nii.gz", lambda path: rewrite(path, affine=np.eye(4)), r"affine differs"),
    "background foreign": ("bg.nii.gz", lambda path: path.write_text("hello"), r"not a NIfTI file"),
}  # fmt: skip


@pytest.fixture
def folder(small_folder):
    """A good folder, with a region and a background."""
    mask = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    mask.to_filename(small_folder / "mask" / "V1.nii.gz")
    mask.to_filename(small_folder / "bg.nii.gz")
    return small_folder


def put(folder, name):
    path, fault, said = FAULTS[name]
    fault(folder / path)
    # A file that is missing cannot be named; the folder and what it should hold are.
    return (
        said
        if not (folder / path).is_file() or "one name" in said
        else rf"{re.escape(path.rpartition('/')[2])}.*{said}|{said}.*{path}"
    )


def test_a_good_folder_has_no_fault(folder):
    report = check_folder(folder)
    assert report.faults == []
    assert report.runs == [
        (f"run{number}.nii.gz", "random", f"run{number}.csv", n_volumes, n_rest)
        for number, n_volumes, n_rest in ((1, 30, 6), (2, 24, 5), (3, 36, 8), (4, 30, 6))
    ]
    n_voxels = load_samples(load_recording(folder)).responses.shape[1]
    text = str(report)
    for line in (
        "4 x 4 = 16 pixels",
        "6 x 5 x 4 voxels of 2 x 2 x 2.5 mm",
        f"{n_voxels} voxels, 0 of which",
        "bg.nii.gz",
    ):
        assert line in text
    assert text.endswith("No fault found.")


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_with_its_file_and_stops_the_loader(folder, name):
    said = put(folder, name)
    faults = check_folder(folder).faults
    assert any(re.search(said, fault) for fault in faults), faults
    with pytest.raises(RecordingError, match=said):
        load_samples(load_recording(folder))


@pytest.mark.parametrize(
    "pair",
    [("NaN", "a word"), ("label file missing", "mask empty"), ("volumes cut off", "another affine"),
     ("mask missing", "volumes foreign"), ("a row short", "region elsewhere")],
)  # fmt: skip
def test_two_faults_are_both_named(folder, pair):
    wanted = [put(folder, name) for name in pair]
    faults = check_folder(folder).faults
    for said in wanted:
        assert any(re.search(said, fault) for fault in faults), faults


def test_label_files_of_different_shape(folder):
    edit(folder / "label" / "run2.csv", lambda rows: [",".join(row.split(",")[:9]) for row in rows])
    assert any("different shape" in fault for fault in check_folder(folder).faults)
    with pytest.raises(RecordingError, match=r"run2.csv: images of \(3, 3\).*\(4, 4\)"):
        load_samples(load_recording(folder))


def test_voxels_that_do_not_change_are_counted_and_no_fault(folder):
    mask = np.argwhere(nibabel.load(folder / "mask" / "mask.nii.gz").get_fdata())

    def still(values):
        values[tuple(mask[5])] = 1000.3
        return values

    said = (
        "0 of which never change, 1 more do not",
        *["0 of which never change, 1 more"] * 2,
        "1 of which never change\n",
    )
    for number, (path, expected) in enumerate(zip(sorted((folder / "func").iterdir()), said, strict=True), start=1):
        rewrite(path, still)
        report = check_folder(folder)
        assert report.faults == [] and expected in str(report)
        samples = load_samples(load_recording(folder))
        assert samples.dead_runs.tolist() == [number * (column == 5) for column in range(len(mask))]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (["run1", "run2"], "2 runs of the kind"),
        (["data_faces_run1", "data_faces_run2", "data_faces_run3"], "0 runs of"),
    ],
)
def test_what_the_chapters_would_refuse_is_told(folder, runs, said):
    for name, ending in (("func", ".nii.gz"), ("label", ".csv")):
        for number in (1, 2, 3, 4):
            path = folder / name / f"run{number}{ending}"
            path.rename(path.with_name(runs[number - 1] + ending)) if number <= len(runs) else path.unlink()
    assert any(re.search(rf"{said}.*at least 3", fault) for fault in check_folder(folder).faults)


def test_a_run_that_is_too_short_is_told(folder):
    rewrite(folder / "func" / "run2.nii.gz", lambda values: values[..., :3])
    edit(folder / "label" / "run2.csv", lambda rows: rows[:3])
    assert any(re.search("run2.nii.gz: 3 volumes; .* at least 4", fault) for fault in check_folder(folder).faults)


def test_images_that_are_not_square_need_their_shape(folder):
    for path in (folder / "label").iterdir():
        edit(path, lambda rows: [",".join(row.split(",")[:12]) for row in rows])
    assert all("stimulus_shape" in fault for fault in check_folder(folder).faults)
    assert check_folder(folder, stimulus_shape=(4, 3)).faults == []
    assert "expected 10, 5 rows of 2" in str(check_folder(folder, stimulus_shape=(5, 2)))
    recording = load_recording(folder, stimulus_shape=[4, 3])
    assert load_samples(recording).stimulus_shape == (4, 3)
    for shape in (48, (4.0, 3.0), (4, 3, 1), (-4, -3), "43"):
        for function in (check_folder, load_recording):
            with pytest.raises(ValueError, match=r"stimulus_shape=.*expected the rows and columns"):
                function(folder, stimulus_shape=shape)


def test_the_command_prints_a_table_and_exits_with_the_verdict(folder):
    """In a folder whose name the terminal cannot show, and Python may take for a format."""
    put(folder, "NaN")
    put(folder, "region elsewhere")
    ended = subprocess.run(
        [sys.executable, "-m", "voxelwise", "check", folder.rename(folder.with_name("möin {0}"))],
        env=os.environ | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "")
    assert re.search(r"run2.nii.gz +random +run2.csv +24 +5\n", ended.stdout)
    assert (
        "2 faults:" in ended.stdout and "run3.nii.gz" in ended.stdout and r"m\xf6in {0}/mask/V1.nii.gz" in ended.stdout
    )


@pytest.mark.parametrize("name, code, said", [("mine", 0, "run3.nii.gz"), ("nowhere", 1, "found 0 runs")])
def test_the_command_on_a_good_folder_and_on_none(folder, monkeypatch, capsys, name, code, said):
    monkeypatch.setattr(sys, "argv", ["voxelwise", "check", str(folder.with_name(name))])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    shown = capsys.readouterr()
    assert said in shown.out and shown.err == ""
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--stimulus-shape", "4", "0"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "expected the rows and columns" in capsys.readouterr().err
