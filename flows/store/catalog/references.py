"""From what people type to the kept records that it means: the one way of all commands."""

from collections.abc import Iterable
from dataclasses import replace

from flows.common.errors import ConfigError
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.records import KnownRecord
from transforms.paper.reference import (
    BadReferenceError,
    Reference,
    named_references,
    parse_reference,
)


def parse_references(texts: Iterable[str]) -> list[Reference]:
    """Read what a user names; raises `ConfigError` for the first text that names no paper."""
    try:
        return [parse_reference(text) for text in texts]
    except BadReferenceError as error:
        raise ConfigError(str(error)) from None


def named_records(
    catalog: Catalog, text: str, location: str
) -> tuple[list[KnownRecord], dict[Reference, str]]:
    """Return the newest record kept of each paper that a text names, and why there is no other.

    Of a version that is not kept, it is the newest that is; a short number that several papers
    share names them all. The reasons are sentences, by what means no kept record.
    """
    newest: dict[str, KnownRecord] = {}
    reasons = {}
    for reference in named_references(text):
        found = matching_records(catalog, reference)
        if not found:
            reasons[reference] = _missing(catalog, reference, location)
            found = matching_records(catalog, replace(reference, version=None, beside=None))
        newest |= {record.arxiv_id: record for record in found}
    return list(newest.values()), reasons


def matching_records(catalog: Catalog, reference: Reference) -> list[KnownRecord]:
    """Return the kept records that a reference means, the newest last; none where none is kept.

    An id stands for its paper's records, with a version for those of that one, and with a number
    beside it for that record; a Pith Number for its record. A short number may fit records of
    several papers.
    """
    if reference.pith_number is not None:
        found = _of_number(catalog, reference.pith_number)
        return sorted(found, key=lambda record: (record.version, record.issued_at))
    kept = catalog.of_arxiv_id(reference.arxiv_id or "")
    if reference.beside is not None:
        numbered = {record.pith_number for record in _of_number(catalog, reference.beside)}
        kept = [record for record in kept if record.pith_number in numbered]
    return [record for record in kept if reference.version in {None, record.version}]


def _of_number(catalog: Catalog, number: str) -> list[KnownRecord]:
    found = catalog.of_prefix(number.rpartition(":")[2])
    is_whole = number.count(":") > 1
    return [record for record in found if not is_whole or record.pith_number == number]


def find_records(catalog: Catalog, reference: Reference, location: str) -> list[KnownRecord]:
    """Return the kept records that a reference means, all of one paper, the newest last.

    Raises `ConfigError` where none is kept in `location`, or a short number fits several papers.
    """
    found = matching_records(catalog, reference)
    if not found:
        raise ConfigError(_missing(catalog, reference, location))
    if len({record.arxiv_id for record in found}) > 1:
        each = sorted(f"{record.pith_number} ({record.arxiv_id})" for record in found)
        raise ConfigError(f"{reference} stands for {' and '.join(each)}; name one")
    return found


def _missing(catalog: Catalog, reference: Reference, location: str) -> str:
    """Return what to say of a reference that means no kept record."""
    if reference.pith_number is not None:
        return (
            f"nothing is known of {reference} in {location}, for no record with this number is "
            "kept; name the paper by its arXiv id"
        )
    arxiv_id = reference.arxiv_id or ""
    if reference.beside is not None and matching_records(catalog, replace(reference, beside=None)):
        return f"{reference.beside} is no record of {reference} in {location}; name one of the two"
    if kept := catalog.of_arxiv_id(arxiv_id):
        versions = ", ".join(dict.fromkeys(f"v{record.version}" for record in kept))
        return f"of {arxiv_id} no v{reference.version} is kept, but {versions}"
    return (
        f"nothing is known of {arxiv_id} in {location}; "
        f"ask arXiv for it with 'pith-ingest rerun {arxiv_id}'"
    )
