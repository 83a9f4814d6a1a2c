"""What a researcher takes away: scores, fields and a table of the voxels, and maps as derivatives of BIDS, and back."""

import gzip
import json
import platform
import re
import warnings
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from .brain import grid_positions, regions_of_interest, unmask
from .data.reading import open_image, read_volume
from .data.samples import load_samples
from .errors import RecordingError
from .files import replace_file, replace_folder
from .inference.ceiling import find_repeats, noise_ceiling
from .inference.permutation import permutation_test
from .models.estimators import VoxelwiseRidge
from .models.folds import draw_folds
from .models.prf import fit_prf, polar_coordinates
from .models.receptive_fields import fit_receptive_fields
from .models.ridge import cross_validate_ridge, mean_correlation
from .models.search import MIN_FOLDS, search_alpha

PACKAGES = ("numpy", "scipy", "scikit-learn", "nilearn", "nibabel")

CEILINGS = ["ceiling", "ceiling_error", "pattern_ceiling", "pattern_ceiling_error"]
#: Description and unit of each column of the table but the regions, in their order; "1" is the unit of a plain number.
COLUMNS = pd.read_csv(Path(__file__).with_name("results.tsv"), sep="\t", index_col=0, dtype=str).to_dict("index")


def write_results(
    folder,
    recording,
    samples,
    lag=2,
    alpha=100.0,
    cv=10,
    max_iter=10,
    alpha_range=(1, 100000),
    n_alphas=20,
    n_permutations=200,
    rate=0.05,
    seed=0,
    repeat_kind=None,
    weights=False,
):
    """Score every voxel, test the score, fit its fields, and write all for use outside the book.

    The folder then holds a table, images that are NaN outside the mask, and nothing else:

    - ``scores.nii.gz``: mean R2 of each voxel;
    - ``fields.nii.gz``: the coefficients of the receptive fields, shape (x, y, z, n_pixels), the pixels row by row;
    - with ``weights``, ``coefficients.nii.gz``, shape (x, y, z, n_features), and ``intercepts.nii.gz``, (x, y, z): the
      ridge regression with this ``alpha`` on all samples, which predicts ``X @ coefficients + intercepts``;
    - ``voxels.tsv``: one row for each voxel of the mask, "n/a" for what is missing; and ``voxels.json``: what its
      columns mean, and what they were computed with.

    Parameters
    ----------
    folder : path
        Made, or replaced in one step once everything is written: an interrupted call leaves the older folder whole.
    recording, samples, lag : Recording, Samples, int
        The samples are those of the recording, as :func:`~voxelwise.load_samples` loads them with this lag.
    alpha, cv, max_iter
        As in :func:`~voxelwise.cross_validate_ridge` and :func:`~voxelwise.fit_receptive_fields`; no split may cut a
        run in two.
    alpha_range, n_alphas : (float, float), int
        The penalties to choose each voxel's from: ``numpy.geomspace(*alpha_range, n_alphas)``.
    n_permutations, rate, seed
        As in :func:`~voxelwise.permutation_test` and its ``discoveries``; the seed is that of the permutations.
    repeat_kind : str, optional
        Kind of the runs that show stimuli again, for the noise ceiling. Default: as :func:`~voxelwise.find_repeats`.
    weights : bool
        Whether to write those of the ridge regression, too.
    """
    if len(samples.stimulus_shape) != 2:
        said = "expected rows and columns of a stimulus, one response function, and one feature space without a name"
        raise ValueError(f"stimulus_shape={samples.stimulus_shape}: {said}.")
    folder, positions = Path(folder).expanduser(), grid_positions(samples.mask_img)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "voxels.json").is_file():
        raise ValueError(f"{folder}: holds other files, which would be removed. Name a new folder, or one of results.")
    repeat_kind = repeat_kind or find_repeats(recording)
    ceilings = _measure_ceiling(recording, repeat_kind, lag)  # first, as it may fail, and the rest takes minutes
    scores = cross_validate_ridge(samples, alpha, cv)
    fields = fit_receptive_fields(samples, max_iter=max_iter)
    table = pd.DataFrame(positions, columns=["i", "j", "k"]).rename_axis("column").reset_index()
    table[["x", "y", "z"]] = apply_affine(samples.mask_img.affine, positions)
    table["r2"] = scores.mean(axis=0)
    table["r2_sd"] = scores.std(axis=0, ddof=1)
    table["r"] = mean_correlation(cross_validate_ridge(samples, alpha, cv, scoring="r"))
    test = permutation_test(samples, alpha, cv, n_permutations, rng=np.random.default_rng(seed))
    table["p_value"], table["discovery"] = test.p_values, test.discoveries(rate).astype(int)
    table["best_alpha"] = _choose_alpha(samples, np.geomspace(*alpha_range, n_alphas), cv)
    table[CEILINGS] = ceilings
    table = table.join([_measure_fields(fields), _measure_gaussians(samples, recording.degrees_per_pixel)])
    table["constant"] = (samples.dead_runs == len(samples.run_rows)).astype(int)
    table["dead_runs"] = samples.dead_runs
    # The prefix keeps a region named ``x`` apart from the coordinate.
    table = table.join(regions_of_interest(recording.rois, samples.mask_img).astype(int).add_prefix("roi_"))
    lag = lag if recording.events is None else None  # events have a response in its place
    settings = dict(lag=lag, alpha=alpha, cv=cv, max_iter=max_iter, alpha_range=list(alpha_range), n_alphas=n_alphas)
    settings |= dict(n_permutations=n_permutations, rate=rate, seed=seed, repeat_kind=repeat_kind)
    sidecar = _describe(recording, settings | dict(stimulus_shape=list(map(int, samples.stimulus_shape))))
    with replace_folder(folder) as making:
        images = {"scores": scores.mean(axis=0), "fields": fields.reshape(len(fields), -1)}
        if weights:
            model = VoxelwiseRidge(alpha).fit(samples.stimuli, samples.responses, runs=samples.runs)
            images |= {"coefficients": model.coef_, "intercepts": model.intercept_}
        for name, values in images.items():
            unmask(values, samples.mask_img, outside=np.nan).to_filename(making / f"{name}.nii.gz")
        # Six digits are about what float32 responses are good for.
        text = dict(na_rep="n/a", float_format="%.6g", lineterminator="\n", encoding="utf-8")
        table.to_csv(making / "voxels.tsv", sep="\t", index=False, **text)
        (making / "voxels.json").write_bytes(_as_json(sidecar))


