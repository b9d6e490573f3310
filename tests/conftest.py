"""Fixtures that every test may use."""

from pathlib import Path

import pytest

from mbconv.sim.simulation import verilator

pytest_plugins = ["resume", "longest_first"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def wide_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables have all their columns, on whatever terminal or none the tests run; those about widths set their own."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(autouse=True)
def quickly_compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulators are compiled without optimisation, which takes half of the time; slow tests simulate for longer."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(verilator, "OPTIMIZATION", "-O0")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models and pictures beside the checkout; the test is skipped where there is none."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the real models of {SHARED}, which is not on this machine")
    return SHARED
