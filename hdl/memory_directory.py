"""The folder of the memory files as a parameter of the top module, handed down to every memory."""

from __future__ import annotations

import re

MEMORY_DIRECTORY = "MEMORY_DIRECTORY"

_MODULE = re.compile(r"^module (\S+)\s*\((.*?)^endmodule$", re.MULTILINE | re.DOTALL)
_INSTANCE = re.compile(r"^  (\w+)  (\w+) \($", re.MULTILINE)
_FILE = re.compile(r'\.FILE\(("[^"]*")\)')


def with_memory_directory(text: str, top: str) -> str:
    """Verilog whose modules take ``MEMORY_DIRECTORY`` wherever a memory below reads a file: "./" by default at the top.

    It must end with a slash. Below the top the default is empty, and an empty one reads no file: Yosys elaborates every
    module with its defaults as well, in the folder where it runs.
    """
    modules = {match[1]: match[2] for match in _MODULE.finditer(text)}
    needing = {name for name, body in modules.items() if _FILE.search(body)}
    parts = {name: {match[1] for match in _INSTANCE.finditer(body)} for name, body in modules.items()}
    while above := {name for name, inside in parts.items() if name not in needing and needing & inside}:
        needing |= above

    def instance(match: re.Match) -> str:
        if match[1] not in needing:
            return match[0]
        return f"  {match[1]} #(\n    .{MEMORY_DIRECTORY}({MEMORY_DIRECTORY})\n  ) {match[2]} ("

    def module(match: re.Match) -> str:
        if match[1] not in needing:
            return match[0]
        body = _FILE.sub(
            rf'.FILE({MEMORY_DIRECTORY} == "" ? "" : {{{MEMORY_DIRECTORY}, \1}})', _INSTANCE.sub(instance, match[2])
        )
        default = "./" if match[1] == top else ""
        return f'module {match[1]} #(\n  parameter {MEMORY_DIRECTORY} = "{default}"\n) ({body}endmodule'

    return _MODULE.sub(module, text)
