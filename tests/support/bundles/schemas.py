"""The package's JSON Schemas, ready to check documents with."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

NAMES = (
    "record", "event", "state", "bundle", "verify-report",
    "number-record", "mirror-manifest", "signing-key",
)  # fmt: skip
_FOLDER = files("transforms") / "schemas"
SCHEMAS: dict[str, dict[str, Any]] = {
    name: json.loads((_FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in NAMES
}
_REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
_VALIDATORS = {
    name: Draft202012Validator(schema, registry=_REGISTRY) for name, schema in SCHEMAS.items()
}


def errors(name: str, document: Any) -> list[str]:
    """Return what is wrong with `document` by the schema `name`, with the place of each."""
    found = _VALIDATORS[name].iter_errors(document)
    return [f"{error.json_path}: {error.message:.200}" for error in found]


def bundle_errors(bundle: Any) -> list[str]:
    """Return what is wrong with a bundle and, each by its own schema, with its parts."""
    return [
        *errors("bundle", bundle),
        *errors("record", bundle["canonical_record"]),
        *errors("state", bundle["state"]),
        *(line for event in bundle["events"] for line in errors("event", event)),
    ]


def refs(schema: Any) -> Iterator[str]:
    """Give every `$ref` anywhere in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from refs(value)
