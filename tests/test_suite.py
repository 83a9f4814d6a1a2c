"""The tests themselves: each one can fail, and each public function has one."""

import ast
import re
from types import SimpleNamespace

import pytest
import voxelwise
import voxelwise.plotting

from checks import repeat
from conftest import ROOT
from test_repository import git

FILES = sorted((ROOT / "tests").glob("*.py"))
#: A call that fails where something is wrong: of a library, of the tests' own, or `check_settings` of the book.
HOLDS = re.compile(r"pytest\.(raises|warns|fail)|testing\.assert_\w+|(check|compare|assert|wait_for)_\w+")


def find_tests(path):
    return [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]  # fmt: skip


def can_fail(test):
    calls = [ast.unparse(node.func) for node in ast.walk(test) if isinstance(node, ast.Call)]
    return any(isinstance(node, ast.Assert) for node in ast.walk(test)) or any(map(HOLDS.search, calls))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_test_holds_something(path):
    assert [test.name for test in find_tests(path) if not can_fail(test)] == []


@pytest.mark.parametrize("source, expected", [
    ("def test_a():\n    f(x)", False), ("def test_a():\n    assert f(x)", True),
    ("def test_a():\n    with pytest.raises(ValueError):\n        f(x)", True),
])
def test_a_test_that_holds_nothing_is_found(tmp_path, source, expected):
    (tmp_path / "test_made_up.py").write_text(source, encoding="utf-8")
    (test,) = find_tests(tmp_path / "test_made_up.py")
    assert can_fail(test) == expected


@pytest.mark.parametrize("package", [voxelwise, voxelwise.plotting], ids=["voxelwise", "plotting"])
def test_each_public_function_has_a_test(package):
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    used = {getattr(node, "id", getattr(node, "attr", None)) for tree in trees for node in ast.walk(tree)}
    assert {name for name in package.__all__ if name.islower()} - used == set()


LINES = {
    0: "==== 1666 passed, 4 skipped in 286.51s (0:04:46) ====\n",
    2: "F\n== 1 failed, 1664 passed, 4 skipped, 1 error in 298.26s (0:04:58) ==\nmake: *** [test] Error 1\n",
}


@pytest.fixture
def repeated(tmp_path, monkeypatch):
    """Ten runs that end at once, as one wants them to; the table that comes of them."""
    said = SimpleNamespace(codes=[0] * 20, tables=[])

    def run(command, **options):
        code = said.codes.pop(0)
        if code is None:
            raise KeyboardInterrupt
        return SimpleNamespace(returncode=code, stdout=LINES[code])

    monkeypatch.setattr(repeat, "RUNS", tmp_path / "_build" / "runs.json")
    monkeypatch.setattr(repeat, "fingerprint", lambda: "this code")
    monkeypatch.setattr(repeat.subprocess, "run", run)
    monkeypatch.setattr(repeat, "store", lambda name, text: said.tables.append(text))
    return said


def test_ten_runs_count_what_failed(repeated):
    repeated.codes = [0, 2, *[0] * 8]
    with pytest.raises(SystemExit, match="True"):
        repeat.main()
    rows = [line.split(" | ")[1:5] for line in repeated.tables[0].splitlines()[2:12]]
    assert rows == [["1666", "4", "0", "0"], ["1664", "4", "1", "1"], *[["1666", "4", "0", "0"]] * 8]


def test_ten_runs_go_on_where_they_were_interrupted(repeated, monkeypatch):
    repeated.codes[3] = None
    with pytest.raises(KeyboardInterrupt):
        repeat.main()
    with pytest.raises(SystemExit, match="False"):
        repeat.main()
    assert len(repeated.codes) == 20 - 11 and len(repeated.tables) == 1
    repeated.codes[:] = [0, None, *[0] * 10]
    with pytest.raises(KeyboardInterrupt):
        repeat.main()
    monkeypatch.setattr(repeat, "fingerprint", lambda: "another code")
    with pytest.raises(SystemExit):
        repeat.main()
    assert repeated.codes == []


def test_ten_runs_begin_anew_for_any_change_but_of_a_measured_table(tmp_path, monkeypatch):
    monkeypatch.setattr(repeat, "ROOT", tmp_path)
    monkeypatch.setattr(repeat, "MEASURED", tmp_path / "book" / "_measured")
    code, table = tmp_path / "code.py", tmp_path / "book" / "_measured" / "repeat.md"
    table.parent.mkdir(parents=True)
    found = []
    for path, text in [(code, "x = 1"), (table, "| 1 |"), (code, "x = 2")]:
        path.write_text(text, encoding="utf-8")
        if not found:
            git(tmp_path, "init")
        git(tmp_path, "add", ".")
        found.append(repeat.fingerprint())
    assert found[0] == found[1] != found[2]
