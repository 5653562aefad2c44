"""The command `up`: Prefect's server, the three deployments and the registry's site as one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.orchestration.up.run import PartHealth

_WIDTH = len("prefect")


def up(
    *,
    host: Annotated[
        str, typer.Option(help="Address the site listens on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the site.")] = 8080,
    prefect_host: Annotated[
        str,
        typer.Option(
            help="Address Prefect's server listens on. Who reaches it can start and stop runs: it "
            "asks for no password.",
        ),
    ] = "127.0.0.1",
    prefect_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of Prefect's server.")
    ] = 4200,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only say whether the parts of a running 'up' are healthy."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --check: one JSON document.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Run all that an operator needs until Ctrl-C: Prefect, the three jobs, the registry's site.

    Prefect's server keeps its database in the data folder, the nightly job has its schedule there,
    and what dies is started again. The exit status of --check is 0 if all are healthy, else 1.
    """
    if check:
        _check(config, data, as_json=as_json)
        return
    from flows.common.files.locations import location_of
    from flows.orchestration.up.health import Addresses
    from flows.orchestration.up.run import up as run

    loaded = load(config, data)
    named = {"--config": config and config.absolute(), "--data": data and location_of(data)}
    options = [
        str(word.absolute() if isinstance(word, Path) else word)
        for name, value in named.items()
        if value
        for word in (name, value)
    ]
    addresses = Addresses(host, port, prefect_host, prefect_port)
    raise typer.Exit(run(loaded, addresses, tuple(options), _say))


def _say(name: str, line: str) -> None:
    echo(f"{name:{_WIDTH}} | {line}")


def _check(config: Path | None, data: Path | None, *, as_json: bool) -> None:
    from flows.common.process.exit_status import ExitStatus
    from flows.orchestration.up.run import check

    pid, parts = check(load(config, data))
    is_healthy = bool(parts) and all(part.problem is None for part in parts)
    if as_json:
        echo(json.dumps(_document(pid, parts, is_healthy=is_healthy)))
    elif pid is None:
        echo("'pith-ingest up' does not run for this data folder")
    for part in () if as_json else parts:
        state = f"not healthy: {part.problem}" if part.problem else "healthy"
        echo(f"{part.name:{_WIDTH}}  {part.address}  {state}")
    if not is_healthy:
        raise typer.Exit(ExitStatus.PROBLEMS)


def _document(pid: int | None, parts: "list[PartHealth]", *, is_healthy: bool) -> dict[str, object]:
    return {
        "healthy": is_healthy,
        "process": pid,
        "parts": [
            {
                "name": part.name,
                "address": part.address,
                "healthy": part.problem is None,
                "problem": part.problem,
            }
            for part in parts
        ],
    }
