from .add_constants import AddConstants

__all__ = ["AddConstants"]
