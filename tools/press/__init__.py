"""What `build_book.py` does: `command` reads the command line and finds the recording, `parameters` what the chapters
declare; `chapters` runs them, `pages` has all rendered, in processes from `warm`; the others are Sphinx extensions."""


class BuildError(Exception):
    """Something that the person at the terminal can put right."""
