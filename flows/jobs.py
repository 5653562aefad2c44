"""The three jobs as plain functions; the flows run them with their steps as Prefect tasks.

Plain, so that one paper can be run again without a Prefect server.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from flows.arxiv.client import OaiClient
from flows.arxiv.fetch import PATIENCE, make_user_agent
from flows.arxiv.pace import Pace
from flows.arxiv.search import search_ids
from flows.arxiv.sets import set_of_category
from flows.config import ArxivConfig, Config
from flows.errors import ArxivError, ArxivReplyError, ConfigError
from flows.harvest import Harvester, IncompleteError, WindowOutcome
from flows.job import Job, open_job
from flows.progress import OnProgress, to_nobody, track
from flows.report import RunReport
from flows.snapshot import Part, read_part, read_parts, reject_repeated
from flows.snapshot_file import SnapshotFile, describe_file
from flows.steps import (
    StepRunner,
    UnitResult,
    Work,
    process_papers,
    process_reply,
    process_saved_reply,
)
from flows.store.raw import find_replies
from flows.window import Window, by_year
from transforms.oai_xml import OaiError
from transforms.paper import BadPaperError, check_id
from transforms.selection import SeenIds, Selection

MAX_STEPS = 100
"""Steps of one run. Prefect's server records about 30 task runs a second."""

PARTS_A_STEP = 8
RECORDS_A_STEP = 20

ALL_OF_ARXIV = "all"
"""The category that stands for no category at all."""

NO_PAPERS = "no papers at all, so not counted as done"

_T = TypeVar("_T")


def directly(name: str, work: Work) -> None:  # noqa: ARG001 - a StepRunner
    """Run a step without Prefect."""
    work()


