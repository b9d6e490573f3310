"""Waveforms of chosen stages and cycles, and the save file of GTKWave beside them."""

import re

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.frames import random_frames
from mbconv.generators.emission.bundle import make_bundle
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.block import parse_block
from mbconv.sim.simulation.description import Description
from mbconv.sim.simulation.fst import fst_signals, write_fst
from mbconv.sim.simulation.gtkwave import save_file, write_save_file
from mbconv.sim.simulation.simulate import simulate_bundle
from mbconv.sim.simulation.waves import choose_waves

BLOCK = "block:separable,height=4,width=4,channels=2"
FIRST, SECOND = "layer_00_depthwise", "layer_01_pointwise"
FRAMES = 2


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A function of stages and cycles: the file of waves, its design's description, what was simulated."""
    design = make_design(parse_block(BLOCK), multipliers=16)
    bundle, folder = make_bundle(design), tmp_path_factory.mktemp("waves")
    description = Description.of(bundle.manifest)
    inputs = random_frames(design.graph, FRAMES, 0)

    def simulate(stages=(), cycles=None):
        waves = choose_waves(description, folder / "waves.vcd", FRAMES, stages, cycles)
        result = simulate_bundle(bundle, design.graph, inputs, waves=waves)
        assert result.ok
        assert write_save_file(waves.file, description)
        return waves.file.read_text(), description, result

    simulate.file = folder / "waves.vcd"
    return simulate


def changes_of(vcd: str) -> dict[str, list[tuple[int, str]]]:
    """Of each signal by its hierarchical name its changes: time and value, zeros in front left out."""
    names, values, time, path = {}, {}, 0, []
    head, _, body = vcd.partition("$enddefinitions")
    for line in head.splitlines():
        match line.split():
            case ["$scope", _, name, _]:
                path.append(name)
            case ["$upscope", _]:
                path.pop()
            case ["$var", _, _, identifier, name, *_]:
                names.setdefault(identifier, []).append(".".join([*path, name]))
    for line in body.splitlines():
        if match := re.fullmatch(r"#(\d+)", line):
            time = int(match[1])
        elif match := re.fullmatch(r"b([01xz]+) (\S+)|([01xz])(\S+)", line):
            value, identifier = match[1] or match[3], match[2] or match[4]
            values.setdefault(identifier, []).append((time, value.lstrip("0") or "0"))
    return {name: values.get(identifier, []) for identifier, found in names.items() for name in found}


def scopes_of(vcd: str) -> dict[str, dict[str, str]]:
    """By scope that has signals, the identifiers of its signals by name."""
    path, scopes = [], {}
    for line in vcd.partition("$enddefinitions")[0].splitlines():
        match line.split():
            case ["$scope", _, name, _]:
                path.append(name)
            case ["$upscope", _]:
                path.pop()
            case ["$var", _, _, identifier, name, *_]:
                scopes.setdefault(".".join(path), {})[name] = identifier
    return scopes


def times_of(vcd: str) -> list[int]:
    return [int(line[1:]) for line in vcd.splitlines() if re.fullmatch(r"#\d+", line)]


