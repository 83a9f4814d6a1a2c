# `make` alone lists what there is to make.
PYTHON ?= python3
DATASET ?=
PACKAGE ?=
ARGS ?=
RUN := .venv/bin/python
PIP := $(RUN) -m pip -qq --disable-pip-version-check
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header pyproject.toml
READER := .venv/.reader
TESTER := .venv/.tester

# Compiled code is kept, also where the environment forbids it: or each kernel would compile all libraries again.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: bench book clean format help lab links lint lint-scripts lock mutants refresh test test-real

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

book: $(READER)  ## run the chapters and render the pages (DATASET=name or folder)
	$(RUN) build_book.py $(if $(DATASET),--dataset "$(DATASET)")

# Without these two variables, Jupyter prefers a kernel of the same name in the user's own folders.
lab: $(READER)  ## open the chapters in JupyterLab
	cd book && JUPYTER_PREFER_ENV_PATH=1 JUPYTER_PATH= ../$(RUN) -m jupyterlab

refresh: $(READER)  ## run the chapters and store their outputs in book/
	$(RUN) build_book.py --refresh

# One thread for linear algebra in each process.
test: export OPENBLAS_NUM_THREADS = 1
test: $(TESTER)  ## run every check, the stored outputs included (ARGS=what pytest shall do instead)
	$(RUN) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-real: $(TESTER)  ## check the book against what is published of real recordings, where they are at hand
	$(RUN) -m pytest -rs tests/real_recording.py tests/inference/test_real_responses.py

lint: $(TESTER)  ## check the code's style
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

lint-scripts:  ## check the style of the scripts in the pages (asks for Node)
	npx --yes eslint@10.15.0 --config tools/eslint.config.mjs voxelwise/widgets book/_static

format: $(TESTER)  ## put the code into shape
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

mutants: $(TESTER)  ## make one mistake at a time, and see whether the tests notice (half an hour)
	$(RUN) -m tools.mutants

bench: $(TESTER)  ## measure the book against its peers, for its tables (three quarters of an hour)
	$(RUN) -m tools.bench

links: $(READER)  ## check the links to other hosts
	$(RUN) -m jupyter_book.cli.main build . --builder linkcheck --path-output _build/links

lock: $(READER)  ## renew the locks (PACKAGE=name: only that pin)
	$(COMPILE) $(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade) --extra book -o requirements.txt
	$(COMPILE) $(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade) --extra tests --extra benchmarks \
		--constraint requirements.txt -o tests/requirements.txt

clean:  ## remove what was built
	rm -rf _build

# uv installs in seconds; where it cannot be had, pip does the same in minutes. What else lies in .venv stays there. A
# stamp comes last, so that an interrupted installation is taken up again.
define install
	@if $(PIP) install uv 2>/dev/null; then .venv/bin/uv pip install --quiet --python $(RUN) $(1); else $(PIP) install $(1); fi
endef

$(READER): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:3]; (3, 11, 4) <= v < (3, 15) or sys.exit("$(PYTHON) is Python %d.%d.%d; the book needs 3.11.4 to 3.14. Name another: make PYTHON=python3.11" % v)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv"
	@$(RUN) -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(call install,--requirement requirements.txt)
	$(call install,--no-deps --editable .)
	@touch $@

$(TESTER): tests/requirements.txt $(READER)
	$(call install,--requirement tests/requirements.txt)
	@touch $@
