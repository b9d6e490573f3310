"""The map memory: where words come from and go to, through one port or two, in one bank or several."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import Ram, SinglePortRam, address_width
from .latencies import Latencies
from .parameters import EngineParameters
from .words import ELEMENT


def written_layout(parameters: EngineParameters) -> StructLayout:
    """A word on its way into the map memory."""
    word = ArrayLayout(ELEMENT, parameters.channels)
    return StructLayout({"word": word, "address": unsigned((parameters.map_words - 1).bit_length())})


def bank_of(address: int, banks: int) -> int:
    """The bank of a word: the lowest bits of its address and those above them, added.

    So both rows that lie ``banks`` · odd words apart and rows that lie half as far apart can be in different banks, as
    strides of 1 and 2 need it.
    """
    return (address + address // banks) % banks


class MapMemory(Component):
    """The memory, and a word on its way into it: a whole one of results, or one that INPUT puts together.

    The word is written in the cycle after it is complete; with one port in the first cycle after that in which none is
    read (``reads``). Whoever completes words leaves time: :class:`~mbconv.hdl.engine.sequence.Sequence` has a slot
    without a reading for each word that is written.

    A word is read for each row of pixels that DEPTHWISE computes at once. They have to lie in different banks: of
    addresses in one bank the first has its word.

    With ``spare_registers`` a word enters the memory as many cycles later than it shows in ``written``.

    latency: M, and 1 where there are banks; with ``spare_registers`` = 1 2 more, with 2 of them 3. Cost: ``map_words``
    words, a register and a selection for each bit of a word; for banks two selections of a word for each row.

    Members:
        reads: ``In(1)``; read_addresses: ``In(ArrayLayout(address, depthwise_rows))``; words: ``Out``, as many.
        whole: ``In(1)``; result: ``In``, a word; result_address: ``In``.
        put: ``In(1)``; beat: ``In(8 · input_elements)``; position: ``In``, of the beat in the word; complete:
            ``In(1)``, with the word's last beat; beat_address: ``In``.
        folded: ``In(1)``: beats below that position take the next one's place; fresh: ``In(1)``, or ``fill``:
            ``In(signed(8))``.
        written: ``Out``, a stream for those who watch, always ready: words as they enter the memory.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        word, address = ArrayLayout(ELEMENT, p.channels), address_width(p.map_words)
        kind = SinglePortRam if p.map_ports == 1 else Ram
        self.banks = [kind(word, p.map_words // p.banks, family=family) for _ in range(p.banks)]
        super().__init__(
            {
                "reads": In(1),
                "read_addresses": In(ArrayLayout(address, p.depthwise_rows)),
                "words": Out(ArrayLayout(word, p.depthwise_rows)),
                "whole": In(1),
                "result": In(word),
                "result_address": In(address),
                "put": In(1),
                "beat": In(8 * p.input_elements),
                "position": In(address_width(p.channels)),
                "folded": In(1),
                "fresh": In(1),
                "fill": In(ELEMENT),
                "complete": In(1),
                "beat_address": In(address),
                "written": Out(Signature(written_layout(p))),
            }
        )

    @property
    def latency(self) -> int:
        return Latencies(self.parameters, self.family).maps

    @property
    def memory_bits(self) -> int:
        return sum(bank.memory_bits for bank in self.banks)

    def elaborate(self, platform) -> Module:
        m = Module()
        word = self._word(m)
        address = Signal(len(self.result_address), reset_less=True)
        waits, writes = Signal(), Signal()
        with m.If(writes):
            m.d.sync += waits.eq(0)
        with m.If(self.whole | (self.put & self.complete)):
            m.d.sync += [waits.eq(1), address.eq(Mux(self.whole, self.result_address, self.beat_address))]
        m.d.comb += [
            writes.eq(waits & ~self.reads if self.parameters.map_ports == 1 else waits),
            self.written.valid.eq(writes),
            self.written.payload.address.eq(address),
            Value.cast(self.written.payload.word).eq(word),
        ]
        for number, bank in enumerate(self.banks):
            m.submodules[f"bank_{number}"] = bank
        if len(self.banks) > 1:
            self._several(m, word, address, writes)
            return m
        (bank,) = self.banks
        m.d.comb += [
            bank.w_en.eq(writes),
            Value.cast(bank.w_data).eq(word),
            Value.cast(self.words[0]).eq(Value.cast(bank.r_data)),
        ]
        if self.parameters.map_ports == 1:
            m.d.comb += bank.addr.eq(Mux(self.reads, self.read_addresses[0], address))
        else:
            m.d.comb += [bank.w_addr.eq(address), bank.r_addr.eq(self.read_addresses[0])]
        return m

    def _word(self, m: Module) -> Signal:
        """The word that is written next."""
        size = 8 * self.parameters.input_elements
        result = Value.cast(self.result)
        word = Signal(len(result), reset_less=True)
        places = [word[first : first + size] for first in range(0, len(word), size)]
        for number, place in enumerate(places):
            whole = result[number * size :][: len(place)]
            with m.If(self.whole | (self.put & (self.position == number))):
                m.d.sync += place.eq(Mux(self.whole, whole, self.beat[: len(place)]))
            if self.parameters.folds and number + 1 < len(places):
                edge = self.fill.as_unsigned().replicate(self.parameters.input_elements)
                with m.Elif(self.put & self.folded):
                    m.d.sync += place.eq(Mux(self.fresh, edge, places[number + 1])[: len(place)])
        return word

    def _several(self, m: Module, word: Signal, address: Signal, writes: Signal) -> None:
        """Banks that are read with addresses of their own."""
        count, spare, further = len(self.banks), self.parameters.spares, self.parameters.further_spares
        bits = (count - 1).bit_length()

        def place(address: Value) -> Value:
            return (address[:bits] + address[bits : 2 * bits])[:bits]

        rows = range(self.parameters.depthwise_rows)
        addresses = [delayed(m, self.read_addresses[n], spare, f"read_address_{n}") for n in rows]
        asked = [delayed(m, place(self.read_addresses[n]), spare, f"asked_{n}") for n in rows]
        banked = [
            delayed(m, Value.cast(bank.r_data), spare, f"read_{number}") for number, bank in enumerate(self.banks)
        ]
        for n in rows:
            chosen = delayed(m, asked[n], self.latency - spare - further, f"chosen_{n}")
            read = delayed(m, _one_of(banked, chosen), further, f"word_{n}")
            m.d.comb += Value.cast(self.words[n]).eq(read)
        line_written = delayed(m, address[bits:], spare, "line_written")
        entering = delayed(m, word, spare, "entering")
        for number, bank in enumerate(self.banks):
            line: Value = addresses[0][bits:]
            for n in reversed(rows):
                line = Mux(asked[n] == number, addresses[n][bits:], line)
            m.d.sync += bank.r_addr.eq(line)
            writes_here = delayed(m, writes & (place(address) == number), spare, f"writes_{number}", reset=True)
            if further:  # of each bank's own, which takes nothing else: no wire goes to all block RAMs
                entrance = Signal(len(line_written) + len(word), name=f"entrance_{number}", reset_less=True)
                with m.If(writes_here):
                    m.d.sync += entrance.eq(Cat(line_written, entering))
                writes_here = delayed(m, writes_here, 1, f"enters_{number}", reset=True)
                line_entering, word_entering = entrance[: len(line_written)], entrance[len(line_written) :]
            else:
                line_entering, word_entering = line_written, entering
            m.d.comb += [
                bank.w_en.eq(writes_here),
                bank.w_addr.eq(line_entering),
                Value.cast(bank.w_data).eq(word_entering),
            ]


def _one_of(values: list[Value], number: Value) -> Value:
    """One of a power of two of values."""
    for bit in number:
        values = [Mux(bit, values[place + 1], values[place]) for place in range(0, len(values), 2)]
    return values[0]
