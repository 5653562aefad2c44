"""The commands that read what is kept, and set it right."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import DAY, ConfigOption, DataOption, load
from flows.common.terminal import echo


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="PAPER",
            help="An arXiv id (with a version for that one alone), a link to arXiv, a DOI of "
            "arXiv's or a Pith Number.",
        ),
    ],
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Print the exact bundle instead of a summary.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what is known of one paper: its newest record, or the one that is named."""
    from flows.cli.data.show import print_bundle, print_record

    (print_bundle if bundle else print_record)(load(config, data), name)


def find(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Words of title or authors; all papers if none.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many papers to list at the most.")] = 20,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Find papers by words of their title or authors, typed without accents."""
    from flows.cli.data.find import print_matches

    print_matches(load(config, data), text, limit)


def export(  # noqa: PLR0913 - one argument per option
    papers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PAPER",
            help="An arXiv id (with a version for that one alone), a link to arXiv, a DOI of "
            "arXiv's or a Pith Number.",
        ),
    ] = None,
    *,
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="C", help="Take papers of this category, cross-lists too; again for more."
        ),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--issued-from", formats=[DAY], metavar="DATE", help="First day of issue."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--issued-until", formats=[DAY], metavar="DATE", help="Last day of issue."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take all that is kept.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            readable=False, metavar="DIR", help="Where to, instead of the data folder's bundles/."
        ),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write bundles out of the tables as files, such as after runs with 'bundle_files: none'.

    Each is the newest bundle of its number, byte for byte, in DIR/<year>/<first two>/<suffix>.json.
    Conditions are met all together.
    """
    if everything == any([papers, category, first, until]):
        raise typer.BadParameter("name papers, categories or days of issue, or else --all")
    from flows.cli.data.export import Wanted
    from flows.cli.data.export import export as write_files

    days = first.date() if first else None, until.date() if until else None
    wanted = Wanted(papers or (), frozenset(category or ()), *days)
    exported = write_files(load(config, data), wanted, to)
    echo(f"bundles written {exported.written}, there already {exported.unchanged}")


def status(config: ConfigOption = None, data: DataOption = None) -> None:
    """Show what there is, which days are proven complete, what is not and what to do.

    Exit status: 0, or 1 where something that was committed is gone or changed, as far as a quick
    look tells.
    """
    from flows.cli.data.status import FAULTY, find_faults, status_lines

    loaded = load(config, data)
    faults = list(find_faults(loaded))
    # What a damaged catalog says is not shown.
    for line in faults or status_lines(loaded):
        echo(line)
    raise typer.Exit(FAULTY if faults else 0)


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
    """
    from flows.cli.data.doctor import FAULTY, HEALTHY, examine, report_lines
    from flows.cli.data.doctor import repair as mend
    from flows.ingest.worker_context import layout_of

    loaded = load(config, data)
    if repair:
        mend(loaded, full=full, say=echo)
    found = examine(loaded, full=full)
    for line in report_lines(layout_of(loaded), found):
        echo(line)
    raise typer.Exit(FAULTY if found.findings.faults else HEALTHY)


def rebuild_catalog(config: ConfigOption = None, data: DataOption = None) -> None:
    """Make the catalog again from the tables, and bundle files that are missing."""
    from flows.ingest.worker_context import layout_of
    from flows.store.repair.rebuild import rebuild_catalog as rebuild
    from flows.store.store import open_store

    loaded = load(config, data)
    layout = layout_of(loaded)
    shards = rebuild(layout)
    bundle_files = loaded.outputs.bundle_files == "all"
    with open_store(layout, job="rebuild-catalog", bundle_files=bundle_files, say=echo) as store:
        records = store.catalog.count("records")
    echo(f"the catalog knows {records} records of {shards} shards again")