def write_derivatives(folder, maps, mask_img, subject, task, space=None):
    """Write maps of a subject as BIDS derivatives, beside those that the folder holds of others.

    Each map becomes an image and a JSON file that explains it (Gorgolewski et al. 2016, Scientific Data 3, 160044), ::

        sub-01/func/sub-01_task-look_space-MNI152NLin2009cAsym_stat-r2_statmap.nii.gz

    and ``dataset_description.json`` is written where there is none. A file is replaced once the new one is whole.

    Parameters
    ----------
    folder, mask_img : path, Nifti1Image
    maps : DataFrame, or dict of str -> ndarray of shape (n_voxels,)
        Values by name; of those that are columns of the results' table, the JSON file says what they mean.
    subject, task, space : str
        Labels of BIDS, letters and digits, else a ValueError: ``"01"``, ``"look"``, and the space of the mask, such as
        ``"MNI152NLin2009cAsym"``. Default: the subject's own.

    Returns
    -------
    paths : list of Path
        The images, in the order of the maps.
    """
    labels = {"sub": subject, "task": task} | ({"space": space} if space else {})
    for label in [*labels.values(), *maps]:
        if not re.fullmatch("[0-9A-Za-z]+", str(label)):
            raise ValueError(f"{label!r}: BIDS allows letters and digits in labels and names of maps, no others.")
    images = {name: unmask(values, mask_img, outside=np.nan) for name, values in maps.items()}
    folder = Path(folder).expanduser()
    description = folder / "dataset_description.json"
    if not description.exists():
        ours = {"Name": "Voxelwise encoding models", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
        ours["GeneratedBy"] = [{"Name": "voxelwise", "Version": version("voxelwise")}]
        replace_file(description, _as_json(ours))
    stem, paths = "_".join(f"{key}-{label}" for key, label in labels.items()), []
    for name, image in images.items():
        path = folder / f"sub-{subject}" / "func" / f"{stem}_stat-{name}_statmap"
        sidecar = COLUMNS.get(name, {"Description": name, "Units": "arbitrary"})
        replace_file(path.with_suffix(".json"), _as_json(sidecar | {"GeneratedBy": {"Versions": _versions()}}))
        paths.append(path.with_suffix(".nii.gz"))
        replace_file(paths[-1], gzip.compress(image.to_bytes(), mtime=0))
    return paths


def load_results(folder, stat="r2", task=None, space=None):
    """Read a map of each subject from BIDS derivatives, as :func:`write_derivatives` writes them.

    Parameters
    ----------
    folder : path
    stat, task, space : str
        Name of the map, and the labels it must have; a RecordingError if there is none, or a subject has several.

    Returns
    -------
    images : dict of str -> Nifti1Image
        By subject, in the order of their labels; in memory, float32, NaN outside the mask.
    """
    wanted = {name: label for name, label in dict(stat=stat, task=task, space=space).items() if label}
    asked = ", ".join(f"{name}={label!r}" for name, label in wanted.items())
    paths, images = sorted(Path(folder).expanduser().glob("sub-*/func/sub-*_statmap.nii.gz")), {}
    for path in paths:
        labels = dict(part.partition("-")[::2] for part in path.name.split("_"))
        if wanted.items() <= labels.items():
            if labels["sub"] in images:
                raise RecordingError(f"{path}: another map of this subject with {asked}. Say which task or space.")
            images[labels["sub"]] = nibabel.Nifti1Image(read_volume(path).astype(np.float32), open_image(path).affine)
    if not images:
        raise RecordingError(f"{folder}: none of the {len(paths)} maps in sub-*/func/ has {asked}.")
    return images


def _choose_alpha(samples, alphas, cv):
    """The best penalty of each voxel, NaN where there are too few folds to choose by."""
    if len(draw_folds(cv, samples.runs, samples.stimuli, samples.responses)) < MIN_FOLDS:
        return np.nan
    with warnings.catch_warnings(action="ignore"):  # the table shows which choices lie at an end
        search = search_alpha(samples, alphas, cv)
    return search.alphas[search.curves.argmax(axis=0)]


def _measure_ceiling(recording, kind, lag):
    """What ``CEILINGS`` names, shape (n_voxels, 4); NaN for a recording that has no repeats."""
    if kind is None:
        return np.nan
    found = noise_ceiling(load_samples(recording, kind, lag))
    return np.column_stack([found.r2, found.error, found.pattern, found.pattern_error])


def _measure_fields(fields):
    """Where each field lies and how large it is; missing values where there is nothing to locate."""
    rows, columns = np.indices(fields.shape[1:]).reshape(2, -1)
    fields = fields.reshape(len(fields), -1)
    positive = np.maximum(fields, 0)
    weight = positive.sum(axis=1)
    share = positive / np.where(weight > 0, weight, 1)[:, np.newaxis]
    peak = positive.argmax(axis=1)
    places = pd.DataFrame({"field_row": share @ rows, "field_column": share @ columns})
    places["field_peak_row"], places["field_peak_column"] = (pd.array(of[peak], "Int64") for of in (rows, columns))
    places = places[weight > 0].reindex(places.index)
    return places.assign(field_weight=weight, field_pixels=(fields != 0).sum(axis=1))


def _measure_gaussians(samples, degrees_per_pixel):
    """The Gaussian field of each voxel, in pixels and in degrees."""
    fields = fit_prf(samples).reset_index(drop=True)[["row", "column", "size", "r2", "gain"]]
    fields["eccentricity"], fields["angle"] = polar_coordinates(fields["row"], fields["column"], samples.stimulus_shape)
    degrees = fields[["size", "eccentricity"]] * (degrees_per_pixel or np.nan)
    return fields.join(degrees.add_suffix("_degrees")).add_prefix("prf_")


def _describe(recording, settings):
    """The sidecar of the table, after the Brain Imaging Data Structure; nothing of the machine, no path and no date."""
    inside = "1 if the voxel lies in the region of interest {}, else 0"
    regions = {f"roi_{name}": {"Description": inside.format(name), "Units": "1"} for name in recording.rois}
    made_by = {"Recording": recording.name, "Parameters": settings, "Versions": _versions()}
    return COLUMNS | regions | {"GeneratedBy": made_by}


def _versions():
    """Versions of Python and of the packages that results depend on, by name."""
    return {"Python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def _as_json(content):
    """What a sidecar holds, as bytes."""
    return (json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n").encode()  # str is for a splitter
