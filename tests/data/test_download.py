"""The download of the real recording, whatever its home sends, or does not."""

import io
import os
import tarfile
from types import SimpleNamespace

import pytest
import requests

from voxelwise import RecordingError
from voxelwise.data.download import ADDRESS, FILES, NAME, fetch_recording

CONTENTS = {name: os.urandom(200) + name.encode() for name in FILES}
MINE = {FILES[0]: b"", "func/notes.txt": b"my notes"}


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
    """In its place: what it answers, an archive or an error, and what it was asked for."""
    server = SimpleNamespace(answer=ARCHIVE, asked=[])

    def send(session, request, **options):
        server.asked.append(request.url)
        if isinstance(server.answer, Exception):
            raise server.answer
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO(server.answer)
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    return server


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_download_and_then_offline(server, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = fetch_recording("new/data")
    assert folder == tmp_path / "new" / "data" / NAME
    assert files_in(folder) == CONTENTS and list(folder.parent.iterdir()) == [folder]
    said = capsys.readouterr()
    assert ADDRESS in said.err and str(folder) in said.err and not said.out
    monkeypatch.setenv("NILEARN_DATA", str(folder.parent))
    assert fetch_recording(f"elsewhere{os.pathsep}new/data") == fetch_recording() == folder
    assert server.asked == [ADDRESS] and not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (requests.ConnectionError("no way there"), "no way there"),
        (b"<html>Please log in.", "unknown archive"),
        (ARCHIVE[:-8] + bytes(4) + ARCHIVE[-4:], "CRC check"),
        (pack({name: CONTENTS[name] for name in FILES[5:]}), rf"(?s)not provided.*{FILES[0]}"),
        (pack(CONTENTS | {"bg.nii.gz": b""}), "1 of the files are empty, such as bg.nii.gz"),
        (pack({f"../{name}": content for name, content in CONTENTS.items()}), "Path Traversal"),
    ],
)
def test_a_failure_is_explained_and_leaves_no_trace(server, tmp_path, answer, message):
    server.answer, folder = answer, tmp_path / NAME
    for name, content in MINE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with pytest.raises(RecordingError, match=message) as failed:
        fetch_recording(tmp_path)
    assert all(part in str(failed.value) for part in (ADDRESS, str(folder), "by hand", "NILEARN_DATA"))
    assert files_in(tmp_path) == {f"{NAME}/{name}": content for name, content in MINE.items()}
    server.answer = ARCHIVE
    assert fetch_recording(tmp_path) == folder
    assert files_in(folder) == MINE | CONTENTS and list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    """The next folder is tried; in the end all that were tried are named."""
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match=r"could not be written.*file.1: .*file: .*NILEARN_DATA"):
        fetch_recording(f"{tmp_path}/file/1{os.pathsep}{tmp_path}/file")
    assert not server.asked
    assert fetch_recording(f"{tmp_path / 'file'}{os.pathsep}{tmp_path}") == tmp_path / NAME
