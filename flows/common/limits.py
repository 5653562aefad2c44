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
        steps: The most steps of a run: Prefect keeps each as a task run.
        pages_a_step: Pages of a list that one step of a harvest takes.
        records_a_step: Papers that one step asks for one by one.
        part_bytes: Bytes of Kaggle's file in one part, a unit of work; a part ends with a line.
        part_lines: Lines in one part at the most.
        parts_a_step: Parts that one step takes.
        proof_block_bytes: Bytes of Kaggle's file for each hash by which a change is seen.
        worker_attempts: How often a unit is done whose worker process ended.
        dask_wait_seconds: For the first worker of a Dask cluster.
        dask_check_seconds: Between two looks at whether a Dask cluster still has workers.
        dask_inline_bytes: Of a unit that is sent to a Dask worker within its task.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    steps: int = 100
    pages_a_step: int = 20
    records_a_step: int = 20
    part_bytes: int = 8 * 2**20
    part_lines: int = 20_000
    parts_a_step: int = 8
    proof_block_bytes: int = 2**18
    worker_attempts: int = 3
    dask_wait_seconds: float = 300.0
    dask_check_seconds: float = 10.0
    dask_inline_bytes: int = 2**20
