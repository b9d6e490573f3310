"""The table of a network's two forms says what the planner and the compiler say."""

import pytest

from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.two_forms import ENGINE, HEADING, NETWORKS, main, networks, two_forms
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.stages.network import build_network
from mbconv.models import builtin, load


def test_both_forms_of_digits(capsys):
    graph = load("digits")
    found = two_forms(graph, 16, ENGINE)
    parameters, timing = parse_engine(ENGINE)
    program = compile_network(graph, parameters, timing=timing)
    assert (found.frame, found.lone, found.fetched) == (program.interval, program.cycles, 0)
    assert found.interval == plan_for_multipliers(build_network(graph), 16).interval
    assert found.chip > 0 and found.latency > found.interval
    main(["--only", "digits"])
    assert capsys.readouterr().out == f"{HEADING}\n{found.row}\n"
    assert {row.count("|") for row in (HEADING.splitlines()[0], found.row)} == {11}


def test_networks_of_a_folder_are_those_that_lie_there(tmp_path):
    assert networks(None, []) == [network for network in NETWORKS if builtin(network[0])]
    assert [name for name, *_ in networks(None, ["cifar10"])] == ["cifar10", "cifar10_v3"]
    (tmp_path / "vww_96_int8.tflite").touch()
    assert networks(tmp_path, ["vww", "person"]) == [(str(tmp_path / "vww_96_int8.tflite"), 320, ENGINE)]
    assert len({name for name, *_ in NETWORKS}) == len(NETWORKS)


def test_a_folder_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "none")])
    assert ended.value.code == 2 and "none is no folder" in capsys.readouterr().err
