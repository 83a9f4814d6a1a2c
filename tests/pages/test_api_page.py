"""The API page."""

import re
from collections import Counter

import voxelwise
from voxelwise import widgets


def test_every_public_name_is_there_once_from_a_docstring_that_is_whole(pages):
    """numpydoc's own labels would show as [R68053a13ef6f-1]; a formula without `::` loses its line breaks."""
    page = (pages / "book" / "api.html").read_text(encoding="utf-8")
    shown = re.findall(r'<dt class="sig sig-object py" id="(voxelwise[\w.]*)"', page)
    members = [name for name in shown if re.fullmatch(r"voxelwise\.[A-Z]\w+\.\w+", name)]  # of classes
    names = [name.rpartition(".")[2] for name in shown if name not in members]
    assert Counter(names) == Counter([*voxelwise.__all__, *widgets.__all__])
    assert "voxelwise.PatternModel.predict" in members and not [name for name in shown if "__" in name]
    assert voxelwise.load_samples.__doc__.splitlines()[0] in page
    assert page.count('href="#voxelwise.Samples"') > 10 and 'href="#voxelwise.RecordingError"' in page
    assert "docs.python.org" not in page and "numpy.org" not in page
    assert not re.search(r"\[R[0-9a-f]{6,}-\d", page) and "<blockquote>" not in page
