"""Whether the obvious script makes what `transforms` makes, before one is measured by the other."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.obvious import script
from benchmarks.obvious.parts import BUILDER
from benchmarks.parts.measure import FailedRunError
from transforms import Ed25519Signer, Identity, Issuer, IssueTimes, build_bundle, bundle_bytes
from transforms.parsing.kaggle import parse_line

COMPARED = 20


def compare(snapshot: Path) -> None:
    """Check that the obvious script's bundles are byte for byte those of `transforms`."""
    identity = Identity(
        signer_id=script.SIGNER_ID,
        base_url=script.SITE,
        resolver_name=script.RESOLVER,
        key_id=script.KEY_ID,
        key_url=script.KEY_URL,
        key_notes=script.KEY_NOTES,
        builder_version=BUILDER,
    )
    issuer = Issuer(identity, Ed25519Signer(script.SEED))
    obvious, now = script.Script(script.SEED), datetime.now(UTC)
    with snapshot.open("rb") as lines:
        for line in islice(lines, COMPARED):
            paper, times = parse_line(line), IssueTimes.at(now)
            ours = bundle_bytes(build_bundle(paper, issuer=issuer, times=times))
            if script.compact(obvious.bundle(json.loads(line), now)) != ours:
                raise FailedRunError(f"the obvious script makes another bundle of {paper.id}")
