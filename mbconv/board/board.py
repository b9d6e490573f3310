"""A board at a serial port."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from mbconv.generators.graph.graph import Graph
from mbconv.hdl.link.baud import BITS_PER_BYTE, LARGEST_ERROR, STANDARD_RATES
from mbconv.hdl.link.identity import IDENTITY_BYTES, Identity
from mbconv.hdl.link.measurement import CYCLES_BITS, FRAMES_BITS
from mbconv.hdl.link.protocol import CRC_BYTES, HEADER_BYTES, REPORT_BYTES, Request

from .dialogue import Dialogue, identity_of
from .engine import EngineNetwork
from .errors import BoardError, ForeignMemory
from .measurement import MeasuredRun
from .network import LinkedNetwork
from .pseudo_random import elements_of
from .report import Status

_OVERHEAD = HEADER_BYTES + CRC_BYTES + 4  # COBS and delimiters of a short packet among it
_IDENTITY_MOST = 512  # bytes of an identity with an engine's parameters
_ROUNDS = (1, 2, 4)  # times the patience that looking for a board waits
_MARGIN = 4  # by which a simulator may be slower than it was when it identified itself
_RATES = sorted(STANDARD_RATES, key=lambda rate: (rate != 1_000_000, rate != 115_200, -rate))


class Board:
    """A network on a board behind a serial port; ``with Board(…) as board:`` closes it at the end.

    Every request is tried a few times, with another sequence number each time: a byte that is lost or flipped, a reset
    and a board that is plugged in again in the meantime cost time only. No call waits without limit.

    Args:
        port: the serial port, as ``/dev/ttyUSB0`` or ``COM3``.
        model: the network that must be on the board; without it any will do, and results are not compared.
        baud: of the link; found by trying the usual rates unless given.
        patience: seconds that an answer may take beyond what line and network need.

    Attributes:
        identity: what the board said of itself.
        network: the model behind the link; None without one.
        engine: the model compiled for a board's engine; None of other boards.
        uploaded: the board has an engine, which held another network.

    Raises:
        BoardMissing: no device, no rights, in use.
        WrongNetwork: the board holds another network than ``model``.
        BoardError: nothing answers, or the board's clock is not what it states.
    """

    def __init__(self, port: str, model: Graph | None = None, baud: int | None = None, patience: float = 1.0):
        self.device, self._patience, self.uploaded = port, patience, False
        self.network = None if model is None else LinkedNetwork(model)
        self.engine: EngineNetwork | None = None
        self._rates = _RATES if baud is None else [baud]
        self._dialogue = Dialogue(port, self._rates[0])
        try:
            self.identity = self._dialogue.identity = self._find()
            if self.identity.engine:
                self._take_network()
            elif self.network is not None:
                self.network.check(port, self.identity)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Board {self.device}: {self.identity.name} at {self.identity.clock / 1e6:g} MHz>"

    def close(self) -> None:
        """Give the port back."""
        self._dialogue.close()

    def identify(self) -> Identity:
        """Ask again what the board is."""
        return identity_of(self._ask(Request.IDENTIFY, b"", None))

    def status(self) -> Status:
        """What the board counted since its reset."""
        return _report(self._ask(Request.STATUS, b"", REPORT_BYTES))

    def _take_network(self) -> None:
        """Give the board's engine the model, unless it is there already; from then on the board is that network's.

        Raises:
            BoardError: there is no model, or none that this engine computes.
        """
        if self.network is None:
            return
        self.engine = EngineNetwork(self.network.graph, self.identity)
        self.uploaded = self._lost_network()
        self.identity = self.engine.identity

    def _lost_network(self) -> bool:
        """Upload the engine's network where the board does not hold it; whether that was so."""
        if self.engine is None or self.status().cycles == self.engine.number:
            return False
        self._upload()
        return True

    def _upload(self) -> None:
        """The engine's network, what lies in a memory outside first: the board names a network when all is there."""
        assert self.engine is not None
        for piece in self.engine.fills:
            self._ask(Request.FILL, piece, REPORT_BYTES)
        self._ask(Request.UPLOAD, self.engine.packet, REPORT_BYTES)

    def predict(self, picture: np.ndarray) -> np.ndarray:
        """The network's answer to one picture, as integers.

        Args:
            picture: integers of the input's type; with a model in the shape of its input, otherwise in the order
                height, width, channels. A batch of one and a flat array will do.

        Returns:
            The circuit's output, in the shape of its tensor, or ``[height, width, channels]`` without a model.

        Raises:
            BoardError: the picture does not fit, or no answer comes.
        """
        values = self._checked(np.asarray(picture))
        if self.network is not None:
            values = self.network.raster(values)
        elements = elements_of(self.identity.result, np.frombuffer(self.infer(values), np.uint8))
        return elements if self.network is None else elements.reshape(self.network.output_shape)

    def infer(self, elements: np.ndarray) -> bytes:
        """The bytes of the answer to elements in the link's order: height, width, channels."""
        identity = self.identity
        kind = f"<i{identity.source.element_bytes}"
        octets = elements.reshape(-1).astype(np.int64).astype(kind, casting="unsafe").tobytes()
        cycles = identity.latency + identity.interval
        try:
            return self._ask(Request.INFER, octets, identity.result.frame_bytes, cycles)
        except BoardError as error:
            if not self._lost_network():
                if not (isinstance(error, ForeignMemory) and self.engine is not None and self.engine.fills):
                    raise
                self._upload()  # the memory alone lost it
            return self._ask(Request.INFER, octets, identity.result.frame_bytes, cycles)

    def disturb(self) -> None:
        """Send what is no packet, as a bad line would: for tests. The next request is answered all the same."""
        self._dialogue.write(b"\xff\x01 no packet \x80\0", self._patience)

    def outputs(self, picture: np.ndarray) -> dict[int, np.ndarray]:
        """All outputs of the model by tensor index: the board's, and what its last operators on the host make of them.

        Raises:
            BoardError: no model was given; and what :meth:`predict` raises.
        """
        if self.network is None:
            raise BoardError("which outputs a model has is known from the model: give it to Board(port, model)")
        return self.network.outputs(picture, self.predict(picture))

    def measure(
        self, frames: int = 16, seed: int = 1, progress: Callable[[int, int], None] | None = None
    ) -> MeasuredRun:
        """Run pseudo-random frames made on the board, back to back at full speed.

        Args:
            frames: 1 to 65,535.
            seed: of 32 bits, not 0, of which all frames would be zeros.
            progress: called with the number of frames that the golden model is done with, and of all.

        Raises:
            BoardError: a number that is not possible, cycles that the board's counter would not hold, or no answer.
        """
        identity = self.identity
        if identity.engine:
            raise BoardError(
                f"{self.device} has an engine, which makes no frames itself: its cycles are those that mbconv plan "
                f"MODEL --engine {identity.engine} counts"
            )
        if not 1 <= frames < 1 << FRAMES_BITS:
            raise BoardError(f"a measurement has 1 to {(1 << FRAMES_BITS) - 1:,} frames, not {frames:,}")
        if not 1 <= seed < 1 << 32:
            raise BoardError(f"a seed has 32 bits and is not 0, unlike {seed}")
        cycles = identity.latency + frames * identity.interval
        if cycles >= 1 << CYCLES_BITS:
            most = ((1 << CYCLES_BITS) - 1 - identity.latency) // identity.interval
            raise BoardError(f"{frames:,} frames take more cycles than the board counts: at most {most:,} are possible")
        payload = self._ask(Request.MEASURE, struct.pack("<IH", seed, frames), REPORT_BYTES, cycles)
        report = _report(payload)
        expected = None
        if self.network is not None:
            expected = self.network.expected_signature(identity, seed, frames, progress)
        return MeasuredRun(
            frames,
            seed,
            report.cycles,
            report.interval if frames > 1 else None,
            report.signature,
            expected,
            identity.latency,
            identity.interval,
            identity.clock,
        )

    def _checked(self, values: np.ndarray) -> np.ndarray:
        """A picture that the board can take."""
        source = self.identity.source
        if values.dtype.kind not in "iu":
            raise BoardError(f"a picture is an array of the input's integers, not of {values.dtype}")
        if values.size != source.elements:
            shape = f"{source.height}×{source.width}×{source.channels}"
            raise BoardError(f"the board takes {shape} = {source.elements:,} elements, the picture has {values.size:,}")
        low = -(1 << (source.bits - 1)) if source.signed else 0
        high = low + (1 << source.bits) - 1
        if int(values.min()) < low or int(values.max()) > high:
            raise BoardError(
                f"the input's elements are {low} to {high}, the picture's {values.min()} to {values.max()}"
            )
        return values

    def _find(self) -> Identity:
        """The board's identity, at whatever rate it answers."""
        for round_ in _ROUNDS:
            for rate in self._rates:
                self._dialogue.baud = rate
                answer, _ = self._dialogue.once(Request.IDENTIFY, b"", self._patience * round_ / len(self._rates))
                if answer is not None:
                    identity = self._believed(identity_of(answer), rate)
                    if identity.simulated:
                        nominal = (IDENTITY_BYTES + 2 * _OVERHEAD) * BITS_PER_BYTE / identity.baud
                        self._dialogue.slowness = _MARGIN * max(1.0, self._dialogue.seconds / nominal)
                    return identity
        tried = ", ".join(f"{rate:,}" for rate in self._rates)
        raise BoardError(
            f"nothing at {self.device} answers (tried {tried} baud): is a bitstream of mbconv loaded, is this the "
            "board's UART, and does its clock have the frequency that it was built for?"
        )

    def _believed(self, identity: Identity, rate: int) -> Identity:
        """An identity whose rate is the one at which it came."""
        if not identity.simulated and abs(rate / identity.baud - 1) > 2 * LARGEST_ERROR:
            real = identity.clock * rate / identity.baud
            raise BoardError(
                f"the clock of the board at {self.device} is about {real / 1e6:.3g} MHz, not the "
                f"{identity.clock / 1e6:g} MHz that it was built for: it answers at {rate:,} baud instead of "
                f"{identity.baud:,}"
            )
        return identity

    def _ask(self, request: Request, payload: bytes, answer_bytes: int | None, cycles: int = 0) -> bytes:
        """The answer's payload, within a few attempts.

        Args:
            answer_bytes: that it must have; None: any number, few.
            cycles: of the network before the answer.
        """
        identity = self.identity
        line = (
            (len(payload) + (answer_bytes or _IDENTITY_MOST) + 2 * _OVERHEAD)
            * 256
            / 255
            * BITS_PER_BYTE
            / identity.baud
        )
        seconds = (line + cycles / identity.clock) * self._dialogue.slowness + self._patience
        return self._dialogue.ask(request, payload, answer_bytes, seconds)


def _report(payload: bytes) -> Status:
    try:
        return Status.decode(payload)
    except ValueError as error:
        raise BoardError(f"the board's report is none: {error}") from None
