"""Quantised MobileNets as streaming circuits.

The library is small: :func:`load` a model, :func:`plan` or :func:`design` it for a :func:`Target`, :func:`emit`,
:func:`simulate` and :func:`build` the design (see ``mbconv.api``). The parts behind it are ``mbconv.hdl`` (circuits),
``mbconv.generators`` (from a model file to Verilog), ``mbconv.sim`` (golden model and simulation), ``mbconv.fpga``
(devices) and ``mbconv.models`` (built-in networks); ``mbconv.cli`` is the command line.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api import Bundle, Design, Graph, MbconvError, Plan, Target, build, design, emit, load, plan, simulate

__all__ = ["Bundle", "Design", "Graph", "MbconvError", "Plan", "Target", "__version__", "build", "design", "emit",
           "load", "plan", "simulate"]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What the library offers is imported when it is first used: ``import mbconv`` itself takes no time."""
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
