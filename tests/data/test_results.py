"""What the book leaves for use outside it, against the arrays that it comes from."""

import dataclasses
import json
import shutil

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine
from sklearn.linear_model import Ridge

from tests.plain import rewrite
from voxelwise import (
    cross_validate_ridge,
    fit_prf,
    fit_receptive_fields,
    grid_positions,
    load_recording,
    load_samples,
    mean_correlation,
    noise_ceiling,
    permutation_test,
    polar_coordinates,
    results,
    search_alpha,
)
from voxelwise.results import write_results

SETTINGS = dict(lag=0, alpha=10.0, cv=4, max_iter=6, alpha_range=[1, 100], n_alphas=3)
SETTINGS |= dict(n_permutations=49, rate=0.1, seed=2, repeat_kind="figure")
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


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_tests_penalties_and_gaussian_fields_are_those_of_the_package(tmp_path, mine):
    """Half of the voxels are noise. Degrees need the size of a pixel, ceilings repeats, penalties three folds."""
    recording, samples = mine
    noise = 5 * np.random.default_rng(0).normal(size=(120, 25))
    samples.responses[:, 25:] += noise.astype(np.float32)
    write_results(tmp_path / "degrees", dataclasses.replace(recording, degrees_per_pixel=1.15), samples, **SETTINGS)
    table = read_table(tmp_path / "degrees")
    test = permutation_test(samples, 10.0, 4, 49, rng=np.random.default_rng(2))
    curves = search_alpha(samples, [1, 10, 100], 4).curves
    fields = fit_prf(samples)
    eccentricity, angle = polar_coordinates(fields["row"], fields["column"], (4, 4))
    for column, expected in {
        "r": mean_correlation(cross_validate_ridge(samples, 10.0, 4, scoring="r")),
        "p_value": test.p_values,
        "discovery": test.discoveries(0.1),
        "best_alpha": 10.0 ** curves.argmax(axis=0),
        **{f"prf_{name}": fields[name] for name in ("row", "column", "size", "r2", "gain")},
        "prf_eccentricity": eccentricity,
        "prf_angle": angle,
        "prf_size_degrees": 1.15 * fields["size"],
        "prf_eccentricity_degrees": 1.15 * eccentricity,
    }.items():
        np.testing.assert_allclose(table[column], expected, rtol=1e-5, atol=1e-9, err_msg=column)
    assert 10 < table["discovery"].sum() < 49 and table["best_alpha"].nunique() > 1
    assert table.filter(like="ceiling").isna().all(axis=None)

    write_results(tmp_path / "two folds", recording, samples, **SETTINGS | dict(cv=2, repeat_kind="random"))
    table = read_table(tmp_path / "two folds")
    unknown = ["best_alpha", *results.CEILINGS, "prf_size_degrees", "prf_eccentricity_degrees"]
    assert table.columns[table.isna().all()].tolist() == unknown


def test_ceilings_come_from_the_runs_that_repeat_stimuli(tmp_path, mine):
    recording, samples = mine
    for number in (5, 6):
        for folder, suffix in (("func", ".nii.gz"), ("label", ".csv")):
            path = recording.folder / folder / f"data_figure_run{number}{suffix}"
            shutil.copy(recording.folder / folder / f"run1{suffix}", path)
    rng = np.random.default_rng(0)
    rewrite(
        recording.folder / "func" / "data_figure_run6.nii.gz", lambda values: values + rng.normal(size=values.shape)
    )
    recording = load_recording(recording.folder)
    write_results(tmp_path / "results", recording, samples, **SETTINGS | dict(lag=1, repeat_kind=None))
    ceiling = noise_ceiling(load_samples(recording, "figure", lag=1))
    expected = np.transpose([ceiling.r2, ceiling.error, ceiling.pattern, ceiling.pattern_error])
    np.testing.assert_allclose(read_table(tmp_path / "results")[results.CEILINGS], expected, rtol=1e-5, atol=1e-9)


def test_weights_on_request_predict_new_stimuli(tmp_path, mine):
    """From the images alone; of each voxel, fitted to the runs within which it changes."""
    recording, samples = mine
    write_results(tmp_path / "results", recording, samples, **SETTINGS, weights=True)
    inside = np.asarray(samples.mask_img.dataobj) != 0
    names = "coefficients", "intercepts"
    coefficients, intercepts = (nibabel.load(tmp_path / "results" / f"{name}.nii.gz").get_fdata() for name in names)
    assert np.isnan(coefficients[~inside]).all() and np.isnan(intercepts[~inside]).all()
    X = np.random.default_rng(3).normal(size=(7, 16))
    predicted = X @ coefficients[inside].T + intercepts[inside]
    expected = Ridge(SETTINGS["alpha"]).fit(samples.stimuli, samples.responses).predict(X)
    seen = samples.runs != 1
    some = Ridge(SETTINGS["alpha"]).fit(samples.stimuli[seen], samples.responses[seen, OUT_OF_VIEW])
    expected[:, OUT_OF_VIEW] = some.predict(X)
    np.testing.assert_allclose(predicted, expected, atol=1e-4)


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
