"""Pages for a browser, and what goes wrong in it."""

import contextlib
import functools
import http.server
import threading


@contextlib.contextmanager
def serve_folder(folder):
    """Serve a folder to this machine alone; yields its address, which ends in a slash."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def watch(page, home):
    """Return a list to which the page adds whatever goes wrong: faults, and requests outside the address ``home``."""
    faults, inside = [], (home, "data:", "blob:")
    page.on("console", lambda said: said.type in ("error", "warning") and faults.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"))
    page.on("request", lambda request: request.url.startswith(inside) or faults.append(f"outside: {request.url}"))
    return faults
