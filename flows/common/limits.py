"""Limits and sizes of a run as values that are handed in: tests hand in small ones of their own.

What stands here is what a run or a test may have reason to change. Limits that protect a reader
from hostile input, and belong to one parser, stand beside it; `SECURITY.md` lists them all.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The limits of one request to arXiv, and how often it is made.

    Attributes:
        attempts: How often a request is made before arXiv counts as unreachable.
        connect_seconds: For the connection.
        read_seconds: For the server's silence; arXiv's CDN gives up with a 503 after 183 s.
        total_seconds: For one request and its whole reply: 5 MB, arXiv's largest page, then still
            come at 100 kbit/s.
        longest_backoff_seconds: Between two attempts, where the server asks for no time.
        longest_retry_after_seconds: Of what a server may ask for with `Retry-After`.
        max_redirects: Followed one after another.
        max_bytes: Of a reply, decompressed; as many as the parser of OAI-PMH takes.
    """

    attempts: int = 8
    connect_seconds: float = 30.0
    read_seconds: float = 200.0
    total_seconds: float = 600.0
    longest_backoff_seconds: float = 120.0
    longest_retry_after_seconds: float = 3600.0
    max_redirects: int = 3
    max_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits and sizes of a run; `Config.limits` carries them to all its processes.

    Attributes:
        retry: How a request to arXiv is made and made again.
        steps: Of one kind in a run, where their number is known before.
        task_runs: Of one flow run; Prefect's server records about 30 a second.
        pages_a_step: Pages of a list that one step of a harvest takes, a minute's work at arXiv's
            pace; the whole of arXiv takes about 120 steps.
        papers_a_step: Papers that one step asks for one by one: a minute at arXiv's pace.
        search_page_size: Results of one request to arXiv's search, which gives no more (arXiv API
            User's Manual, section 3.1.1.2).
        part_bytes: Of Kaggle's file in one part, a unit of work, which ends with the line that
            reaches this: about 5,000 rows, which have 1.7 kB each.
        part_lines: In one part at the most: lines of a few bytes each would take many times their
            size in memory.
        parts_a_step: Parts that one step takes.
        proof_block_bytes: Of Kaggle's file, hashed at once and proven: a part of 8 MiB reads 3 %
            more than it is.
        worker_attempts: How often a unit is begun whose workers end.
        dask_wait_seconds: Without any Dask worker, after which a run gives up: time to replace a
            machine.
        dask_check_seconds: Of waiting for a result, after which it is asked whether there are
            Dask workers at all.
        dask_inline_bytes: Of work in Dask's graph; what has more, as a part of a packed snapshot,
            goes to a worker.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    steps: int = 100
    task_runs: int = 200
    pages_a_step: int = 20
    papers_a_step: int = 20
    search_page_size: int = 2_000
    part_bytes: int = 8 * 2**20
    part_lines: int = 20_000
    parts_a_step: int = 8
    proof_block_bytes: int = 2**18
    worker_attempts: int = 3
    dask_wait_seconds: float = 300.0
    dask_check_seconds: float = 10.0
    dask_inline_bytes: int = 2**20
