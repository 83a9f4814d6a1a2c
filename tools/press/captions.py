"""Sphinx extension: what the chapters found, as captions of their figures, in the tour and on the landing page."""

import base64
import io
import json
import os
import re
from pathlib import Path

import nbformat
from docutils import nodes
from nbformat.v4 import new_code_cell
from PIL import Image, ImageOps
from sphinx.util.docutils import SphinxDirective

from voxelwise.files import replace_file

NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?( %|%)?")
ASIDE_OR_NEXT = re.compile(r" \([^)]*\)|(?<=[\w)%])[.;] .*", re.DOTALL)


def read_figure(cell):
    """The pictures (PNG) that a cell has drawn, none or more, and the sentence below them, or None."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    told = [data["text/markdown"] for data in shown if "text/markdown" in data]
    return [base64.b64decode(data["image/png"]) for data in shown if "image/png" in data], told[0] if told else None


def find_name(cell):
    """The name of the figure that a cell draws, or None."""
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("name")


def place_captions(app, docname, source):
    """Move the sentences of a chapter to where MyST-NB looks for captions, before it reads the chapter."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    notebook, cells = nbformat.reads(source[0], as_version=4), []
    for cell in notebook.cells:
        cells.append(cell)
        pictures, caption = read_figure(cell) if find_name(cell) else ([], None)
        if pictures and caption:
            told = {"figure": {"name": find_name(cell), "caption": caption}, "image": {"alt": caption}}
            cell.metadata.pop("mystnb")
            # To MyST-NB all that a cell shows is the figure, also a question or a table: each gets a cell of its own.
            for output in cell.outputs:
                own = {"mystnb": told} if "image/png" in output.get("data", {}) else {}
                if "text/markdown" not in output.get("data", {}):
                    cells.append(new_code_cell("_", outputs=[output], metadata={"tags": ["remove-input"], **own}))
            cell.outputs = []
    notebook.cells = cells
    source[0] = nbformat.writes(notebook)


def number_from_one(app, env):
    """Count the figures of each page from 1: over pages without a number, Sphinx goes on counting."""
    for figures in (each for kinds in env.toc_fignumbers.values() for each in kinds.values()):
        figures.update({name: (*figures[name][:-1], count) for count, name in enumerate(figures, 1)})


class Told(SphinxDirective):
    """A directive that takes what it shows from chapters."""

    def read_cells(self, chapter):
        return nbformat.read(Path(self.env.srcdir, "book", f"{chapter}.ipynb"), as_version=4).cells

    def read_figures(self, chapter):
        """Return pictures and caption of each figure of a chapter, by name."""
        return {find_name(cell): read_figure(cell) for cell in self.read_cells(chapter) if find_name(cell)}

    def find_figure(self, chapter, name):
        """Return pictures and caption of a figure; one that is not there is an error in the page that names it."""
        try:
            return self.read_figures(chapter)[name]
        except (FileNotFoundError, KeyError):
            raise self.error(f"{chapter}.ipynb has no figure {name}") from None

    def save(self, picture, name):
        """Write a picture beside those of MyST-NB, and return its address."""
        file = Path(self.env.mystnb_config.output_folder, name)
        replace_file(file, picture)
        return f"/{os.path.relpath(file, self.env.srcdir)}"

    def parse_cards(self, columns, cards):
        """Return the nodes of a grid of cards, each a title, options and text."""
        lines = [f"::::{{grid}} {columns}", ":gutter: 2 2 3 3", ""]
        for title, options, text in cards:
            options = [f":{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in options.items()]
            lines += [f":::{{grid-item-card}} {title}", *options, "", *text, ":::"]
        return self.parse_text_to_nodes("\n".join([*lines, "::::"]) if cards else "")


class Screen(Told):
    """``{screen} CHAPTER FIGURE``: a picture and its caption; a chapter that drew none shows nothing."""

    required_arguments = 2

    def run(self):
        chapter, name = self.arguments
        pictures, caption = self.find_figure(chapter, name)
        if not (pictures and caption):
            return []
        image = nodes.image(uri=self.save(pictures[0], f"{chapter}-{name}.png"), alt=caption)
        return [nodes.figure("", image), nodes.paragraph("", caption)]


class Touch(Told):
    """``{touch} CHAPTER KIND``: a picture to touch; a chapter that has none of this kind shows nothing."""

    required_arguments = 2

    def run(self):
        chapter, kind = self.arguments
        shown = (output.get("data", {}) for cell in self.read_cells(chapter) for output in cell.get("outputs", []))
        found = [html for data in shown if f'brain-{kind}"' in (html := data.get("text/html", ""))]
        return [nodes.raw("", html, format="html") for html in found[:1]]


class Found(Told):
    """``{found}``: a card for each line ``CHAPTER FIGURE``, with the first number of the caption, and its sentence."""

    has_content = True

    def run(self):
        cards = []
        for chapter, name in map(str.split, self.content):
            _, caption = self.find_figure(chapter, name)
            if caption:
                said = ASIDE_OR_NEXT.sub("", caption).rstrip(".") + "."
                number = [f"**{found[0]}**", ""] if (found := NUMBER.search(said)) else []
                cards.append(("", {"link": chapter, "link-type": "doc", "class-card": "found"}, [*number, said]))
        return self.parse_cards("1 1 3 3", cards)


class Chapters(Told):
    """``{chapters}``: a card for each line ``CHAPTER [FIGURE]``: figure or the first, method, question, and time."""

    has_content = True

    def run(self):
        cards = []
        for chapter, *names in map(str.split, self.content):
            options = {"link": chapter, "link-type": "doc"}
            drawn = {name: figure for name, figure in self.read_figures(chapter).items() if figure[0]}
            for name in [name for name in (*names, *drawn) if name in drawn][:1]:
                pictures, caption = drawn[name]
                options["img-top"] = self.save(shrink(pictures[0]), f"{chapter}-card.jpg")
                options["img-alt"] = f"A figure of this chapter. {caption or name}"
            opening = self.read_cells(chapter)[0].source
            method = opening.splitlines()[0].lstrip("# ").rpartition("? ")[2]
            question = re.search(r"^\*\*(.+?)\*\*", opening, re.MULTILINE)
            time = re.search(r"Reading time:\*\* about (\d+ minutes)", opening)
            text = [question[1] if question else "", "", f"*{time[1]}*" if time else ""]
            cards.append((method, options, text))
        return self.parse_cards("2 2 3 3", cards)


def shrink(picture):
    """Return a picture as wide as a card, on a ground of its own colour, in a few kilobytes."""
    large, buffer = Image.open(io.BytesIO(picture)).convert("RGB"), io.BytesIO()
    ImageOps.pad(large, (360, 240), color=large.getpixel((0, 0))).save(buffer, "JPEG", quality=65)
    return buffer.getvalue()


def setup(app):
    app.connect("source-read", place_captions)
    app.connect("env-check-consistency", number_from_one)
    for directive in (Screen, Touch, Found, Chapters):
        app.add_directive(directive.__name__.lower(), directive)
