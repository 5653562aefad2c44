"""The command `registry mirror`: another registry's bundles, each verified before it is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer
from flows.common.terminal import Line, Tone

if TYPE_CHECKING:
    from flows.registry.mirror.mirror import OwnBundle


@dataclass(frozen=True, slots=True)
class MirroredRegistry:
    """What `registry mirror --json` prints: bundles by outcome, `gone` listed but not there.

    `damaged` (and fetched anew), `refused` and `differing` (from your own records) name each.
    """

    url: str
    to: Path
    kept: int
    unchanged: int
    gone: int
    damaged: Sequence[str]
    refused: Sequence[str]
    differing: Sequence[str]


def mirror(
    url: Annotated[str, typer.Argument(metavar="URL", help="The registry's address.")],
    *,
    to: Annotated[
        Path, typer.Option(readable=False, metavar="DIR", help="Folder to keep the bundles in.")
    ],
    numbers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Pith Numbers, one a line, for a registry that does not say which records it has.",
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Public key (base64) or 'pith.science' that may sign; again for more. Without it, "
            "the key that the registry names at the first time.",
        ),
    ] = None,
    pace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="At least between two requests.")
    ] = 0.2,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Fetch what another registry has and this folder lacks, and verify every bundle.

    What does not verify is named and not kept. It asks that one host alone, goes on where it
    stopped, and tells where your own records differ.

    Examples:
        pith-ingest registry mirror https://registry.example.org --to mirror
        pith-ingest registry mirror https://pith.science --to copy --key pith.science
    """
    from flows.cli.keys.trusted_keys import named_trust
    from flows.common.http.pace import Pace
    from flows.common.limits import Limits
    from flows.common.process.exit_status import ExitStatus
    from flows.registry.mirror.client import RegistryClient
    from flows.registry.mirror.kept import MirrorFolder
    from flows.registry.mirror.listings import NamedRecords
    from flows.registry.mirror.mirror import mirror as run

    own = _own_bundles(config, data)
    suffixes = _suffixes(numbers) if numbers else None
    keys = named_trust(key, config, option="--key") if key else {}
    with RegistryClient(url, Pace(to / ".pace.lock", pace), Limits().retry) as client:
        report = run(
            client,
            MirrorFolder(to),
            url=url,
            keys=keys,
            listing=NamedRecords(client, suffixes) if suffixes is not None else None,
            own=own,
        )
    document = MirroredRegistry(
        url, to, report.kept, report.unchanged, report.gone, report.damaged, report.refused,
        report.differing,
    )  # fmt: skip
    answer(document, _blocks(document), as_json=as_json)
    if report.refused or report.damaged:
        raise typer.Exit(ExitStatus.PROBLEMS)


def _suffixes(file: Path) -> list[str]:
    """Return the suffixes of the numbers in a file; raises `ConfigError` for what is none."""
    from flows.common.errors import ConfigError
    from flows.common.terminal import quoted
    from transforms.registry.addresses import is_suffix

    try:
        lines = file.read_text(encoding="utf-8").split()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"cannot read {file}: it is no text in UTF-8") from None
    suffixes = [line.rpartition(":")[2] for line in lines]
    for line, suffix in zip(lines, suffixes, strict=True):
        if not is_suffix(suffix):
            raise ConfigError(f"{file}: {quoted(line)} is no whole Pith Number")
    return suffixes


def _own_bundles(config: Path | None, data: Path | None) -> "OwnBundle | None":
    """Return what gives our own bundle of a number; None where there is nothing to compare with."""
    from flows.common.errors import NoDataFolderError
    from flows.ingest.worker_context import layout_of
    from flows.registry.reader import RegistryReader

    try:
        layout = layout_of(load(config, data))
    except NoDataFolderError:  # others' records can be kept without any of one's own
        return None
    if not layout.catalog.exists():
        return None
    reader = RegistryReader(layout)

    def own(number: str) -> bytes | None:
        found = reader.resolve(number)
        return reader.bundle(found[0]).read() if found else None

    return own


def _blocks(done: MirroredRegistry) -> Iterator[Line]:
    for one in done.damaged:
        yield Line(f"damaged, fetched anew  {one}", Tone.WARNING)
    for one in done.refused:
        yield Line(f"refused  {one}", Tone.BAD)
    for one in done.differing:
        yield Line(f"differs from yours  {one}", Tone.WARNING)
    counts = f"bundles kept {done.kept:,}, there already {done.unchanged:,}"
    if done.gone:
        counts += f", listed but not there {done.gone:,}"
    yield Line(f"{counts}, refused {len(done.refused):,}")
