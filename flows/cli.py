"""The command line `pith-ingest`: what users call; each command imports what it needs when it runs.

Exit statuses: 0 done; 1 done, with rejects, unusable inputs, incomplete windows or bundles that
failed; 2 wrong use, configuration or data folder; 3 arXiv unreachable; 70 a fault of our own.
"""

import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from flows.errors import PithError

if TYPE_CHECKING:
    from flows.config import Config
    from flows.starting import JobName

DAY = "%Y-%m-%d"
INTERNAL_FAULT = 70  # EX_SOFTWARE of sysexits.h

app = typer.Typer(
    name="pith-ingest",
    help="Turn arXiv's metadata into signed records that anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="PITH_CONFIG", metavar="FILE",
        help="Configuration to read instead of ./config.yaml.",
    ),
]  # fmt: skip
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        readable=False,
        metavar="DIR",
        help="Folder to keep everything in, instead of the configured one.",
    ),
]


ReissueOption = Annotated[
    bool,
    typer.Option("--reissue", help="Sign receipts again with the current key; arXiv is not asked."),
]


@app.command()
def keygen(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where to write it; the configured key_file if left out."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a signing key; an existing one is never replaced.

    The file can be read by you alone. Every job makes a key on first use, so this command is only
    needed to have one elsewhere or before.
    """
    from flows.config import load_config
    from flows.keys import create_key
    from transforms.signing import encode_base64, fingerprint

    file = file or load_config(config).identity.key_file
    key = create_key(file)
    typer.echo(f"made {file}")
    typer.echo(f"fingerprint  {fingerprint(key.public_key)}")
    typer.echo(f"public key   {encode_base64(key.public_key)}")


@app.command()
def backfill(  # noqa: PLR0913, PLR0917 - one argument per option
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
        from flows.plan import plan_backfill

        typer.echo("\n".join(plan_backfill(_load(config, data), **source)))
        return
    _run("backfill", **source, reissue=reissue, config_file=config, data_dir=data)


@app.command()
def nightly(config: ConfigOption = None, data: DataOption = None) -> None:
    """Harvest what changed on arXiv since the last night that was complete.

    Runs as a Prefect flow where a server is configured, and by itself elsewhere.
    """
    _run("nightly", config_file=config, data_dir=data)


@app.command()
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


@app.command()
def serve(config: ConfigOption = None, data: DataOption = None) -> None:
    """Serve the three jobs to a Prefect server, the nightly one on its schedule, until stopped.

    It needs a server: `prefect server start` in another terminal.
    """
    from flows.starting import keep_analytics_off

    keep_analytics_off()
    from flows.serving import serve_jobs

    serve_jobs(config, data)


@app.command()
def verify(  # noqa: PLR0913 - one argument per option
    paths: Annotated[
        list[Path],
        typer.Argument(
            readable=False,
            allow_dash=True,
            metavar="PATH",
            help="Bundle files, Parquet shards of bundles, folders of either, or '-'.",
        ),
    ],
    *,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="A public key to trust: 'pith.science', 'own', or base64. Default: these two.",
        ),
    ] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(
            readable=False,
            metavar="FILE",
            help="What arXiv says (JSON Lines or an OAI-PMH reply), to compare the text hashes.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines instead.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what is not good.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every check.")] = False,
    config: ConfigOption = None,
) -> None:
    """Verify bundles offline: every hash, every signature, and whether you trust the keys.

    Exit status: 0 all valid and trusted; 1 something is invalid or untrusted; else 2 something
    could not be read, or is not in the metadata.
    """
    from flows.verifying import Form, print_reports

    asked = {Form.JSON: as_json, Form.QUIET: quiet, Form.VERBOSE: verbose}
    forms = [form for form, wanted in asked.items() if wanted]
    if len(forms) > 1:
        raise typer.BadParameter("--json, --quiet and --verbose are one choice")
    form = forms[0] if forms else Form.LINES
    raise typer.Exit(print_reports(paths, trust=trust, config=config, metadata=metadata, form=form))


@app.command()
def merge(
    bundles: Annotated[
        list[Path],
        typer.Argument(readable=False, metavar="BUNDLE", help="Copies of one paper's bundle."),
    ],
    output: Annotated[
        Path, typer.Option(readable=False, metavar="FILE", help="Where to write the new bundle.")
    ],
    config: ConfigOption = None,
) -> None:
    """Unite the events of several copies of one paper's bundle in a new bundle.

    It is signed with your key; events of one signer that contradict each other are shown.
    """
    from flows.merging import merge_files

    merge_files(_load(config, None), bundles, output)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="ID|NUMBER", help="An arXiv id, a Pith Number or a short one.")
    ],
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Print the exact bundle instead of a summary.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what is known of one paper."""
    from flows.reading import print_bundle, print_record

    (print_bundle if bundle else print_record)(_load(config, data), name)


@app.command()
def find(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Words of title or authors; all papers if none.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many papers to list at the most.")] = 20,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Find papers by words of their title or authors, typed without accents."""
    from flows.finding import print_matches

    print_matches(_load(config, data), text, limit)


@app.command()
def status(config: ConfigOption = None, data: DataOption = None) -> None:
    """Show what there is, how up to date it is, what is incomplete and what to do."""
    from flows.status import status_lines

    for line in status_lines(_load(config, data)):
        typer.echo(line)


@app.command()
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
    from flows.exporting import Wanted
    from flows.exporting import export as write_files

    days = first.date() if first else None, until.date() if until else None
    wanted = Wanted(papers or (), frozenset(category or ()), *days)
    exported = write_files(_load(config, data), wanted, to)
    typer.echo(f"bundles written {exported.written}, there already {exported.unchanged}")


@app.command()
def rebuild_catalog(config: ConfigOption = None, data: DataOption = None) -> None:
    """Make the catalog again from the tables, and bundle files that are missing."""
    from flows.store.rebuild import rebuild_catalog as rebuild
    from flows.store.store import open_store

    loaded = _load(config, data)
    shards = rebuild(loaded.data_dir)
    bundle_files = loaded.outputs.bundle_files == "all"
    with open_store(
        loaded.data_dir, job="rebuild-catalog", bundle_files=bundle_files, say=typer.echo
    ) as store:
        records = store.catalog.count("records")
    typer.echo(f"the catalog knows {records} records of {shards} shards again")


def main() -> NoReturn:
    """Run the command line; every error that a user can act on is one sentence."""
    # On our own logger only: a handler on the root would print all that Prefect logs.
    logger = logging.getLogger("pith_ingest")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    try:
        app()
    except PithError as error:
        _fail(str(error), error.exit_status)
    except Exception as error:  # the last resort, so that no user meets a traceback
        if os.environ.get("PITH_DEBUG"):
            raise
        _fail(
            f"a fault in pith-ingest itself, please report it: {type(error).__name__}: {error} "
            "(PITH_DEBUG=1 shows where)",
            INTERNAL_FAULT,
        )
    sys.exit(0)


def _fail(message: str, exit_status: int) -> NoReturn:
    typer.echo(f"pith-ingest: {message}", err=True)
    sys.exit(exit_status)


def _load(config: Path | None, data: Path | None) -> "Config":
    from flows.config import load_config

    return load_config(config, data_dir=data)


def _run(job: "JobName", **options: Any) -> NoReturn:  # noqa: ANN401
    from flows.starting import run_job

    report = run_job(job, **options)
    for line in report.lines():
        typer.echo(line)
    raise typer.Exit(report.exit_status)


if __name__ == "__main__":
    main()
