"""The simulated recording: its layout, its sameness, its making, and the truth that it is made from."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nilearn.datasets import fetch_miyawaki2008

from voxelwise import (
    RecordingError,
    is_rest,
    load_stimuli,
    retinotopy,
    simulated_voxels,
    simulation,
    true_fields,
    voxel_at,
)
from voxelwise.simulation.cortex import MARKED_COLUMNS, MARKED_VOXELS

PUBLISHED_HISTOGRAM = np.array([4190, 430, 240, 200, 145, 100, 70, 70, 35, 15])  # max(R2, 0) in bins of 0.06
PUBLISHED_STRONGEST = {1780: (4, 2), 1951: (4, 2), 2131: (3, 3), 1935: (4, 2)}


def test_nilearn_reads_it_without_a_network(recording, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    dataset = fetch_miyawaki2008(data_dir=recording.mask.parents[2], verbose=0)
    assert [len(dataset.func), len(dataset.label), len(dataset.mask_roi)] == [32, 32, 38]
    assert [str(path) for path in recording.func["figure"]] == [str(path) for path in dataset.func[:12]]
    assert [str(path) for path in recording.label["random"]] == [str(path) for path in dataset.label[12:]]


def test_runs_have_the_published_form(recording):
    for kind, n_runs, n_volumes in (("random", 20, 145), ("figure", 12, 130)):
        assert len(recording.func[kind]) == n_runs
        for path in recording.func[kind]:
            image = nibabel.load(path)
            assert image.shape == (64, 64, 30, n_volumes)
            assert image.get_data_dtype() == np.int16
            assert image.header.get_zooms() == (3, 3, 3, 2)


def test_random_runs_have_the_published_timing(recording):
    images = np.stack([load_stimuli(path) for path in recording.label["random"]])
    block = [True] * 3 + [False] * 3
    for frames in images:
        assert (~is_rest(frames)).tolist() == [False] * 10 + block * 22 + [False] * 3
    shown = images[:, 10:142].reshape(20 * 22, 6, 100)[:, :3]
    assert (shown == shown[:, :1]).all()
    assert len(np.unique(shown[:, 0], axis=0)) == 440
    assert 0.48 < shown.mean() < 0.52


def test_figure_runs_show_each_image_twice(recording):
    for path in recording.label["figure"]:
        frames = load_stimuli(path)
        assert (~is_rest(frames)).tolist() == [False] * 10 + ([True] * 6 + [False] * 6) * 10
        _, counts = np.unique(frames[10::12].reshape(10, -1), axis=0, return_counts=True)
        assert counts.tolist() == [2] * 5


def test_marked_voxels_have_the_published_columns(samples):
    assert samples.responses.shape == (2860, 5438)
    assert [voxel_at(samples.mask_img, position) for position in MARKED_VOXELS] == list(MARKED_COLUMNS)


def test_published_pipeline_finds_the_published_scores(scores):
    assert 0.5 < scores.max() < 0.65
    found, _ = np.histogram(np.maximum(scores, 0), np.arange(11) * 0.06)
    below = slice(0, 8)  # the bins under 0.48
    np.testing.assert_allclose(found[below], PUBLISHED_HISTOGRAM[below], rtol=1 / 3)


def test_marked_fields_are_strongest_at_the_published_pixel(recording):
    for column, pixel in PUBLISHED_STRONGEST.items():
        field = true_fields(recording.truth.iloc[[column]])[0]
        assert np.unravel_index(field.argmax(), field.shape) == pixel


def test_voxels_without_signal_are_not_predicted(recording, scores):
    silent = (recording.truth["share"] == 0).to_numpy()
    assert silent.sum() > 2000
    assert scores[silent].max() < 0.06
    strong = (recording.truth["share"] > 0.5).to_numpy()
    assert scores[strong].min() > 0.2


def test_map_of_the_visual_field(recording):
    truth = recording.truth[recording.truth["area"] != ""].drop(index=list(MARKED_COLUMNS))
    left, upper = truth["column"] < 3.5, truth["row"] < 3.5
    assert (truth.loc[left, "hemisphere"] == "RH").mean() > 0.99
    assert truth.loc[upper, "area"].isin(["V1v", "V2v", "VP", "V4v"]).mean() > 0.99
    size = truth.groupby("area")["size"].median()
    assert size["V1v"] < size["V2v"] < size["VP"] < size["V4v"]
    far = truth.groupby("band")["size"].mean()
    assert far[0] < far[5] < far[10]


def test_regions_follow_the_truth(recording):
    mask = nibabel.load(recording.mask).get_fdata() > 0
    areas = np.array(recording.truth["hemisphere"] + recording.truth["area"])
    for name in ("LHV1v", "RHV3A", "RHVP"):
        inside = nibabel.load(recording.rois[name]).get_fdata()[mask] > 0
        assert inside.sum() > 0
        np.testing.assert_array_equal(inside, areas == name)


def test_response_is_what_the_truth_says(recording, samples):
    """The responses of a well-driven voxel follow its true field better than any other voxel's."""
    truth = recording.truth
    strongest = truth["share"].nlargest(50).index
    frames = samples.stimuli.reshape(-1, 10, 10)
    white = (frames == 1).reshape(len(frames), -1) @ true_fields(truth.loc[strongest]).reshape(50, -1).T
    shown = ~is_rest(frames)
    agreement = np.corrcoef(white[shown].T, samples.responses[shown][:, strongest].T)[:50, 50:]
    assert np.median(np.diag(agreement)) > 0.4
    assert np.median(np.diag(agreement)) > 3 * np.median(agreement)


