"""A network's second form on a board: a program for the engine that the board has by name, beside its pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cli_target import rate

if TYPE_CHECKING:
    from mbconv.generators.engine.compile import Program
    from mbconv.generators.graph.graph import Graph


@dataclass(frozen=True)
class EngineForm:
    """A network on a board's engine.

    Attributes:
        engine: its name; clock_mhz: that it is built for.
        program: None where the engine does not compute the network; then why not is in ``reason``.
    """

    engine: str
    clock_mhz: float
    program: Program | None
    reason: str = ""

    def to_dict(self) -> dict:
        """For ``--json``."""
        found = {"engine": self.engine, "reason": self.reason}
        if self.program is None:
            return found
        cycles = {"interval_cycles": self.program.interval, "latency_cycles": self.program.cycles}
        return found | cycles | rate(self.program.interval, self.program.cycles, self.clock_mhz)

    def text(self, pipeline: tuple[int, int] | None, clock_mhz: float | None) -> str:
        """Both forms, and which suits.

        Args:
            pipeline: interval and latency in cycles, of a pipeline that fits the board; None: none does.
            clock_mhz: of the pipeline; that of the engine unless given, as what it reaches is known when it is built.
        """
        lines = []
        if pipeline is None:
            lines.append("as a pipeline: does not fit")
        else:
            lines.append(f"as a pipeline: {_figures(*pipeline, clock_mhz or self.clock_mhz)}")
        if self.program is None:
            lines.append(f"on the engine {self.engine}: {self.reason}")
            return "\n".join(lines)
        own = self.program.interval, self.program.cycles
        lines.append(f"on the engine {self.engine}: {_figures(*own, self.clock_mhz)}")
        if pipeline is None:
            suits = "the engine, into which the network is uploaded"
        else:
            # by time: cycles × the other form's clock
            scale = (clock_mhz or self.clock_mhz) / self.clock_mhz
            follows, alone = (mine * scale < other for mine, other in zip(own, pipeline, strict=True))
            suits = _SUITS[follows, alone]
        return "\n".join([*lines, f"what suits: {suits}"])


_SUITS = {
    (False, False): "the pipeline",
    (False, True): "the pipeline for pictures that follow one another, the engine for a lone one",
    (True, False): "the engine for pictures that follow one another, the pipeline for a lone one",
    (True, True): "the engine",
}


def _figures(interval: int, latency: int, clock_mhz: float) -> str:
    found = rate(interval, latency, clock_mhz)
    return (
        f"a frame every {interval:,} cycles, a lone one {latency:,}; at {clock_mhz:g} MHz "
        f"{found['frames_per_second']:,.1f} a second, {found['latency_ms']:,.4g} ms"
    )


def engine_form(graph: Graph, board: str) -> EngineForm | None:
    """A graph on the engine of a board; None where the board has none by name."""
    from mbconv.fpga.boards import find_board
    from mbconv.generators.engine.compile import compile_network
    from mbconv.generators.engine.memory_timing import parse_engine
    from mbconv.generators.engine.named import OF_BOARDS
    from mbconv.generators.graph.graph import GraphError

    name = find_board(board).name
    if name not in OF_BOARDS:
        return None
    engine, clock = OF_BOARDS[name]
    parameters, timing = parse_engine(engine)
    try:
        return EngineForm(engine, clock, compile_network(graph, parameters, timing=timing))
    except GraphError as error:
        return EngineForm(engine, clock, None, str(error).splitlines()[-1].strip())
