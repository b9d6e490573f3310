"""A step of a build that is not done again: its key is the content of all that goes in, kept beside what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from .tools import tool_versions


def done_once(
    name: str, folder: Path, program: str, inputs: Sequence[object], outputs: Sequence[str], run: Callable[[], None]
) -> bool:
    """Do a step, unless it was done in this folder with the same inputs and its outputs are as it left them.

    What is kept is ``<name>.done``, written last: an interrupted step is done again.

    Args:
        program: whose package's version belongs to the key.
        inputs: texts, bytes, numbers; a Path stands for the file's content.
        outputs: names of the files that the step writes.

    Returns:
        Whether it was done now.
    """
    key = _digest([tool_versions(program), *inputs])
    mark = folder / f"{name}.done"
    if mark.exists() and all((folder / output).exists() for output in outputs):
        try:
            kept = json.loads(mark.read_text())
        except ValueError:
            kept = {}
        if kept == {"key": key, "outputs": _digests(folder, outputs)}:
            return False
    for stale in (mark, *(folder / output for output in outputs)):
        stale.unlink(missing_ok=True)
    run()
    mark.write_text(json.dumps({"key": key, "outputs": _digests(folder, outputs)}, indent=1) + "\n")
    return True


def _digests(folder: Path, outputs: Sequence[str]) -> dict[str, str]:
    return {output: hashlib.sha256((folder / output).read_bytes()).hexdigest() for output in outputs}


def _digest(values: Sequence[object]) -> str:
    digest = hashlib.sha256()
    for value in values:
        data = value.read_bytes() if isinstance(value, Path) else value if isinstance(value, bytes) else None
        text = repr(value).encode() if data is None else data
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()
