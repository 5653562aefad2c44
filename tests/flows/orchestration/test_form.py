"""The forms of the three flows, property by property, as Prefect's UI gets them."""

from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.callables import parameter_schema

from flows.backfill import backfill
from flows.nightly import nightly, unattended
from flows.rerun import rerun

pytestmark = pytest.mark.prefect

PATH = {"type": "string", "format": "path"}
DAY = {"type": "string", "format": "date"}
PLACES: dict[str, dict[str, Any]] = {
    "config_file": PATH | {"examples": ["/srv/pith/config.yaml"]},
    "data_dir": PATH | {"examples": ["/srv/pith/data"]},
}
FORMS: dict[str, tuple[Flow[..., Any], dict[str, dict[str, Any]]]] = {
    "backfill": (
        backfill,
        {
            "categories": {"type": "array", "items": {"type": "string", "examples": ["cs.LG"]}},
            "snapshot": PATH | {"examples": ["/srv/pith/arxiv-metadata-oai-snapshot.json"]},
            "search": {"type": "string", "examples": ["cat:cs.LG AND ti:attention"]},
            "raw": {"type": "array", "items": PATH | {"examples": ["/srv/pith/data/raw"]}},
            "first": DAY | {"examples": ["2026-11-14"]},
            "until": DAY | {"examples": ["2026-11-21"]},
            "limit": {"type": "integer", "minimum": 1, "default": 2000},
            "reissue": {"type": "boolean", "default": False},
            **PLACES,
        },
    ),
    "nightly": (nightly, PLACES),
    "unattended": (unattended, PLACES),
    "rerun": (
        rerun,
        {
            "papers": {
                "type": "array",
                "items": {"type": "string", "examples": ["1906.10822"]},
                "minItems": 1,
            },
            "reissue": {"type": "boolean", "default": False},
            **PLACES,
        },
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_field_has_its_own_type_and_none_has_none(name: str) -> None:
    flow, fields = FORMS[name]
    schema = parameter_schema(flow)
    described = {field: shown.pop("description") for field, shown in schema.properties.items()}
    assert schema.properties == {
        field: expected | {"title": field, "position": position}
        for position, (field, expected) in enumerate(fields.items())
    }
    assert schema.required == (["papers"] if name == "rerun" else [])
    assert all(text.endswith(".") for text in described.values())


def test_exclusive_sources_say_so() -> None:
    shown = parameter_schema(backfill).properties
    exclusive = {name for name, field in shown.items() if "**Instead of**" in field["description"]}
    assert exclusive == {"snapshot", "search", "raw", "reissue"}
    assert "**one source**" in str(backfill.description)


def test_what_is_left_empty_is_none_for_the_function() -> None:
    """The form's signature is Prefect's alone; parameters are checked by the function's own."""
    given = backfill.validate_parameters({"raw": None, "first": None, "until": "2026-11-14"})
    assert (given["raw"], given["first"], str(given["until"])) == (None, None, "2026-11-14")
