"""The commands about bundles and keys, wherever they lie."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import ConfigOption, TrustConfigOption
from flows.common.terminal import echo


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
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what is not good.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every check.")] = False,
    config: TrustConfigOption = None,
) -> None:
    """Verify bundles offline: every hash, every signature, and whether you trust the keys.

    Whom you trust is never read from the folder that this stands in.

    Exit status: 0 all valid and trusted; 1 something is invalid or untrusted; else 2 something
    could not be read, or is not in the metadata.
    """
    from flows.cli.verify.reports import Form, print_reports

    asked = {Form.JSON: as_json, Form.QUIET: quiet, Form.VERBOSE: verbose}
    forms = [form for form, wanted in asked.items() if wanted]
    if len(forms) > 1:
        raise typer.BadParameter("--json, --quiet and --verbose are one choice")
    form = forms[0] if forms else Form.LINES
    raise typer.Exit(print_reports(paths, trust=trust, config=config, metadata=metadata, form=form))


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

    It is signed with your key; events of one signer that contradict each other are shown. Who you
    are is never read from the folder that this stands in.
    """
    from flows.cli.verify.merge import merge_files
    from flows.common.config import load_config
    from flows.common.config_file import refuse_prefects_files
    from flows.common.errors import ConfigError
    from flows.common.keys import in_secret

    own = load_config(config, here=False)
    if config is None and load_config().identity != own.identity:
        raise ConfigError(
            "config.yaml in this folder says who signs, and 'merge' takes that from no folder that "
            "it stands in; if the file is yours, say so with --config config.yaml"
        )
    if in_secret(own.identity):
        refuse_prefects_files()
    merge_files(own, bundles, output)


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
    from flows.common.config import load_config
    from flows.common.keys import create_key
    from transforms.signing import encode_base64, fingerprint

    file = file or load_config(config).identity.key_file
    key = create_key(file)
    echo(f"made {file}")
    echo(f"fingerprint  {fingerprint(key.public_key)}")
    echo(f"public key   {encode_base64(key.public_key)}")
