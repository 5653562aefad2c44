"""The command `doctor`: everything that is kept, checked against everything, and mended."""

from typing import Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import echo


def doctor(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Read and verify everything, which takes its time.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what can be mended; what is damaged is set aside."),
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Check everything that is kept against everything, and say what mends what is wrong.

    Ledger, catalog, tables, bundle files and replies: whether they are there and have their sizes,
    or with --full every byte and every signature. Nothing is written without --repair, and nothing
    is deleted or issued with it. Exit status: 0 all is well, 1 something is wrong.

    Examples:
        pith-ingest doctor
        pith-ingest doctor --full --data data/demo
        pith-ingest doctor --repair
    """
    from flows.ingest.worker_context import layout_of
    from flows.store.repair.doctor import examine, repair_folder, report_lines

    loaded = load(config, data)
    layout = layout_of(loaded)
    if repair:
        repair_folder(layout, loaded, full=full, say=echo)
    found = examine(layout, loaded, full=full)
    for line in report_lines(layout, found):
        echo(line)
    raise typer.Exit(ExitStatus.PROBLEMS if found.findings.faults else ExitStatus.DONE)
