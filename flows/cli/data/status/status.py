"""The command `status`: what there is, which days are proven, what is not, and what to do."""

from typing import Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, QuietOption, load
from flows.cli.output.answer import answer
from flows.common.process.exit_status import ExitStatus

WatchOption = Annotated[
    bool,
    typer.Option(
        "--watch", help="Show the run under way as its own terminal does, until it ends or Ctrl-C."
    ),
]


def status(
    *,
    watch: WatchOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what there is, what is proven, what is not, what to do.

    Exit status: 0, or 1 where something that was committed is gone or changed, as far as a quick
    look tells; with --watch, 1 where the run did not come to its end.

    Examples:
        pith-ingest status
        pith-ingest status --watch
        pith-ingest status --data data/demo --json
        pith-ingest status --quiet
    """
    from flows.cli.data.status.folder_status import folder_status
    from flows.cli.data.status.screen import attention, blocks
    from flows.common.process.clock import utc_now

    if watch and (as_json or quiet):
        raise typer.BadParameter(
            "--watch follows a run on the screen; its numbers for programs are in runs/RUN/run.json"
        )
    loaded = load(config, data)
    if watch:
        from flows.cli.data.status.watch import watch as watch_run
        from flows.ingest.worker_context import layout_of

        raise typer.Exit(watch_run(layout_of(loaded)))
    found = folder_status(loaded)
    shown = attention(found) if quiet else blocks(found, utc_now())
    answer(found, shown, as_json=as_json)
    raise typer.Exit(ExitStatus.PROBLEMS if found.faults else ExitStatus.DONE)
