"""What a researcher takes away from a run of the book: the scores, the receptive fields, and a table of the voxels."""

import json
import platform
import shutil
from importlib.metadata import version

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from .brain import grid_positions, regions_of_interest, unmask
from .models.receptive_fields import fit_receptive_fields
from .models.ridge import cross_validate_ridge

PACKAGES = ("numpy", "scipy", "scikit-learn", "nilearn", "nibabel")

_NO_CENTRE = "n/a where none of its coefficients is positive"
#: Description and unit of each column of the table but the regions, in their order; "1" is the unit of a plain number.
COLUMNS = {
    "column": ("Number of the voxel among those of the mask, from 0, in C order of the grid", "1"),
    "i": ("First index into the mask's grid, from 0", "voxels"),
    "j": ("Second index into the mask's grid, from 0", "voxels"),
    "k": ("Third index into the mask's grid, from 0", "voxels"),
    "x": ("First coordinate of the voxel's centre, by the mask's affine", "mm"),
    "y": ("Second coordinate of the voxel's centre, by the mask's affine", "mm"),
    "z": ("Third coordinate of the voxel's centre, by the mask's affine", "mm"),
    "r2": ("R2 of the ridge regression on held-out runs, mean over the folds", "1"),
    "r2_sd": ("R2 of the ridge regression on held-out runs, sample standard deviation over the folds", "1"),
    "field_row": (
        f"Row of the centre of mass of the field's positive coefficients, 0 at the top; {_NO_CENTRE}",
        "pixels",
    ),
    "field_column": (
        f"Column of the centre of mass of the field's positive coefficients, 0 at the left; {_NO_CENTRE}",
        "pixels",
    ),
    "field_peak_row": (f"Row of the field's largest coefficient, 0 at the top; {_NO_CENTRE}", "pixels"),
    "field_peak_column": (f"Column of the field's largest coefficient, 0 at the left; {_NO_CENTRE}", "pixels"),
    "field_weight": (
        "Sum of the field's positive coefficients",
        "standard deviations of the response per unit of pixel value",
    ),
    "field_pixels": ("Number of the field's coefficients that are not 0", "pixels"),
    "constant": ("1 if the voxel never changes within a run, else 0", "1"),
}


