"""How the command line ends: its exit status, what it says, and what it leaves, whatever comes from outside."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import mbconv
from mbconv import cli_errors, fpga, generators, hdl, sim
from mbconv.cli import main
from mbconv.hdl.tool_cache import CacheError, ensure_tool_cache

BLOCK = "block:pointwise,height=2,width=2,channels=2"
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="/dev/full stands for a full disk; this system has none")


def shell(command: str, **environment: str) -> subprocess.CompletedProcess:
    """A line for bash, in which ``mbconv`` is this one."""
    text = f'set -o pipefail; mbconv() {{ "{sys.executable}" -m mbconv "$@"; }}; {command}'
    environment = {**os.environ, **environment}
    return subprocess.run(["bash", "-c", text], env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "command",
    [
        "mbconv plan digits | head -1",
        "mbconv plan digits --json | true",
        "mbconv --help | true",
        "mbconv info nothing 2>&1 | true",
    ],
)
def test_a_reader_that_goes_away(command):
    """Without a word, and with the status of any program that SIGPIPE ends."""
    done = shell(command)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""


@pytest.mark.parametrize("name", ["generators.operators.support", "fpga.budgets digits icebreaker 8"])
def test_a_reader_of_a_module_that_goes_away(name):
    done = shell(f'"{sys.executable}" -m mbconv.{name} | true')
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""


def test_every_module_ends_as_the_command_does():
    """Whatever is run as ``python -m mbconv.…``; what stands alone beside an emitted design cannot."""
    root = Path(mbconv.__file__).parent
    folders = [root, *(Path(part.__path__[0]) for part in (fpga, generators, hdl, sim))]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    programs = [path for path in files if "\nif __name__ ==" in path.read_text(encoding="utf-8")]
    alone = {"__main__.py", "testbench_run.py"}
    assert alone < {path.name for path in programs}
    assert [
        path for path in programs if path.name not in alone and "run_module(" not in path.read_text(encoding="utf-8")
    ] == []


@needs_full
@pytest.mark.parametrize("options", ["", "--json"])
def test_an_output_that_is_full(options):
    done = shell(f"mbconv info {BLOCK} {options} > /dev/full")
    assert done.returncode == 2
    assert re.fullmatch(r"mbconv: the standard output, or .*: No space left on device\n", done.stderr)


def test_a_closed_output():
    assert shell(f"mbconv info {BLOCK} >&-").returncode == 0


@needs_full
def test_a_plan_to_a_full_disk():
    done = shell(f"mbconv plan {BLOCK} -o /dev/full")
    assert (done.returncode, done.stderr) == (2, "mbconv: /dev/full: No space left on device\n")


def test_an_edited_plan_survives_a_failed_write(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    assert CliRunner().invoke(main, ["plan", BLOCK, "-o", str(path)]).exit_code == 0
    path.write_text(edited := path.read_text() + "\n")

    def full(descriptor, *_):
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mbconv.generators.emission.files.os.fdopen", full)
    result = CliRunner().invoke(main, ["plan", BLOCK, "-o", str(path)])
    assert result.exit_code == 2 and f"{path}: No space left on device" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"] and path.read_text() == edited


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals(number, tmp_path):
    """The program ends as the system's others do, and what it was writing is gone."""
    code = (
        "import signal, sys, time; from pathlib import Path; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nohup ignores it, for all below
        "import mbconv.command_models as m; from mbconv.cli import main\n"
        "def wait(**_):\n"
        "    try: Path(sys.argv[1]).touch(); time.sleep(60)\n"
        "    finally: Path(sys.argv[1]).unlink()\n"
        "m.models.callback = wait; main(['models'])"
    )
    place = tmp_path / "working"
    process = subprocess.Popen([sys.executable, "-c", code, str(place)], stderr=subprocess.PIPE, text=True)
    while not place.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert not place.exists() and "Traceback" not in errors
    if number == signal.SIGINT:
        assert process.returncode == 130 and errors.strip() == "mbconv: interrupted"
    else:
        assert process.returncode == -number and errors == ""


def test_a_fault_of_mbconv(monkeypatch, tmp_path):
    """Its own status, one message, and a file with what a report needs."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("mbconv.command_models.results", lambda: 1 // 0)
    result = CliRunner().invoke(main, ["models"])
    assert result.exit_code == 70 and "Traceback" not in result.stderr
    (report,) = tmp_path.iterdir()
    assert (
        "a fault of mbconv" in result.stderr and "ZeroDivisionError" in result.stderr and str(report) in result.stderr
    )
    text = report.read_text()
    assert "Traceback" in text and "ZeroDivisionError" in text and "numpy " in text and "Python 3" in text


def test_a_fault_whose_report_cannot_be_written(monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(cli_errors.tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr("mbconv.command_models.results", lambda: 1 // 0)
    result = CliRunner().invoke(main, ["models"])
    assert result.exit_code == 70 and "ZeroDivisionError" in result.stderr and "Read-only file system" in result.stderr


def test_a_fault_where_nothing_can_be_printed(tmp_path):
    """In a folder that was removed, of a name that is no text: the report is written all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import sys, os; from mbconv.cli import main; import mbconv.command_models as models;"
        "models.results = lambda: 1 // 0; os.rmdir(os.getcwd()); main(['models'])"
    )
    done = subprocess.run([sys.executable, "-c", code, b"bad\xff"], cwd=gone, capture_output=True, text=True)
    assert done.returncode == 70 and "Traceback" not in done.stderr, done.stderr
    report = Path(re.search(r"report it with (\S+):", done.stderr)[1])
    assert "a folder that is no more" in report.read_text()
    report.unlink()


def test_the_folder_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; {sys.executable} -m mbconv emit digits --multipliers 8 -o out"
    done = subprocess.run(command, shell=True, cwd=gone, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "mbconv: the folder in which mbconv was started is not there any more\n"


@pytest.mark.parametrize("columns", ["0", "00", "-5", "wide", ""])
def test_a_window_of_no_width(columns):
    done = shell("mbconv models", COLUMNS=columns)
    assert done.returncode == 0 and "cifar10_v3" in done.stdout


def test_too_little_memory(monkeypatch):
    def refuse():
        raise MemoryError

    monkeypatch.setattr("mbconv.command_models.results", refuse)
    result = CliRunner().invoke(main, ["models"])
    assert result.exit_code == 2 and "not enough memory" in result.stderr


def test_without_a_home(tmp_path):
    """Amaranth's Yosys keeps its compiled program in the home folder; where there is none it gets another."""
    environment = {"HOME": str(tmp_path / "file" / "home"), "TMPDIR": str(tmp_path)}
    (tmp_path / "file").write_text("")
    done = shell(f"unset XDG_CACHE_HOME; mbconv emit {BLOCK} -o {tmp_path}/out", **environment)
    assert done.returncode == 0, done.stderr
    kept = tmp_path / f"mbconv-cache-{os.getuid()}"
    assert kept.is_dir() and kept.stat().st_mode & 0o077 == 0


def test_no_folder_for_a_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"which cannot be written, .* XDG_CACHE_HOME"):
        ensure_tool_cache()


def test_another_users_folder_is_no_cache(tmp_path, monkeypatch):
    """Programs are run from it."""
    (tmp_path / "file").write_text("")
    other = tmp_path / f"mbconv-cache-{os.getuid()}"
    other.mkdir()
    other.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CacheError, match=str(other)):
        ensure_tool_cache()
