"""What the book leaves for use outside it, against the arrays that it comes from."""

import dataclasses
import json

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine

from voxelwise import cross_validate_ridge, fit_receptive_fields, grid_positions, load_recording, results
from voxelwise.results import write_results

SETTINGS = dict(lag=0, alpha=10.0, cv=4, max_iter=6)
CONSTANT, OUT_OF_VIEW = 3, 5  # columns of a voxel that never changes, and of one that does not in the second run


@pytest.fixture
def mine(small_folder, small_samples):
    """A small recording with two regions, one of them named like a coordinate, and its samples."""
    for name, inside in (("front", slice(3, None)), ("x", slice(1))):
        region = np.zeros(small_samples.mask_img.shape, dtype=np.uint8)
        region[:, inside] = 1
        image = nibabel.Nifti1Image(region, small_samples.mask_img.affine)
        image.to_filename(small_folder / "mask" / f"{name}.nii.gz")
    responses = small_samples.responses.copy()
    responses[:, CONSTANT] = responses[small_samples.runs == 1, OUT_OF_VIEW] = 0
    return load_recording(small_folder), dataclasses.replace(small_samples, responses=responses)


def read_table(folder, **options):
    return pd.read_csv(folder / "voxels.tsv", sep="\t", **options)


def test_images_and_table_agree_with_the_arrays_and_every_column_is_described(tmp_path, mine):
    recording, samples = mine
    folder, positions = tmp_path / "results", grid_positions(samples.mask_img)
    write_results(folder, recording, samples, **SETTINGS)
    scores = cross_validate_ridge(samples, SETTINGS["alpha"], SETTINGS["cv"])
    weights = fit_receptive_fields(samples, max_iter=SETTINGS["max_iter"]).reshape(len(positions), -1)
    inside = np.asarray(samples.mask_img.dataobj) != 0
    for name, expected in (("scores", scores.mean(axis=0)), ("fields", weights)):
        image = nibabel.load(folder / f"{name}.nii.gz")
        assert (image.get_data_dtype(), image.header.get_xyzt_units()[0]) == (np.float32, "mm")
        np.testing.assert_array_equal(image.affine, samples.mask_img.affine)
        stored = np.asarray(image.dataobj)
        np.testing.assert_array_equal(stored[inside], expected.astype(np.float32))
        assert np.isnan(stored[~inside]).all()

    table = read_table(folder)
    for columns, expected in {
        "column": np.arange(len(positions)),
        "i j k": positions,
        "x y z": apply_affine(samples.mask_img.affine, positions),
        "r2": scores.mean(axis=0),
        "r2_sd": scores.std(axis=0, ddof=1),
        "field_pixels": np.count_nonzero(weights, axis=1),
        "field_weight": weights.clip(min=0).sum(axis=1),
        "constant": np.arange(len(positions)) == CONSTANT,
        "dead_runs": 4 * (np.arange(len(positions)) == CONSTANT) + (np.arange(len(positions)) == OUT_OF_VIEW),
        "roi_front": positions[:, 1] >= 3,
        "roi_x": positions[:, 1] == 0,
    }.items():
        np.testing.assert_allclose(table[columns.split()].squeeze(), expected, rtol=1e-5, atol=1e-9)
        assert np.asarray(expected).dtype == float or set(table[columns.split()].dtypes) == {np.dtype(int)}
    as_written = read_table(folder, dtype=str, keep_default_na=False)
    assert as_written["field_peak_row"].str.fullmatch(r"\d+|n/a").all()
    assert not as_written.isin(["", "nan", "NaN", "<NA>"]).any(axis=None)

    sidecar = json.loads((folder / "voxels.json").read_text(encoding="utf-8"))
    made_by = sidecar.pop("GeneratedBy")
    assert list(sidecar) == table.columns.tolist()
    assert all(entry.keys() == {"Description", "Units"} and all(entry.values()) for entry in sidecar.values())
    assert (made_by["Recording"], made_by["Parameters"]) == ("mine", SETTINGS | {"stimulus_shape": [4, 4]})
    assert made_by["Versions"]["numpy"] == np.__version__


def test_where_a_field_lies(tmp_path, mine, monkeypatch):
    """Three fields on a screen of 2 rows and 8 columns: two pixels and a negative one, nothing, all negative."""
    recording, samples = mine
    fields = np.zeros((samples.responses.shape[1], 2, 8))
    fields[0, 0, 1], fields[0, 1, 5], fields[0, 0, 7] = 1, 3, -10
    fields[2, 1, 1] = -1
    monkeypatch.setattr(results, "fit_receptive_fields", lambda *_, **__: fields)
    write_results(str(tmp_path / "results"), recording, dataclasses.replace(samples, stimulus_shape=(2, 8)), **SETTINGS)

    table, nan = read_table(tmp_path / "results").filter(like="field_").head(3), np.nan
    assert table.columns.str[6:].tolist() == ["row", "column", "peak_row", "peak_column", "weight", "pixels"]
    expected = [[0.75, 4, 1, 5, 4, 3], [nan, nan, nan, nan, 0, 0], [nan, nan, nan, nan, 0, 1]]
    np.testing.assert_array_equal(table, expected)
    volume = np.asarray(nibabel.load(tmp_path / "results" / "fields.nii.gz").dataobj)
    first = volume[tuple(grid_positions(samples.mask_img)[0])]
    assert first[[1, 7, 13]].tolist() == [1, -10, 3]  # row by row


def test_same_bytes_twice_and_nothing_else_in_the_folder(tmp_path, mine, monkeypatch):
    folder, written = tmp_path / "results", []
    for now in (0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        write_results(folder, *mine, **SETTINGS)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
        (folder / "older.txt").touch()
    assert written[0] == written[1]
    assert set(written[0]) == {"fields.nii.gz", "scores.nii.gz", "voxels.json", "voxels.tsv"}
    assert all(str(tmp_path).encode() not in content for content in written[0].values())
