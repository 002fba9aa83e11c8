"""`tabiji`: the desk, the production processes, and what ops ask. A file here is a group of commands.

Imports are late: `tabiji --help` is quick, and no command loads what another needs.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from tabiji.cli import (
    answers,
    authoring,
    broadcasts,
    deploying,
    drafts,
    experiments,
    imports,
    keys,
    looking,
    mail,
    params,
    running,
    suppressions,
    templates,
    webhooks,
)
from tabiji.desk import control_commands

app = typer.Typer(
    name="tabiji",
    help="Marketing automation as code, on Temporal. Settings are TABIJI_… variables, read from .env too.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (running, authoring, looking, deploying, imports):
    app.add_typer(group.app)
app.add_typer(imports.duplicates, name="duplicates")
app.add_typer(imports.export, name="export")
app.add_typer(broadcasts.app, name="broadcast")
app.add_typer(keys.app, name="key")
app.add_typer(mail.app, name="mail")
app.add_typer(params.app, name="param")
app.add_typer(templates.app, name="template")
app.add_typer(experiments.app, name="experiment")
app.add_typer(suppressions.app, name="suppress")
app.add_typer(answers.returned, name="returned")
app.add_typer(answers.tasks, name="task")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(drafts.app, name="journey")
control_commands.add(app)


@app.callback(invoke_without_command=True)
def _tabiji(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tabiji {installed('tabiji')}")
        raise typer.Exit


def main() -> NoReturn:
    """Run the command. Every error we know is one line and exit code 1; everything ends through `end`."""
    from tabiji.errors import TabijiError

    try:
        app()
    except TabijiError as error:
        print(f"tabiji: {error}", file=sys.stderr)
        end(1)
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        end(leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None))
    end(0)


def end(code: int) -> NoReturn:
    """Leave without tearing the interpreter down.

    The Temporal SDK's threads may still want the interpreter's lock while it ends, and then abort the process
    (PyGILState_Release). By now all work is done and everything is closed: only the streams need care.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1  # whoever read it has gone
    os._exit(code)
