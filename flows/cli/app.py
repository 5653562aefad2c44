"""The application: all commands by their names."""

import typer

from flows.cli import bundles, jobs, trust
from flows.cli.data import commands as kept

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
    kept.show,
    kept.find,
    kept.export,
    kept.status,
    kept.doctor,
    kept.rebuild_catalog,
    bundles.verify,
    bundles.merge,
    bundles.keygen,
):
    app.command()(_command)
app.add_typer(trust.app, name="trust")
