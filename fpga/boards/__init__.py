"""The boards that designs are planned and built for, in the form of ``amaranth-boards``, and those of ours."""

from .registry import FpgaBoard, boards, find_board

__all__ = ["FpgaBoard", "boards", "find_board"]
