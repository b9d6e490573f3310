"""Built-in networks, and :func:`load` for whatever a user calls a model."""
