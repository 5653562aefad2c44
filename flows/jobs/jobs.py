"""The three jobs as plain functions; the flows run them with their steps as Prefect tasks.

Plain, so that the command line can run them where there is no Prefect server.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from flows.common.batches import batches
from flows.common.config import ArxivConfig, Config
from flows.common.errors import (
    ArxivError,
    ArxivReplyError,
    ConfigError,
    LostSnapshotError,
    SnapshotError,
)
from flows.common.process.progress import LOGGER, OnProgress, to_nobody, track
from flows.ingest.commit import StepRunner, UnitResult, Work
from flows.ingest.schedule import bulk_of, settle_each
from flows.ingest.units import SavedReply
from flows.jobs.job import Job, open_job
from flows.jobs.report import RunReport
from flows.jobs.single_papers import find_wanted, take_record, take_wanted
from flows.sources.arxiv.harvest.coverage import coverage_lines, night_windows
from flows.sources.arxiv.harvest.harvest import Harvester, WindowOutcome
from flows.sources.arxiv.harvest.listing import IncompleteError
from flows.sources.arxiv.rate_limit import Pace
from flows.sources.arxiv.sets import ALL_OF_ARXIV, set_of_category
from flows.sources.kaggle.file import no_text
from flows.sources.kaggle.json_array import refuse_array
from flows.sources.kaggle.parts import scan
from flows.sources.kaggle.units import take_parts
from flows.store.catalog.references import parse_references
from flows.store.catalog.window import Window, by_year
from flows.store.files.raw_replies import find_replies, served_at
from transforms.paper.selection import Selection
from transforms.parsing.oai_xml import OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient

MAX_STEPS = 100
"""Steps of one run. Prefect's server records about 30 task runs a second."""

RECORDS_A_STEP = 20


def directly(name: str, work: Work) -> None:  # noqa: ARG001 - a StepRunner
    """Run a step without Prefect."""
    work()


def check_source(*sources: object) -> None:
    """Refuse a backfill of no source or of several; the last one, categories, may go with others.

    Each is None where it is not given.
    """
    *single, categories = sources
    if sum(source is not None for source in single) > 1 or not any([*single, categories]):
        raise ConfigError("name one source: raw replies, a snapshot, a search, or categories")


def check_days(first: date | None, until: date | None) -> None:
    """Refuse days that end before they begin."""
    if first and until and first > until:
        raise ConfigError(f"--from {first} is later than --until {until}")


