"""The commands `registry …` by their names."""

import typer

from flows.cli.output.help import Command, Group
from flows.cli.registry.mirror import mirror
from flows.cli.registry.publish import publish
from flows.cli.registry.serve import serve

app = typer.Typer(
    cls=Group,
    help="""Serve or publish the records, at the addresses that their bundles name; mirror others'.

    Examples:
        pith-ingest registry serve
    """,
    no_args_is_help=True,
)
for _command in (serve, publish, mirror):
    app.command(cls=Command)(_command)
