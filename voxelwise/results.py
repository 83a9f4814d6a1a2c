"""What a researcher takes away from a run of the book: the scores, the receptive fields, and a table of the voxels."""

import json
import platform
from importlib.metadata import version

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from .brain import grid_positions, regions_of_interest, unmask
from .files import replace_folder
from .models.receptive_fields import fit_receptive_fields
from .models.ridge import cross_validate_ridge

PACKAGES = ("numpy", "scipy", "scikit-learn", "nilearn", "nibabel")

_AXES = ("First", "i", "x"), ("Second", "j", "y"), ("Third", "k", "z")
_CENTRE = "of the centre of mass of the field's positive coefficients"
_SD = "standard deviations"
_NO_CENTRE = "n/a where none of its coefficients is positive"
#: Description and unit of each column of the table but the regions, in their order; "1" is the unit of a plain number.
COLUMNS = {
    "column": ("Number of the voxel among those of the mask, from 0, in C order of the grid", "1"),
    **{i: (f"{nth} index into the mask's grid, from 0", "voxels") for nth, i, _ in _AXES},
    **{x: (f"{nth} coordinate of the voxel's centre, by the mask's affine", "mm") for nth, _, x in _AXES},
    "r2": ("R2 of the ridge regression on held-out runs, mean over the folds", "1"),
    "r2_sd": ("R2 of the ridge regression on held-out runs, sample standard deviation over the folds", "1"),
    "field_row": (f"Row {_CENTRE}, 0 at the top; {_NO_CENTRE}", "pixels"),
    "field_column": (f"Column {_CENTRE}, 0 at the left; {_NO_CENTRE}", "pixels"),
    "field_peak_row": (f"Row of the field's largest coefficient, 0 at the top; {_NO_CENTRE}", "pixels"),
    "field_peak_column": (f"Column of the field's largest coefficient, 0 at the left; {_NO_CENTRE}", "pixels"),
    "field_weight": ("Sum of the field's positive coefficients", f"{_SD} of the response per unit of pixel value"),
    "field_pixels": ("Number of the field's coefficients that are not 0", "pixels"),
    "constant": ("1 if the voxel never changes within a run, else 0", "1"),
    "dead_runs": ("Number of the runs in which the voxel never changes, such as those in which it is out of view", "1"),
}


def write_results(folder, recording, samples, lag=2, alpha=100.0, cv=10, max_iter=10):
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
    folder : path
        Made, or replaced in one step once everything is written: an interrupted call leaves the older folder whole.
    recording : Recording
    samples : Samples
        Of this recording, as :func:`~voxelwise.load_samples` loads them.
    lag : int
        In volumes; what the samples were loaded with.
    alpha, cv
        As in :func:`~voxelwise.cross_validate_ridge`.
    max_iter : int
        As in :func:`~voxelwise.fit_receptive_fields`.

    Raises
    ------
    ValueError
        If ``alpha``, ``cv`` or ``max_iter`` do not fit the samples.
    OSError
        If the folder cannot be written.
    """
    scores = cross_validate_ridge(samples, alpha, cv)
    fields = fit_receptive_fields(samples, max_iter=max_iter)
    table = _tabulate(recording, samples, scores, fields)
    shape = list(map(int, samples.stimulus_shape))
    sidecar = _describe(recording, dict(lag=lag, alpha=alpha, cv=cv, max_iter=max_iter, stimulus_shape=shape))
    with replace_folder(folder) as making:
        unmask(scores.mean(axis=0), samples.mask_img, outside=np.nan).to_filename(making / "scores.nii.gz")
        weights = fields.reshape(len(fields), -1)
        unmask(weights, samples.mask_img, outside=np.nan).to_filename(making / "fields.nii.gz")
        # Six digits are about what float32 responses are good for.
        text = dict(na_rep="n/a", float_format="%.6g", lineterminator="\n", encoding="utf-8")
        table.to_csv(making / "voxels.tsv", sep="\t", index=False, **text)
        described = json.dumps(sidecar, indent=2, ensure_ascii=False, default=str)  # str is for a splitter
        (making / "voxels.json").write_text(described + "\n", encoding="utf-8")


def _tabulate(recording, samples, scores, fields):
    """The table of the voxels of the mask, one row each."""
    positions = grid_positions(samples.mask_img)
    table = pd.DataFrame({"column": np.arange(len(positions))})
    table[["i", "j", "k"]] = positions
    table[["x", "y", "z"]] = apply_affine(samples.mask_img.affine, positions)
    table["r2"] = scores.mean(axis=0)
    table["r2_sd"] = scores.std(axis=0, ddof=1)
    table = table.join(_measure_fields(fields))
    table["constant"] = (samples.dead_runs == len(samples.run_rows)).astype(int)
    table["dead_runs"] = samples.dead_runs
    # The prefix keeps a region named ``x`` apart from the coordinate.
    return table.join(regions_of_interest(recording.rois, samples.mask_img).astype(int).add_prefix("roi_"))


def _measure_fields(fields):
    """Where each field lies and how large it is; missing values where there is nothing to locate."""
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


def _describe(recording, settings):
    """The sidecar of the table, after the Brain Imaging Data Structure; nothing of the machine, no path and no date."""
    regions = {
        f"roi_{name}": f"1 if the voxel lies in the region of interest {name}, else 0" for name in recording.rois
    }
    columns = COLUMNS | {column: (text, "1") for column, text in regions.items()}
    sidecar = {name: {"Description": text, "Units": unit} for name, (text, unit) in columns.items()}
    versions = {"Python": platform.python_version()} | {package: version(package) for package in PACKAGES}
    return sidecar | {"GeneratedBy": {"Recording": recording.name, "Parameters": settings, "Versions": versions}}
