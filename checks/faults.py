"""Disturb what writes files: kill it, fill its disk, start it twice. Is what lies there afterwards whole?

Run it with ``make faults``, a quarter of an hour. All of it happens in a temporary folder.
"""

import argparse
import collections
import concurrent.futures
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from press.analysis import prepare_recording
from press.measured import describe_measurement, make_table, store

from .fault_subjects import ROOT, Outputs, Pages, Recording
from .small_disk import can_mount, run_apart, small_disk
from .stopping import Command, stop_everything

SEED = 2008
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


@dataclass
class Row:
    """What came of one fault."""

    fault: str
    times: int = 0
    whole: int = 0
    seen: collections.Counter = field(default_factory=collections.Counter)
    note: str = ""

    def add(self, faults, moment):
        """Note one trial, and say how it went."""
        self.times += 1
        self.whole += not faults
        self.seen.update(faults)
        print(f"{self.fault}, {moment}: {'; '.join(faults) or 'whole'}", flush=True)

    def show(self):
        """The cells of the table."""
        seen = [f"{fault} ({count})" if count > 1 else fault for fault, count in self.seen.items()]
        return [self.fault, "; ".join(filter(None, [*seen, self.note])) or "–", str(self.times), str(self.whole)]


def kill(subject, times, seconds, n_steps, rng):
    """Stop a subject by turns as it puts files in place, last step first, and at a moment drawn from all its time."""
    row, longest = Row(f"{subject.name}: killed, ended or interrupted"), 0.0
    for number in range(times):
        subject.reset()
        sent = SIGNALS[number // 2 % len(SIGNALS)]
        if number % 2 == 0:
            step = n_steps - number // 2 % n_steps
            moment = f"{sent.name} before step {step} of {n_steps}"
            command = Command(subject.program, subject.log, subject.cwd, (subject.folder, step, int(sent)))
            command.wait()
        else:
            after = rng.uniform(0, seconds)
            moment = f"{sent.name} after {after:.1f} of {seconds:.1f} s"
            command = Command(subject.program, subject.log, subject.cwd)
            time.sleep(after)
            command.stop(sent)
        lasted = command.wait_for_survivors()
        faults = ["processes go on running"] if lasted is None else []
        longest = max(longest, lasted or 0)
        row.add([*faults, *subject.look(), *subject.look_after_next()], moment)
    row.note = f"what it had started ended within {longest:.1f} s"
    if subject.n_aside:
        row.note += f"; {subject.n_aside} between two renamings, where the next run brings the earlier ones back"
    return row


def fill_disk(subject):
    """Let a subject work on disks with too little room, then with enough."""
    row = Row(f"{subject.name}: disk full")
    if not can_mount():
        row.note = "skipped: this system lets nobody mount a small disk"
        return row
    with small_disk(subject.folder) as leave:
        for free in subject.spaces:
            subject.reset()
            ended = run_out_of_space(subject, free, leave)
            faults = judge_message(ended, subject.named) + subject.look(killed=False)
            leave(500_000_000)
            row.add(faults + subject.look_after_next(), f"room: {free}")
    return row


def run_out_of_space(subject, free, leave):
    """Run a subject with so many bytes free, or with none left once it prints a word."""
    leave(500_000_000 if isinstance(free, str) else free)
    command = Command(subject.program, subject.log, subject.cwd)
    while isinstance(free, str) and command.process.poll() is None:
        if free in command.printed:
            leave(0)
            break
        time.sleep(0.05)
    command.wait()
    return command


def judge_message(ended, folder):
    """What is wrong with what a command says of a full disk."""
    said = ended.printed
    faults = [] if ended.wait() else ["no error"]
    faults += ["a traceback"] if "Traceback" in said else []
    faults += [] if str(folder) in said else ["the place is not named"]
    return faults + ([] if "ree some space" in said else ["does not say what to do"])


def start_twice(subject):
    """Start a subject twice at once."""
    row = Row(f"{subject.name}: two at once")
    subject.reset()
    both = [Command(subject.program, subject.log.with_name(f"log{n}.txt"), subject.cwd) for n in range(2)]
    codes = sorted(command.wait() for command in both)
    said = "".join(command.printed for command in both)
    faults = [] if codes == [0, int(bool(subject.refusal))] else [f"they ended with {codes}: {said[-300:]}"]
    if subject.refusal and subject.refusal not in said:
        faults.append("the second does not say why")
    row.add(faults + subject.look_fresh(), "together")
    return row


def disturb(subject, times):
    """All faults of one subject."""
    subject.reset()
    start = time.monotonic()
    ended = subject.run()
    seconds = time.monotonic() - start
    if ended.wait():
        raise RuntimeError(f"{subject.name}, undisturbed:\n{ended.printed}")
    subject.remember()
    subject.reset()
    n_steps = int(subject.run((subject.folder, 0, 0)).printed.split()[-1])
    rng = np.random.default_rng([SEED, len(subject.name)])
    return [kill(subject, times, seconds, n_steps, rng), fill_disk(subject), start_twice(subject)]


def main():
    """Disturb the three, two at a time, and store the table; 1 when something got through."""
    parser = argparse.ArgumentParser(description="Kill, starve and double what writes files.")
    parser.add_argument("--times", type=int, default=20, help="how often each is killed [%(default)s]")
    times = parser.parse_args().times
    run_apart("checks.faults")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has it ignored
    recording = prepare_recording(ROOT / "book", {})
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folders = [Path(scratch, name) for name in "abc"]
        for folder in folders:
            folder.mkdir()
        subjects = [Pages(folders[0], recording), Outputs(folders[1]), Recording(folders[2])]
        try:
            rows = [row for found in pool.map(lambda subject: disturb(subject, times), subjects) for row in found]
        except BaseException:  # Ctrl-C, too
            stop_everything()
            raise
    table = make_table(["Fault", "What was seen"], ["Times", "Whole afterwards"], [row.show() for row in rows])
    store("faults", f"{table}\n{describe_measurement('jupyter-book', 'papermill', 'ipykernel')}\n")
    sys.exit(any(row.whole < row.times for row in rows))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted. The table stays as it was.")
