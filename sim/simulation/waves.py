"""Waveforms of a simulation: which signals and which cycles a file holds, and how the simulator is told.

cocotb's ``main`` writes every signal at every step. :data:`PROGRAM` is that ``main`` with a writer of its own in place
of Verilator's, so that one build serves every choice of signals and cycles: what is not wanted is never written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mbconv.generators.graph.graph import GraphError

from ..circuits.testbench_top import TOP
from .description import Description
from .fst import write_fst

FST = ".fst"
"""What the name of a file ends with that is written as FST."""

SCOPES = "MBCONV_WAVES_SCOPES"
CYCLES = "MBCONV_WAVES_CYCLES"
PROGRAM = """// cocotb's main, whose waveforms are of chosen scopes and steps.
#include "Vtop.h"
#include "verilated_vcd_c.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#define FORMAT "%" SCNu64 ":%" SCNu64 ":%" SCNu64

class ChosenWaves final : public VerilatedVcdC {
    uint64_t m_reset = 0, m_first = 0, m_end = UINT64_MAX;
    bool m_waiting = std::getenv("MBCONV_WAVES_CYCLES") != nullptr;

public:
    void open(const char* filename) override {
        const char* scopes = std::getenv("MBCONV_WAVES_SCOPES");
        std::istringstream names{scopes ? scopes : ""};
        for (std::string name; std::getline(names, name, ',');) dumpvars(99, name);
        VerilatedVcdC::open(filename);
    }
    void dump(uint64_t step) {
        if (m_waiting) {  // the test bench tells the steps when the reset is over
            const char* steps = std::getenv("MBCONV_WAVES_STEPS");
            if (!steps || std::sscanf(steps, FORMAT, &m_reset, &m_first, &m_end) != 3) return;
            m_waiting = false;
        }
        if (m_first <= step && step < m_end) VerilatedVcdC::dump(step - m_reset);
    }
};

#define VerilatedVcdC ChosenWaves
#include "{main}"
"""
"""``{main}`` stands for the path of cocotb's ``main``."""


@dataclass(frozen=True)
class Waves:
    """A file of waveforms.

    Args:
        file: to write, as FST if its name ends so, else as VCD.
        scopes: hierarchical names below the design's top of the instances whose signals are written, with all below
            them; every signal unless given.
        cycles: the first cycle since reset and the one after the last, time 0 of the file being the end of the reset;
            from the start of the simulation to its end unless given. A cycle is two units of time.
    """

    file: Path
    scopes: tuple[str, ...] = ()
    cycles: tuple[int, int] | None = None

    def vcd(self, folder: Path) -> Path:
        """The VCD file that a simulation in a folder writes: the file itself, or one of which it is made."""
        return folder / "waves.vcd" if self.file.suffix == FST else self.file.absolute()

    def finish(self, folder: Path) -> None:
        """After a simulation, make the file of what it wrote.

        Raises:
            OSError: it cannot be written.
        """
        written = self.vcd(folder)
        if written != self.file.absolute() and written.exists():
            write_fst(written, self.file)
            written.unlink()

    @property
    def environment(self) -> dict[str, str]:
        """What tells the simulator."""
        chosen = {SCOPES: ",".join(f"{TOP}.dut.{scope}" for scope in self.scopes)} if self.scopes else {}
        return chosen | ({} if self.cycles is None else {CYCLES: "{}:{}".format(*self.cycles)})


def stage_scopes(description: Description) -> dict[str, tuple[str, ...]]:
    """The instances of each stage of a design, the edges of the network's inputs as stage ``input``."""
    scopes: dict[str, tuple[str, ...]] = {}
    for stream in description.streams:
        place = stream.place.rpartition(".")[0]
        scopes[stream.stage] = tuple(dict.fromkeys((*scopes.get(stream.stage, ()), place)))
    return scopes


def choose_waves(
    description: Description,
    file: Path,
    frames: int,
    stages: Iterable[str] = (),
    cycles: tuple[int, int] | None = None,
) -> Waves:
    """Waves of some stages of a design, all unless given, in some cycles since reset.

    Raises:
        GraphError: a stage is not in the design, or no cycle is in the simulation of so many frames.
    """
    known, problems = stage_scopes(description), []
    chosen = tuple(dict.fromkeys(stages))
    if unknown := [stage for stage in chosen if stage not in known]:
        problems.append(
            f"no stage is named {', '.join(map(repr, unknown))}; the design's stages are {', '.join(known)}"
        )
    if cycles is not None:
        length = description.latency + (frames - 1) * description.interval
        if cycles[0] >= cycles[1]:
            problems.append(f"no cycle is in {cycles[0]}:{cycles[1]}")
        elif cycles[0] >= length:
            problems.append(f"cycles {cycles[0]:,} to {cycles[1]:,} are after the end: {frames} frames take {length:,}")
    if problems:
        raise GraphError("waves: " + "\n  and ".join(problems))
    return Waves(file, tuple(scope for stage in chosen for scope in known[stage]), cycles)
