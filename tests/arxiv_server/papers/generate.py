"""Compose libraries of plausible papers, the same ones for the same seed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from arxiv_server.papers.library import Library, Version, Work
from arxiv_server.papers.words import (
    ADJECTIVES,
    FAMILY,
    GIVEN,
    KINDS,
    LICENSES,
    SENTENCES,
    SUBJECTS,
    TITLES,
)

CATEGORIES = (
    "cs.LG", "cs.CL", "cs.CV", "stat.ML", "math.NA", "math.AP", "math-ph", "math.MP",
    "hep-th", "hep-ph", "quant-ph", "astro-ph.CO", "cond-mat.str-el", "eess.SP",
)  # fmt: skip
_NEW_IDS = datetime(2007, 4, 1, tzinfo=UTC)
# Archives of the time when ids had the archive in them.
_OLD_ARCHIVES = ("math", "hep-th", "cs", "quant-ph", "astro-ph", "hep-ph", "cond-mat")


def make_library(
    count: int,
    seed: int,
    first_day: date,
    days: int,
    categories: Sequence[str] = CATEGORIES,
) -> Library:
    """
    Compose `count` papers stamped within `days` days from `first_day` on.

    About one in twelve has an old-style id and one in ten no licence; one in thirty is withdrawn.
    """
    rng = Random(seed)
    library = Library()
    while len(library) < count:
        work = _compose(rng, first_day + timedelta(days=rng.randrange(days)), categories)
        if work.id not in library:
            library.add(work)
    return library


def _compose(rng: Random, datestamp: date, categories: Sequence[str]) -> Work:
    chosen = tuple(rng.sample(categories, min(len(categories), rng.choice((1, 1, 2, 3)))))
    archive = chosen[0].partition(".")[0]
    old = rng.random() < 1 / 12 and archive in _OLD_ARCHIVES
    versions = _versions(rng, datestamp, old=old)
    withdrawn = rng.random() < 1 / 30
    if withdrawn:
        last = versions[-1]
        versions.append(Version(last.number + 1, last.created + timedelta(hours=3), 0, "I"))
    people = _people(rng)
    subjects = SUBJECTS[KINDS.get(archive, "matter")]
    return Work(
        id=_paper_id(rng, versions[0].created, archive),
        datestamp=datestamp,
        title=_sentence(rng, rng.choice(TITLES), subjects),
        abstract=_abstract(rng, subjects),
        authors=", ".join(people),
        categories=chosen,
        license=None if rng.random() < 1 / 10 else rng.choice(LICENSES),
        versions=tuple(versions),
        submitter=people[0],
        comments=_comments(rng, withdrawn=withdrawn),
        journal_ref=_maybe(rng, f"J. Gen. Stud. {rng.randrange(1, 90)}, 1--{rng.randrange(9, 40)}"),
        doi=_maybe(rng, f"10.5555/{rng.randrange(10**6)}.<{rng.randrange(99)}>"),
        report_no=_maybe(rng, f"PITH-{rng.randrange(10**4)}"),
    )


def _maybe(rng: Random, text: str) -> str | None:
    return text if rng.random() < 1 / 3 else None


def _comments(rng: Random, *, withdrawn: bool) -> str | None:
    if withdrawn:
        return "This paper has been withdrawn by the authors due to an error in Lemma 2"
    pages = rng.randrange(4, 60)
    return _maybe(rng, f'{pages} pages, {rng.randrange(9)} figures; v2: "typos" & refs')


def _versions(rng: Random, datestamp: date, *, old: bool) -> list[Version]:
    """
    Give one to four versions, the last submitted the day before the datestamp.

    An old paper's versions are all of its time: it was re-stamped since for other reasons.
    """
    last = datestamp - timedelta(days=1)
    if old:
        last = date(1996, 1, 1) + timedelta(days=rng.randrange(3900))
    number = rng.choice((1, 1, 1, 2, 2, 3, 4))
    gaps = [rng.randrange(2, 200) for _ in range(number - 1)]
    size = rng.randrange(8, 4000)
    versions = []
    for index in range(number):
        day = last - timedelta(days=sum(gaps[index:]))
        clock = time(rng.randrange(20), rng.randrange(60), rng.randrange(60))
        created = datetime.combine(day, clock, UTC)
        versions.append(Version(index + 1, created, size + index, rng.choice((None, "D", "D"))))
    return versions


def _paper_id(rng: Random, created: datetime, archive: str) -> str:
    month = f"{created:%y%m}"
    if created < _NEW_IDS:
        return f"{archive}/{month}{rng.randrange(1, 1000):03d}"
    digits = 4 if created.year < 2015 else 5
    return f"{month}.{rng.randrange(1, 10**digits // 4):0{digits}d}"


def _people(rng: Random) -> list[str]:
    names = [f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in range(rng.choice((1, 2, 3, 5)))]
    return list(dict.fromkeys(names))


def _abstract(rng: Random, subjects: Sequence[str]) -> str:
    """Compose one to three paragraphs, broken as arXiv breaks them; some start with two spaces."""
    paragraphs = [
        " ".join(
            _sentence(rng, sentence, subjects)
            for sentence in rng.sample(SENTENCES, rng.randrange(3, 7))
        )
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    return rng.choice(("", "", "  ")) + "\n  ".join(paragraphs)


def _sentence(rng: Random, template: str, subjects: Sequence[str]) -> str:
    s, t = rng.sample(list(subjects), 2)
    a = rng.choice(ADJECTIVES)
    numbers = {"n": rng.randrange(2, 50), "m": rng.randrange(50, 5000)}
    text = template.format(s=s, t=t, a=a, A=a.capitalize(), **numbers)
    return text[0].upper() + text[1:]
