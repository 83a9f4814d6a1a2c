# `make` alone lists what there is to make.
PYTHON ?= python3
DATASET ?=
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --no-emit-index-url --no-header
PIP := -m pip -qq --disable-pip-version-check
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: bench book clean coverage everywhere faults fuzz help lab links lock mutants refresh repeat test test-real

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

book: $(READY)  ## run the chapters and render the pages (DATASET=name or folder)
	.venv/bin/python build_book.py $(if $(DATASET),--dataset "$(DATASET)")

# Without these two variables, Jupyter prefers a kernel of the same name in the user's own folders.
lab: $(READY)  ## open the chapters in JupyterLab
	cd book && JUPYTER_PREFER_ENV_PATH=1 JUPYTER_PATH= ../.venv/bin/python -m jupyterlab

# Three processes, since each waits for files and browsers now and then, with one thread for linear algebra in each.
# Compiled code is kept, also where the environment forbids it: or every process would compile all of it again.
test: export OPENBLAS_NUM_THREADS = 1
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)  ## run every check, the stored outputs of the chapters included
	.venv/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-real: $(READY)  ## check the book against what is published of the real recording
	.venv/bin/python -m pytest -rs tests/real_recording.py

refresh: $(READY)  ## run the chapters and store their outputs in book/
	.venv/bin/python build_book.py --refresh

bench: $(READY)  ## measure the book against its peers, for its tables (half an hour)
	.venv/bin/python -m benchmarks.bench

coverage: $(READY)  ## run every check, and count which lines and branches of the code it runs
	.venv/bin/python -m checks.coverage

repeat: $(READY)  ## run every check ten times over (an hour)
	.venv/bin/python -m checks.repeat

mutants: $(READY)  ## make one mistake at a time, and count those that the tests notice (an hour)
	.venv/bin/python -m checks.mutants

fuzz: $(READY)  ## give the loaders damaged and made-up files (ten minutes)
	.venv/bin/python -m checks.fuzz

faults: $(READY)  ## kill, starve and double what writes files (a quarter of an hour)
	.venv/bin/python -m checks.faults

everywhere: $(READY)  ## compare the outputs on other processors, systems and Pythons (a quarter of an hour)
	.venv/bin/python -m checks.everywhere

links: $(READY)  ## check the links to other hosts
	.venv/bin/jupyter-book build . --builder linkcheck --path-output _build/links

lock:  ## renew requirements.txt from requirements.in
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python $(PIP) install uv
	.venv-lock/bin/uv pip compile $(LOCK_OPTIONS) --upgrade requirements.in -o requirements.txt

clean:  ## remove what was built
	rm -rf _build

# Always from scratch, so that .venv holds what requirements.txt says and nothing else, and an
# interrupted installation leaves nothing behind. The stamp comes last.
$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:3]; (3, 11, 4) <= v < (3, 15) or sys.exit("$(PYTHON) is Python %d.%d.%d; the book needs 3.11.4 to 3.14. Name another: make PYTHON=python3.11" % v)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv: a few minutes the first time"
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python $(PIP) install --requirement requirements.txt
	@touch $@
