"""The download of the real recording, from a server on this computer that stands in for its home."""

import contextlib
import errno
import functools
import inspect
import io
import os
import shutil
import socket
import tarfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from nilearn.datasets import _utils as nilearn_utils
from nilearn.datasets import fetch_miyawaki2008

from voxelwise import RecordingError, download, load_recording
from voxelwise.data.download import FILES, NAME, fetch_recording
from voxelwise.simulation.writing import simulated_recording


@dataclass
class Answer:
    """How the server answers a request."""

    body: bytes
    status: int = 200
    kind: str = "application/binary"
    size: int | None = None  # that it announces; default: of the body
    cut: int | None = None  # after how many bytes it hangs up
    silent_at: int | None = None  # after how many bytes (0: before the headers) it sends no more, but does not hang up
    pause: float = 0.0  # seconds, in the middle


class Handler(BaseHTTPRequestHandler):
    """Gives the server's answer."""

    def do_GET(self):
        with contextlib.suppress(ConnectionError):  # who only looks at the answer hangs up
            self.give(self.server.answer)

    def give(self, answer):
        if answer.silent_at == 0:
            self.server.closing.wait(30)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body) if answer.size is None else answer.size))
        self.end_headers()
        end = next((n for n in (answer.cut, answer.silent_at) if n is not None), len(answer.body))
        self.wfile.write(answer.body[: end // 2])
        self.server.closing.wait(answer.pause)
        self.wfile.write(answer.body[end // 2 : end])
        if answer.silent_at is not None:
            self.server.closing.wait(30)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """Runs in a thread until it is closed; then no thread and no socket is left."""

    daemon_threads = False  # so that closing waits for the answers under way

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.closing = answer, threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        if not self.closing.is_set():
            self.closing.set()
            self.shutdown()
            self.thread.join()
            self.server_close()


def pack(contents):
    """A .tgz with these files, by name; as in the real one, their names begin with func/, label/ and so on."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def pack_with_link():
    """A .tgz that leads out of its folder through a link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        link, through = tarfile.TarInfo("func"), tarfile.TarInfo(FILES[0])
        link.type, link.linkname = tarfile.SYMTYPE, "../../../.."
        archive.addfile(link)
        archive.addfile(through)
    return packed.getvalue()


SMALL_FILES = {name: os.urandom(200) + name.encode() for name in FILES}
SMALL = pack(SMALL_FILES)
PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"
MINE = {
    FILES[0]: b"incomplete",
    "func/notes.txt": b"my notes",
    "a41c/miyawaki2008.tgz.part": b"of an earlier download without this module",
}


@pytest.fixture(scope="session")
def large_archive(tmp_path_factory):
    """The simulated recording, packed."""
    path = tmp_path_factory.mktemp("archive") / "miyawaki2008.tgz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in FILES:
            archive.add(simulated_recording() / name, name)
    return path.read_bytes()


@pytest.fixture
def server(monkeypatch):
    """A server, as the recording's home, that answers with a small archive; ``server.requests`` are those it got."""
    server = Server(Answer(SMALL))
    server.base, server.requests = f"http://127.0.0.1:{server.server_port}/", []
    send = requests.adapters.HTTPAdapter.send

    def send_here(adapter, request, **kwargs):
        server.requests.append(request.url)
        assert request.url.startswith("https://www.nitrc.org/")
        request.url = request.url.replace("https://www.nitrc.org/", server.base)
        return send(adapter, request, **{**kwargs, "proxies": {}})

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send_here)
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(SMALL))
    # With each message nilearn names its caller: it goes through all modules, of which the tests have thousands.
    monkeypatch.setattr(inspect, "getmodule", lambda *_: None)
    yield server
    server.close()


def write(folder, contents):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def snapshot(folder):
    """Everything in a folder: content of the files, None for folders."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def files_in(folder):
    return {name: content for name, content in snapshot(folder).items() if content is not None}


def test_the_list_of_files_is_nilearns(server, tmp_path, capsys):
    fetched = fetch_miyawaki2008(data_dir=tmp_path, verbose=0)
    names = [fetched.mask, fetched.background, *fetched.func, *fetched.label, *fetched.mask_roi]
    assert sorted(os.path.relpath(name, tmp_path / NAME) for name in names) == sorted(FILES)
    assert len(FILES) == len(set(FILES)) == 32 + 32 + 39 + 1


def test_a_whole_download_and_then_offline(server, large_archive, monkeypatch, tmp_path, capsys):
    server.answer = Answer(large_archive, pause=1.2)  # nilearn reports once a second
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(large_archive))
    recording = load_recording("miyawaki2008", data_dir=tmp_path / "new" / "data")
    folder = tmp_path / "new" / "data" / NAME
    assert (recording.name, recording.mask) == ("miyawaki2008", folder / "mask" / "mask.nii.gz")
    assert server.requests == [download.ADDRESS] * 2  # a look, then nilearn's download
    assert files_in(folder) == {name: (simulated_recording() / name).read_bytes() for name in FILES}
    assert sorted(path.name for path in folder.iterdir()) == ["bg.nii.gz", "func", "label", "mask"]

    said = capsys.readouterr()
    for part in (f"{len(large_archive) / 1e6:.0f} MB", download.ADDRESS, str(folder)):
        assert part in said.err
    assert f"of {len(large_archive)} bytes" in said.out

    server.close()
    server.requests.clear()
    assert load_recording("miyawaki2008", data_dir=str(tmp_path / "new" / "data")) == recording
    assert server.requests == []
    assert capsys.readouterr() == ("", "")


def test_the_real_size_is_announced_before_the_first_request(monkeypatch, tmp_path, capsys):
    said = []

    def get(*args, **kwargs):
        said.append(capsys.readouterr().err)
        raise requests.ConnectionError("nobody there")

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(RecordingError, match="nobody there"):
        fetch_recording(tmp_path)
    assert "161 MB" in said[0]


def test_a_whole_folder_is_found_wherever_it_lies(server, monkeypatch, tmp_path):
    write(tmp_path / "second" / NAME, SMALL_FILES)
    assert fetch_recording(f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}") == tmp_path / "second" / NAME
    monkeypatch.setenv("NILEARN_DATA", str(tmp_path / "second"))
    assert fetch_recording() == tmp_path / "second" / NAME
    assert server.requests == [] and not (tmp_path / "first").exists()


def test_the_next_folder_is_taken_if_the_first_cannot_be_written_to(server, tmp_path):
    (tmp_path / "first").write_text("not a folder")
    assert fetch_recording(f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}") == tmp_path / "second" / NAME


def test_a_server_may_leave_the_size_open(server, monkeypatch, tmp_path):
    header = Handler.send_header
    monkeypatch.setattr(Handler, "send_header", lambda h, k, v: k == "Content-Length" or header(h, k, v))
    assert files_in(fetch_recording(tmp_path)) == SMALL_FILES


def test_what_a_killed_process_left_is_removed_after_a_day(server, tmp_path):
    old, recent = (tmp_path / NAME / f".downloading-{name}" for name in ("old", "recent"))
    for leftover in (old, recent):
        write(leftover, {"part": b"1"})
    os.utime(old, (time.time() - 100_000,) * 2)
    fetch_recording(tmp_path)
    assert recent.exists() and not old.exists()


# What can go wrong, and what is said about it. Each function makes it go wrong.

FAILURES = []


def failure(message):
    def add(break_it):
        FAILURES.append(pytest.param(break_it, message, id=break_it.__name__))
        return break_it

    return add


@failure("ADDRESS: the server answered with status 500 Internal Server Error; expected status 200")
def status_500(server, monkeypatch):
    server.answer = Answer(b"", status=500)


@failure("ADDRESS: the server answered with status 404 Not Found; expected status 200")
def status_404(server, monkeypatch):
    server.answer = Answer(PAGE, status=404, kind="text/html")


@failure(r"ADDRESS: the server sent something else \(text/html; charset=utf-8, .* 3c 21\); expected .* gzip archive")
def html_page(server, monkeypatch):
    server.answer = Answer(PAGE, kind="text/html; charset=utf-8")


@failure(r"ADDRESS: the server sent something else \(application/binary, .* 3c 21\); expected .* gzip archive")
def html_page_that_claims_to_be_an_archive(server, monkeypatch):
    server.answer = Answer(PAGE)


@failure(r"ADDRESS: the server sent something else \(text/html, .* 1f 8b\)")
def compressed_html_page(server, monkeypatch):
    server.answer = Answer(SMALL, kind="text/html")


@failure(r"ADDRESS: the server sent something else .*\(none\)")
def empty_answer(server, monkeypatch):
    server.answer = Answer(b"")


@failure(f"ADDRESS: the server sent a file of {len(SMALL) + 9} bytes; expected .* {len(SMALL)} bytes")
def wrong_size(server, monkeypatch):
    server.answer = Answer(SMALL + bytes(9))


@failure("ADDRESS: the server did not answer .*Connection refused.*Check the network.*by hand")
def refused_connection(server, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        server.base = f"http://127.0.0.1:{closed.getsockname()[1]}/"


@failure("ADDRESS: the server did not answer .*Name or service not known")
def unknown_name(server, monkeypatch):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@failure("ADDRESS: the server did not answer .*timed out")
def timeout(server, monkeypatch):
    server.answer = Answer(SMALL, silent_at=0)
    monkeypatch.setattr(download, "TIMEOUT", 0.1)


@failure("ADDRESS: the server did not answer .*0 bytes read")
def cut_before_the_first_byte(server, monkeypatch):
    server.answer = Answer(SMALL, cut=0)


@failure(rf"from ADDRESS to FOLDER broke off: IncompleteRead\({len(SMALL) // 2} bytes read, .*Try again")
def cut_halfway(server, monkeypatch):
    server.answer = Answer(SMALL, cut=len(SMALL) // 2)


@failure("from ADDRESS to FOLDER broke off: .*timed out.*Try again")
def silence_halfway(server, monkeypatch):
    server.answer = Answer(SMALL, silent_at=len(SMALL) // 2)
    monkeypatch.setattr(nilearn_utils, "_REQUESTS_TIMEOUT", (1, 0.1))


@failure("from ADDRESS to FOLDER broke off: .*503 Server Error")
def status_503_at_the_second_request(server, monkeypatch):
    send = Server.finish_request

    def finish_request(self, *args):
        if len(server.requests) == 2:
            self.answer = Answer(b"", status=503)
        send(self, *args)

    monkeypatch.setattr(Server, "finish_request", finish_request)


@failure("broke off: .*Compressed file ended before the end-of-stream marker.*whole archive of .* 104 files.*Try again")
def truncated_archive(server, monkeypatch):
    server.answer = Answer(SMALL[:-300])
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(SMALL) - 300)


@failure("broke off: .*(Error -3|CRC check failed).*by hand")
def damaged_archive(server, monkeypatch):
    server.answer = Answer(SMALL[:4000] + bytes(200) + SMALL[4200:])


@failure("broke off: .*would link to .*outside the destination")
def archive_that_leads_elsewhere(server, monkeypatch):
    server.answer = Answer(pack_with_link())
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(server.answer.body))


def serve_files(server, monkeypatch, contents):
    server.answer = Answer(pack(contents))
    monkeypatch.setattr(download, "ARCHIVE_BYTES", len(server.answer.body))


@failure(r"lacks 5 of the 104 files .* FOLDER.*: label/data_figure_run01_label.csv, .*run03_label.csv, \.\.\.\. Try")
def archive_without_some_files(server, monkeypatch):
    lacking = FILES[32:37]
    serve_files(server, monkeypatch, {n: content for n, content in SMALL_FILES.items() if n not in lacking})


@failure(r"lacks 1 of the 104 files .*empty: bg.nii.gz\. ")
def archive_without_background(server, monkeypatch):
    serve_files(server, monkeypatch, {n: content for n, content in SMALL_FILES.items() if n != "bg.nii.gz"})


@failure("lacks 104 of the 104 files")
def archive_with_another_layout(server, monkeypatch):
    serve_files(server, monkeypatch, {f"other/{n}": content for n, content in SMALL_FILES.items()})


@failure(r"lacks 1 of the 104 files .*empty: mask/mask.nii.gz\. ")
def archive_with_an_empty_file(server, monkeypatch):
    serve_files(server, monkeypatch, {**SMALL_FILES, "mask/mask.nii.gz": b""})


@failure("FOLDER: 100 MB are free on this disk; .* takes 354 MB while .*Free some space, or name another folder")
def full_disk(server, monkeypatch):
    monkeypatch.setattr(download, "ARCHIVE_BYTES", 161_069_109)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 9 * 10**8, 10**8))


def fail_after(n_calls, function, code):
    """``function``, of which the call after so many raises an error of the system."""
    calls = []

    @functools.wraps(function)
    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) > n_calls:
            raise OSError(code, os.strerror(code))
        return function(*args, **kwargs)

    return failing


@failure("FOLDER broke off: .*No space left on device.*Free some space, or name another folder")
def disk_full_while_downloading(server, monkeypatch):
    def write_some(response, local_file, **kwargs):
        local_file.write(response.raw.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nilearn_utils, "_chunk_read_", write_some)


@failure("FOLDER broke off: .*No space left on device.*Free some space, or name another folder")
def disk_full_while_unpacking(server, monkeypatch):
    monkeypatch.setattr(tarfile, "copyfileobj", fail_after(20, tarfile.copyfileobj, errno.ENOSPC))


@failure("FOLDER broke off: .*Permission denied.*Try again")
def files_that_cannot_be_moved(server, monkeypatch):
    def replace(source, target, move=os.replace):
        if target.name == FILES[40].split("/")[1] and target.parent.parent.name == NAME:
            raise PermissionError(errno.EACCES, "Permission denied")
        move(source, target)

    monkeypatch.setattr(os, "replace", replace)


@pytest.mark.parametrize("there_before", [{}, MINE], ids=["new", "partly_there"])
@pytest.mark.parametrize(("break_it", "message"), FAILURES)
def test_a_failure_is_explained_and_leaves_no_trace(server, monkeypatch, tmp_path, break_it, message, there_before):
    folder = tmp_path / "data" / NAME
    write(folder, there_before)
    before, base = snapshot(tmp_path), server.base
    with monkeypatch.context() as patch:
        break_it(server, patch)
        message = message.replace("ADDRESS", "https://www.nitrc.org/.*1").replace("FOLDER", str(folder))
        with pytest.raises(RecordingError, match=message):
            fetch_recording(tmp_path / "data")
    assert snapshot(tmp_path) == before

    server.answer, server.base = Answer(SMALL), base
    assert fetch_recording(tmp_path / "data") == folder
    assert files_in(folder) == {**there_before, **SMALL_FILES}


@pytest.mark.parametrize("break_it", [refused_connection, cut_halfway, truncated_archive])
def test_an_error_that_was_there_before_is_not_taken_for_the_reason(server, monkeypatch, tmp_path, break_it):
    break_it(server, monkeypatch)
    try:
        raise KeyError("unrelated")
    except KeyError:
        with pytest.raises(RecordingError, match="Connection refused|IncompleteRead|Compressed file ended") as failed:
            fetch_recording(tmp_path)
    assert "unrelated" not in str(failed.value)


@pytest.mark.parametrize("place", ["data", f"data/{NAME}", f"data/{NAME}/func"])
def test_a_folder_that_cannot_be_written_to(server, tmp_path, place):
    """Not even root can make a folder where a file lies."""
    write(tmp_path, {place: b"a file"})
    before = snapshot(tmp_path)
    with pytest.raises(RecordingError, match="(?s)data/miyawaki2008.*(File exists|Not a directory).*NILEARN_DATA"):
        fetch_recording(tmp_path / "data")
    assert snapshot(tmp_path) == before
    (tmp_path / place).unlink()
    assert files_in(fetch_recording(tmp_path / "data")) == SMALL_FILES


def test_an_interrupted_download_leaves_no_trace(server, monkeypatch, tmp_path):
    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "makefile", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_recording(tmp_path / "data")
    assert snapshot(tmp_path) == {}
    assert tarfile.TarFile.extraction_filter is None
    assert files_in(fetch_recording(tmp_path / "data")) == SMALL_FILES


def test_two_downloads_at_once(server, monkeypatch, tmp_path):
    """The one that ends later finds the recording there, and leaves it."""
    fetch = download.fetch_miyawaki2008

    def fetch_while_another_ends(**kwargs):
        monkeypatch.setattr(download, "fetch_miyawaki2008", fetch)
        inodes.append((fetch_recording(tmp_path) / FILES[0]).stat().st_ino)
        fetch(**kwargs)

    inodes = []
    monkeypatch.setattr(download, "fetch_miyawaki2008", fetch_while_another_ends)
    folder = fetch_recording(tmp_path)
    assert files_in(folder) == SMALL_FILES
    assert inodes == [(folder / FILES[0]).stat().st_ino]
    assert len(server.requests) == 4


def test_threads_and_sockets_are_closed(server, tmp_path):
    fetch_recording(tmp_path)
    server.close()
    assert server.thread not in threading.enumerate()
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name]
