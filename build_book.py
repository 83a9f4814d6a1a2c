"""Run the chapters of the book on a recording and render the pages: `python build_book.py -h`."""

import os
import signal
import sys

if __name__ == "__main__":  # and not where Python reads this file again, to start a chapter
    os.environ["PYTHONUTF8"] = "1"  # whatever the locale: pages and paths are UTF-8
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it, it tidies up as for Ctrl-C
    from tools.press.command import main

    code = main()
    sys.stdout.flush()
    os._exit(code)  # at once: chapters that still run end with this process
