"""What a stage costs a paper is told for each 100,000 of them in turn."""

from collections.abc import Sequence

import pytest

from flows.common.process.stopwatch import STRIDE, Stopwatch


@pytest.mark.parametrize(
    ("shards", "strides"),
    [
        ([5000], 1),
        ([STRIDE], 1),
        ([STRIDE, 5000], 1),
        ([STRIDE // 2] * 4, 2),
        ([70_000, 70_000, 20_000], 1),
        ([70_000, 70_000, 50_000], 2),
        ([7000] * 29, 2),
    ],
)
def test_the_cost_of_a_paper_is_told_for_each_stride(shards: Sequence[int], strides: int) -> None:
    watch = Stopwatch()
    for papers in shards:
        with watch.stage("commit", papers):
            pass
        with watch.stage("sync"):
            pass
    assert watch.seconds.keys() == {"commit", "sync"}
    (costs,) = watch.microseconds.values()
    assert len(costs) == strides
    assert all(cost > 0 for cost in costs)


def test_a_stage_that_fails_counts_too() -> None:
    watch = Stopwatch()
    with pytest.raises(OSError, match="full"), watch.stage("commit", 10):
        raise OSError("the disk is full")
    (cost,) = watch.microseconds["commit"]
    assert cost == pytest.approx(watch.seconds["commit"] / 10 * 1e6)
