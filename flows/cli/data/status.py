"""The command `status`: what there is, which days are proven, what is not, and what to do."""

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, QuietOption, load
from flows.cli.output.answer import answer
from flows.common.process.exit_status import ExitStatus


def status(
    *,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what there is, which days are proven complete, what is not and what to do.

    Exit status: 0, or 1 where something that was committed is gone or changed, as far as a quick
    look tells.

    Examples:
        pith-ingest status
        pith-ingest status --data data/demo --json
        pith-ingest status --quiet
    """
    from flows.cli.data.folder_status import folder_status
    from flows.cli.data.status_screen import attention, blocks
    from flows.common.process.clock import utc_now

    found = folder_status(load(config, data))
    shown = attention(found) if quiet else blocks(found, utc_now())
    answer(found, shown, as_json=as_json)
    raise typer.Exit(ExitStatus.PROBLEMS if found.faults else ExitStatus.DONE)