def backfill_raw(
    config: Config,
    raw: Sequence[Path],
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Process saved OAI replies, also those of a kept harvest: files, or folders of them."""
    replies = find_replies(raw)
    size = -(-len(replies) // MAX_STEPS)
    steps = [replies[start : start + size] for start in range(0, len(replies), size)]
    with open_job("backfill", config) as job:
        for done, step in enumerate(track(steps, total=len(steps), what="steps"), 1):
            name = step[0].name if len(step) == 1 else f"{step[0].name} … {step[-1].name}"
            in_step(name, partial(_process_saved, job, step))
            on_progress(done, len(steps))
    return job.report()


def backfill_categories(  # noqa: PLR0913 - two of them are the engine's
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
    if first and until and first > until:
        raise ConfigError(f"--from {first} is later than --until {until}")
    with open_job("backfill", config) as job, _client(config.arxiv) as client:
        with _answering():
            sets = _sets(client, categories)
            earliest = client.identify().value.earliest
        today = job.run.clock().date()
        begin = max(first, earliest) if first else earliest
        windows = [window for one in sets for window in by_year(one, begin, until, today)]
        _harvest(job, client, windows, in_step, on_progress)
    return job.report()


def backfill_snapshot(
    config: Config,
    file: Path,
    selection: Selection,
    *,
    in_step: StepRunner = directly,
    on_progress: OnProgress = to_nobody,
) -> RunReport:
    """Process the snapshot from Kaggle, or what `selection` takes of it."""
    described = describe_file(file)
    with open_job("backfill", config) as job:
        job.snapshot = described
        seen = SeenIds()
        for parts in track(_batches(read_parts(file), PARTS_A_STEP), total=None, what="steps"):
            in_step(
                f"{file.name}: lines from {parts[0].first_line}",
                partial(_process_parts, job, described, parts, selection, seen),
            )
            on_progress(parts[-1].position, described.size)
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
    with open_job("backfill", config) as job, _asking(job), _client(config.arxiv) as client:
        ids = search_ids(
            query,
            atom_url=config.arxiv.atom_url,
            user_agent=make_user_agent(config.arxiv.contact),
            pace=_pace(config.arxiv),
            limit=limit,
            patience=PATIENCE,
        )
        for number, some in enumerate(_batches(ids, RECORDS_A_STEP)):
            _take_records(job, client, some, in_step)
            on_progress(number * RECORDS_A_STEP + len(some), limit)
    return job.report()


def nightly(config: Config, *, in_step: StepRunner = directly) -> RunReport:
    """Harvest what changed since the last night that was complete, and some days before it.

    The watermark moves only when the window is proven complete and holds any paper at all: an
    empty list may be an answer from a cache, given too early.
    """
    with open_job("nightly", config) as job, _client(config.arxiv) as client:
        today = job.run.clock().date()
        log = job.run.store.catalog.windows
        with _answering():
            sets = _sets(client, config.categories or [ALL_OF_ARXIV])
        for one in sets:
            mark = log.watermark(one)
            if mark is None:
                # Noted before the harvest, so that a first night that fails is made good.
                mark = today
                log.move_watermark(one, mark)
            window = Window(one, mark - timedelta(days=config.harvest.overlap_days), None)
            _harvest(job, client, [window], in_step)
            outcome = job.windows[-1]
            if outcome.problem is None and outcome.listed == 0:
                job.windows[-1] = replace(
                    outcome, problem="no papers at all; asked again next time"
                )
            elif outcome.problem is None:
                log.move_watermark(one, today)
    return job.report()


def rerun(config: Config, arxiv_ids: Sequence[str], *, in_step: StepRunner = directly) -> RunReport:
    """Ask arXiv for single papers once more."""
    for arxiv_id in arxiv_ids:
        try:
            check_id(arxiv_id)
        except BadPaperError as error:
            raise ConfigError(str(error)) from None
    with open_job("rerun", config) as job, _asking(job), _client(config.arxiv) as client:
        for some in _batches(arxiv_ids, RECORDS_A_STEP):
            _take_records(job, client, some, in_step)
    return job.report()


def _process_saved(job: Job, replies: Sequence[Path]) -> None:
    for reply in replies:
        job.results.append(process_saved_reply(job.run, reply))


def _process_parts(
    job: Job, file: SnapshotFile, parts: Sequence[Part], selection: Selection, seen: SeenIds
) -> None:
    for part in parts:
        found = reject_repeated(part, read_part(part, selection=selection), seen)
        job.passed_over += found.passed_over
        unit = f"snapshot-{file.sha256[:32]}-{part.index:05}"
        job.results.append(
            process_papers(job.run, found.papers, found.rejects, unit=unit, source=file.sha256)
        )


def _take_records(
    job: Job, client: OaiClient, arxiv_ids: Sequence[str], in_step: StepRunner
) -> None:
    name = arxiv_ids[0] if len(arxiv_ids) == 1 else f"{arxiv_ids[0]} … {arxiv_ids[-1]}"
    in_step(name, partial(_take_each, job, client, arxiv_ids))


def _take_each(job: Job, client: OaiClient, arxiv_ids: Sequence[str]) -> None:
    for arxiv_id in arxiv_ids:
        try:
            reply = client.get_record(arxiv_id)
        except OaiError as error:
            job.results.append(UnitResult(arxiv_id, failure=str(error)))
        else:
            job.results.append(process_reply(job.run, reply.raw, reply.value, name=arxiv_id))


def _harvest(
    job: Job,
    client: OaiClient,
    windows: Sequence[Window],
    in_step: StepRunner,
    on_progress: OnProgress = to_nobody,
) -> None:
    """Harvest windows one by one; one that fails is reported and does not stop the others.

    When arXiv cannot be reached at all, the rest is reported as not begun.
    """
    harvester = Harvester(job.run, client, in_step, job.results)
    for done, window in enumerate(windows, 1):
        if job.unreachable:
            job.windows.append(WindowOutcome(str(window), problem="not begun"))
            continue
        try:
            outcome = harvester.harvest(window)
        except (IncompleteError, OaiError) as error:
            outcome = WindowOutcome(str(window), problem=str(error))
        except ArxivError as error:
            outcome = WindowOutcome(str(window), problem=str(error))
            job.unreachable = str(error)
        job.windows.append(outcome)
        if not job.unreachable:
            on_progress(done, len(windows))


def _sets(client: OaiClient, categories: Sequence[str]) -> list[str | None]:
    """Return the sets of `categories`, checked against arXiv's own list; None is all of arXiv."""
    if ALL_OF_ARXIV in categories:
        return [None]
    known = client.list_sets().value.sets
    return [set_of_category(category, known) for category in dict.fromkeys(categories)]


@contextmanager
def _answering() -> Iterator[None]:
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


def _client(config: ArxivConfig) -> OaiClient:
    return OaiClient(config.oai_url, make_user_agent(config.contact), _pace(config), PATIENCE)


def _pace(config: ArxivConfig) -> Pace:
    return Pace(config.pace_file, config.pace_seconds)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
