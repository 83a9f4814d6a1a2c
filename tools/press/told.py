"""Sphinx extension: what the chapters ask and found, on the landing page and in the tour.

All is taken from the staged notebooks, so it is that of the recording that the build ran on.
"""

import io
import json
import os
import re
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.statemachine import StringList
from PIL import Image, ImageOps
from sphinx.util.docutils import SphinxDirective

from tools.press.captions import find_name, read_figure

NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?( %|%)?")
ASIDE_OR_NEXT = re.compile(r" \([^)]*\)|(?<=[\w)%])[.;] .*", re.DOTALL)


class Told(SphinxDirective):
    """A directive that takes what it shows from chapters."""

    def read_cells(self, chapter):
        """Return the cells of a staged chapter; one that is not there is an error."""
        try:
            return nbformat.read(Path(self.env.doc2path(self.env.docname)).with_name(f"{chapter}.ipynb"), 4).cells
        except OSError as error:
            raise self.error(f"{chapter}.ipynb: {error!r}") from None

    def find_figure(self, chapter, name):
        """Return the pictures and the caption of a figure; a chapter that has no such figure is an error."""
        cells = {find_name(cell): cell for cell in self.read_cells(chapter)}
        if name not in cells:
            raise self.error(f"{chapter}.ipynb, figure {name}: no such figure")
        return read_figure(cells[name])

    def save(self, picture, name):
        """Write a picture beside those of MyST-NB, and return its address."""
        file = Path(self.env.mystnb_config.output_folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
        return f"/{os.path.relpath(file, self.env.srcdir)}"

    def parse_cards(self, columns, cards):
        """Return the nodes of a grid of cards, each a title, options and text."""
        lines = [f"::::{{grid}} {columns}", ":gutter: 2 2 3 3", ""]
        for title, options, text in cards:
            options = [f":{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in options.items() if value]
            lines += [f":::{{grid-item-card}} {title}", *options, "", *text, ":::"]
        grid = nodes.Element()
        if cards:
            self.state.nested_parse(StringList([*lines, "::::"], self.env.docname), self.content_offset, grid)
        return grid.children


class Screen(Told):
    """``{screen} CHAPTER FIGURE``: a picture and its caption; a chapter that drew none shows nothing."""

    required_arguments = 2

    def run(self):
        """Return the picture and the caption."""
        chapter, name = self.arguments
        pictures, caption = self.find_figure(chapter, name)
        shown = []
        for picture in pictures:
            image = nodes.image(uri=self.save(picture, f"{chapter}-{name}.png"), alt=caption or name)
            shown.append(nodes.figure("", image))
        return [*shown, nodes.paragraph("", caption)] if caption else shown


class Touch(Told):
    """``{touch} CHAPTER KIND``: a picture to touch; a chapter that has none of this kind shows nothing."""

    required_arguments = 2

    def run(self):
        """Return the picture."""
        chapter, kind = self.arguments
        shown = (output.get("data", {}) for cell in self.read_cells(chapter) for output in cell.get("outputs", []))
        found = [html for data in shown if f'brain-{kind}"' in (html := data.get("text/html", ""))]
        return [nodes.raw("", html, format="html") for html in found[:1]]


class Found(Told):
    """``{found}``: a card for each line ``CHAPTER FIGURE``, with the first number of the caption, and its sentence."""

    has_content = True

    def run(self):
        """Return the cards of those figures that were drawn."""
        cards = []
        for chapter, name in map(str.split, self.content):
            _, caption = self.find_figure(chapter, name)
            if caption:
                said = ASIDE_OR_NEXT.sub("", caption).rstrip(".") + "."
                number = [f"**{found[0]}**", ""] if (found := NUMBER.search(said)) else []
                cards.append(("", {"link": chapter, "link-type": "doc", "class-card": "found"}, [*number, said]))
        return self.parse_cards("1 1 3 3", cards)


class Chapters(Told):
    """``{chapters}``: a card for each line ``CHAPTER [FIGURE]``; without that figure it shows the chapter's first."""

    has_content = True

    def run(self):
        """Return the cards: a picture, the method of the title, the question in bold below it, the time it takes."""
        cards = []
        for chapter, *names in map(str.split, self.content):
            cells = self.read_cells(chapter)
            drawn = [find_name(cell) for cell in cells if find_name(cell) and read_figure(cell)[0]]
            options = {"link": chapter, "link-type": "doc"}
            if name := next((name for name in [*names, *drawn] if name in drawn), None):
                (picture, *_), caption = self.find_figure(chapter, name)
                options["img-top"] = self.save(shrink(picture), f"{chapter}-card.jpg")
                options["img-alt"] = f"A figure of this chapter. {caption or name}"
            opening = cells[0].source
            question = re.search(r"^\*\*(.+?)\*\*", opening, re.MULTILINE)
            time = re.search(r"Reading time:\*\* about (\d+ minutes)", opening)
            text = [question[1] if question else "", *(["", f"*{time[1]}*"] if time else [])]
            method = opening.splitlines()[0].lstrip("# ").rpartition("? ")[2]
            cards.append((method, options, text))
        return self.parse_cards("2 2 3 3", cards)


def shrink(picture):
    """Return a picture as wide as a card, on a ground of its own colour, in a few kilobytes."""
    large, buffer = Image.open(io.BytesIO(picture)).convert("RGB"), io.BytesIO()
    ImageOps.pad(large, (360, 240), color=large.getpixel((0, 0))).save(buffer, "JPEG", quality=65)
    return buffer.getvalue()


def setup(app):
    """Add the directives."""
    for directive in (Screen, Touch, Found, Chapters):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
