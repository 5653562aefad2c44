"""What a harvest's requests and their replies prove, read without any of the project's code.

Of each whole reply the test server sends it notes which papers came, with which day, and which
were listed; the rest is counting days one by one.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

from arxiv_server import ArxivServer, Seen
from arxiv_server.reply import Reply

EARLIEST = date(2005, 9, 16)
_OAI = "{http://www.openarchives.org/OAI/2.0/}"


class Asked(NamedTuple):
    """A window as it stands in a request; `""` is not given."""

    set_spec: str
    first: str
    until: str


@dataclass
class Heard:
    """One whole reply: the days of papers by id, its error, and how it goes on."""

    days: dict[str, date]
    error: str | None
    token: str | None


class Came(NamedTuple):
    """A paper that came: its day at first, its newest day, and after how many lists that came."""

    first: date
    day: date
    lists: int


@dataclass
class Harvest:
    """What came for one window, by id; `listed_on` is the day of a list of this very run."""

    came: dict[str, Came] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    lists: list[dict[str, date]] = field(default_factory=list)
    listed_on: date | None = None

    def take(self, days: dict[str, date]) -> None:
        for paper, day in days.items():
            before = self.came.get(paper)
            if before is None or before.day < day:
                first = before.first if before else day
                self.came[paper] = Came(first, day, len(self.lists))

    @property
    def behind(self) -> set[str]:
        """The papers that did not come as new as the last list has them."""
        return {
            paper
            for paper, day in self.lists[-1].items()
            if paper not in self.gone and (paper not in self.came or self.came[paper].day < day)
        }

    @property
    def recovered(self) -> set[str]:
        """The papers that came, in their newest form, only after a list named them."""
        return {paper for paper, came in self.came.items() if came.lists} - self.gone

    @property
    def renewed(self) -> set[str]:
        """Those of them that had come before, in an older form."""
        return {paper for paper in self.recovered if self.came[paper].first < self.came[paper].day}


class Replay:
    """Listens to a server; `end_run` after each job tells what it has proven."""

    def __init__(self, server: ArxivServer) -> None:
        self.server = server
        self.proven: list[tuple[Asked, date]] = []
        self.begun: dict[Asked, Harvest] = {}
        self.ended: dict[Asked, Harvest] = {}
        self.served: dict[str, date] = {}
        self._pages: list[Heard] = []
        self._asked: Asked | None = None
        self._list: dict[str, date] = {}
        server.on_reply = self._hear

    def end_run(self) -> None:
        """Take what the run's lists prove: each window of which everything came."""
        self._give_pages(self._asked)
        self._asked = None
        for asked, harvest in list(self.begun.items()):
            if harvest.listed_on and not harvest.behind and (asked.until or harvest.lists[-1]):
                self.proven.append((asked, harvest.listed_on))
                self.ended[asked] = self.begun.pop(asked)
            harvest.listed_on = None

    def days(self, set_spec: str) -> set[date]:
        """Return the days that are proven for a set (`""` is all of arXiv)."""
        found = set()
        for asked, listed_on in self.proven:
            if asked.set_spec and not f"{set_spec}:".startswith(f"{asked.set_spec}:"):
                continue
            day = date.fromisoformat(asked.first) if asked.first else EARLIEST
            while day < listed_on and str(day) <= (asked.until or "9"):
                found.add(day)
                day += timedelta(days=1)
        return found

    def _hear(self, seen: Seen, reply: Reply) -> None:
        heard = _read(reply)
        verb = seen.query.get("verb")
        if heard is None or verb not in {"ListRecords", "ListIdentifiers", "GetRecord"}:
            return
        if verb != "ListIdentifiers":
            self.served |= heard.days
        if verb == "GetRecord":
            self._hear_record(seen, heard)
        elif verb == "ListRecords":
            if "resumptionToken" not in seen.query:
                self._give_pages(self._asked)
                self._asked = _asked(seen.query)
            elif self._asked is None:
                self._asked = self._resumed(seen.query["resumptionToken"])
            self._pages.append(heard)
        else:
            self._hear_list(seen, heard)

    def _hear_list(self, seen: Seen, heard: Heard) -> None:
        if "resumptionToken" not in seen.query:
            # A list names its window, so it says whose the pages before it were.
            self._asked = _asked(seen.query)
            self._give_pages(self._asked)
            self._list = {}
        self._list |= heard.days
        if not heard.token and self._asked:
            self._of(self._asked).lists.append(self._list)
            self._of(self._asked).listed_on = self.server.today

    def _hear_record(self, seen: Seen, heard: Heard) -> None:
        assert self._asked, "a single paper without a list before it"
        harvest = self._of(self._asked)
        if heard.error == "idDoesNotExist":
            harvest.gone.add(seen.query["identifier"].removeprefix("oai:arXiv.org:"))
        self._pages.append(heard)
        self._give_pages(self._asked)

    def _give_pages(self, asked: Asked | None) -> None:
        for heard in self._pages:
            assert asked, "pages that belong to no window"
            self._of(asked).take(heard.days)
        self._pages = []

    def _of(self, asked: Asked) -> Harvest:
        return self.begun.setdefault(asked, Harvest())

    def _resumed(self, token: str) -> Asked:
        """Return the window that a run goes on with: the token tells its set and its end."""
        inner = {name: values[0] for name, values in parse_qs(unquote(token)).items()}
        one, *_ = [
            asked
            for asked in reversed(self.begun)
            if asked.set_spec == inner.get("set", "")
            and asked.until == inner.get("until", "")
            and asked.first <= inner.get("from", "9")
        ]
        return one


def _asked(query: dict[str, str]) -> Asked:
    return Asked(query.get("set", ""), query.get("from", ""), query.get("until", ""))


def _read(reply: Reply) -> Heard | None:
    """Read a reply, or return None for one that did not arrive whole."""
    if reply.status != 200 or reply.dropped or reply.cut is not None:
        return None
    try:
        root = ET.fromstring(reply.body)  # noqa: S314 - of our own server
    except ET.ParseError:
        return None
    days = {
        (header.findtext(f"{_OAI}identifier") or "").removeprefix("oai:arXiv.org:"): (
            date.fromisoformat(header.findtext(f"{_OAI}datestamp") or "")
        )
        for header in root.iter(f"{_OAI}header")
    }
    error = root.find(f"{_OAI}error")
    token = next((found.text for found in root.iter(f"{_OAI}resumptionToken")), None)
    return Heard(days, None if error is None else error.get("code"), token)
