"""The command `verify`: bundles checked offline, wherever they lie."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import TrustConfigOption


def verify(
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
            help="A public key to trust: 'pith.science', 'own', or base64. Default: the first two, "
            "and what 'pith-ingest trust' keeps.",
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only what is not good.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every check.")] = False,
    config: TrustConfigOption = None,
) -> None:
    """Verify bundles offline: every hash, every signature, and whether you trust the keys.

    Whom you trust is never read from the folder that this stands in.

    Exit status: 0 all valid and trusted; 1 something is invalid or untrusted; else 2 something
    could not be read, or is not in the metadata.

    Examples:
        pith-ingest verify data/bundles
        pith-ingest verify --trust pith.science bundle.json
        curl -s https://example.org/bundle.json | pith-ingest verify -
    """
    from flows.cli.bundles.reports import Form, print_reports

    chosen = {Form.JSON: as_json, Form.QUIET: quiet, Form.VERBOSE: verbose}
    forms = [form for form, wanted in chosen.items() if wanted]
    if len(forms) > 1:
        raise typer.BadParameter("--json, --quiet and --verbose are one choice")
    form = forms[0] if forms else Form.LINES
    raise typer.Exit(print_reports(paths, trust=trust, config=config, metadata=metadata, form=form))
