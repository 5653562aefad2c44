"""The pure core: values in, values out; time and keys are arguments.

The way of one paper through the folders: `parsing` (bytes of arXiv to papers and rejects), `paper`
(what arXiv says of one, which are taken), `encoding` (canonical text and JSON, digests, times),
`bundle` (record and number, receipt, events, state, the signed whole), `signing` (keys),
`tables` (the rows that are kept). `documents` has the types of all that is signed, `verify` the
checks of a bundle, `schemas` the JSON Schemas of what is written, `registry` the documents that
are served of it.
"""

from transforms.bundle.build import IssueTimes, build_bundle, bundle_bytes
from transforms.bundle.record import canonical_record, pith_number
from transforms.bundle.state import merge
from transforms.encoding.canonical import CanonicalError, canonical_json, canonical_text
from transforms.paper.authors import authors_text
from transforms.paper.paper import BadPaperError, Paper, Reject, Version, make_paper
from transforms.signing import Ed25519Signer, Identity, Issuer, Signer

__all__ = [
    "BadPaperError",
    "CanonicalError",
    "Ed25519Signer",
    "Identity",
    "IssueTimes",
    "Issuer",
    "Paper",
    "Reject",
    "Signer",
    "Version",
    "authors_text",
    "build_bundle",
    "bundle_bytes",
    "canonical_json",
    "canonical_record",
    "canonical_text",
    "make_paper",
    "merge",
    "pith_number",
]
