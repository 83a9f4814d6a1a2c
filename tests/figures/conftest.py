"""Any page that holds a picture to touch."""

import functools

import pytest


@pytest.fixture(scope="module")
def visit(open_tab):
    """Show a page that holds the HTML, and wait until it is alive; nothing moves by itself."""
    # In the tab of the page before on the same kind of screen: one of its own would take a second.
    tab = functools.cache(lambda **options: open_tab("about:", **options))

    def visit(html, body="", head="", viewport=None, reduced_motion="reduce", **options):
        page = tab(**options)
        page.mouse.move(0, 0)
        page.goto("about:blank")
        page.set_viewport_size(viewport or {"width": 1000, "height": 900})
        page.emulate_media(reduced_motion=reduced_motion)
        page.set_content(
            f'<!doctype html><html lang="en" {head}><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width"><body {body}><main><h1>A page</h1>{html}</main>'
        )
        if options.get("java_script_enabled", True):
            page.wait_for_function("() => !document.querySelector('img.still')")
        return page

    return visit


@pytest.fixture
def page(html, visit):
    """A page with the module's picture to touch."""
    return visit(html)
