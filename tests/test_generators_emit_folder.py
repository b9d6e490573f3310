"""A folder that is emitted into: all or nothing, and nothing of others is replaced or removed."""

import json
import os

import pytest
from emitted_folders import AFFINE, contents

from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.emission.design_verilog import top_name
from mbconv.generators.emission.emit import emit
from mbconv.generators.emission.manifest import seal
from mbconv.generators.emission.read_bundle import content_hash, read_bundle
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.block import parse_block

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


@pytest.fixture(scope="module")
def block() -> Design:
    return make_design(parse_block(AFFINE), multipliers=8)


@pytest.fixture(scope="module")
def other() -> Design:
    """With modules and memory files of other names, as far as they can differ."""
    return make_design(parse_block("block:pointwise,height=2,width=2,channels=3"), multipliers=1)


def test_files_of_an_earlier_emission_go(block, other, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    first = emit(block, tmp_path, testbench={"testbench/run.py": "pass\n", "testbench/vectors.json": "{}\n"})
    (tmp_path / "testbench" / "build").mkdir()
    said: list[str] = []
    emit(block, tmp_path, testbench={"testbench/run.py": "pass\n"}, say=said.append)
    assert said == [f"{tmp_path / 'testbench/vectors.json'}: removed, of an earlier emission"]
    assert not (tmp_path / "testbench" / "vectors.json").exists() and (tmp_path / "testbench" / "run.py").exists()
    second = emit(other, tmp_path)
    left = {*second["files"], "notes.txt", "manifest.json"}
    assert set(contents(tmp_path)) == left and not left.intersection(set(first["files"]) - set(second["files"]))
    assert (tmp_path / "testbench" / "build").is_dir()


def test_a_changed_file_of_an_earlier_emission_stays(block, other, tmp_path):
    first = emit(block, tmp_path)
    edited = tmp_path / first["verilog"][0]
    edited.write_text("edited")
    said: list[str] = []
    emit(other, tmp_path, say=said.append)
    assert edited.read_text() == "edited"
    assert f"{edited}: kept, changed since an earlier emission" in said


def test_a_changed_file_is_not_overwritten(block, tmp_path):
    first = emit(block, tmp_path)
    edited = tmp_path / first["verilog"][0]
    edited.write_text("edited")
    before = contents(tmp_path)
    with pytest.raises(GraphError, match=rf"changed since: {edited.name}; emit into another folder"):
        emit(block, tmp_path)
    assert contents(tmp_path) == before
    emit(block, tmp_path, overwrite=True)
    assert edited.read_text() != "edited"


@pytest.mark.parametrize(
    "manifest", [{"files": ["main.js"]}, {"schema": "mbconv manifest", "version": 2, "files": {"main.js": ""}}]
)
def test_another_programs_files_stay(block, manifest, tmp_path):
    """Whatever a manifest.json names that mbconv has not sealed, and the manifest itself."""
    (tmp_path / "main.js").write_text("mine")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    before = contents(tmp_path)
    with pytest.raises(GraphError, match=r"did not write there.*: manifest\.json; emit into another folder"):
        emit(block, tmp_path)
    assert contents(tmp_path) == before
    emit(block, tmp_path, overwrite=True)
    assert (tmp_path / "main.js").read_text() == "mine"


def test_another_prefix_is_another_emission(block, other, tmp_path):
    emit(block, tmp_path, "left_")
    before = contents(tmp_path)
    emit(other, tmp_path, "right_")
    emit(block, tmp_path, "right_")
    left = {name: text for name, text in contents(tmp_path).items() if name.startswith("left_")}
    assert left == before
    with pytest.raises(GraphError, match=r"holds several designs: name the manifest of one.*left_manifest\.json"):
        read_bundle(tmp_path)
    assert read_bundle(tmp_path / "left_manifest.json").top.startswith("left_")


def test_a_manifest_cannot_remove_what_is_elsewhere(block, tmp_path):
    """Not even one with a seal."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "folder"
    found = emit(block, folder)
    hashes = dict.fromkeys(("../outside", str(outside), "a/../../outside"), content_hash("mine"))
    found["files"] |= hashes
    found["seal"] = seal(found)
    (folder / "manifest.json").write_text(json.dumps(found))
    emit(block, folder)
    assert outside.read_text() == "mine"


def test_nothing_is_written_where_a_folder_is_in_the_way(block, other, tmp_path):
    emit(block, tmp_path)
    before = contents(tmp_path)
    (tmp_path / f"{top_name(other)}.v").mkdir()
    with pytest.raises(
        GraphError, match=rf"{top_name(other)}\.v cannot be written: a folder of this name is in the way"
    ):
        emit(other, tmp_path)
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".emitting*"))


def test_nothing_is_written_where_a_file_is_in_the_way(block, tmp_path):
    emit(block, tmp_path)
    before = contents(tmp_path) | {"testbench": "a file"}
    (tmp_path / "testbench").write_text("a file")
    with pytest.raises(GraphError, match="testbench cannot be written: a file of this name is in the way"):
        emit(block, tmp_path, testbench={"testbench/run.py": "pass\n"})
    assert contents(tmp_path) == before
    with pytest.raises(GraphError, match="cannot be written: Not a directory"):
        emit(block, tmp_path / "testbench" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(block, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(GraphError, match="cannot be written: Permission denied"):
        emit(block, tmp_path)
