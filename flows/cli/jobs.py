"""The commands that run jobs."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from flows.cli.options import DAY, ConfigOption, DataOption, load
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.orchestration.launch import JobName


ReissueOption = Annotated[
    bool,
    typer.Option("--reissue", help="Sign receipts again with the current key; arXiv is not asked."),
]


def backfill(
    more: Annotated[
        list[Path] | None,
        typer.Argument(readable=False, metavar="PATH", help="More replies, after --raw."),
    ] = None,
    raw: Annotated[
        list[Path] | None,
        typer.Option(
            "--raw",
            readable=False,
            metavar="PATH",
            help="A saved OAI-PMH reply (arXivRaw; .xml, .xml.gz, .xml.zst) or a folder of them.",
        ),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="C", help="Harvest this category, such as cs.LG; again for more; 'all' for all."
        ),
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(readable=False, metavar="FILE", help="The metadata file from Kaggle."),
    ] = None,
    search: Annotated[
        str | None, typer.Option(metavar="QUERY", help="Take what a search of arXiv finds.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many papers of a search to take.")] = 2000,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=[DAY], metavar="DATE", help="First day of change."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=[DAY], metavar="DATE", help="Last day of change.")
    ] = None,
    *,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only say what would be done and how long it takes at arXiv's pace.",
        ),
    ] = False,
    reissue: ReissueOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Process a category of arXiv, a snapshot, a search, or saved replies.

    Papers become signed bundles and Parquet tables; known ones are counted as unchanged, and what
    cannot be used is kept as a reject. A harvest that was interrupted goes on where it stopped.
    Runs as a Prefect flow where a server is configured, and by itself elsewhere.
    """
    source: dict[str, Any] = {
        "raw": [*raw, *(more or [])] if raw else None,
        "categories": category,
        "snapshot": snapshot,
        "search": search,
        "first": first.date() if first else None,
        "until": until.date() if until else None,
        "limit": limit,
    }
    if dry_run:
        from flows.jobs.dry_run import plan_backfill

        for line in plan_backfill(load(config, data), **source):
            echo(line)
        return
    _run("backfill", **source, reissue=reissue, config_file=config, data_dir=data)


def nightly(config: ConfigOption = None, data: DataOption = None) -> None:
    """Harvest what changed on arXiv since the last day that is proven complete.

    Runs as a Prefect flow where a server is configured, and by itself elsewhere.
    """
    _run("nightly", config_file=config, data_dir=data)


def rerun(
    papers: Annotated[
        list[str],
        typer.Argument(
            metavar="PAPER",
            help="An arXiv id, with or without version, a link to arXiv, a DOI of arXiv's or a "
            "Pith Number.",
        ),
    ],
    *,
    reissue: ReissueOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Ask arXiv for single papers once more, and tell what is new and what stayed.

    ArXiv serves only the newest version's metadata. Runs as a Prefect flow where a server is
    configured, and by itself elsewhere.
    """
    _run("rerun", papers=papers, reissue=reissue, config_file=config, data_dir=data)


def serve(config: ConfigOption = None, data: DataOption = None) -> None:
    """Serve the three jobs to a Prefect server, the nightly one on its schedule, until stopped.

    It needs a server: `prefect server start` in another terminal.
    """
    from flows.common.process.signals import leave
    from flows.orchestration.launch import keep_analytics_off

    leave()  # to Prefect, which stops its runs in order
    keep_analytics_off()
    from flows.orchestration.deployments import serve_jobs

    serve_jobs(config, data)


def _run(job: "JobName", **options: Any) -> NoReturn:  # noqa: ANN401
    from flows.orchestration.launch import run_job

    report = run_job(job, **options)
    for line in report.lines():
        echo(line)
    raise typer.Exit(report.exit_status)
