"""Categories as OAI-PMH sets: `cs.LG` is `cs:cs:LG`, `hep-th` is `physics:hep-th`.

A set holds the papers that have the category as primary one or as cross-list. Nothing is written
down here: the server's `ListSets` says what there is.
"""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import replace

from flows.common.errors import ConfigError
from flows.store.catalog.window import Window

ALL_OF_ARXIV = "all"
"""The category that stands for no category at all."""


def sets_by_category(known_sets: Collection[str]) -> dict[str, str]:
    """Return the set of each category and each archive, given the set specs of `ListSets`.

    An archive's name means the archive, not the group above it, which makes a difference for one:
    `physics` is `physics:physics`, without `hep-th` and the others that are their own archives.
    """
    named = {}
    for spec in sorted(known_sets):
        _, *archive_and_suffix = spec.split(":")
        if archive_and_suffix:
            named[".".join(archive_and_suffix)] = spec
    return named


def set_of_category(category: str, known_sets: Collection[str]) -> str:
    """Return the set of a category (`cs.LG`), an archive (`astro-ph`), or a set below a group.

    Raises `ConfigError` that names the nearest right one; case counts, as it does for arXiv.
    """
    named = sets_by_category(known_sets)
    if category in named:
        return named[category]
    if category in named.values():
        return category
    by_lower_case = {name.lower(): name for name in named}
    close = difflib.get_close_matches(category.lower(), by_lower_case, n=1, cutoff=0)
    meant = f"; did you mean {by_lower_case[close[0]]}?" if close else ""
    raise ConfigError(f"arXiv has no category {category!r:.80}{meant}")


def category_of(set_spec: str | None) -> str:
    """Return what `set_of_category` makes a set of, `cs.LG` of `cs:cs:LG`; None is all of arXiv."""
    if set_spec is None:
        return ALL_OF_ARXIV
    _, *archive_and_suffix = set_spec.split(":")
    return ".".join(archive_and_suffix) or set_spec


def name_of(category: str) -> str:
    """Return what a person reads of a category: itself, or `all of arXiv`."""
    return "all of arXiv" if category == ALL_OF_ARXIV else category


def set_name(set_spec: str | None) -> str:
    """Return what a person reads of a set: `cs.LG` of `cs:cs:LG`, `all of arXiv` of None."""
    return name_of(category_of(set_spec))


def title_of(window: Window) -> str:
    """Return a window's name in the words of who asked, such as `cs.LG, 2026-11-14 to now`."""
    return str(replace(window, set_spec=set_name(window.set_spec)))


def windows_of(categories: Sequence[str]) -> str:
    """Return the name of the step that finds the windows of these categories."""
    return f"find windows of {', '.join(categories)}"


def likely_set(category: str, harvested: Collection[str]) -> str:
    """Return the set of a category without asking arXiv, given the sets that were harvested.

    Where none of them tells the group above the archive, the archive's name stands in its place:
    then none of them is above the category either, nor the category itself.
    """
    named = sets_by_category(harvested)
    if category in named or ":" in category:
        return named.get(category, category)
    archive, *suffix = category.split(".", 1)
    groups = {spec.split(":")[1]: spec.split(":")[0] for spec in named.values()}
    return ":".join([groups.get(archive, archive), archive, *suffix])
