"""Work shared among processes, and Verilog that does not depend on how many there were."""

import os
import signal
import subprocess
import time

import pytest

from mbconv.cli_errors import user_message
from mbconv.generators.emission.design import make_design
from mbconv.generators.emission.design_verilog import design_verilog
from mbconv.hdl import processes, verilog
from mbconv.hdl.processes import HelperKilled, in_processes
from mbconv.models import load

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*created but never used"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork"),
]


def test_results_come_in_order_from_other_processes():
    found = in_processes(lambda item: (item * 2, os.getpid()), [1, 2, 3])
    assert [value for value, _ in found] == [2, 4, 6]
    workers = [process for _, process in found]
    assert workers[0] == os.getpid() and len(set(workers)) == 3
    assert in_processes(str, []) == []


@pytest.mark.parametrize("place", [0, 1])
def test_an_exception_comes_out_and_nobody_stays(place, monkeypatch):
    started = []
    start = processes._start
    monkeypatch.setattr(processes, "_start", lambda *args: started.append(start(*args)) or started[-1])

    def work(item: int) -> int:
        if item == place:
            raise KeyError("no")
        if item == 2:
            time.sleep(600)
        return os.getpid()

    with pytest.raises(KeyError, match="no"):
        in_processes(work, [0, 1, 2])
    assert len(started) == 2
    for child in started:  # this process may have others, of other tests
        with pytest.raises(ChildProcessError):
            os.waitpid(child.process, os.WNOHANG)


def test_tools_of_the_first_item_end_with_it(tmp_path):
    """An interrupt while a program runs that the first item started."""
    place = tmp_path / "process"

    def work(_: int) -> None:
        tool = subprocess.Popen(["sleep", "600"])
        place.write_text(str(tool.pid))
        os.kill(parent, signal.SIGINT)
        tool.wait()

    parent = os.getpid()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of parallel tests ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            in_processes(work, [0], runs_tools=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int(place.read_text()), 0)
            time.sleep(0.05)


def test_a_process_that_dies_is_an_error():
    with pytest.raises(RuntimeError, match="ended without a result"):
        in_processes(lambda item: os._exit(3) if item else None, [0, 1])


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (signal.SIGKILL, HelperKilled, "ended by SIGKILL from outside; where memory is short the system does that"),
        (signal.SIGTERM, HelperKilled, "ended by SIGTERM from outside: run it again"),
        (signal.SIGINT, KeyboardInterrupt, None),
    ],
)
def test_a_process_that_is_ended_from_outside(number, kind, text):
    """As a system does that is short of memory; no fault of the program."""

    def work(item):
        if item:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    with pytest.raises(kind, match=text) as caught:
        in_processes(work, [0, 1])
    if kind is HelperKilled:
        assert user_message(caught.value) == str(caught.value)


def test_the_text_does_not_depend_on_the_number_of_processes(monkeypatch):
    design = make_design(load("digits"), multipliers=128)
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(verilog, "processors", lambda count=count: count)
        monkeypatch.setattr(verilog, "_FEW_MULTIPLIERS", 1)
        found.append(design_verilog(design))
    assert found[0] == found[1] == found[2]
    assert found[0].memories and found[0].multipliers


def test_items_shared_out_keep_their_order(monkeypatch):
    monkeypatch.setattr(processes, "processors", lambda: 3)
    assert processes.shared_out(lambda item: item * item, list(range(8))) == [item * item for item in range(8)]
    assert processes.shared_out(lambda item: os.getpid(), [0, 1], fewest=2) == [os.getpid()] * 2
    assert processes.shared_out(str, []) == []
    many = range(3 * processes._Queue._MOST + 1)  # more than a pipe has room for one by one
    assert processes.shared_out(lambda item: -item, many) == [-item for item in many]


def test_who_is_done_takes_the_next_item(monkeypatch):
    monkeypatch.setattr(processes, "processors", lambda: 2)

    def work(item: int) -> int:
        if item == 0:
            time.sleep(0.5)
        return os.getpid()

    workers = processes.shared_out(work, range(9))
    assert workers.count(workers[0]) < workers.count(workers[1])
