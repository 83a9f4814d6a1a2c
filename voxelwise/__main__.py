"""Command line of the package: ``python -m voxelwise check FOLDER``."""

import argparse
import sys

from .data.check import check_folder


def main():
    """Check a recording; exit with 1 if anything is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m voxelwise")
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check", help="say what a recording of your own holds, and what is wrong with it")
    check.add_argument("folder", help="with func/*.nii.gz, label/*.csv and mask/mask.nii.gz; or a BIDS data set")
    check.add_argument("--stimulus-shape", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), help="of an image [square]")
    check.add_argument("--derivatives", metavar="FOLDER", help="of a BIDS data set [its derivatives/fmriprep]")
    options = parser.parse_args()
    try:
        report = check_folder(options.folder, options.stimulus_shape, options.derivatives)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold what the terminal cannot show
    print(report)
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