def write_results(folder, recording, samples, lag=2, alpha=100.0, n_splits=10, max_iter=10):
    """Score every voxel, fit its field, and write both for use outside the book.

    The folder holds, afterwards and nothing else,

    - ``scores.nii.gz``: mean R2 of each voxel, NaN outside the mask;
    - ``fields.nii.gz``: the coefficients of the receptive fields, shape (x, y, z, n_pixels) with the pixels row by row,
      NaN outside the mask;
    - ``voxels.tsv``: one row for each voxel of the mask, "n/a" for what is missing;
    - ``voxels.json``: what the columns of the table mean, and what they were computed with.

    The same data, settings and versions give the same bytes.

    Parameters
    ----------
    folder : Path
        Made, or replaced in one step once everything is written: an interrupted call leaves the older folder whole.
    recording : Recording
    samples : Samples
        Of this recording, as :func:`~voxelwise.load_samples` loads them.
    lag : int
        In volumes; what the samples were loaded with.
    alpha, n_splits
        As in :func:`~voxelwise.cross_validate_ridge`.
    max_iter : int
        As in :func:`~voxelwise.fit_receptive_fields`.

    Raises
    ------
    RecordingError
        If ``alpha`` or ``n_splits`` do not fit the samples.
    OSError
        If the folder cannot be written.
    """
    scores = cross_validate_ridge(samples, alpha=alpha, cv=n_splits)
    fields = fit_receptive_fields(samples, max_iter=max_iter)
    table = _tabulate(recording, samples, scores, fields)
    settings = {"lag": lag, "alpha": alpha, "n_splits": n_splits, "max_iter": max_iter}
    sidecar = _describe(recording, settings | {"stimulus_shape": list(map(int, samples.stimulus_shape))})

    _restore(folder)
    making = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(making, ignore_errors=True)  # of a call that was killed
    making.mkdir(parents=True)
    try:
        unmask(scores.mean(axis=0), samples.mask_img, outside=np.nan).to_filename(making / "scores.nii.gz")
        weights = fields.reshape(len(fields), -1)
        unmask(weights, samples.mask_img, outside=np.nan).to_filename(making / "fields.nii.gz")
        _write_table(table, making / "voxels.tsv")
        (making / "voxels.json").write_text(json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _replace(folder, making)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _tabulate(recording, samples, scores, fields):
    """The table of the voxels of the mask, one row each."""
    positions = grid_positions(samples.mask_img)
    table = pd.DataFrame({"column": np.arange(len(positions))})
    table[["i", "j", "k"]] = positions
    table[["x", "y", "z"]] = apply_affine(samples.mask_img.affine, positions)
    table["r2"] = scores.mean(axis=0)
    table["r2_sd"] = scores.std(axis=0, ddof=1)
    table = table.join(_measure_fields(fields))
    # Loading leaves a response of 0 where a voxel does not change.
    table["constant"] = (~samples.responses.any(axis=0)).astype(int)
    return table.join(regions_of_interest(recording.rois, samples.mask_img).astype(int).rename(columns=_region_column))


def _measure_fields(fields):
    """Where each field lies and how large it is; missing values where there is nothing to locate.

    Parameters
    ----------
    fields : ndarray, shape (n_voxels, n_rows, n_columns)

    Returns
    -------
    measures : DataFrame
        The columns that begin with ``field_``.
    """
    rows, columns = np.indices(fields.shape[1:]).reshape(2, -1)
    fields = fields.reshape(len(fields), -1)
    positive = np.maximum(fields, 0)
    weight = positive.sum(axis=1)
    somewhere = weight > 0
    share = positive / np.where(somewhere, weight, 1)[:, np.newaxis]
    peak = positive.argmax(axis=1)
    return pd.DataFrame(
        {
            "field_row": pd.Series(share @ rows).where(somewhere),
            "field_column": pd.Series(share @ columns).where(somewhere),
            "field_peak_row": pd.Series(rows[peak], dtype="Int64").where(somewhere),
            "field_peak_column": pd.Series(columns[peak], dtype="Int64").where(somewhere),
            "field_weight": weight,
            "field_pixels": (fields != 0).sum(axis=1),
        }
    )


def _region_column(name):
    """Column of a region of interest; the prefix keeps a region named ``x`` apart from the coordinate."""
    return f"roi_{name}"


def _describe(recording, settings):
    """The sidecar of the table, after the Brain Imaging Data Structure; nothing of the machine, no path and no date."""
    columns = COLUMNS | {
        _region_column(name): (f"1 if the voxel lies in the region of interest {name}, else 0", "1")
        for name in recording.rois
    }
    sidecar = {name: {"Description": text, "Units": unit} for name, (text, unit) in columns.items()}
    versions = {"Python": platform.python_version()} | {package: version(package) for package in PACKAGES}
    return sidecar | {"GeneratedBy": {"Recording": recording.name, "Parameters": settings, "Versions": versions}}


def _write_table(table, path):
    """Write tab-separated text with six digits, about what float32 responses are good for."""
    table.to_csv(path, sep="\t", index=False, na_rep="n/a", float_format="%.6g", lineterminator="\n", encoding="utf-8")


def _replace(folder, fresh):
    """Put the fresh folder in place of another, or leave that one where it was."""
    older = _older(folder)
    try:
        if folder.exists():
            shutil.rmtree(older, ignore_errors=True)
            folder.rename(older)
        fresh.rename(folder)
    finally:
        _restore(folder)
    shutil.rmtree(older, ignore_errors=True)


def _restore(folder):
    """Put the older folder back where the fresh one is missing: this call or an earlier one was stopped in between."""
    if _older(folder).exists() and not folder.exists():
        _older(folder).rename(folder)


def _older(folder):
    """Where the older folder is while the fresh one takes its place."""
    return folder.with_name(f".{folder.name}.old")
