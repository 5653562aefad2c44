"""Counts in catalogs keep their names, so that a folder of any release is read."""

import json

from flows.common.counts import Counts

# As release 0.1.0 wrote it.
STORED = (
    '{"papers": 4, "new_records": 3, "new_snapshots": 1, "unchanged": 0, "reissued": 0, '
    '"withdrawn": 0, "rejects": 2, "passed_over": 5, "lines": 12, "blank": 1, '
    '"by_category": {"cs.LG": 4}, "by_reason": {"not JSON": 2}}'
)


def test_counts_of_an_older_catalog_are_read_and_written_as_they_were() -> None:
    counts = Counts.from_stored(json.loads(STORED))
    assert (counts.papers, counts.filtered, counts.lines) == (4, 5, 12)
    assert counts.to_stored() == json.loads(STORED)
    assert Counts.from_stored({"papers": 1}) == Counts(papers=1)
