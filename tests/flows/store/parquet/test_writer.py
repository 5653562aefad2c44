"""What is written of rows is what is read of them, however a column was made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName, read_rows
from flows.store.parquet.writer import ShardWriter, name_shard
from transforms.tables.schema import VanishedRow

AT = datetime(2026, 11, 21, 20, 5, 51, 573112, tzinfo=UTC)
SHARD = ShardName("unit-0", "unit", "a run", "a folder")


@pytest.mark.parametrize("other", [timedelta(0), timedelta(microseconds=1)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_times_come_back_whether_all_rows_have_one_or_not(
    tmp_path: Path, other: timedelta, count: int
) -> None:
    rows = [VanishedRow("2201.00001", AT, "window:x") for _ in range(count)]
    rows[count // 2] = rows[count // 2]._replace(noticed_at=AT + other)
    layout, writer = Layout(tmp_path), ShardWriter()
    writer.add("vanished", rows)
    name_shard(layout, writer.write(layout, SHARD))
    found = read_rows(layout, "vanished", SHARD.name, VanishedRow._fields)
    assert list(found) == [tuple(row) for row in rows]
