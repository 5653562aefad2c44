"""The command `doctor`: everything that is kept, checked against everything, and mended."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, QuietOption, load
from flows.cli.output.answer import answer
from flows.common.counts import counted
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Line, Tone, echo

if TYPE_CHECKING:
    from flows.store.repair.doctor import Diagnosis


def doctor(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Read and verify everything, which takes its time.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what can be mended; what is damaged is set aside."),
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Check all that is kept, and say what mends what is wrong.

    Ledger, catalog, tables, bundle files and replies: whether they are there and have their sizes,
    or with --full every byte and every signature. Nothing is written without --repair, and nothing
    is deleted or issued with it. Exit status: 0 all is well, 1 something is wrong.

    Examples:
        pith-ingest doctor
        pith-ingest doctor --full --data data/demo
        pith-ingest doctor --repair
    """
    from flows.ingest.worker_context import layout_of
    from flows.store.repair.doctor import diagnosis, examine, repair_folder

    loaded, mended = load(config, data), list[str]()
    layout = layout_of(loaded)
    if repair:
        # Each as it is done, for it may take long; a document says all in the end.
        say = mended.append if as_json else echo
        repair_folder(layout, loaded, full=full, say=say)
    found = diagnosis(layout, examine(layout, loaded, full=full), mended)
    answer(found, _attention(found) if quiet else _lines(found), as_json=as_json)
    raise typer.Exit(ExitStatus.PROBLEMS if found.faults else ExitStatus.DONE)


def _lines(found: "Diagnosis") -> Iterator[Line]:
    yield from _attention(found)
    looked = f"{counted(found.commits, 'commits')}, {counted(found.shards, 'shards')}"
    if found.bundles_read:
        looked += f", {counted(found.bundles_read, 'bundles')} read and verified"
    faults = counted(len(found.faults), "faults") if found.faults else "all is well"
    tone = Tone.BAD if found.faults else Tone.GOOD
    yield Line(f"{found.folder}: {looked}: {faults}", tone)


def _attention(found: "Diagnosis") -> Iterator[Line]:
    for notice in found.notices:
        yield Line(notice, Tone.WARNING)
    if found.untrusted:
        bundles = counted(found.untrusted, "bundles")
        text = f"{bundles} valid, but not of your keys (identity.known_keys)"
        yield Line(text, Tone.WARNING)
    for fault in found.faults:
        yield Line(f"{fault.where} {fault.problem}; mended by:", Tone.BAD)
        yield Line(f"  {fault.remedy}")
