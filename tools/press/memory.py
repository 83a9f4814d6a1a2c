"""How much memory a chapter needs, so that readers know which computer it runs on."""

import contextlib
import re
from pathlib import Path

import psutil
from jupyter_client.manager import AsyncKernelManager


def peak_memory(process):
    """Return the most bytes that a process held at once; where the system does not say, those that it holds now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_bytes()
        return 1024 * int(re.search(rb"VmHWM:\s+(\d+) kB", status)[1])
    except (OSError, TypeError):  # no Linux, or the process is just ending
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss
    return 0


class WatchedKernel(AsyncKernelManager):
    """A kernel with its workers, whose memory is noted each second, and which ends after the event ``ended_by``.

    What counts is the resident set, as it does for Binder's limit; the sum of several peaks is on the safe side.
    """

    async def _async_is_alive(self):
        """Tell whether it runs: nbclient asks each second while a cell does, and a last time before the kernel ends."""
        with contextlib.suppress(psutil.Error, AttributeError):  # it is no more
            kernel = psutil.Process(self.provisioner.pid)
            held = sum(map(peak_memory, [kernel, *kernel.children(recursive=True)]))
            type(self).peak = max(type(self).peak, held)
        alive = await super()._async_is_alive()
        if alive and self.ended_by.is_set():
            await self.provisioner.kill()
            return False
        return alive

    is_alive = _async_is_alive  # the one is what clients ask, the other what managers do