def transfers(vcd: str, scope: str, stream: str) -> list[int]:
    """The cycles in which a beat passes: time halved, of rising edges before which valid and ready are up."""
    signals = scopes_of(vcd)[scope]
    clock, valid, ready = (signals[name] for name in ("clk", f"{stream}__valid", f"{stream}__ready"))
    now, before, found, time = {}, {}, [], None
    for line in [*vcd.partition("$enddefinitions")[2].splitlines()[1:], "#"]:
        if line.startswith("#"):
            if before.get(clock) == "0" and now[clock] == "1" and before[valid] == before[ready] == "1":
                found.append(time // 2)
            before, time = dict(now), int(line[1:] or 0)
        elif line[:1] in ("0", "1"):
            now[line[1:]] = line[0]
    return found


def test_chosen_cycles_are_those_of_the_monitors(simulated):
    """Every beat that a stage gives stands where its monitor saw it; a part of the cycles has exactly its beats."""
    vcd, description, result = simulated([FIRST], (0, 10**9))
    stream = next(stream for stream in description.streams if stream.stage == FIRST)
    scope = f"mbconv_testbench.dut.{stream.place.removesuffix('.o')}"
    seen = transfers(vcd, scope, "o")
    assert len(seen) == FRAMES * stream.beats
    late = seen[-1] - result.record.streams[stream.name].ends[-1]  # by which the monitors' reset ends later
    assert late in (0, 1)
    assert [cycle - late for cycle in seen[stream.beats - 1 :: stream.beats]] == result.record.streams[stream.name].ends
    first, end = seen[2], seen[7]
    part, _, _ = simulated([FIRST], (first, end))
    times = times_of(part)
    assert (times[0], times[-1]) == (2 * first, 2 * end - 1)
    assert transfers(part, scope, "o") == seen[2:7]
    assert len(part) < len(vcd)


def test_only_the_chosen_stages_are_written(simulated):
    everything = scopes_of(simulated(cycles=(0, 2))[0])
    text = save_file(simulated.file).read_text()
    groups = re.findall(r"^-(.*)$", text, re.MULTILINE)
    assert [groups.count(name) for name in (FIRST, SECOND, "input", "s_axis", "m_axis")] == [2] * 5
    for stages in ([FIRST], ["input", SECOND]):
        vcd, description, _ = simulated(stages, (0, 2))
        places = {s.stage: "mbconv_testbench.dut." + s.place.rpartition(".")[0] for s in description.streams}
        roots = tuple(places[stage] for stage in stages)
        written = scopes_of(vcd)
        assert set(written) == {name for name in everything if any(f"{name}.".startswith(f"{r}.") for r in roots)}
        assert {name: set(written[name]) for name in written} == {name: set(everything[name]) for name in written}
        text = save_file(simulated.file).read_text()
        groups = re.findall(r"^-(.*)$", text, re.MULTILINE)
        assert [name for name in dict.fromkeys(groups) if name in places] == stages
        for root in roots:
            assert f"{root}.o__payload[" in text and f"{root}.clk\n" in text
        shown = re.findall(r"^(?:\+\{\w+\} )?(mbconv_testbench\.[^\[\n]*)", text, re.MULTILINE)
        assert shown and all(trace.rpartition(".")[2] in written[trace.rpartition(".")[0]] for trace in shown)


def test_a_save_file_that_was_changed_in_gtkwave_stays(simulated):
    _, description, _ = simulated([FIRST], (0, 2))
    save_file(simulated.file).write_text("[*] GTKWave Analyzer\n")
    assert not write_save_file(simulated.file, description)
    assert save_file(simulated.file).read_text() == "[*] GTKWave Analyzer\n"
    save_file(simulated.file).unlink()


def test_all_that_is_wrong_is_said_at_once(simulated):
    _, description, _ = simulated(cycles=(0, 2))
    with pytest.raises(GraphError) as error:
        choose_waves(description, simulated.file, FRAMES, [FIRST, "layer_07"], (10**6, 10**7))
    assert f"no stage is named 'layer_07'; the design's stages are input, {FIRST}, {SECOND}" in str(error.value)
    assert "cycles 1,000,000 to 10,000,000 are after the end: 2 frames take" in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--wave-stages", "input"), "--wave-stages choose what --waves FILE writes"),
        (("--wave-cycles", "0:5"), "--wave-cycles choose what --waves FILE writes"),
        (("--waves", "w.vcd", "--wave-cycles", "5:5"), "'5:5' is not A:B, two cycles"),
        (
            ("--waves", "w.vcd", "--wave-stages", "none,input"),
            "no stage is named 'none'; the design's stages are input",
        ),
        (("--waves", "w.gtkw"), "give a name such as w.vcd"),
    ],
)
def test_the_command_refuses(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["sim", BLOCK, "--multipliers", "16", *options])
    assert result.exit_code == 2 and message in result.stderr, result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cycles", [None, (20, 60)])
def test_fst_holds_what_vcd_does(simulated, cycles, tmp_path):
    """Written again as VCD by the reader of GTKWave, it has the same signals with the same changes."""
    fst = pytest.importorskip("pylibfst")
    text, description, _ = simulated([SECOND], cycles)
    source, file, again = tmp_path / "a.vcd", tmp_path / "a.fst", tmp_path / "b.vcd"
    source.write_text(text)
    write_fst(source, file)
    reader, stream = fst.lib.fstReaderOpen(str(file).encode()), again.open("w")
    fst.lib.fstReaderProcessHier(reader, stream)
    fst.lib.fstReaderSetFacProcessMaskAll(reader)
    fst.lib.fstReaderIterBlocks(reader, fst.ffi.NULL, fst.ffi.NULL, stream)
    fst.lib.fstReaderClose(reader)
    stream.close()
    expected, found = changes_of(text), changes_of(again.read_text())
    assert found == expected and sum(map(len, expected.values())) > 1000
    assert file.stat().st_size < len(text) / 3
    assert write_save_file(file, description)
    saved = save_file(file).read_text()
    assert write_save_file(source, description)
    assert saved == save_file(source).read_text().replace(str(source), str(file))


def test_a_simulation_writes_fst(simulated, tmp_path):
    pytest.importorskip("pylibfst")
    _, description, _ = simulated([SECOND], (20, 60))
    vcd, fst = tmp_path / "w.vcd", tmp_path / "w.fst"
    design = make_design(parse_block(BLOCK), multipliers=16)
    for file in (vcd, fst):
        waves = choose_waves(description, file, FRAMES, [SECOND], (20, 60))
        simulate_bundle(make_bundle(design), design.graph, random_frames(design.graph, FRAMES, 0), waves=waves)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.fst", "w.vcd"]
    again = tmp_path / "again.fst"
    write_fst(vcd, again)
    assert fst_signals(again) == fst_signals(fst) != {}
