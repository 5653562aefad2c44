"""A bundle under examination, and how a check says what it found."""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from transforms.bundle.record import PithId, identify_json
from transforms.bundle.validity import Keys, ValidatedEvents, listed_keys, validate_events
from transforms.documents.bundle import Document
from transforms.documents.checked import CheckedBundle, CheckedEvent, SchemaError, typed_bundle
from transforms.encoding.canonical import canonical_json_of_strict_json, canonical_json_unchecked
from transforms.encoding.digest import sha256
from transforms.encoding.strict_json import JsonValue
from transforms.encoding.timestamps import from_text

_T = TypeVar("_T", str, int, Document, list[Any])


class FailedError(Exception):
    """A check found something wrong; the message is its detail."""


class UncheckedError(Exception):
    """A check lacks what it needs; the message says what."""


class Subject:
    """A bundle under examination, with what several checks need computed once."""

    def __init__(self, bundle: Document) -> None:
        """Take what `read_json` returned; raises `CanonicalError` if it has no canonical JSON."""
        self.bundle = bundle
        signed = {name: bundle[name] for name in bundle if name != "bundle_signature"}
        self.digest = sha256(canonical_json_of_strict_json(signed))
        """The digest that the bundle's signature signs."""
        canonical_json_of_strict_json(
            {name: bundle[name] for name in bundle.keys() - signed.keys()}
        )

    @cached_property
    def record(self) -> Document:
        """The canonical record that the bundle states."""
        return get(self.bundle, dict, "canonical_record")

    @cached_property
    def record_json(self) -> bytes:
        """The canonical JSON of the record."""
        return canonical_json_unchecked(self.record)

    @cached_property
    def pith_id(self) -> PithId:
        """The names that the record hashes to."""
        year = get(self.record, str, "metadata", "submitted_at")[:4]
        return identify_json(self.record_json, year)

    @cached_property
    def alias_times(self) -> set[str]:
        """The times of the aliases."""
        return {get(alias, str, "created_at") for alias in get(self.bundle, list, "source_aliases")}

    @cached_property
    def events(self) -> list[Any]:
        """All events, whatever they are."""
        return get(self.bundle, list, "events")

    @cached_property
    def keys(self) -> Keys:
        """The usable keys that the bundle lists."""
        return listed_keys(get(self.bundle, list, "public_keys"))

    @cached_property
    def validated(self) -> ValidatedEvents:
        """The events, with their hashes computed and signatures verified."""
        return validate_events(self.events, number=self.pith_id.number, keys=self.keys)

    @cached_property
    def typed(self) -> tuple[CheckedBundle, list[CheckedEvent]] | str:
        """The bundle and its events as typed values, or why it is not of the schema."""
        try:
            return typed_bundle(self.bundle)
        except SchemaError as error:
            return str(error)

    def of_type(self, event_type: str) -> Iterator[Document]:
        """Yield the payloads of the events of one type; a payload is an object."""
        for event in self.events:
            if isinstance(event, dict) and event.get("event_type") == event_type:
                yield get(event, dict, "payload")

    def signing_keys(self) -> set[bytes]:
        """Return the raw keys that signed a valid bundle: receipts, events and the whole."""
        signatures = [payload["receipt"] for payload in self.of_type("record_created")]
        signatures += [event["signature"] for event in self.events]
        signatures.append(self.bundle["bundle_signature"])
        return {self.keys[s["key_id"], s["public_key_fingerprint"]] for s in signatures}


def get(value: JsonValue, kind: type[_T], *path: str) -> _T:
    """Return the value of exactly `kind` at `path` of an object, or fail naming the place."""
    for key in path:
        # Not `isinstance`: what JSON gives is of no subclass, and this is done 40 times a bundle.
        if type(value) is not dict or key not in value:
            raise FailedError(f"{'.'.join(path[: path.index(key) + 1])} is missing")
        value = value[key]
    if type(value) is not kind:
        raise FailedError(f"{'.'.join(path)} is not of the type {kind.__name__}")
    return value


def same(first: object, second: object) -> bool:
    """Return whether both are the same JSON; `==` alone would take `true` for 1."""
    return canonical_json_unchecked(first) == canonical_json_unchecked(second)


def instant(value: object, key: str) -> datetime:
    """Return the time at `key` of an object, or fail naming it."""
    return moment(get(value, str, key), key)


def moment(text: str, name: str) -> datetime:
    """Return a time as the format writes it, or fail naming it."""
    try:
        return from_text(text)
    except ValueError as error:
        raise FailedError(f"{name}: {error}") from None
