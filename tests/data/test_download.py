"""The download of the real recording, whatever its home sends, or does not."""

import io
import os
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from voxelwise import RecordingError
from voxelwise.data import download
from voxelwise.data.download import FILES, NAME, fetch_recording

CONTENTS = {name: os.urandom(200) + name.encode() for name in FILES}
MINE = {FILES[0]: b"incomplete", "func/notes.txt": b"my notes"}


def pack(contents):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = pack(CONTENTS)


@pytest.fixture
def server(monkeypatch):
    """In its place: what it answers, an archive or an error, and how often it was asked."""
    server = SimpleNamespace(answer=ARCHIVE, requests=0)

    def retrieve(address, known_hash, fname, path, **options):
        server.requests += 1
        if isinstance(server.answer, Exception):
            raise server.answer
        (Path(path) / fname).write_bytes(server.answer)
        return str(Path(path) / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(ARCHIVE))
    return server


def write(folder, contents):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_download_and_then_offline(server, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = fetch_recording("new/data")
    assert folder == tmp_path / "new" / "data" / NAME
    assert files_in(folder) == CONTENTS and list(folder.parent.iterdir()) == [folder]
    said = capsys.readouterr().err
    assert download.ADDRESS in said and str(folder) in said
    monkeypatch.setenv("NILEARN_DATA", str(folder.parent))
    assert fetch_recording(f"elsewhere{os.pathsep}new/data") == fetch_recording() == folder
    assert server.requests == 1 and not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (OSError("404 Not Found"), "404"),
        (b"<html>Please log in.", "no archive, .*Please log in"),
        (ARCHIVE[:5000], "ended before the end-of-stream"),
        (ARCHIVE[:-8] + bytes(4) + ARCHIVE[-4:], "CRC check"),
        (pack({name: CONTENTS[name] for name in FILES[5:]}), f"5 of the files .* such as {FILES[0]}"),
        (pack(CONTENTS | {"bg.nii.gz": b""}), "1 of the files .* such as bg.nii.gz"),
        (pack({f"../{name}": content for name, content in CONTENTS.items()}), "104 of the files"),
        (pack(CONTENTS | {FILES[0]: bytes(3 * len(ARCHIVE))}), "more than 2 times"),
    ],
)
def test_a_failure_is_explained_and_leaves_no_trace(server, tmp_path, answer, message):
    server.answer, folder = answer, tmp_path / NAME
    write(folder, MINE)
    with pytest.raises(RecordingError, match=message) as failed:
        fetch_recording(tmp_path)
    assert all(part in str(failed.value) for part in (download.ADDRESS, str(folder), "by hand", "NILEARN_DATA"))
    assert files_in(tmp_path) == {f"{NAME}/{name}": content for name, content in MINE.items()}
    server.answer = ARCHIVE
    assert fetch_recording(tmp_path) == folder
    assert files_in(folder) == MINE | CONTENTS and list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_is_told(server, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 2 * len(ARCHIVE)))
    with pytest.raises(RecordingError, match=f"{tmp_path}.* MB are free .*Free some"):
        fetch_recording(tmp_path)


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    write(tmp_path, {"file": b"", f"data/{NAME}": b"a file"})
    for folder, message in (("file", f"{tmp_path}/file.*(File exists|Not a dir).*NILEARN_DATA"), ("data", "is a file")):
        with pytest.raises(RecordingError, match=message):
            fetch_recording(tmp_path / folder)
    assert server.requests == 0 and (tmp_path / "data" / NAME).read_bytes() == b"a file"
    assert fetch_recording(f"{tmp_path / 'file'}{os.pathsep}{tmp_path}") == tmp_path / NAME
