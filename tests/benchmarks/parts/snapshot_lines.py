r"""Lines as in Kaggle's snapshot of arXiv's metadata, as many as asked, the same for the same seed.

Run it with `.venv/bin/python tests/benchmarks/parts/snapshot_lines.py COUNT FILE`. The lengths,
layouts and how often a field is null follow the real file. The ids rise from January 2015 on, as
many in each month. Pieces of JSON are made once and joined anew for each line, which takes 20
microseconds; an abstract is drawn line by line, so that no two are alike and compression gains
little.
"""

import argparse
import json
import sys
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.parts.snapshot_words import (
    CATEGORIES,
    COMMON,
    ENDINGS,
    FORMULAS,
    GIVEN,
    LICENSES,
    RAW,
    STARTS,
    STEMS,
    SYLLABLES,
)

FIRST_DAY, LAST_DAY, MONTHS = date(2015, 1, 1), date(2026, 11, 1), 142
UNWRAPPED_SINCE = 120  # months: arXiv stopped wrapping lines in 2025
NO_REFERENCE = 'null,"doi":null,"report-no":null,'
WITHDRAWN = '"This paper has been withdrawn by the author due to a crucial error in equation 3"'


def encoded(text: str) -> str:
    """Return `text` as it stands between the quotes of a JSON string."""
    return json.dumps(text)[1:-1]


def capital(text: str) -> str:
    """Return `text` with a capital letter at its start and the rest, TeX too, as it was."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Pools:
    """Pieces of JSON: of each kind far more than one paper takes."""

    lines: list[str]
    """Of abstracts, each of about 75 characters."""
    titles: list[str]
    """Halves of titles."""
    authors: list[tuple[str, str]]
    """As in `authors` and as in `authors_parsed`."""
    categories: list[str]
    comments: list[str]
    references: list[str]
    licenses: list[str]
    days: list[tuple[str, str]]
    """As in `created` and as in `update_date`."""
    times: list[str]


def make_pools(rng: Random) -> Pools:
    """Make the pieces, in less than a second."""
    text = _Text(rng)
    authors = [_author(rng) for _ in range(8000)]
    days = [FIRST_DAY + timedelta(number) for number in range((LAST_DAY - FIRST_DAY).days)]
    return Pools(
        lines=[text.line() for _ in range(100_000)],
        titles=[encoded(text.title_half()) for _ in range(20_000)],
        authors=authors,
        categories=[
            " ".join(rng.sample(CATEGORIES, rng.choice((1, 1, 1, 2, 2, 3, 4)))) for _ in range(900)
        ],
        comments=["null"] * 250
        + [
            f'"{rng.randint(4, 80)} pages, {rng.randint(1, 30)} figures; {encoded(words)}"'
            for words in (text.title_half() for _ in range(750))
        ]
        + [WITHDRAWN] * 2,
        references=[NO_REFERENCE] * 2000 + [_reference(rng) for _ in range(1000)],
        licenses=["null", *map(json.dumps, LICENSES)],
        days=[(f"{day:%a}, {day.day} {day:%b %Y} ", day.isoformat()) for day in days],
        times=[
            f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02} GMT"
            for _ in range(3000)
        ],
    )


class _Text:
    """Words as often as in a natural text: the n-th most frequent one in proportion to 1/n."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        made = {rng.choice(STARTS) + stem + ending for stem in STEMS for ending in ENDINGS}
        rare = sorted(made) + FORMULAS * 6 + RAW
        rng.shuffle(rare)
        self.words = COMMON + rare
        self.weights = list(accumulate(1 / rank for rank in range(2, len(self.words) + 2)))
        self._ahead: list[str] = []

    def line(self) -> str:
        """Return the next line of an endless abstract, wrapped as arXiv wraps, encoded."""
        taken: list[str] = []
        width = 0
        while width < 68:
            taken.append(self._next())
            width += len(taken[-1]) + 1
        return encoded(" ".join(taken))

    def title_half(self) -> str:
        """Return the half of a title."""
        words = [self._next().rstrip(".,") for _ in range(self.rng.randint(2, 7))]
        return capital(" ".join(words))

    def _next(self) -> str:
        if not self._ahead:
            count = self.rng.randint(8, 34)
            sentence = self.rng.choices(self.words, cum_weights=self.weights, k=count)
            sentence[0] = capital(sentence[0])
            sentence[count // 2] += ","
            sentence[-1] += "."
            self._ahead = sentence[::-1]
        return self._ahead.pop()


def _author(rng: Random) -> tuple[str, str]:
    given = rng.choice(GIVEN)
    family = capital("".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))))
    parsed = json.dumps([_decoded(family), _decoded(given), ""], separators=(",", ":"))
    return encoded(f"{given} {family}"), parsed


