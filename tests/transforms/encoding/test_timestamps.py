"""Moments as text: one form each, whatever the zone and the year."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.encoding.timestamps import SECONDS_LENGTH, from_text, to_micros, to_seconds

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn
    datetime(9998, 12, 31),  # noqa: DTZ001 - the zone is drawn
    timezones=zones | st.just(UTC),
)


@given(moments)
def test_any_moment_is_written_in_utc_and_read_back(moment: datetime) -> None:
    in_utc = moment.astimezone(UTC).replace(tzinfo=None)
    assert to_seconds(moment) == in_utc.isoformat(timespec="seconds") + "Z"
    assert to_micros(moment) == in_utc.isoformat(timespec="microseconds") + "Z"
    assert len(to_seconds(moment)) == SECONDS_LENGTH
    assert from_text(to_micros(moment)) == moment
    assert from_text(to_seconds(moment)) == moment.replace(microsecond=0)


def test_a_moment_without_a_zone_is_refused() -> None:
    for write in (to_seconds, to_micros):
        with pytest.raises(ValueError, match="without a zone"):
            write(datetime(2026, 11, 21))  # noqa: DTZ001 - what is refused
