"""``python -m mbconv`` is the command ``mbconv``, which begins here: an interrupt is answered from the first moment."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    try:
        from .cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("mbconv: interrupted\n")
        sys.exit(130)
    command(prog_name="mbconv")


if __name__ == "__main__":
    main()
