"""The clock of single stages: arguments that are wrong are named, and a stage is measured."""

import pytest

from mbconv.fpga import stage_clock


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "8", "layer_77"], "no stage is called 'layer_77'; there are layer_00_convolution, "),
        (["digits", "8", "layer_03", "--device", "LFE5U-99F"], "no device is called 'LFE5U-99F'"),
        (["digits", "1", "layer_03"], "at least"),
        (["digits", "8", "layer_03", "--layers", "x"], "'x' is not A:B"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        stage_clock.main(arguments)
    assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.slow
def test_a_stage(capsys):
    assert stage_clock.main(["digits", "8", "layer_03", "--device", "iCE40UP5K"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("layer_03_pointwise: ") and " MHz; " in shown and " ns routing to " in shown
