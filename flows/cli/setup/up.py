"""The command `up`: Prefect's server, the three jobs and the registry's site as one."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer, say
from flows.common.process.progress import LOGGER
from flows.common.terminal import Line, Tone

if TYPE_CHECKING:
    from flows.orchestration.up.run import Found

US, _WIDTH = "up", len("prefect")
_CALM = (Tone.PLAIN, Tone.GOOD)
"""Lines of these tones need no attention, and `--quiet` leaves them out."""

HostOption = Annotated[
    str, typer.Option(help="Address the site listens on; 0.0.0.0 is every one of this machine.")
]
PrefectHostOption = Annotated[
    str,
    typer.Option(
        help="Address Prefect's server listens on. Who reaches it can start and stop runs, and it "
        "asks for no password."
    ),
]
Port = Annotated[int, typer.Option(min=1, max=65_535, help="Port of the site.")]
PrefectPort = Annotated[int, typer.Option(min=1, max=65_535, help="Port of Prefect's server.")]
CheckOption = Annotated[
    bool,
    typer.Option(
        "--check", help="Only say whether the parts of the 'up' that runs are healthy; 0 if so."
    ),
]


def up(
    *,
    host: HostOption = "127.0.0.1",
    port: Port = 8080,
    prefect_host: PrefectHostOption = "127.0.0.1",
    prefect_port: PrefectPort = 4200,
    check: CheckOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Run all that an operator needs until Ctrl-C: Prefect, the three jobs, the registry's site.

    Prefect keeps its database in the data folder, the nightly job has its schedule there, and what
    dies is started again. --json is for --check.

    Examples:
        pith-ingest up
        pith-ingest up --config /etc/pith-ingest/config.yaml --port 8081
        pith-ingest up --check
    """
    if as_json and not check:
        raise typer.BadParameter("it goes with --check", param_hint="--json")
    if check:
        _check(config, data, as_json=as_json)
        return
    from flows.orchestration.up.health import Addresses
    from flows.orchestration.up.run import up as run

    addresses = Addresses(host, port, prefect_host, prefect_port)
    raise typer.Exit(run(load(config, data), addresses, _words(config, data), _say))


def _words(config: Path | None, data: Path | None) -> tuple[str, ...]:
    """Return these options as the commands of the parts take them."""
    from flows.common.files.locations import location_of

    words: list[str] = []
    if config:
        words += ["--config", str(config.absolute())]
    if data:
        location = location_of(data)
        words += ["--data", str(location.absolute() if isinstance(location, Path) else location)]
    return tuple(words)


def _say(name: str, line: str, tone: Tone = Tone.PLAIN) -> None:
    if tone in _CALM and not LOGGER.isEnabledFor(logging.INFO):
        return
    # Prefect's lines have their time.
    moment = f"{datetime.now().astimezone():%H:%M:%S} " if name == US else ""
    # A terminal or a reader that is gone is no reason to stop what runs.
    with suppress(OSError):
        say([Line(f"{name:{_WIDTH}} | {moment}{line}", tone)])


def _check(config: Path | None, data: Path | None, *, as_json: bool) -> None:
    from flows.common.process.exit_status import ExitStatus
    from flows.orchestration.up.run import check

    found = check(load(config, data))
    answer(found, _lines(found), as_json=as_json)
    if not found.healthy:
        raise typer.Exit(ExitStatus.PROBLEMS)


def _lines(found: "Found") -> Iterator[Line]:
    if found.process is None:
        yield Line("'pith-ingest up' does not run for this data folder", Tone.BAD)
    for part in found.parts:
        state = f"not healthy: {part.problem}" if part.problem else "healthy"
        tone = Tone.BAD if part.problem else Tone.GOOD
        yield Line(f"{part.name:{_WIDTH}}  {part.address}  {state}", tone)
