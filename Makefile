# On a fresh clone with Python 3.11 or newer, a C++ compiler, make and perl, each of these sets up .venv and then does its work.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin

.PHONY: help demo test slow bench area boards lint dist clean

help:
	@echo 'make demo    a picture classified by a simulated network (a minute after installation)'
	@echo 'make test    the tests (nine to fifteen minutes on two processors)'
	@echo 'make slow    the slow tests (hours; goes on where it was interrupted)'
	@echo 'make bench   whole networks measured: the table of README'
	@echo 'make area    cells of fixed circuits, beside those of before'
	@echo 'make boards  the bitstreams of the built-in networks (hours; goes on where it was interrupted)'
	@echo 'make lint    style checks'
	@echo 'make dist    source archive and wheel, checked'
	@echo 'make clean   remove .venv, .venv-converters and build'

demo: .venv/installed-demo
	$(BIN)/mbconv demo

# A process of tests for each processor, a file's tests in one, since they share what they build; the longest files
# first (tests/longest_first.py). Programs that tests start keep their compiled Python, wherever that is switched off.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/installed-test
	$(BIN)/python -m pytest -m "not slow" --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# A second environment holds the converters of docs/models.md; MBCONV_CONVERTERS=/path/to/python names one that is there.
MBCONV_CONVERTERS ?= $(CURDIR)/.venv-converters/bin/python
export MBCONV_CONVERTERS
# `=`: pytest takes the file, where it is there, for tests, and does not read those of the configuration.
slow: .venv/installed-test .venv/installed-fpga .venv/installed-training $(if $(filter file,$(origin MBCONV_CONVERTERS)),.venv-converters/installed)
	$(BIN)/python -m pytest -m slow --numprocesses auto --maxprocesses 8 --dist worksteal --resume=build/slow.txt

# The larger networks are measured where their files are: make bench MODELS=/path/to/models
MODELS ?= $(wildcard ../shared/models)
bench: .venv/installed-sim
	$(BIN)/mbconv bench $(if $(MODELS),--models $(MODELS))

# The stages of the VWW network are measured where its file is, in ../shared/models.
area: .venv/installed-sim .venv/installed-fpga
	$(BIN)/python -m mbconv.fpga.area

boards: .venv/installed-fpga
	$(BIN)/python -m mbconv.fpga.boards.build_all

# The folders as they are installed, for mypy; what is checked strictly.
PARTS := hdl generators sim fpga
TYPED := __init__.py api.py schemas.py emitted.py frames.py generators/emission generators/graph/shown.py \
	sim/simulation hdl/cells.py hdl/processes.py hdl/separate.py
lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@rm -rf build/typed && mkdir -p build/typed/mbconv
	@ln -s $(CURDIR)/mbconv/* $(addprefix $(CURDIR)/,$(PARTS)) build/typed/mbconv
	cd build/typed && $(CURDIR)/$(BIN)/mypy --config-file ../../pyproject.toml $(addprefix mbconv/,$(TYPED))

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'mbconv needs Python 3.11 or newer; say where: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }

# The stamp of an installed extra: written last, so that an interrupted installation is done again.
.venv/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.venv-converters/installed: tests/converters.txt
	@test -n "$(PYTHON)" || { echo 'mbconv needs Python 3.11 or newer; say where: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv .venv-converters
	.venv-converters/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/converters.txt
	@touch $@

# The two archives of a release, from a clean folder, with their descriptions checked as PyPI would.
dist: .venv/installed-dev
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/twine check --strict dist/*

clean:
	rm -rf .venv .venv-converters build
