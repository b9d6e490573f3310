"""Every model on every board: a design that fits, or one message that says what is short, after a short search."""

import pytest

from mbconv.fpga.boards import boards
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning import board_plan
from mbconv.models import load

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")

MADE = 100
"""Designs that a search makes here at most: doublings to the slowest, halvings to 1 %, and a network's plans."""

MODELS = (
    "mnv3small_224_keras_randomweights_int8",
    "mobilenet_v1_0.25_128_quant",
    "mobilenetv2_160_035_cfu",
    "person_detect_qdimfix",
    "ppocr_cls_mnv3s035_int8",
    "ssdlite_mnv2_ped_int8",
    "tf2_mobilenet_v2_1.0_224_ptq",
    "vww_96_int8",
)


def check(graph, monkeypatch) -> None:
    made = 0
    make = board_plan.make_design

    def counting(*arguments, **options):
        nonlocal made
        made += 1
        return make(*arguments, **options)

    monkeypatch.setattr(board_plan, "make_design", counting)
    for board in {board.device: board for board in boards()}.values():
        made = 0
        try:
            design = board_plan.design_for_board(graph, board, boards())
        except GraphError as error:
            assert str(error).startswith((f"{board} is too small for {graph.name}: ", f"{graph.name} needs at least "))
        else:
            assert not board_plan.shortages(design, board.device)
        assert made <= MADE


@pytest.mark.parametrize("name", ["digits", pytest.param("cifar10", marks=pytest.mark.slow)])
def test_built_in_models(name, monkeypatch):
    check(load(name), monkeypatch)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", MODELS)
def test_files(shared, name, monkeypatch):
    try:
        graph = load(str(shared / "models" / f"{name}.tflite"))
        check(graph, monkeypatch)
    except GraphError as error:
        assert "cannot be built" in str(error)
