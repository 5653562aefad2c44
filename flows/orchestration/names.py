"""What Prefect calls a run, and the tags that find it: said by its options alone.

Whatever the options are, there is a name: what is wrong with them the job says, in its own words.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.common.config import BUILDER_VERSION
from flows.common.terminal import sentence
from flows.sources.arxiv.sets import ALL_OF_ARXIV

if TYPE_CHECKING:
    from flows.jobs.rerun import RerunOptions
    from flows.sources.source import BackfillOptions

DEPLOYMENTS = {
    "flows.backfill.backfill": "pith-backfill",
    "flows.nightly.unattended": "pith-nightly",
    "flows.rerun.rerun": "pith-rerun",
}
"""The deployments by their flows: lists of Prefect show a deployment by its name alone."""

VERSION = BUILDER_VERSION.removeprefix("pith-ingest-")
"""The version of flows and deployments."""

LONGEST = 80
"""Characters of a query, a file's name or a tag: Prefect's lists cut what is longer."""
MOST_NAMED = 3
MOST_TAGS = 20


def backfill_name(options: "BackfillOptions") -> str:
    """Return a backfill's name, such as `backfill cs.LG 2026-11-14 to now`."""
    words = ["backfill"]
    if options.reissue:
        words += ["all receipts with the current key"]
    if options.snapshot:
        words += ["snapshot", _short(Path(options.snapshot).name)]
    if options.search:
        words += ["search", f"'{_short(options.search)}'"]
    if options.raw:
        words += ["raw replies", _listed([Path(path).name for path in options.raw])]
    if options.categories:
        is_all = ALL_OF_ARXIV in options.categories
        words += ["all of arXiv" if is_all else _listed(options.categories)]
    if options.first or options.until:
        words += [f"{options.first or 'the beginning'} to {options.until or 'now'}"]
    return sentence(" ".join(words))


def nightly_name(scheduled: datetime) -> str:
    """Return a night's name, such as `nightly 2026-11-21`: the day in UTC it was scheduled for."""
    return f"nightly {scheduled:%Y-%m-%d}"


def rerun_name(options: "RerunOptions") -> str:
    """Return a rerun's name, such as `rerun 1906.10822 and 2 more`."""
    receipts = "receipts of " if options.reissue else ""
    return sentence(f"rerun {receipts}{_listed(options.papers, most=1)}")


def backfill_tags(options: "BackfillOptions") -> list[str]:
    """Return the job, where its papers come from, and the categories."""
    sources = {
        "arxiv": bool(options.search or (options.categories and not options.snapshot)),
        "raw": bool(options.raw),
        "reissue": options.reissue,
        "search": bool(options.search),
        "snapshot": bool(options.snapshot),
    }
    named = [source for source, is_named in sources.items() if is_named]
    return tags("backfill", *named, *(options.categories or ()))


def nightly_tags(categories: Sequence[str]) -> list[str]:
    """Return the tags of a night; no category means all of arXiv, as in the configuration."""
    return tags("nightly", "arxiv", *(categories or [ALL_OF_ARXIV]))


def rerun_tags(options: "RerunOptions") -> list[str]:
    """Return the tags of a rerun: papers are in its name."""
    return tags("rerun", "reissue" if options.reissue else "arxiv")


def tags(*found: str) -> list[str]:
    """Return each tag once, printable and short, and not too many."""
    return list(dict.fromkeys(_short(tag) for tag in found))[:MOST_TAGS]


def _listed(things: Sequence[str], most: int = MOST_NAMED) -> str:
    """Return the first few things, and how many more there are."""
    if not things:
        return "nothing"
    named = ", ".join(_short(thing) for thing in things[:most])
    more = len(things) - most
    return f"{named} and {more} more" if more > 0 else named


def _short(text: str) -> str:
    said = sentence(text)
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
