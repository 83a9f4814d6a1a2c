"""Count what the chapters ask of their readers: ``python -m tools.count_prose``, a row for each chapter.

code        lines of code that are shown: not blank, in cells that are not folded away, without the cell of parameters
science     share of them that is no housekeeping: an import, a `print`, a call of `load_...`, a guard (the lines of
            `if`, `else`, `try` and `except` themselves), or a block that holds nothing else
stretch     most words in a row without a picture; code, formulas and folded answers are no words
questions   sentences in running text that end with a question mark: not in headings, and not those to try oneself
captions    captions that can hold no result: neither a number nor a word such as "grows" or "higher"
"""

import ast
import re
from pathlib import Path

import nbformat

from tools.press.captions import read_figure
from tools.press.chapters import FOLDED, find_chapters

HIDDEN = FOLDED | {"parameters"}
NO_WORDS = re.compile(r"<details>.*?</details>|^```\w.*?^```$|\$\$.*?\$\$|\$[^$]+\$", re.DOTALL | re.MULTILINE)
QUESTION = re.compile(r"\?(?=[\s*_)”\"]|$)")
RESULT = re.compile(
    r"(?<![\w.])\d|\b(grow|rise|fall|drop|reach|exceed|beat|gain|lose|win|agree|differ|follow|miss)(s|es|ed)?\b"
    r"|\b(more|most|less|fewer|larger|smaller|higher|lower|better|worse|earlier|later|above|below|close)\b"
)


def is_housekeeping(statement):
    """Tell whether a statement is there for the notebook's sake and not for the science's."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Raise | ast.Pass):
        return True
    if isinstance(statement, ast.If | ast.Try | ast.For | ast.With):
        return all(map(is_housekeeping, children(statement)))
    call = getattr(statement, "value", None)
    name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    return name == "print" or name.startswith("load_")


def children(statement):
    """Return the statements in a block, those of `else` and `except` among them."""
    inside = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt | ast.ExceptHandler)]
    return [inner for child in inside for inner in (child.body if isinstance(child, ast.ExceptHandler) else [child])]


def science_lines(statements):
    """Return the numbers of the lines that are science."""
    lines = set()
    for statement in statements:
        own = set(range(statement.lineno, statement.end_lineno + 1))
        for child in (inside := children(statement)):
            own -= set(range(child.lineno, child.end_lineno + 1))
        if not isinstance(statement, ast.If | ast.Try) and not is_housekeeping(statement):
            lines |= own
        lines |= science_lines(inside)
    return lines


def count_code(cells):
    """Return how many lines of code are shown, and how many of them are science."""
    shown = science = 0
    for cell in cells:
        if cell.cell_type == "code" and not HIDDEN & set(cell.metadata.get("tags", [])):
            full = {number for number, line in enumerate(cell.source.splitlines(), start=1) if line.strip()}
            shown += len(full)
            science += len(full & science_lines(ast.parse(cell.source).body))
    return shown, science


def has_picture(cell):
    """Tell whether a cell shows a picture, one to touch included."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any("image/png" in data or "brain-fragment" in data.get("text/html", "") for data in shown)


def count_chapter(cells):
    """Return the counts of a chapter: code, science, stretch, questions, captions."""
    longest = stretch = 0
    for cell in cells:
        words = re.findall(r"\S*\w\S*", NO_WORDS.sub("", cell.source)) if cell.cell_type == "markdown" else []
        stretch = 0 if has_picture(cell) else stretch + len(words)
        longest = max(longest, stretch)
    text = "\n".join(NO_WORDS.sub("", cell.source) for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"^#.*$", "", text.partition("## Try it yourself")[0], flags=re.MULTILINE)
    captions = [caption or "" for pictures, caption in map(read_figure, cells) if pictures]
    return *count_code(cells), longest, len(QUESTION.findall(text)), sum(not RESULT.search(c) for c in captions)


if __name__ == "__main__":
    print(f"{'chapter':32}{'code':>6}{'science':>9}{'stretch':>9}{'questions':>11}{'captions':>10}")
    rows = {path.stem: count_chapter(nbformat.read(path, as_version=4).cells) for path in find_chapters(Path.cwd())}
    code, science, stretch, *others = zip(*rows.values(), strict=True)
    rows["all"] = sum(code), sum(science), max(stretch), *map(sum, others)
    for name, (shown, real, longest, questions, captions) in rows.items():
        print(f"{name:32}{shown:6}{real / max(shown, 1):9.0%}{longest:9}{questions:11}{captions:10}")
