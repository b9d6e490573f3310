"""``python -m mbconv`` is the command ``mbconv``."""

from .cli import main

main(prog_name="mbconv")
