"""Mirroring another registry: every bundle fetched, verified, compared, and kept or refused."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from filelock import FileLock, Timeout

from flows.common.errors import ConfigError, StoreError
from flows.common.process.clock import utc_now
from flows.common.process.progress import track
from flows.common.process.signals import note, unbroken
from flows.registry.mirror.client import RegistryClient, RegistryError
from flows.registry.mirror.kept import MirrorFolder, MirrorState, Refused
from flows.registry.mirror.listings import Listing, Offered, find_listing
from flows.store.files.local import writing
from transforms.documents.bundle import Bundle
from transforms.encoding.strict_json import NotStrictJsonError, read_json
from transforms.registry.acceptance import RefusedError, accepted, check_grows
from transforms.registry.addresses import SIGNING_KEY
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64, encode_base64

OwnBundle = Callable[[str], bytes | None]
"""Gives our own bundle of a Pith Number, None where we have none."""


@dataclass(slots=True)
class MirrorReport:
    """What a mirror did: bundles by outcome, and a sentence for each of the last three kinds.

    `damaged` are those that were kept before and are no valid bundles any more.
    """

    kept: int = 0
    unchanged: int = 0
    gone: int = 0
    refused: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def mirror(
    client: RegistryClient,
    folder: MirrorFolder,
    *,
    url: str,
    keys: Collection[bytes] = (),
    listing: Listing | None = None,
    own: OwnBundle | None = None,
) -> MirrorReport:
    """Bring a mirror up to date, from where it stopped, and say what was done.

    `keys` are the raw public keys that the registry's bundles may be signed with; without any it is
    the key that the registry named when the mirror began. `listing` says what it has where it does
    not say so itself. Raises `StoreError` for a folder that mirrors another registry, and
    `RegistryError`.
    """
    note("every bundle that it kept is whole, and the same command goes on")
    with writing(folder.folder):
        folder.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.folder / ".mirror.lock", timeout=0)
    try:
        with lock:
            state = _begin(client, folder, url, keys)
            return _Mirroring(folder, state, own).take(listing or find_listing(client))
    except Timeout:
        raise StoreError(f"{folder.folder} is being mirrored to already") from None


def _begin(
    client: RegistryClient, folder: MirrorFolder, url: str, keys: Collection[bytes]
) -> MirrorState:
    state = folder.state()
    if state and state.url != url:
        raise StoreError(f"{folder.folder} mirrors {state.url}; take another folder for {url}")
    named = tuple(sorted(encode_base64(key) for key in keys))
    if state and named in ((), state.keys):
        return state
    if state:
        raise ConfigError(
            f"{folder.folder} was begun with another key; leave --key out, or take another folder"
        )
    return MirrorState(url, named or (_served_key(client),))


def _served_key(client: RegistryClient) -> str:
    """Return the key that a registry names, in base64; raises `RegistryError` where it has none."""
    data = client.get(SIGNING_KEY[1:])
    try:
        found = read_json(data or b"null")
        return encode_base64(decode_base64(found["public_key_b64"], PUBLIC_KEY_BYTES))
    except (NotStrictJsonError, ValueError, TypeError, KeyError):
        raise RegistryError(
            f"{client.server} names no key at {SIGNING_KEY}; "
            "name the key that you expect, with --key"
        ) from None


class _Mirroring:
    """A mirror under work."""

    def __init__(self, folder: MirrorFolder, state: MirrorState, own: OwnBundle | None) -> None:
        self._folder, self._state, self._own = folder, state, own
        self._keys = {decode_base64(key, PUBLIC_KEY_BYTES) for key in state.keys}
        self._report = MirrorReport()

    def take(self, listing: Listing) -> MirrorReport:
        cursor = self._state.cursor if listing.source == self._state.source else 0
        for piece in listing.pieces(cursor):
            for offered in track(piece.offered, total=None, what="bundles"):
                self._take_one(offered)
            state = MirrorState(self._state.url, self._state.keys, listing.source, piece.cursor)
            self._folder.save(state)
        return self._report

    def _take_one(self, offered: Offered) -> None:
        kept = self._folder.of_suffix(offered.suffix) if offered.suffix else None
        if kept is not None and hashlib.sha256(kept).hexdigest() == offered.sha256:
            self._report.unchanged += 1
            return
        data = offered.read()
        if data is None:
            self._report.gone += 1
            return
        if data == kept:
            self._report.unchanged += 1
            return
        try:
            bundle = accepted(data, suffix=offered.suffix, keys=self._keys)
            self._keep(bundle, data)
        except RefusedError as error:
            self._refuse(offered, data, str(error))

    def _keep(self, bundle: Bundle, data: bytes) -> None:
        """Keep a bundle; raises `RefusedError` where it lacks what the one that is there has."""
        number = bundle["pith_number"]
        kept = self._folder.bundle(number)
        if kept == data:
            self._report.unchanged += 1
            return
        if kept is not None and (before := self._whole(number, kept)):
            check_grows(bundle, before)
        with unbroken():
            self._folder.keep(number, data)
        self._report.kept += 1
        ours = self._own(number) if self._own else None
        if ours is not None and ours != data:
            self._report.differing.append(_difference(number, bundle, read_json(ours)))

    def _whole(self, number: str, kept: bytes) -> Bundle | None:
        """Return what is kept of a number; None, and it is put aside, where it is damaged."""
        try:
            return accepted(kept, suffix=number.rpartition(":")[2], keys=self._keys)
        except RefusedError as error:
            aside = self._folder.put_aside(number)
            self._report.damaged.append(f"{number}: {error}; it lies now in {aside}")
            return None

    def _refuse(self, offered: Offered, data: bytes, reason: str) -> None:
        self._folder.refuse(
            Refused(utc_now(), offered.name, reason, hashlib.sha256(data).hexdigest())
        )
        self._report.refused.append(f"{offered.name}: {reason}")


def _difference(number: str, theirs: Bundle, ours: Bundle) -> str:
    there, here = ({event["event_id"] for event in one["events"]} for one in (theirs, ours))
    return (
        f"{number}: {len(there & here)} events in common, {len(there - here)} only there, "
        f"{len(here - there)} only here"
    )
