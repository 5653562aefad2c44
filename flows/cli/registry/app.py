"""The commands `registry …` by their names."""

import typer

from flows.cli.registry.publish import publish
from flows.cli.registry.serve import serve

app = typer.Typer(
    help="Serve or publish the records to others, at the addresses that their bundles name.",
    no_args_is_help=True,
)
for _command in (serve, publish):
    app.command()(_command)