def backfill_raw(
    config: Config,
    raw: Sequence[Path],
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Process saved OAI replies, also those of a kept harvest: files, or folders of them.

    In the order in which arXiv served them, so that of a day's replies the last one counts.
    """
    paths = sorted(find_replies(raw), key=served_at)
    replies = [SavedReply(path.absolute(), str(path)) for path in paths]
    size = ceil(len(replies) / MAX_STEPS)
    steps = ceil(len(replies) / size)
    with open_job("backfill", config) as job, bulk_of(job, len(replies)) as bulk:
        grouped = batches(bulk.submitted(replies), size)
        for done, some in enumerate(track(grouped, total=steps, what="steps"), 1):
            first, last = Path(some[0].unit.name).name, Path(some[-1].unit.name).name
            name = first if len(some) == 1 else f"{first} … {last}"
            in_step(name, partial(settle_each, job, bulk, some))
            on_progress(done, steps)
    return job.report()


def backfill_categories(
    config: Config,
    categories: Sequence[str],
    first: date | None = None,
    until: date | None = None,
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Harvest categories from arXiv, a year at a time; `all` stands for the whole of arXiv.

    Windows whose days were over when they were completed are not asked for again.
    """
    check_days(first, until)
    with open_job("backfill", config) as job, connect(config.arxiv) as client:
        windows = find_windows(client, categories, first, until, job.run.clock().date())
        _harvest(job, client, windows, in_step, on_progress=on_progress)
    return job.report()


def backfill_snapshot(
    config: Config,
    file: Path,
    selection: Selection,
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Process the snapshot from Kaggle, or what `selection` takes of it.

    A part counts only when its bytes are those of the file whose sha256 it is noted under.
    """
    refuse_array(file)
    scanned = scan(file)
    if not scanned.file.size:
        raise no_text(file)
    with open_job("backfill", config) as job:
        job.snapshot = scanned.file
        try:
            take_parts(job, file, scanned, selection, in_step, on_progress)
        except LostSnapshotError as error:
            job.stopped = str(error)
        except SnapshotError as error:
            # What came before the damage was given, and is kept.
            job.results.append(UnitResult(file.name, failure=str(error)))
        else:
            if not job.results:
                raise no_text(file)
            if change := scanned.proof.change(file):
                failure = f"{change}; all of it as it was is kept, run again for what it is now"
                job.results.append(UnitResult(file.name, failure=failure))
    return job.report()


def backfill_search(
    config: Config,
    query: str,
    limit: int,
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Take the papers that a search of arXiv finds, at most `limit`; OAI-PMH gives their text."""
    from flows.sources.arxiv.http import RETRY_POLICY, make_user_agent
    from flows.sources.arxiv.search import search_ids

    with open_job("backfill", config) as job, _asking(job), connect(config.arxiv) as client:
        ids = search_ids(
            query,
            atom_url=config.arxiv.atom_url,
            user_agent=make_user_agent(config.arxiv.contact),
            pace=pace_of(config.arxiv),
            limit=limit,
            policy=RETRY_POLICY,
        )
        steps = list(batches(ids, RECORDS_A_STEP))
        for number, some in enumerate(track(steps, total=len(steps), what="steps"), 1):
            in_step(f"{some[0]} … {some[-1]}", partial(_take_each, job, client, some))
            on_progress(number, len(steps))
    return job.report()


def nightly(config: Config, *, in_step: StepRunner = directly) -> RunReport:
    """Harvest what changed since the last day that is proven complete, and some days before it.

    The first night begins where the windows of a backfill end. What is not proven after it, such as
    what lies before a first night without any backfill, is said in the report.
    """
    with open_job("nightly", config) as job, connect(config.arxiv) as client:
        now = job.run.clock()
        log = job.run.store.catalog.windows
        with answering():
            sets = _sets(client, config.categories or [ALL_OF_ARXIV])
        overlap = config.harvest.overlap_days
        windows = [w for one in sets for w in night_windows(log, one, now.date(), overlap)]
        for window in windows:
            if window.until is None:
                # Noted before the first of them, so that a night that fails is made good by the
                # next, from its days on.
                log.resume(window, now)
        _harvest(job, client, windows, in_step)
        job.coverage = list(coverage_lines(log, sets))
    return job.report()


def rerun(
    config: Config, references: Sequence[str], *, in_step: StepRunner = directly
) -> RunReport:
    """Ask arXiv for single papers once more, named in any of the forms of `parse_reference`."""
    named = parse_references(references)
    with open_job("rerun", config) as job, _asking(job), connect(config.arxiv) as client:
        for some in batches(find_wanted(job, named), RECORDS_A_STEP):
            name = f"{some[0].arxiv_id} … {some[-1].arxiv_id}"
            in_step(name, partial(take_wanted, job, client, some))
    return job.report()


def _take_each(job: Job, client: "OaiClient", arxiv_ids: Sequence[str]) -> None:
    for arxiv_id in arxiv_ids:
        take_record(job, client, arxiv_id)


def _harvest(
    job: Job,
    client: "OaiClient",
    windows: Sequence[Window],
    in_step: StepRunner,
    *,
    on_progress: OnProgress = to_nobody,
) -> None:
    """Harvest windows one by one; one that fails is reported and does not stop the others.

    When arXiv cannot be reached at all, the rest is reported as not begun.
    """
    harvester = Harvester(job.run, client, in_step, job.results)
    for number, window in enumerate(windows, 1):
        if job.unreachable:
            job.windows.append(WindowOutcome(str(window), problem="not begun"))
            continue
        LOGGER.info("window %d of %d: %s", number, len(windows), window)
        try:
            outcome = harvester.harvest(window)
        except (IncompleteError, OaiError) as error:
            outcome = WindowOutcome(str(window), problem=str(error))
        except ArxivError as error:
            outcome = WindowOutcome(str(window), problem=str(error))
            job.unreachable = str(error)
        job.windows.append(outcome)
        if not job.unreachable:
            on_progress(number, len(windows))


def find_windows(
    client: "OaiClient",
    categories: Sequence[str],
    first: date | None,
    until: date | None,
    today: date,
) -> list[Window]:
    """Return the windows that a backfill of categories harvests; arXiv is asked what it has."""
    with answering():
        sets = _sets(client, categories)
        earliest = client.identify().value.earliest
    begin = max(first, earliest) if first else earliest
    if begin > min(until or today, today):
        raise ConfigError(f"arXiv's days of change run from {earliest} to {today} (UTC)")
    return [window for one in sets for window in by_year(one, begin, until, today)]


def _sets(client: "OaiClient", categories: Sequence[str]) -> list[str | None]:
    """Return the sets of `categories`, checked against arXiv's own list; None is all of arXiv."""
    if ALL_OF_ARXIV in categories:
        return [None]
    known = client.list_sets().value.sets
    return [set_of_category(category, known) for category in dict.fromkeys(categories)]


@contextmanager
def answering() -> Iterator[None]:
    """Turn an error reply to a question that every harvest asks into an error for the user."""
    try:
        yield
    except OaiError as error:
        raise ArxivReplyError(f"arXiv does not say what it holds: {error}") from None


@contextmanager
def _asking(job: Job) -> Iterator[None]:
    """Note in the report that arXiv could not be reached; what came until then stays."""
    try:
        yield
    except ArxivError as error:
        job.unreachable = str(error)


def connect(config: ArxivConfig) -> "OaiClient":
    """Return a client for arXiv's OAI-PMH service as configured."""
    # HTTP is 0.1 s that a snapshot can spare.
    from flows.sources.arxiv.http import RETRY_POLICY, make_user_agent
    from flows.sources.arxiv.oai_client import OaiClient

    return OaiClient(config.oai_url, make_user_agent(config.contact), pace_of(config), RETRY_POLICY)


def pace_of(config: ArxivConfig) -> Pace:
    """Return the pace that all runs on this machine share."""
    return Pace(config.pace_file, config.pace_seconds)
