"""Feed the loaders bad files, and see whether anything but the right answer or a clear refusal comes out.

Run it with ``make fuzz``; ``fuzz_inputs.make_input("Bombs", 7)`` makes number 7 of the kind "Bombs" again. Each input
is read in a process that may take two gigabytes more than it has, and half a minute, and may not warn, log, write,
start a program or open a connection.
"""

import collections
import concurrent.futures
import multiprocessing
import sys
import tempfile

from press.measured import describe_measurement, make_table, store

from .fuzz_guard import KINDS, MEMORY, work

INPUTS_PER_SHARE = 75
PATIENCE = 30  # seconds for an input, which takes some hundredths of one on an idle machine
START = 600  # seconds until a process has begun, on a very busy machine


def start(inputs, folder):
    """A process that judges inputs, and the end of the pipe at which its outcomes arrive."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, folder, inputs), daemon=True)
    process.start()
    theirs.close()
    if not ours.poll(START) or ours.recv() != "ready":
        raise RuntimeError(f"a process that reads files did not begin within {START} seconds")
    return process, ours


def receive(process, connection):
    """The next outcome, and whether the process can go on."""
    if not connection.poll(PATIENCE):
        return f"hung for {PATIENCE} seconds", False
    try:
        outcome = connection.recv()
        return outcome, not outcome.startswith("wrote")
    except EOFError:
        process.join()
        return f"crashed with exit code {process.exitcode}", False


def judge_all(inputs):
    """Count the outcomes by kind; a process that crashes or hangs is followed by one that begins behind its input."""
    counts = {kind: collections.Counter() for kind in KINDS}
    judged = 0
    while judged < len(inputs):
        with tempfile.TemporaryDirectory() as folder:
            process, connection = start(inputs[judged:], folder)
            goes_on = True
            while goes_on and judged < len(inputs):
                outcome, goes_on = receive(process, connection)
                kind, number = inputs[judged]
                judged += 1
                expected = outcome in ("right", "refused")
                counts[kind][outcome if expected else "other"] += 1
                if not expected:
                    print(f"{kind}, number {number}: {outcome}", flush=True)
                if judged % 500 == 0:
                    print(f"{judged} of {len(inputs)}", flush=True)
            process.kill()
            process.join()
    return counts


def main():
    """Judge all inputs, in two processes, write the table, and exit with 1 if anything got through."""
    inputs = [(kind, number) for kind in KINDS for number in range(round(KINDS[kind][1] * INPUTS_PER_SHARE))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(judge_all, (inputs[::2], inputs[1::2])))
    counts = [halves[0][kind] + halves[1][kind] for kind in KINDS]
    counts_by_kind = [*zip(KINDS, counts, strict=True), ("All", sum(counts, collections.Counter()))]
    rows = [
        (kind, *(f"{n:,}" for n in (count.total(), count["right"], count["refused"], count["other"])))
        for kind, count in counts_by_kind
    ]
    table = make_table(["What was done to a file"], ["Inputs", "Right answers", "Refused", "Other"], rows)
    how = (
        "A right answer is what an independent reading of the same bytes gives. Each input was allowed "
        f"{PATIENCE} seconds and {MEMORY // 2**30} GiB, and no warning, no file written, no program started. "
        + describe_measurement("numpy", "nibabel", "nilearn")
    )
    store("fuzz", f"{table}\n{how}\n")
    sys.exit(1 if counts_by_kind[-1][1]["other"] else 0)


if __name__ == "__main__":
    main()
