"""The application: all commands by their names."""

from collections.abc import Callable
from typing import Annotated

import typer

from flows.cli import jobs
from flows.cli.bundles.merge import merge
from flows.cli.bundles.verify import verify
from flows.cli.data.doctor import doctor
from flows.cli.data.export import export
from flows.cli.data.find import find
from flows.cli.data.rebuild_catalog import rebuild_catalog
from flows.cli.data.report import report
from flows.cli.data.show import show
from flows.cli.data.status.status import status
from flows.cli.keys import trust
from flows.cli.keys.keygen import keygen
from flows.cli.options import QuietOption, VerboseOption
from flows.cli.output.help import Command, Group
from flows.cli.registry.app import app as registry
from flows.cli.setup.init import init
from flows.cli.setup.up import up
from flows.common.terminal import echo

PANELS: dict[str, list[Callable[..., None]]] = {
    "Begin": [init],
    "Jobs": [jobs.backfill, jobs.nightly, jobs.rerun],
    "Look up": [find, show, export],
    "Verify": [verify, merge],
    "Operate": [up, status, report, doctor, rebuild_catalog, jobs.serve],
    "Keys": [keygen],
}
"""The commands by the headings under which `--help` lists them."""

app = typer.Typer(
    name="pith-ingest",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        from flows.common.process.version import version_line

        echo(version_line())
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version",
        "-V",
        callback=lambda value: _print_version(wanted=value),
        is_eager=True,
        help="Print version and commit.",
    ),
]


@app.callback()
def pith_ingest(
    *,
    version: VersionOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Turn arXiv's metadata into signed records that anyone can verify.

    Examples:
        pith-ingest backfill --category cs.LG --from 2026-11-01 --dry-run
        pith-ingest find schrodinger
        pith-ingest verify data/bundles
    """


for _panel, _commands in PANELS.items():
    for _command in _commands:
        app.command(cls=Command, rich_help_panel=_panel)(_command)
app.add_typer(trust.app, name="trust", rich_help_panel="Keys")
app.add_typer(registry, name="registry", rich_help_panel="Operate")
