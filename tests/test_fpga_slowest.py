"""Where the slowest paths of a build end."""

import json

import pytest

from mbconv.fpga.slowest import LateEnds, late_ends, main, table

CLOCK = "posedge clk"


def net(*ends, event=CLOCK):
    return {"event": event, "endpoints": [
        {"event": end_event, "cell": cell, "port": port, "delay": [0.1, delay]} for cell, port, delay, end_event in ends
    ]}  # fmt: skip


REPORT = {"detailed_net_timings": [
    net(("board.edges.core.layer_1.mac.array.sum_0_FF", "DI", 9.0, CLOCK),
        ("board.edges.core.layer_1.mac.array.multiply.sum_1_FF", "M", 9.5, CLOCK),
        ("board.edges.core.layer_1.mac.array.sum_2_FF", "DI", 7.9, CLOCK)),
    net(("board.server.state_FF", "CE", 10.0, CLOCK), ("board.server.state_FF", "DI", 8.6, CLOCK)),
    net(("tx", "I", 20.0, "<async>")),
    net(("board.receiver.first_FF", "M", 30.0, CLOCK), event="<async>"),
]}  # fmt: skip


def test_parts_with_late_ends_are_listed_latest_first():
    assert late_ends(REPORT) == [
        LateEnds("server", "", "enable", 10.0, 1),
        LateEnds("layer_1", "mac.array", "data", 9.5, 2),
        LateEnds("server", "", "data", 8.6, 1),
    ]


def test_the_command_prints_a_table_or_says_what_is_missing(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2 and "timing_1.json is not there" in capsys.readouterr().err
    (tmp_path / "timing_2.json").write_text(json.dumps(REPORT))
    assert main([str(tmp_path), "2"]) == 0
    assert "| layer_1 | mac.array | data | 9.50 | 105.3 | 2 |" in capsys.readouterr().out.splitlines()
    for text in ("{}", "no json"):
        (tmp_path / "timing_2.json").write_text(text)
        assert main([str(tmp_path), "2"]) == 2 and "no detailed timing report" in capsys.readouterr().err


def test_a_report_without_nets_is_refused():
    with pytest.raises(ValueError, match="no timing of nets"):
        late_ends({"fmax": {}})
    assert len(table([]).splitlines()) == 2
