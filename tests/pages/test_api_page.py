"""The API page: every public name once, from docstrings that render without a fault."""

import re
from collections import Counter

import pytest

import voxelwise
from voxelwise import explorer


@pytest.fixture(scope="module")
def page(pages):
    """The page as HTML."""
    return (pages / "book" / "api.html").read_text(encoding="utf-8")


def documented(page):
    return re.findall(r'<dt class="sig sig-object py" id="(voxelwise[\w.]*)"', page)


def test_every_public_name_is_there_once(page):
    members = re.compile(r"voxelwise\.[A-Z]\w+\.\w+")  # of classes
    names = [name.rpartition(".")[2] for name in documented(page) if not members.fullmatch(name) or "CODINGS" in name]
    assert Counter(names) == Counter(voxelwise.__all__ + explorer.__all__)


def test_nothing_from_inside_the_plotting_package(page):
    assert not [name for name in documented(page) if "plotting" in name]


def test_methods_are_there_and_what_a_dataclass_makes_itself_is_not(page):
    assert "voxelwise.Identification.accuracy" in documented(page)
    assert "voxelwise.PatternModel.predict" in documented(page)
    assert not [name for name in documented(page) if "__" in name]


def test_types_link_to_the_classes_of_the_package(page):
    assert page.count('href="#voxelwise.Samples"') > 10
    assert 'href="#voxelwise.RecordingError"' in page


def test_references_are_numbered_within_each_docstring(page):
    """numpydoc's own labels, unique on the page, would show as [R68053a13ef6f-1]."""
    assert not re.search(r"\[R[0-9a-f]{6,}-\d", page)
    assert "the recording of [1]" in page


def test_formulas_are_no_quotations(page):
    """An indented formula without `::` before it loses its line breaks, and its asterisks."""
    assert "<blockquote>" not in page


def test_page_needs_no_other_host(page):
    assert not re.search(r'<(script|img|iframe)[^>]* src="(https?:)?//', page)
    assert "docs.python.org" not in page and "numpy.org" not in page


def test_text_follows_the_package(page):
    """A spot check that this is the package beside the book, not another that happens to be installed."""
    summary = voxelwise.load_samples.__doc__.splitlines()[0]
    assert summary in page
