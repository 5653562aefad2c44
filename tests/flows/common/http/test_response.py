"""What a server asks for with `Retry-After`, whatever it writes there."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flows.common.http.response import retry_after


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
    assert retry_after(None, now) is None
    assert retry_after(" 120 ", now) == 120
    assert retry_after("Mon, 02 Mar 2026 05:01:00 GMT", now) == 60
    assert retry_after("Mon, 02 Mar 2026 06:01:00 +0100", now) == 60
    assert retry_after("Mon, 02 Mar 2026 04:59:00 GMT", now) == -60
    for nonsense in ("", "-5", "1.5", "soon", "Mon, 02 Mar 2026 05:01:00 -0000", "²"):
        assert retry_after(nonsense, now) is None


@given(st.text())
def test_any_retry_after_is_survived(header: str) -> None:
    result = retry_after(header, datetime(2026, 3, 2, tzinfo=UTC))
    assert result is None or isinstance(result, float)
