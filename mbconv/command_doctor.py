"""``mbconv doctor``: the tools, their versions, and what is missing."""

from __future__ import annotations

from dataclasses import asdict

import click

from . import __version__
from .cli_options import json_option
from .cli_output import print_json, results
from .cli_table import Rows
from .doctor import examine, summary


@click.command(short_help="The tools, their versions, what is missing.")
@json_option
def doctor(as_json: bool) -> None:
    """List the tools, their versions, what is missing and the command that mends it."""
    findings = examine()
    if as_json:
        missing = [finding for finding in findings if finding.needed and not finding.is_ready]
        print_json(
            "doctor",
            {
                "mbconv": __version__,
                "ready": not missing,
                "summary": summary(findings),
                "tools": [asdict(finding) | {"needed": finding.needed} for finding in findings],
            },
        )
        return
    rows = Rows("tool", "version", "for", "", left=("tool", "version", "for", ""))
    for finding in findings:
        note = f"needs {finding.wanted}" if finding.wanted else ""
        note = note or "" if finding.version else "missing" if finding.needed else "not installed (optional)"
        rows.add_row(finding.name, finding.version or "—", finding.part, note)
    console = results()
    console.print(f"mbconv {__version__}")
    console.print(rows)
    for remedy in dict.fromkeys(finding.remedy for finding in findings if finding.remedy and finding.needed):
        console.print(f"missing: {remedy}", soft_wrap=True)
    for remedy in dict.fromkeys(finding.remedy for finding in findings if finding.remedy and not finding.needed):
        console.print(f"optional: {remedy}", soft_wrap=True)
    console.print(summary(findings))
