"""Kernels and rendering, in processes forked from one that has imported already what they need; papermill, nbclient and
nbval get them without knowing. Only on Linux: elsewhere it is not safe to fork a process that has loaded so much."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from importlib.metadata import EntryPoint

import joblib
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

LAUNCHER = "ipykernel_launcher"
IMPORTED = ["voxelwise.plotting", "voxelwise.widgets", "nilearn.plotting", "ipykernel.kernelapp", "tools.press.warm"]


def warm_up():
    """Begin to import, in a process of its own, with the environment as it is now."""
    if sys.platform == "linux":
        from multiprocessing.forkserver import ensure_running, set_forkserver_preload

        set_forkserver_preload(IMPORTED)
        ensure_running()
        factory = KernelProvisionerFactory.instance()
        factory.provisioners["warm"] = EntryPoint("warm", f"{__name__}:WarmProvisioner", factory.GROUP_NAME)
        factory.default_provisioner_name = "warm"


forking = multiprocessing.get_context("forkserver" if sys.platform == "linux" else None)


def render(source, html, log):
    """Render a source folder into another with Jupyter Book, on all cores; what it says goes into a file."""
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    nocolor()
    with open(log, "wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    gc.freeze()  # looking for garbage among what was imported, and so often, takes a seventh of the time
    gc.set_threshold(50_000)
    settings = {"external_toc_path": f"{source}/_toc.yml", "latex_individualpages": False}
    strict = {"warningiserror": True, "keep_going": True, "quiet": True}
    config = {"path_config": f"{source}/_config.yml", "noconfig": True, "confoverrides": settings}
    sys.exit(bool(build_sphinx(source, html, jobs=joblib.cpu_count(), **config, **strict)))


def become_kernel(arguments, environment, folder):
    """Become a kernel as ``python -m ipykernel_launcher`` would, in a session of its own."""
    from ipykernel.kernelapp import IPKernelApp

    multiprocessing.set_start_method(None, force=True)  # that of this system, as ever
    gc.freeze()  # what was imported is no garbage: not to look through it takes a fourteenth less time
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Some of what is imported has loaded Matplotlib's backend, which found no notebook yet to show figures in.
    sys.argv = [LAUNCHER, "--matplotlib=inline", *arguments]
    IPKernelApp.launch_instance()


def end_with_parent():
    """End this kernel, and what it has started, with the process that asked for it."""
    multiprocessing.parent_process().join()
    os.killpg(0, signal.SIGTERM)
    os._exit(1)


class WarmKernel(forking.Process):
    """A kernel, with what its provisioner asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def poll(self):
        return self.exitcode

    def wait(self):
        self.join()
        return self.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork."""

    async def launch_kernel(self, cmd, **kwargs):
        self.cwd = str(kwargs.get("cwd") or os.getcwd())
        started_with = cmd[cmd.index(LAUNCHER) + 1 :], dict(kwargs["env"]), self.cwd
        self.process = WarmKernel(target=become_kernel, args=started_with)
        self.process.start()
        self.pid = self.pgid = self.process.pid
        return self.connection_info
