"""A save file of GTKWave beside waveforms: the streams, stage by stage, so that nobody has to look for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from vcd.gtkw import GTKWSave

from ..circuits.testbench_top import TOP
from .description import Description
from .fst import fst_signals
from .waves import FST, stage_scopes

_MARK = "[*] written by mbconv with the waveforms: saved elsewhere it is not replaced"
_PARTS = ("valid", "ready", "payload")


def save_file(waves: Path) -> Path:
    """Where the save file of waveforms lies."""
    return waves.with_suffix(".gtkw")


def write_save_file(waves: Path, description: Description) -> bool:
    """Write the save file of a VCD or FST file; whether it was written: one that is not mbconv's stays as it is."""
    file = save_file(waves)
    if file.exists() and _MARK not in file.read_text(encoding="utf-8", errors="replace"):
        return False
    scopes = fst_signals(waves) if waves.suffix == FST else _signals(waves)
    with file.open("w", encoding="utf-8", errors="surrogateescape") as stream:
        save = GTKWSave(stream)
        print(_MARK, file=stream)
        save.dumpfile(str(waves))
        dut = next((name for name in scopes if name.endswith(f"{TOP}.dut")), None)
        for port in dict.fromkeys(port.name for port in description.ports if dut):
            nets = {name: trace for name, trace in scopes[dut or ""].items() if name.startswith(f"{port}_t")}
            _write_group(save, port, {"": nets})
        for stage, places in stage_scopes(description).items():
            for place in places:
                name = next((name for name in scopes if name.endswith(f"{TOP}.dut.{place}")), None)
                if name is not None:
                    _write_group(save, stage, _streams(scopes[name]), clock=scopes[name].get("clk"))
    return True


def _signals(waves: Path) -> dict[str, dict[str, str]]:
    """By scope, each signal and what GTKWave calls it; pyvcd's reader refuses the scope ``$rootio`` of Verilator."""
    scopes: dict[str, dict[str, str]] = {}
    path: list[str] = []
    with waves.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            match line.split():
                case ["$scope", _, name, "$end"]:
                    path.append(name)
                case ["$upscope", "$end"]:
                    path.pop()
                case ["$var", _, _, _, name, *bits, "$end"]:
                    scopes.setdefault(".".join(path), {})[name] = ".".join([*path, name]) + "".join(bits)
                case ["$enddefinitions", *_]:
                    break
    return scopes


def _streams(signals: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The streams among the signals of a scope."""
    names: Iterable[str] = (name.removesuffix("__valid") for name in signals if name.endswith("__valid"))
    parts = {name: [f"{name}__{part}" for part in _PARTS] for name in names}
    return {
        name: {part: signals[part] for part in wanted}
        for name, wanted in parts.items()
        if all(part in signals for part in wanted)
    }


def _write_group(save: GTKWSave, name: str, streams: Mapping[str, Mapping[str, str]], clock: str | None = None) -> None:
    """A group of streams, each a group of its signals; one without a name stands in the group itself."""
    with save.group(name):
        if clock is not None:
            save.trace(clock, datafmt="bin")
        for stream, signals in streams.items():
            if stream:
                save.begin_group(stream)
            for signal, trace in signals.items():
                save.trace(trace, alias=signal, datafmt="hex" if trace.endswith("]") else "bin")
            if stream:
                save.end_group(stream)
