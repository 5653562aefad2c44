"""The command `export`: bundles out of the tables as files."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load, typed_day
from flows.cli.output.answer import answer
from flows.common.terminal import Line


@dataclass(frozen=True, slots=True)
class ExportedBundles:
    """What `export --json` prints: where the files lie, how many it wrote, and found there."""

    to: str
    written: int
    unchanged: int


def export(
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
        date | None,
        typer.Option(
            "--issued-from",
            parser=typed_day,
            metavar="DAY",
            help="First day of issue: 2026-11-14, '14 Nov', yesterday, friday, 7d (days ago).",
        ),
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(
            "--issued-until", parser=typed_day, metavar="DAY", help="Last day of issue, likewise."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take all that is kept.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            readable=False, metavar="DIR", help="Where to, instead of the data folder's bundles/."
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write bundles out of the tables as files, such as after runs with 'bundle_files: none'.

    Each is the newest bundle of its number, byte for byte, in DIR/<year>/<first two>/<suffix>.json.
    Conditions are met all together.

    Examples:
        pith-ingest export --all --to bundles
        pith-ingest export 1906.10822 math/0410603 --to bundles
        pith-ingest export --category cs.LG --issued-from 2026-11-01 --to bundles
    """
    if everything == any([papers, category, first, until]):
        raise typer.BadParameter("name papers, categories or days of issue, or else --all")
    from flows.ingest.worker_context import layout_of
    from flows.store.bundles.export import ExportSelection, export_bundles

    selection = ExportSelection(papers or (), frozenset(category or ()), first, until)
    layout = layout_of(load(config, data))
    exported = export_bundles(layout, selection, to)
    where = str(to) if to else layout.files.location("bundles")
    document = ExportedBundles(where, exported.written, exported.unchanged)
    said = f"bundles written {exported.written:,}, there already {exported.unchanged:,}"
    answer(document, [Line(said)], as_json=as_json)
