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
        ([STRIDE - 1, STRIDE, 1, STRIDE - 1], 2),
    ],
)
def test_the_cost_of_a_paper_is_told_by_full_strides(shards: Sequence[int], strides: int) -> None:
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
