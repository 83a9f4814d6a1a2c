"""Count what the chapters ask of their readers: ``python -m tools.count_prose``, a row for each chapter.

code        lines of code that are shown: not blank, in cells that are not folded away, without the cell of parameters
science     share of its statements that are no housekeeping: an import, a `print`, a call of `load_...`, a guard
stretch     most words in a row without a picture; code, formulas and folded answers are no words
questions   sentences in running text that end with a question mark: not in headings, and not those to try oneself
captions    captions that can hold no result: neither a number nor a word such as "grows" or "higher"
"""

import ast
import re
from pathlib import Path

import nbformat
import pandas as pd

from tools.press.captions import read_figure
from tools.press.chapters import FOLDED, find_chapters

HOUSEKEEPING = re.compile(r"\s*((import|from|if|elif|else|try|except|finally|raise|pass|print)\b|(.* = )?load_)")
NO_WORDS = re.compile(r"<details>.*?</details>|^```\w.*?^```$|\$\$.*?\$\$|\$[^$]+\$", re.DOTALL | re.MULTILINE)
QUESTION = re.compile(r"\?(?=[\s*_)”\"]|$)")
RESULT = re.compile(
    r"(?<![\w.])\d|\b(grow|rise|fall|drop|reach|exceed|beat|gain|lose|win|agree|differ|follow|miss)(s|es|ed)?\b"
    r"|\b(more|most|less|fewer|larger|smaller|higher|lower|better|worse|earlier|later|above|below|close)\b"
)


def longest_stretch(cells):
    """Return the most words in a row without a picture, one to touch included."""
    longest = stretch = 0
    for cell in cells:
        if cell.cell_type == "markdown":
            stretch += len(re.findall(r"\S*\w\S*", NO_WORDS.sub("", cell.source)))
        elif read_figure(cell)[0] or "brain-fragment" in str(cell.get("outputs")):
            stretch = 0
        longest = max(longest, stretch)
    return longest


def count_chapter(cells):
    """Return the counts of a chapter, science as statements and not yet as their share."""
    hidden = FOLDED | {"parameters"}
    shown = [c.source for c in cells if c.cell_type == "code" and not hidden & set(c.metadata.get("tags", []))]
    code = "\n".join(shown)
    lines, statements = (re.findall(r".*\S.*", each) for each in (code, ast.unparse(ast.parse(code))))
    text = "\n".join(NO_WORDS.sub("", cell.source) for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"^#.*$", "", text.partition("## Try it yourself")[0], flags=re.MULTILINE)
    captions = [caption or "" for pictures, caption in map(read_figure, cells) if pictures]
    return {
        "code": len(lines),
        "statements": len(statements),
        "science": sum(not HOUSEKEEPING.match(statement) for statement in statements),
        "stretch": longest_stretch(cells),
        "questions": len(QUESTION.findall(text)),
        "captions": sum(not RESULT.search(caption) for caption in captions),
    }


if __name__ == "__main__":
    chapters = {path.stem: nbformat.read(path, as_version=4).cells for path in find_chapters(Path.cwd())}
    counts = pd.DataFrame({name: count_chapter(cells) for name, cells in chapters.items()}).T
    counts.loc["all"] = counts.sum().where(counts.columns != "stretch", counts.max())
    counts["science"] = (counts["science"] / counts.pop("statements")).map("{:.0%}".format)
    print(counts.to_string())