@pytest.fixture
def quick_making(monkeypatch):
    """Instead of the whole recording, one small file; counts how often it is made."""
    made = []

    def write(folder):
        folder.mkdir(parents=True)
        (folder / "data.txt").write_text("whole")
        (folder / "manifest.json").write_text('{"data.txt": 5}')
        made.append(folder)

    monkeypatch.setattr(simulation, "write_recording", write)
    return made


def test_asked_for_twice_at_once(quick_making, tmp_path, monkeypatch):
    """Both write until both have; the one that is later finds the other's in place, and takes that."""
    both, write = threading.Barrier(2, timeout=60), simulation.write_recording
    monkeypatch.setattr(simulation, "write_recording", lambda folder: (write(folder), both.wait()))
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(simulation.simulated_recording, [tmp_path, tmp_path])
    assert one == other and len(quick_making) == 2
    assert (one / "data.txt").read_text() == "whole"
    assert [path.name for path in one.parents[1].iterdir()] == [one.parent.name], "nothing is left lying about"


def test_made_once(quick_making, tmp_path):
    assert simulation.simulated_recording(tmp_path) == simulation.simulated_recording(tmp_path)
    assert len(quick_making) == 1


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_text("wh"), lambda path: path.unlink()], ids=["cut", "gone"]
)
def test_damaged_files_are_made_again(quick_making, tmp_path, damage):
    folder = simulation.simulated_recording(tmp_path)
    damage(folder / "data.txt")
    assert simulation.simulated_recording(tmp_path) == folder
    assert (folder / "data.txt").read_text(encoding="utf-8") == "whole"
    assert len(list(folder.parents[1].iterdir())) == 1, "nothing is left lying about"


def test_old_leftovers_are_cleared_and_young_ones_spared(quick_making, tmp_path):
    old, young = (tmp_path / "voxelwise_simulated" / name for name in (".making-old", ".making-young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 7200,) * 2)
    simulation.simulated_recording(tmp_path)
    assert not old.exists() and young.exists()


def test_a_full_disk_is_said_and_leaves_nothing(quick_making, tmp_path, monkeypatch):
    def full(folder):
        folder.mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(simulation, "write_recording", full)
    with pytest.raises(RecordingError, match=r"(?s)could not be written.*No space left.*data_dir"):
        simulation.simulated_recording(tmp_path)
    assert not list((tmp_path / "voxelwise_simulated").iterdir())


@pytest.mark.parametrize("module", [simulation, retinotopy, simulated_voxels], ids=lambda module: module.__name__)
def test_other_code_other_folder(quick_making, tmp_path, monkeypatch, module):
    folder = simulation.simulated_recording(tmp_path)
    edited = tmp_path / "edited.py"
    edited.write_bytes(Path(module.__file__).read_bytes() + b"# edited\n")
    monkeypatch.setattr(module, "__file__", str(edited))
    assert simulation.simulated_recording(tmp_path) != folder
