"""The three jobs as plain functions; the flows run them with their steps as Prefect tasks.

Plain, so that one paper can be run again without a Prefect server.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from flows.config import Config
from flows.errors import ConfigError
from flows.keys import load_issuer
from flows.progress import LOGGER, track
from flows.report import RunReport, summarise
from flows.steps import Run, UnitResult, process_papers, process_saved_reply, utc_now
from flows.store.layout import Layout
from flows.store.raw import find_replies, read_reply
from flows.store.shards import source_of
from flows.store.store import open_store, writing
from transforms.arxiv_xml import parse_page
from transforms.oai_xml import MAX_PAGE_BYTES
from transforms.paper import BadPaperError, check_id

MAX_STEPS = 100
"""Steps of one run. Prefect's server records about 30 task runs a second."""

Work = Callable[[], list[UnitResult]]


class StepRunner(Protocol):
    """Runs one step of a job: directly, or as a Prefect task with the same name."""

    def __call__(self, name: str, work: Work) -> list[UnitResult]:
        """Return what `work` returns."""


def directly(name: str, work: Work) -> list[UnitResult]:  # noqa: ARG001 - a StepRunner
    """Run a step without Prefect."""
    return work()


def backfill_raw(
    config: Config, raw: Sequence[Path], *, in_step: StepRunner = directly
) -> RunReport:
    """Process saved OAI replies, also those of a kept harvest: files, or folders of them."""
    return _process_replies(config, find_replies(raw), job="backfill", in_step=in_step)


def nightly(config: Config, *, in_step: StepRunner = directly) -> RunReport:
    """Process every reply that is kept; what was processed before is found unchanged."""
    kept = find_replies([Layout(config.data_dir).raw])
    return _process_replies(config, kept, job="nightly", in_step=in_step)


def rerun(config: Config, arxiv_ids: Sequence[str], *, in_step: StepRunner = directly) -> RunReport:
    """Process the newest kept reply of each of these arXiv ids once more."""
    for arxiv_id in arxiv_ids:
        try:
            check_id(arxiv_id)
        except BadPaperError as error:
            raise ConfigError(str(error)) from None
    with _open_job("rerun", config) as job:
        for arxiv_id in arxiv_ids:
            work = partial(_rerun_one, job.run, arxiv_id)
            job.results += in_step(arxiv_id, work)
    return job.report()


def _process_replies(
    config: Config, replies: Sequence[Path], *, job: str, in_step: StepRunner
) -> RunReport:
    with _open_job(job, config) as opened:
        size = -(-len(replies) // MAX_STEPS)
        steps = [replies[start : start + size] for start in range(0, len(replies), size)]
        for step in track(steps, total=len(steps), what="steps"):
            name = step[0].name if len(step) == 1 else f"{step[0].name} … {step[-1].name}"
            work = partial(_process_each, opened.run, step)
            opened.results += in_step(name, work)
    return opened.report()


def _process_each(run: Run, replies: Sequence[Path]) -> list[UnitResult]:
    return [process_saved_reply(run, reply) for reply in replies]


def _rerun_one(run: Run, arxiv_id: str) -> list[UnitResult]:
    known = run.store.catalog.of_arxiv_id(arxiv_id)
    if not known:
        return [UnitResult(arxiv_id, failure="not known here; harvest or backfill it first")]
    source = source_of(run.store.layout, known[-1].shard, arxiv_id)
    page = parse_page(read_reply(run.store.layout.raw_reply(source), limit=MAX_PAGE_BYTES))
    papers = [paper for paper in page.papers if paper.id == arxiv_id]
    result = process_papers(run, papers, (), unit=f"oai-{source[:32]}", source=source)
    return [result]


@dataclass
class _OpenJob:
    """A job under way: its run, and the results of its units so far."""

    job: str
    config: Config
    run: Run
    started_at: datetime
    results: list[UnitResult] = field(default_factory=list)

    def report(self) -> RunReport:
        """Write the report into the run's folder and return it."""
        counts, shards, failures = summarise(self.results)
        issuer = self.run.issuer
        report = RunReport(
            run=self.run.name,
            job=self.job,
            started_at=self.started_at,
            finished_at=utc_now(),
            data_dir=str(self.config.data_dir),
            key_fingerprint=issuer.fingerprint,
            key_id=issuer.identity.key_id,
            builder_version=issuer.identity.builder_version,
            units=len(self.results),
            counts=counts,
            shards=shards,
            failures=failures,
        )
        layout = self.run.store.layout
        with writing(layout.root):
            report.write(layout.runs / self.run.name)
        return report


@contextmanager
def _open_job(job: str, config: Config) -> Iterator[_OpenJob]:
    """Open key and store for one run; what a killed run left is recovered first."""
    started_at = utc_now()
    issuer, is_new = load_issuer(config.identity)
    if is_new:
        LOGGER.info(
            "made a signing key in %s, fingerprint %s", config.identity.key_file, issuer.fingerprint
        )
    bundle_files = config.outputs.bundle_files == "all"
    with open_store(
        config.data_dir, job=job, bundle_files=bundle_files, say=LOGGER.warning
    ) as store:
        name = f"{started_at:%Y%m%dT%H%M%SZ}-{job}-{secrets.token_hex(2)}"
        yield _OpenJob(job, config, Run(store, issuer, name), started_at)
