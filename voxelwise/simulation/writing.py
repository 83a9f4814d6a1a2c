"""The simulated recording's files, those of Miyawaki et al. (2008) in number, name and type; and ``truth.tsv``."""

import hashlib
import os
from pathlib import Path

import joblib
import nibabel
import numpy as np
from nilearn.datasets import get_data_dirs
from tqdm import tqdm

from ..errors import RecordingError
from ..files import replace_folder
from . import cortex, experiment, responses
from .responses import NOISE_SD, RUN_GAIN_SD, TR, draw_noise, drive_voxels, set_gains, share_noise

SEED = 2008
BASELINE = 1000.0


def simulated_recording(data_dir=None):
    """Folder of the simulated recording, in the first of nilearn's data folders that has it, or can be written to."""
    homes = [Path(home).expanduser() / "voxelwise_simulated" / _digest() for home in get_data_dirs(data_dir)]
    found = next(filter(os.path.isdir, homes), None)  # where one may not look, there is none
    return (found or first_writable(homes, _make, "The simulated recording, of 50 MB,")) / "miyawaki2008"


def first_writable(homes, make, what):
    """The first of some folders that ``make(home)`` can write to; a RecordingError tells why there is none."""
    failures = []
    for home in homes:
        try:
            make(home)
            return home
        except OSError as error:
            failures.append(f"{home}: {error.strerror or error}")
    raise RecordingError(
        f"{what} could not be written ({'; '.join(failures)}). Make one of these folders writable, free some space, or "
        "name another folder with data_dir or the environment variable NILEARN_DATA."
    )


def _make(home):
    """Write the recording; of two that do so at once, the later takes the other's, which may be in use by now."""
    with replace_folder(home, unless=home.is_dir) as making:
        write_recording(making / "miyawaki2008")


def _digest():
    """Short fingerprint of the code that makes the recording: another code, another folder."""
    sources = [Path(module) for module in (__file__, cortex.__file__, experiment.__file__, responses.__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:10]


def write_recording(folder):
    """Make and fill a folder."""
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)

    rng = np.random.default_rng(SEED)
    mask = cortex.visual_cortex_mask()
    voxels = cortex.retinotopic_map(mask, rng)
    stimuli = experiment.draw_stimuli()
    voxels = set_gains(voxels, mask, [frames for name, frames in stimuli.items() if "random" in name], rng)
    shares = share_noise(mask, rng)
    voxels["shared_noise"] = (shares**2).sum(axis=0)

    _write_masks(folder, mask, voxels)
    voxels.to_csv(folder / "truth.tsv", sep="\t", index_label="voxel", float_format="%.6f")
    jobs = (
        joblib.delayed(_write_run)(folder, name, frames, mask, voxels, shares, np.random.default_rng([SEED, number]))
        for number, (name, frames) in enumerate(stimuli.items())
    )
    runs = joblib.Parallel(n_jobs=2, prefer="threads", return_as="generator_unordered")(jobs)
    list(tqdm(runs, total=len(stimuli), desc="Making the simulated recording", unit="run", disable=None))


def _write_run(folder, name, frames, mask, voxels, shares, rng):
    """One run's volumes and labels."""
    signal = rng.normal(1, RUN_GAIN_SD) * voxels["gain"].to_numpy() * drive_voxels(frames, voxels)
    volumes = np.zeros((*mask.shape, len(frames)), dtype=np.int16, order="F")
    volumes[mask] = np.rint(BASELINE + signal + NOISE_SD * draw_noise(len(frames), shares, rng)).T
    run_image(volumes, cortex.AFFINE, TR).to_filename(folder / "func" / f"data_{name}.nii.gz")

    known = frames[:, 1:-1, 1:-1]  # no label tells the outermost pixels
    rows = known.transpose(0, 2, 1).reshape(len(frames), -1)  # each stimulus column by column, Fortran's order
    np.savetxt(folder / "label" / f"data_{name}_label.csv", rows, fmt="%d", delimiter=",")


def run_image(volumes, affine, t_r):
    """An image of a run's volumes, in mm and seconds."""
    image = nibabel.Nifti1Image(volumes, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = t_r
    return image


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
