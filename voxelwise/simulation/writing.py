"""The simulated recording: a visual fMRI experiment whose truth is known.

It has the size, the timing, the file names and the data types of the recording of Miyawaki et al. (2008), so that
whatever reads the one reads the other, nilearn's own ``fetch_miyawaki2008`` included. Beside the files lies
``truth.tsv``: what was put into each voxel, against which the book holds what its methods find.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import joblib
import nibabel
import numpy as np
from nilearn.datasets import get_data_dirs
from tqdm import tqdm

from ..errors import RecordingError
from . import cortex, responses
from .responses import NOISE_SD, REST, TR, draw_noise, drive_voxels

N_RANDOM_RUNS, N_FIGURE_RUNS = 20, 12
#: A run: rest, then images each shown for some volumes and followed by rest, then rest to the end (in volumes).
RANDOM_TIMING = dict(n_volumes=145, start=10, n_images=22, on=3, rest=3)
FIGURE_TIMING = dict(n_volumes=130, start=10, n_images=10, on=6, rest=6)

_SHAPES = """
.....  .....  #####  ..#..  #...#
.###.  .###.  #...#  ..#..  .#.#.
.###.  .#.#.  #...#  #####  ..#..
.###.  .###.  #...#  ..#..  .#.#.
.....  .....  #####  ..#..  #...#
"""  # square, small frame, large frame, plus, X
_LETTERS = """
####.  .###.  #...#  #.###  .###.
#...#  #...#  #...#  ##...  #...#
#...#  #####  #...#  #....  #...#
#...#  #....  #...#  #....  #...#
#...#  .####  .####  #....  .###.
"""  # n, e, u, r, o
#: What the figure runs show: how many runs, which drawings, how many pixels high and wide each of their points is.
FIGURE_SETS = ((4, _SHAPES, (2, 2)), (4, _LETTERS, (2, 2)), (2, _LETTERS, (1, 1)), (2, _LETTERS, (2, 1)))

SEED = 2008
BASELINE = 1000.0
#: R2 of the published pipeline is, in this experiment, a straight line over the share of the signal in the variance.
#: The two numbers were measured on it; a test holds the histogram that follows from them.
_R2_OF_NOISE, _R2_PER_SHARE = -0.036, 0.768
#: How many voxels reach which R2 in the published map: counts per bin of 0.06, from 0.06 up.
PUBLISHED_COUNTS = (430, 240, 200, 145, 100, 70, 70, 35, 15)
#: Reaction to any image (relative to a field full of white) and R2 of the marked voxels.
MARKED_ON_RESPONSE = (2.0, 2.6, 1.6, 1.5)
MARKED_R2 = (0.595, 0.605, 0.55, 0.54)


def simulated_recording(data_dir=None):
    """Folder of the simulated recording, which is made at the first call.

    Parameters
    ----------
    data_dir : path, optional
        Where recordings are kept. Default: nilearn's data folders, the first that has it or else can be written to.

    Returns
    -------
    folder : Path
        ``.../voxelwise_simulated/<digest>/miyawaki2008``: its grandparent's name keeps it apart from the real recording,
        its parent's tells apart what different versions of this code make.

    Raises
    ------
    RecordingError
        If no folder can be written to, or the disk is full.
    """
    homes = [Path(home) / "voxelwise_simulated" / _digest() for home in get_data_dirs(data_dir)]
    for home in homes:
        if _is_whole(home / "miyawaki2008"):
            return home / "miyawaki2008"
    failures = []
    for home in homes:
        try:
            _make_in_place(home)
            return home / "miyawaki2008"
        except OSError as error:
            failures.append(f"{home}: {error.strerror or error}")
    raise RecordingError(
        "The simulated recording could not be written (it takes about 50 MB):\n  "
        + "\n  ".join(failures)
        + "\nFree some space, or name another folder with data_dir or the environment variable NILEARN_DATA."
    )


def _digest():
    """Short fingerprint of the code that makes the recording: another code, another folder."""
    sources = [Path(module) for module in (__file__, cortex.__file__, responses.__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:10]


def _is_whole(folder):
    """Whether every file that was written is there in its full size."""
    try:
        sizes = json.loads((folder / "manifest.json").read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _make_in_place(home):
    """Make the recording in a temporary folder, then move it to ``home`` in one step.

    A process that is killed leaves only a temporary folder; of two that make it at once, the later one finds the other's
    and takes that.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    for leftover in home.parent.glob(".making-*"):
        if time.time() - leftover.stat().st_mtime > 3600:
            shutil.rmtree(leftover, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=home.parent))
    try:
        write_recording(making / "new" / "miyawaki2008")
        if home.exists() and not _is_whole(home / "miyawaki2008"):
            os.rename(home, making / "damaged")
        try:
            os.rename(making / "new", home)
        except OSError:
            if not _is_whole(home / "miyawaki2008"):
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def write_recording(folder, n_jobs=2):
    """Write the whole simulated recording.

    Parameters
    ----------
    folder : path
        Made, and filled with ``func/``, ``label/``, ``mask/``, ``bg.nii.gz``, ``truth.tsv`` and ``manifest.json``.
    n_jobs : int
        How many runs are written at a time. The files are the same for any number.
    """
    folder = Path(folder)
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)

    rng = np.random.default_rng(SEED)
    mask = cortex.visual_cortex_mask()
    voxels = cortex.retinotopic_map(mask, rng)
    fields = cortex.true_fields(voxels).reshape(len(voxels), -1)
    images = experiment(rng)
    voxels = _answering(voxels, fields, [frames for name, frames in images.items() if "random" in name], rng)

    _write_masks(folder, mask, voxels)
    voxels.to_csv(folder / "truth.tsv", sep="\t", index_label="voxel", float_format="%.6f")
    jobs = (
        joblib.delayed(_write_run)(folder, name, frames, mask, voxels, fields, np.random.default_rng([SEED, number]))
        for number, (name, frames) in enumerate(images.items())
    )
    runs = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")(jobs)
    for _ in tqdm(runs, total=len(images), desc="Making the simulated recording", unit="run", disable=None):
        pass
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*.*"))}
    (folder / "manifest.json").write_text(json.dumps(sizes, indent=1))


