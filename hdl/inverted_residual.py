"""The inverted residual block of MobileNetV2: expansion, depthwise filter, linear projection, and the residual around
them."""

from __future__ import annotations

from amaranth.lib.wiring import Component

from .add import Add
from .depthwise import Depthwise
from .pointwise import Pointwise
from .stream_graph import Port, Stream, StreamGraph

MAC_PORTS = ("weights", "requantization")


class InvertedResidual(StreamGraph):
    """One block (M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018), from its
    stages.

    ::

                ┌───────────────────── delay memory ─────────────────────┐
        i ──┬───┘  ┌───────────┐    ┌───────────┐    ┌────────────┐   ┌──▼──┐
            └─────►│ expansion ├───►│ depthwise ├───►│ projection ├──►│ add ├──► o
                   │ C → t·C   │    │ 3×3       │    │ t·C → C'   │   └─────┘
                   └───────────┘    └───────────┘    └────────────┘

    Without ``expansion`` the block is that of t = 1; without ``add`` it has no residual (stride 2, or C' ≠ C). The
    wide tensor
    lives in the depthwise stage's window only; the delay memory holds the narrow input.

    Cycles per frame: those of its slowest stage. Cost: the sum of its stages' and of the delay memory,
    C × element bits × ``delay`` beats of ``i``.

    Args:
        expansion, depthwise, projection, add: the stages, whose shapes must fit; the addition's first input is the
        projection.
        delay: beats of the delay memory; :mod:`mbconv.generators.schedule` counts how many are needed.
        depths: beats of queues in front of ``depthwise``, ``projection`` and ``add``'s first input, where a schedule
            asks for them.

    Members:
        i, o: the tensor streams
        expansion_weights, expansion_requantization, and so on: ``In``, for each multiply-accumulate stage

    Raises:
        ValueError: shapes that do not fit, an addition without a delay memory, or a delay memory without one.
    """

    def __init__(
        self,
        *,
        depthwise: Depthwise,
        projection: Pointwise,
        expansion: Pointwise | None = None,
        add: Add | None = None,
        delay: int = 0,
        depths: dict[str, int] | None = None,
    ):
        depths = depths or {}
        if (add is None) != (delay == 0):
            raise ValueError(f"a residual has both an addition and a delay memory, not {delay} beats with add = {add}")
        stages: dict[str, Component] = {}
        if expansion is not None:
            stages["expansion"] = expansion
        stages |= {"depthwise": depthwise, "projection": projection}
        streams, inputs = [], ["i"]
        for name in stages:
            for port in MAC_PORTS:
                streams.append(Stream(f"{name}_{port}", Port("", f"{name}_{port}"), (Port(name, port),)))
                inputs.append(f"{name}_{port}")
        first = next(iter(stages))
        sinks, queues = [Port(first, "i")], [0]
        if add is not None:
            stages["add"] = add
            sinks.append(Port("add", "second"))
            queues.append(delay)
        streams.append(Stream("input", Port("", "i"), tuple(sinks), tuple(queues)))
        if expansion is not None:
            streams.append(
                Stream("expanded", Port("expansion", "o"), (Port("depthwise", "i"),), (depths.get("depthwise", 0),))
            )
        streams.append(
            Stream("filtered", Port("depthwise", "o"), (Port("projection", "i"),), (depths.get("projection", 0),))
        )
        end = Port("projection", "o")
        if add is not None:
            streams.append(Stream("projected", end, (Port("add", "first"),), (depths.get("add", 0),)))
            end = Port("add", "o")
        streams.append(Stream("output", end, (Port("", "o"),)))
        super().__init__(stages, streams, inputs, ["o"])
