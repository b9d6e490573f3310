"""The package's list of folders, imports and the built wheel, compared with the disk."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import mbconv

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "mbconv": "mbconv",
    "hdl": "mbconv/hdl",
    "generators": "mbconv/generators",
    "sim": "mbconv/sim",
    "fpga": "mbconv/fpga",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DATA_SUFFIXES = {".v", ".typed", ".cpp", ".h", ".tflite", ".npz", ".json", ".txt", ".png"}


def source_files() -> dict[str, Path]:
    """Every file of the package on the disk, by its path in an installation."""
    files = {}
    for folder, installed in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files[f"{installed}/{path.relative_to(ROOT / folder).as_posix()}"] = path
    return files


def test_listed_packages_are_those_on_the_disk():
    on_disk = {str(Path(name).parent).replace("/", ".") for name in source_files() if name.endswith(".py")}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(on_disk)


def test_every_package_has_a_docstring():
    for name in PROJECT["tool"]["setuptools"]["packages"]:
        assert ast.get_docstring(ast.parse(source_files()[f"{name.replace('.', '/')}/__init__.py"].read_text())), name


def test_version_is_stated_once_for_both():
    assert mbconv.__version__ == PROJECT["project"]["version"]


def test_no_part_is_imported_by_its_folder_name():
    """``import sim`` works in the checkout by accident; ruff finds it in mbconv and tests, this test everywhere."""
    bare = []
    paths = [*source_files().values(), *(ROOT / "tests").glob("*.py")]
    for path in (path for path in paths if path.suffix == ".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            bare += [f"{path}:{node.lineno}" for name in names if name.split(".")[0] in set(FOLDERS) - {"mbconv"}]
    assert not bare


def test_hdl_knows_none_of_the_other_parts():
    for path in (ROOT / "hdl").glob("*.py"):
        imported = re.compile(r"^\s*(from|import) mbconv\.(generators|sim|fpga|models|training)", re.MULTILINE)
        assert not imported.search(path.read_text()), path


BESIDE = ("pyproject.toml", "MANIFEST.in", "Makefile", "LICENSE", "CITATION.cff", *(p.name for p in ROOT.glob("*.md")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel as pip makes it of a release: from the source archive, not from the checkout."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    source.mkdir()
    for name in BESIDE:
        shutil.copy(ROOT / name, source)
    for folder in (*FOLDERS, "docs", "tests"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(work), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next(work.glob("*.whl"))


def test_wheel_holds_every_module_and_data_file(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {name for name, path in source_files().items() if path.suffix == ".py" or path.suffix in DATA_SUFFIXES}
    unknown = {path.suffix for path in source_files().values()} - DATA_SUFFIXES - {".py", ".md"}
    assert not wanted - inside
    assert not unknown, "files of a kind that this test does not know"
    assert not {name for name in inside if name.startswith("tests") or "/tests/" in name}


def test_source_archive_holds_documents_and_tests(wheel):
    (archive,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        inside = {name.partition("/")[2] for name in file.getnames()}
    folders = {path.relative_to(ROOT).as_posix() for name in ("docs", "tests") for path in (ROOT / name).rglob("*.*")}
    assert not {*BESIDE, *(name for name in folders if "__pycache__" not in name)} - inside


def test_installed_wheel_runs_outside_the_checkout(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]\n"
        "import mbconv; assert mbconv.__file__.startswith(sys.argv[1]), mbconv.__file__\n"
        "from mbconv.hdl.primitives import primitive_files; assert primitive_files()\n"
        "from mbconv.cli import main; main(['info', 'digits'], prog_name='mbconv')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", code, str(site)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "DEPTHWISE_CONV_2D" in done.stdout
