"""Bad bundles by name, each with the check that must catch it, re-signed so that no other does."""

from support.bundles.bad_bundles.changes import SIGNATURE, later_snapshot, list_other
from support.bundles.bad_bundles.harmless import HARMLESS
from support.bundles.bad_bundles.hostile import HOSTILE
from support.bundles.bad_bundles.parts import BAD_PARTS, UNCHECKED
from support.bundles.bad_bundles.whole import BAD_WHOLE

BAD = BAD_WHOLE | BAD_PARTS

__all__ = [
    "BAD",
    "BAD_PARTS",
    "HARMLESS",
    "HOSTILE",
    "SIGNATURE",
    "UNCHECKED",
    "later_snapshot",
    "list_other",
]