def experiment(rng):
    """What was on the screen at each volume of each run.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    runs : dict of str -> ndarray of int8, shape (n_volumes, 10, 10)
        By the name of the run; 0 black, 1 white, -1 rest.
    """
    runs = {}
    for n_runs, drawings, scale in FIGURE_SETS:
        pictures = [np.kron(drawing, np.ones(scale, int)) for drawing in _drawings(drawings)]
        for _ in range(n_runs):
            order = rng.permutation(np.repeat(np.arange(len(pictures)), 2))
            runs[f"figure_run{len(runs) + 1:02}"] = _show([_on_screen(pictures[i]) for i in order], **FIGURE_TIMING)
    for number in range(1, N_RANDOM_RUNS + 1):
        pictures = rng.integers(0, 2, size=(RANDOM_TIMING["n_images"], *cortex.STIMULUS_SHAPE))
        runs[f"random_run{number:02}"] = _show(pictures, **RANDOM_TIMING)
    return runs


def _drawings(text):
    """The five 5 x 5 drawings that stand side by side in a text."""
    points = np.array([[list(word) for word in line.split()] for line in text.split("\n") if line])
    return (points == "#").astype(int).swapaxes(0, 1)


def _on_screen(picture):
    """A small picture in the middle of a black screen."""
    screen = np.zeros(cortex.STIMULUS_SHAPE, dtype=int)
    top, left = ((n - m) // 2 for n, m in zip(screen.shape, picture.shape, strict=True))
    screen[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return screen


def _show(pictures, n_volumes, start, n_images, on, rest):
    """One run: each picture for ``on`` volumes, with ``rest`` after it."""
    frames = np.full((n_volumes, *cortex.STIMULUS_SHAPE), REST, dtype=np.int8)
    for number, picture in enumerate(pictures[:n_images]):
        first = start + number * (on + rest)
        frames[first : first + on] = picture
    return frames


def _answering(voxels, fields, random_runs, rng):
    """Add to the table how strongly each voxel answers.

    The share of a voxel's variance that is signal is set such that the published pipeline finds the published histogram
    of R2: foveal voxels of early areas tend to come first, voxels whose field lies off the screen answer nothing.
    """
    rows, columns = cortex.STIMULUS_SHAPE
    seen = (
        (voxels["area"] != "") & voxels["row"].between(-0.5, rows - 0.5) & voxels["column"].between(-0.5, columns - 0.5)
    ).to_numpy()
    ring = voxels["area"].map({area: number // 2 for number, area in enumerate(cortex.AREAS)})
    favour = rng.normal(0, 0.8, len(voxels)) - 0.5 * ring - 0.1 * voxels["band"]
    on_response = rng.uniform(0.8, 2.2, len(voxels))

    r2 = np.full(len(voxels), _R2_OF_NOISE)
    n_faint = seen.sum() - sum(PUBLISHED_COUNTS)
    at_least = np.cumsum([0, n_faint, *PUBLISHED_COUNTS])
    edges = [_R2_OF_NOISE, *np.linspace(0.06, 0.54, 9), 0.595]
    r2[seen] = np.interp(favour[seen].rank() - 0.5, at_least, edges)
    marked = list(cortex.MARKED_COLUMNS)
    r2[marked] = MARKED_R2
    on_response[marked] = MARKED_ON_RESPONSE
    share = (r2 - _R2_OF_NOISE) / _R2_PER_SHARE

    voxels = voxels.assign(on_response=on_response, share=share)
    drive = np.concatenate([drive_voxels(frames, voxels, fields) for frames in random_runs])
    signal_sd = NOISE_SD * np.sqrt(share / (1 - share))
    gain = np.divide(signal_sd, drive.std(axis=0), out=np.zeros_like(share), where=share > 0)
    return voxels.assign(gain=gain)


def _write_run(folder, name, frames, mask, voxels, fields, rng):
    """One run's volumes and labels."""
    signal = voxels["gain"].to_numpy() * drive_voxels(frames, voxels, fields)
    values = BASELINE + signal + NOISE_SD * draw_noise(*signal.shape, rng)
    volumes = np.zeros((*mask.shape, len(frames)), dtype=np.int16, order="F")
    volumes[mask] = np.rint(values).T
    image = nibabel.Nifti1Image(volumes, cortex.AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = TR
    image.to_filename(folder / "func" / f"data_{name}.nii.gz")

    rows = frames.transpose(0, 2, 1).reshape(len(frames), -1)  # each image column by column, Fortran's order
    np.savetxt(folder / "label" / f"data_{name}_label.csv", rows, fmt="%d", delimiter=",")


def _write_masks(folder, mask, voxels):
    """The mask, the 38 regions, and the background image."""
    regions = {"mask": np.ones(len(voxels), dtype=bool)}
    for hemisphere in ("LH", "RH"):
        here = voxels["hemisphere"] == hemisphere
        for area in cortex.AREAS:
            regions[hemisphere + area] = here & (voxels["area"] == area)
        for band in range(cortex.N_BANDS):
            regions[f"{hemisphere}lag{band}to{band + 1}"] = here & (voxels["band"] == band)
    for name, inside in regions.items():
        volume = np.zeros(mask.shape, dtype=np.uint8)
        volume[mask] = inside
        nibabel.Nifti1Image(volume, cortex.AFFINE).to_filename(folder / "mask" / f"{name}.nii.gz")
    cortex.background_image().to_filename(folder / "bg.nii.gz")
