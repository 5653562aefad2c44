"""The addresses of a registry, and the names with which records are asked for."""

import pytest

from transforms.paper.reference import BadReferenceError, Reference
from transforms.registry.addresses import asked_record, is_suffix, record_addresses
from transforms.registry.names import parse_name

SUFFIX = "JUV2VY6FK23SMEDNHMW23VESQV"
NAMES = [
    SUFFIX, SUFFIX[:8], "pith:2019:" + SUFFIX, "1906.10822v1", "math/0410603", "math/0410603v2",
    "10.48550/arXiv.math/0410603", "a/bundle.json/b", ".json",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_address_is_read_back(name: str) -> None:
    below = record_addresses("", name)
    for part, path in below._asdict().items():
        assert asked_record(path) == (part, name)
    whole = record_addresses("https://r.example", name)
    assert [*whole] == [f"https://r.example{path}" for path in below]


@pytest.mark.parametrize(
    "path", ["", "/", "/pith", "/pith/", "/pithx/a", "/.well-known/pith/a/state.json", "pith/a",
             "/.well-known/pith//bundle.json", "/Pith/a"],
)  # fmt: skip
def test_other_paths_are_of_no_record(path: str) -> None:
    assert asked_record(path) is None


def test_an_address_is_read_in_linear_time() -> None:
    path = "/pith/" + "/state.json" * 200_000
    assert asked_record(path) == ("state", path[6:-11])


@pytest.mark.parametrize("length", [8, 12, 16, 26])
def test_a_suffix_and_its_short_forms_are_names_in_either_case(length: int) -> None:
    expected = Reference(pith_number=f"pith:{SUFFIX[:length]}")
    assert parse_name(SUFFIX[:length]) == parse_name(SUFFIX[:length].lower()) == expected


def test_a_name_is_whatever_commands_take() -> None:
    assert parse_name("pith:2019:" + SUFFIX.lower()) == Reference(pith_number=f"pith:2019:{SUFFIX}")
    assert parse_name("1906.10822v1") == Reference("1906.10822", 1)
    assert parse_name("math.GT/0309136") == Reference("math/0309136")
    assert parse_name("10.48550/arxiv.1906.10822") == Reference("1906.10822")
    for text in ("", "JUV2VY6", "abcdefg1", SUFFIX + "A", "../../etc/passwd", "a" * 10_000):
        with pytest.raises(BadReferenceError):
            parse_name(text)


def test_only_a_whole_suffix_in_capitals_is_canonical() -> None:
    assert is_suffix(SUFFIX)
    for text in (SUFFIX.lower(), SUFFIX[:16], SUFFIX + "A", SUFFIX[:-1] + "1", SUFFIX + "\n", ""):
        assert not is_suffix(text)
