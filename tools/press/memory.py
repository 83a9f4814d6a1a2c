"""How much memory a chapter needs, so that readers know which computer it runs on."""

import contextlib
import re
from pathlib import Path

import psutil
from jupyter_client.manager import AsyncKernelManager


def peak_memory(pid):
    """Return the most bytes that a process and its workers held; where the system does not say, those they hold now.

    What counts is the resident set, as it does for Binder's limit; the sum of several peaks is on the safe side.
    """
    peak = 0
    with contextlib.suppress(psutil.Error):  # it is no more
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            try:
                status = Path(f"/proc/{each.pid}/status").read_bytes()
                peak += 1024 * int(re.search(rb"VmHWM:\s+(\d+) kB", status)[1])
            except (OSError, TypeError):  # no Linux, or the process is just ending
                peak += each.memory_info().rss
    return peak


class WatchedKernel(AsyncKernelManager):
    """A kernel whose memory is noted each second, and which ends after the event ``ended_by``."""

    async def _async_is_alive(self):
        """Tell whether it runs: nbclient asks each second while a cell does, and a last time before the kernel ends."""
        if alive := await super()._async_is_alive():
            type(self).peak = max(self.peak, peak_memory(self.provisioner.pid))
            if self.ended_by.is_set():
                await self.provisioner.kill()
                return False
        return alive

    is_alive = _async_is_alive  # the one is what clients ask, the other what managers do
