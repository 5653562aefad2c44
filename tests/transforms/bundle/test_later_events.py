"""Later receipts, where there is none to follow."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.bundles.forging import AT, PAPER
from support.bundles.signed_events import ISSUER

from transforms import IssueTimes, build_bundle, bundle_bytes
from transforms.bundle.later_events import active_creation, reissue
from transforms.bundle.merge_bundles import merge_bundles
from transforms.verify.verify import verify_bundle


def test_of_receipts_that_contradict_each_other_none_is_issued_again() -> None:
    later = AT + timedelta(seconds=1)
    times = IssueTimes.at(later)
    rivals = [
        build_bundle(PAPER, issuer=ISSUER, times=replace(times, computed_at=AT)),
        build_bundle(
            PAPER, issuer=ISSUER, times=replace(times, computed_at=AT, receipt_signed_at=AT)
        ),
    ]
    assert active_creation(rivals[0])["payload"]["receipt"]["signature_status"] == "signed_v1"
    both = merge_bundles(rivals, issuer=ISSUER, moment=later).bundle
    assert verify_bundle(bundle_bytes(both), []).valid
    assert both["state"]["equivocation_count"] == 1
    with pytest.raises(ValueError, match="no receipt is active"):
        reissue(both, issuer=ISSUER, moment=later)
