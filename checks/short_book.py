"""The real book with some of its chapters: for what tries the whole way, and need not go through all."""

import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
BEYOND = ["myst.xref_missing", "ref.doc", "ref.ref", "ref.myst"]  # what leads to the pages that are left out


def copy_book(root, *chapters):
    """Copy the book into a new folder, with these chapters, its first page, its status and its references."""
    left_out = shutil.ignore_patterns(".*", "_build", "__pycache__", "tests")
    shutil.copytree(ROOT, root, ignore=left_out)
    shutil.copy(ROOT / ".gitignore", root)
    for path in (root / "book").glob("*.ipynb"):
        if f"book/{path.stem}" not in chapters:
            path.unlink()
    names = [*chapters, "book/status", "book/references"]
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": name} for name in names]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"]["suppress_warnings"] = BEYOND
    (root / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
