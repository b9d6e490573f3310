"""The files whose tests take longest, first: a process that began one last would work on when the others have ended.

The order of the others stays. A file that is missing here costs some time, and nothing else.
"""

from __future__ import annotations

import pytest

FILES = (
    "test_networks_every_operator",
    "test_engine_networks",
    "test_engine_overlap",
    "test_fpga_cells",
    "test_hdl_axi_stream_top",
    "test_random_networks",
    "test_generators_emit",
    "test_hdl_axi_stream",
    "test_hdl_depthwise",
    "test_hdl_convolution",
    "test_hdl_pointwise",
    "test_sim_run_design",
    "test_sim_simulate",
    "test_networks_plans",
    "test_foreign_files",
    "test_fusesoc",
    "test_litex",
    "test_board_host",
    "test_fpga_build",
    "test_fpga_flow",
    "test_fpga_boards_checked",
    "test_fpga_area",
    "test_package",
)
"""By the processor time of a run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(FILES)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
