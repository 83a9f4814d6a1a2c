"""Each change of `make mutants` still fits the book as it is; running them takes far longer, and is not done here."""

import nbformat
import pytest

from checks.mutants import Mutant, mutate, read_mutants
from checks.stored import replacing
from conftest import ROOT

MUTANTS = read_mutants()


def test_names_are_unique_and_tests_exist():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) > 75
    for mutant in MUTANTS:
        named = [word for word in f"{mutant.tests} {mutant.more}".split() if word.startswith(("tests/", "book/"))]
        assert named and all((ROOT / name.partition("::")[0]).is_file() for name in named), mutant.name


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_change_applies_and_changes_something(mutant):
    before, after = (ROOT / mutant.file).read_text(encoding="utf-8"), mutate(mutant)
    assert after != before
    if mutant.file.endswith(".py"):
        compile(after, mutant.file, "exec")  # a program that cannot be read is caught by anything
    if mutant.file.endswith(".ipynb"):
        nbformat.reads(after, as_version=4)


@pytest.mark.parametrize("old", ["missing", "twice"])
def test_text_that_is_not_there_once_is_told(old, tmp_path):
    (tmp_path / "file").write_text("once, twice, twice")
    mutant = Mutant("part", "part.name", "file", replacing(old, "other"), "tests/test_mutants.py")
    with pytest.raises(ValueError, match=f"part.name: file: '{old}' stands in it [02] times"):
        mutate(mutant, tmp_path)


def test_every_module_is_changed_somewhere():
    changed = {mutant.file for mutant in MUTANTS}
    modules = [path for room in ("book/voxelwise", "press") for path in (ROOT / room).rglob("*.*")]
    own = {path.relative_to(ROOT).as_posix() for path in modules if path.suffix in (".py", ".js")}
    without = ("/__init__.py", "/__main__.py", "/errors.py")
    assert {path for path in own - changed if not path.endswith(without)} == set()
