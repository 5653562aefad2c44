"""From what people type to the kept records that it means: the one way of all commands."""

from collections.abc import Iterable

from flows.common.errors import ConfigError
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.records import KnownRecord
from transforms.paper.reference import BadReferenceError, Reference, parse_reference


def parse_references(texts: Iterable[str]) -> list[Reference]:
    """Read what a user names; raises `ConfigError` for the first text that names no paper."""
    try:
        return [parse_reference(text) for text in texts]
    except BadReferenceError as error:
        raise ConfigError(str(error)) from None


def find_records(catalog: Catalog, reference: Reference, location: str) -> list[KnownRecord]:
    """Return the kept records that a reference means, all of one paper, the newest last.

    An id stands for its paper's records, with a version for those of that one; a Pith Number for
    its record. Raises `ConfigError` where none is kept in `location`, or a short number fits
    several papers.
    """
    if reference.pith_number is not None:
        return _of_number(catalog, reference.pith_number, location)
    arxiv_id, version = reference.arxiv_id or "", reference.version
    kept = catalog.of_arxiv_id(arxiv_id)
    if not kept:
        raise ConfigError(
            f"nothing is known of {arxiv_id} in {location}; "
            f"ask arXiv for it with 'pith-ingest rerun {arxiv_id}'"
        )
    if found := [record for record in kept if version in {None, record.version}]:
        return found
    versions = ", ".join(dict.fromkeys(f"v{record.version}" for record in kept))
    raise ConfigError(f"of {arxiv_id} no v{version} is kept, but {versions}")


def _of_number(catalog: Catalog, number: str, location: str) -> list[KnownRecord]:
    """Return the records of a whole number, `pith:2019:…`, or of a short one, `pith:…`."""
    found = catalog.of_prefix(number.rpartition(":")[2])
    if number.count(":") > 1:
        found = [record for record in found if record.pith_number == number]
    if not found:
        raise ConfigError(
            f"nothing is known of {number} in {location}, for no record with this number is kept; "
            "name the paper by its arXiv id"
        )
    if len({record.arxiv_id for record in found}) > 1:
        each = sorted(f"{record.pith_number} ({record.arxiv_id})" for record in found)
        raise ConfigError(f"{number} stands for {' and '.join(each)}; name one")
    return sorted(found, key=lambda record: (record.version, record.issued_at))
