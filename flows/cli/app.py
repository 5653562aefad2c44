"""The application: all commands by their names."""

import typer

from flows.cli import jobs
from flows.cli.data.doctor import doctor
from flows.cli.data.export import export
from flows.cli.data.find import find
from flows.cli.data.rebuild_catalog import rebuild_catalog
from flows.cli.data.show import show
from flows.cli.data.status import status
from flows.cli.keys import trust
from flows.cli.keys.keygen import keygen
from flows.cli.merge import merge
from flows.cli.registry.app import app as registry
from flows.cli.up import up
from flows.cli.verify.verify import verify

app = typer.Typer(
    name="pith-ingest",
    help="Turn arXiv's metadata into signed records that anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _command in (
    jobs.backfill,
    jobs.nightly,
    jobs.rerun,
    jobs.serve,
    up,
    show,
    find,
    export,
    status,
    doctor,
    rebuild_catalog,
    verify,
    merge,
    keygen,
):
    app.command()(_command)
app.add_typer(trust.app, name="trust")
app.add_typer(registry, name="registry")
