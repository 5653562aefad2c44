"""The commands that run jobs."""

import inspect
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_args, get_type_hints

import typer

from flows.cli.options import (
    ConfigOption,
    DataOption,
    JsonOption,
    QuietOption,
    load,
    typed_day,
)
from flows.cli.output.answer import answer, print_json, say
from flows.common.terminal import Line
from flows.sources.source import BackfillOptions, SourceFlag

if TYPE_CHECKING:
    from flows.jobs.nightly import NightlyOptions
    from flows.jobs.report import RunReport
    from flows.jobs.rerun import RerunOptions


ReissueOption = Annotated[
    bool,
    typer.Option("--reissue", help="Sign receipts again with the current key; arXiv is not asked."),
]
MoreReplies = Annotated[
    list[Path] | None,
    typer.Argument(readable=False, metavar="PATH", help="More replies, after --raw."),
]
LimitOption = Annotated[int, typer.Option(min=1, help="How many papers of a search to take.")]
FirstDayOption = Annotated[
    date | None,
    typer.Option(
        "--from",
        parser=typed_day,
        metavar="DAY",
        help="First day of change: 2026-11-14, '14 Nov', yesterday, friday, 7d (days ago).",
    ),
]
LastDayOption = Annotated[
    date | None,
    typer.Option("--until", parser=typed_day, metavar="DAY", help="Last day of change, likewise."),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Only say what would be done and how long it takes at arXiv's pace."
    ),
]


def backfill_command(
    options_type: type[BackfillOptions] = BackfillOptions,
) -> Callable[..., None]:
    """Return the command `backfill`, with a flag for each source that its options can name."""

    def backfill(
        more: MoreReplies = None,
        *,
        limit: LimitOption = 2000,
        first: FirstDayOption = None,
        until: LastDayOption = None,
        dry_run: DryRunOption = False,
        reissue: ReissueOption = False,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
        config: ConfigOption = None,
        data: DataOption = None,
        **sources: object,
    ) -> None:
        """Process a category of arXiv, a snapshot, a search, or saved replies.

        Papers become signed bundles and Parquet tables; known ones are counted as unchanged, and
        what cannot be used is kept as a reject. A harvest that was interrupted goes on where it
        stopped. Runs as a Prefect flow where a server is configured, and by itself elsewhere.

        Examples:
            pith-ingest backfill --category cs.LG --from 2026-11-01 --dry-run
            pith-ingest backfill --category cs.LG --category stat.ML --from 2026-11-01
            pith-ingest backfill --snapshot arxiv-metadata-oai-snapshot.json
            pith-ingest backfill --search 'cat:cs.LG AND ti:attention' --limit 200
            pith-ingest backfill --raw data/raw
        """
        given: dict[str, Any] = dict(sources)
        if given["raw"]:
            given["raw"] += more or []
        options = options_type(
            **given, limit=limit, reissue=reissue, config_file=config, data_dir=data,
            first=first, until=until,
        )  # fmt: skip
        if dry_run:
            _plan(options, as_json=as_json)
        else:
            _finish(_backfill(options), as_json=as_json, quiet=quiet)

    own = inspect.signature(backfill)
    more, *others, _ = own.parameters.values()
    parameters = [more, *_source_flags(options_type), *others]
    vars(backfill)["__signature__"] = own.replace(parameters=parameters)
    return backfill


def _source_flags(options_type: type[BackfillOptions]) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a command for the options that name sources."""
    for name, hint in get_type_hints(options_type, include_extras=True).items():
        kind, *extras = get_args(hint) or [hint]
        for flag in extras:
            if isinstance(flag, SourceFlag):
                option = typer.Option(
                    flag.name, metavar=flag.metavar, help=flag.help, readable=False
                )
                yield inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=None,
                    annotation=Annotated[kind, option],
                )


backfill = backfill_command()


def _plan(options: BackfillOptions, *, as_json: bool) -> None:
    from flows.jobs.dry_run import dry_run

    plan = dry_run(options)
    answer(plan, map(Line, plan.lines), as_json=as_json)


def _backfill(options: BackfillOptions) -> "RunReport":
    from flows.jobs.backfill import backfill as job
    from flows.orchestration.launch import launch

    return launch(partial(job, options), partial(_backfill_flow, options))


def _backfill_flow(options: BackfillOptions) -> "RunReport":
    from flows.backfill import backfill_flow

    return backfill_flow(options)


def nightly(
    *,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Harvest what changed on arXiv since the last day that is proven.

    Runs as a Prefect flow where a server is configured, and by itself elsewhere.

    Examples:
        pith-ingest nightly
        pith-ingest nightly --config /etc/pith-ingest/config.yaml --quiet
    """
    from flows.jobs.nightly import NightlyOptions
    from flows.jobs.nightly import nightly as job
    from flows.orchestration.launch import launch

    options = NightlyOptions(config_file=config, data_dir=data)
    report = launch(partial(job, options), partial(_nightly_flow, options))
    _finish(report, as_json=as_json, quiet=quiet)


def _nightly_flow(options: "NightlyOptions") -> "RunReport":
    from flows.nightly import nightly_flow

    return nightly_flow(options)


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
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Ask arXiv for single papers once more, and tell what is new.

    ArXiv serves only the newest version's metadata. Runs as a Prefect flow where a server is
    configured, and by itself elsewhere.

    Examples:
        pith-ingest rerun 1906.10822
        pith-ingest rerun https://arxiv.org/abs/math/0410603 10.48550/arXiv.1906.10822
        pith-ingest rerun --reissue 1906.10822v1
    """
    from flows.jobs.rerun import RerunOptions
    from flows.jobs.rerun import rerun as job
    from flows.orchestration.launch import launch

    options = RerunOptions(papers=papers, reissue=reissue, config_file=config, data_dir=data)
    report = launch(partial(job, options), partial(_rerun_flow, options))
    _finish(report, as_json=as_json, quiet=quiet)


def _rerun_flow(options: "RerunOptions") -> "RunReport":
    from flows.rerun import rerun_flow

    return rerun_flow(options)


def serve(config: ConfigOption = None, data: DataOption = None) -> None:
    """Serve the three jobs to a Prefect server until stopped.

    The nightly one runs on its schedule. It needs a server: `prefect server start` in another
    terminal.

    Examples:
        pith-ingest serve
        pith-ingest serve --config /etc/pith-ingest/config.yaml
    """
    from flows.common.process.signals import leave
    from flows.orchestration.launch import keep_analytics_off

    load(config, data)  # what is wrong with it is said before Prefect makes a folder in the home
    leave()  # to Prefect, which stops its runs in order
    keep_analytics_off()
    from flows.orchestration.deployments import serve_jobs

    serve_jobs(config, data)


def _finish(report: "RunReport", *, as_json: bool, quiet: bool) -> NoReturn:
    """Print what a run did, or only what of it needs attention; its status is the command's."""
    if as_json:
        print_json(report.document())
    else:
        say(report.troubles() if quiet else report.toned_lines())
    raise typer.Exit(report.exit_status)