def _decoded(name: str) -> str:
    """Decode the TeX accents of `SYLLABLES` and `GIVEN`, as `authors_parsed` has them."""
    marks = {"\\'": "\u0301", '\\"': "\u0308", "\\~": "\u0303"}
    name = name.replace(r"\v{c}", "č").replace(r"{\o}", "ø").replace(r"\c{c}", "ç")
    for tex, mark in marks.items():
        while (at := name.find(tex)) >= 0:
            name = name[:at] + name[at + 2 : at + 3] + mark + name[at + 3 :]
    return unicodedata.normalize("NFC", name)


def _reference(rng: Random) -> str:
    """Return the values from `journal-ref` on to before `categories`."""
    volume, page = rng.randint(1, 200), rng.randint(1000, 99999)
    journal = f'"Phys. Rev. D {volume}, {page} ({rng.randint(2015, 2026)})"'
    report = f'"CERN-PH-{rng.randint(1, 999)}"' if rng.random() < 0.2 else "null"
    return f'{journal},"doi":"10.1103/PhysRevD.{volume}.{page:06}","report-no":{report},'


def line(pools: Pools, rng: Random, month: int, serial: int) -> str:
    """Return the line of the paper with this number within its month."""
    random = rng.random
    wrapped = month < UNWRAPPED_SINCE
    abstract = rng.choices(pools.lines, k=min(max(int(rng.gauss(13.2, 4.6)), 1), 25))
    if random() < 0.07:
        abstract[len(abstract) // 2] = r"\n  " + abstract[len(abstract) // 2]
    names, parsed = zip(*rng.choices(pools.authors, k=_author_count(rng)), strict=True)
    reference = pools.references[int(random() * len(pools.references))]
    year, month_of_year = divmod(month, 12)
    first = (date(2015 + year, month_of_year + 1, 1) - FIRST_DAY).days + int(random() * 28)
    versions, updated = _versions(pools, rng, first)
    break_ = r"\n  " if wrapped else " "
    title = break_.join(rng.choices(pools.titles, k=2))
    text = r"\n".join(abstract) if wrapped else " ".join(abstract)
    return (
        f'{{"id":"{15 + year}{month_of_year + 1:02}.{serial:05}","submitter":"{names[0]}",'
        f'"authors":"{_joined(names, break_)}","title":"{title}",'
        f'"comments":{pools.comments[int(random() * len(pools.comments))]},'
        f'"journal-ref":{reference}'
        f'"categories":"{pools.categories[int(random() * len(pools.categories))]}",'
        f'"license":{pools.licenses[int(random() * len(pools.licenses))]},'
        f'"abstract":"{"  " if wrapped else ""}{text}{chr(92) + "n" if wrapped else ""}",'
        f'"versions":[{versions}],"update_date":"{updated}",'
        f'"authors_parsed":[{",".join(parsed)}]}}\n'
    )


def _author_count(rng: Random) -> int:
    if rng.random() < 0.002:
        return rng.randint(60, 900)
    return min(1 + int(rng.expovariate(1 / 3.2)), 10)


def _joined(names: tuple[str, ...], break_: str) -> str:
    """Join names as authors do, five on a line."""
    if len(names) < 6:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f",{break_}".join(", ".join(names[at : at + 5]) for at in range(0, len(names), 5))


def _versions(pools: Pools, rng: Random, day: int) -> tuple[str, str]:
    """Return the versions of a paper first submitted on the day with this number, and its last."""
    count = min(1 + int(rng.expovariate(1.25)), 5)
    last, made = len(pools.days) - 1, []
    for number in range(1, count + 1):
        created = pools.days[day][0] + pools.times[int(rng.random() * len(pools.times))]
        made.append(f'{{"version":"v{number}","created":"{created}"}}')
        if number < count:
            day = min(day + 1 + int(rng.expovariate(1 / 60)), last)
    return ",".join(made), pools.days[min(day + 1, last)][1]


def write_lines(path: Path, count: int, *, seed: int = 1) -> None:
    """Write `count` lines to `path`; the same arguments write the same bytes."""
    rng = Random(seed)
    pools = make_pools(rng)
    a_month = -(-count // MONTHS)
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(
            line(pools, rng, number // a_month, number % a_month + 1) for number in range(count)
        )


def main() -> None:
    """Write as many lines as the command line says."""
    parser = argparse.ArgumentParser(description="Write lines as in Kaggle's snapshot of arXiv.")
    parser.add_argument("count", type=int, metavar="COUNT")
    parser.add_argument("file", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    write_lines(arguments.file, arguments.count)


if __name__ == "__main__":
    main()
