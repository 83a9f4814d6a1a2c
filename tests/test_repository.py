"""Where the book is kept, as git says it: only an address that anyone can reach makes buttons."""

import subprocess

import pytest

from press.repository import describe_commit, find_address


def git(folder, *arguments):
    folder.mkdir(exist_ok=True)
    names = ["-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *names, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("remote", [
    "https://github.com/some-one/a.book.git", "https://github.com/some-one/a.book",
    "https://github.com/some-one/a.book/",
    "git@github.com:some-one/a.book.git", "ssh://git@github.com/some-one/a.book.git",
    "https://name:secret@github.com/some-one/a.book.git",
])
def test_all_forms_of_an_address_on_github(remote, tmp_path):
    git(tmp_path / "book", "init")
    git(tmp_path / "book", "remote", "add", "origin", remote)
    assert find_address(tmp_path / "book") == "https://github.com/some-one/a.book"


@pytest.mark.parametrize("remote", [
    "/srv/git/github.com/some-one/a.book", "../a.book", "https://gitlab.com/some-one/a.book.git",
    "https://github.com.example.org/some-one/a.book", "git@example.org:github.com/some-one/a.book.git",
    "https://github.com/some-one", "https://github.com/some-one/a.book/wiki",
    "file:///mirrors/git@github.com:some-one/a.book",
])
def test_other_places_have_no_address(remote, tmp_path):
    git(tmp_path / "book", "init")
    git(tmp_path / "book", "remote", "add", "origin", remote)
    assert find_address(tmp_path / "book") is None


def test_no_remote_no_repository_and_the_repository_of_a_folder_above(tmp_path):
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://github.com/some-one/dot-files")
    git(tmp_path, "commit", "--allow-empty", "-m", "Start")
    (tmp_path / "copy").mkdir()
    assert find_address(tmp_path / "copy") is None and describe_commit(tmp_path / "copy") is None
    git(tmp_path / "own", "init")
    assert find_address(tmp_path / "own") is None and describe_commit(tmp_path / "own") is None


def test_without_git_there_is_no_answer(tmp_path, monkeypatch):
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://github.com/some-one/a.book")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_address(tmp_path) is None


def test_the_commit_and_whether_files_differ_from_it(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "page.md").write_text("one")
    git(tmp_path, "add", "page.md")
    git(tmp_path, "commit", "-m", "Start")
    git(tmp_path, "tag", "v1", "-m", "a tag does not replace the commit")
    head = (tmp_path / ".git" / "HEAD").read_text(encoding="utf-8").split()[1]
    commit = (tmp_path / ".git" / head).read_text(encoding="utf-8")
    assert len(describe_commit(tmp_path)) >= 7 and commit.startswith(describe_commit(tmp_path))
    (tmp_path / "page.md").write_text("two")
    described, _, more = describe_commit(tmp_path).partition(", ")
    assert commit.startswith(described) and more == "with changes since"
