"""The tests themselves: each one can fail, and each public function has one."""

import ast
import re

import pytest
import voxelwise
import voxelwise.plotting

from conftest import ROOT

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
