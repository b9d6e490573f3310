"""The host's side of a board's link."""

from .board import Board
from .errors import BoardError, BoardMissing, WrongNetwork
from .measurement import MeasuredRun
from .report import Status

__all__ = ["Board", "BoardError", "BoardMissing", "MeasuredRun", "Status", "WrongNetwork"]
