"""The error that is meant for a user."""


class GraphError(ValueError):
    """A network that cannot be represented or used as asked; the message is meant for the user."""
