"""The questions of `init`: each answer by the rules that the configuration has for it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flows.cli.setup.answers import Answers
from flows.common.config import ArxivConfig, IdentityConfig, ScheduleConfig, check_section
from flows.common.errors import ConfigError
from flows.common.files.forms import check_category
from flows.common.files.locations import location_of
from flows.common.terminal import ask, echo

Value = str | tuple[str, ...]

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_MAIL = re.compile(r"[^@:/\s]+@[^@:/\s]+")


@dataclass(frozen=True, slots=True)
class Question:
    """One setting: its option, what is asked, and what makes its value of a word or refuses it."""

    setting: str
    option: str
    text: str
    read: Callable[[str], Value]


def collect(given: Mapping[str, str | None], *, interactive: bool) -> Answers:
    """Return all answers: those that options gave, what is typed, and suggestions for the rest.

    Raises `ConfigError` for an option that cannot be used; a typed answer is asked for again.
    """
    answers = Answers()
    for question in QUESTIONS:
        answers = replace(answers, **_following(question.setting, answers))
        word = given[question.setting]
        if word is not None:
            try:
                value = question.read(word)
            except ConfigError as error:
                raise ConfigError(f"{question.option}: {error}") from None
        elif interactive:
            value = _asked(question, getattr(answers, question.setting))
        else:
            continue
        change: dict[str, Any] = {question.setting: value}
        answers = replace(answers, **change)
    return answers


def _following(setting: str, answers: Answers) -> dict[str, Any]:
    """Return what follows for a setting from who signs, where that is somebody."""
    signer = answers.signer_id
    if setting == "base_url" and "." in signer and signer != Answers().signer_id:
        try:
            return {"base_url": _base_url(f"https://{signer}")}
        except ConfigError:  # no name of a host
            return {}
    if setting == "resolver_name" and signer != Answers().signer_id:
        return {"resolver_name": f"{signer} Pith resolver"}
    return {}


def _asked(question: Question, suggested: Value) -> Value:
    shown = suggested if isinstance(suggested, str) else " ".join(suggested)
    while True:
        try:
            word = ask(f"{question.text} [{shown or 'none'}]: ")
            return question.read(word) if word else suggested
        except ConfigError as error:
            echo(f"  {error}")
        except UnicodeDecodeError:
            echo("  that is not text in the encoding of this terminal")


def _data_dir(word: str) -> str:
    if not word.strip() or "\0" in word:
        raise ConfigError("name a folder, or a prefix such as s3://BUCKET/PREFIX")
    location_of(word)
    return word


def _contact(word: str) -> str:
    from flows.sources.arxiv.http import make_user_agent

    contact = f"mailto:{word}" if _MAIL.fullmatch(word) else word
    check_section(ArxivConfig, contact=contact)
    make_user_agent(contact)
    return contact


def _signer_id(word: str) -> str:
    return _identity("signer_id", word)


def _base_url(word: str) -> str:
    return _identity("base_url", word)


def _resolver_name(word: str) -> str:
    return _identity("resolver_name", word)


def _identity(setting: str, word: str) -> str:
    from flows.common.keys import identity_of

    check_section(IdentityConfig, **{setting: word})
    identity_of(IdentityConfig.model_validate({setting: word}), b"")  # nobody else's name
    return word


def _categories(words: str) -> tuple[str, ...]:
    try:
        return tuple(map(check_category, words.replace(",", " ").split()))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _cron(word: str) -> str:
    """Return a cron line as it is, and of a time the line for the days after announcements."""
    if time := _TIME.fullmatch(word):
        return f"{int(time[2])} {int(time[1])} * * 1-5"
    _check_schedule(cron=word)
    return word


def _timezone(word: str) -> str:
    if word != Answers().timezone:
        _check_schedule(timezone=word)
    return word


def _check_schedule(**settings: str) -> None:
    # Prefect's own rule, for it keeps the schedule; importing it takes seconds.
    from flows.orchestration.launch import keep_analytics_off

    keep_analytics_off()
    from flows.orchestration.deployments import nightly_schedule

    nightly_schedule(ScheduleConfig(**settings))


QUESTIONS = (
    Question(
        "data_dir", "--data", "Data folder, or s3://BUCKET/PREFIX; counts from config.yaml",
        _data_dir,
    ),
    Question("contact", "--contact", "Your e-mail address, for arXiv to write to", _contact),
    Question(
        "signer_id", "--signer-id", "Who signs: a name of yours, such as papers.example.org",
        _signer_id,
    ),
    Question("base_url", "--base-url", "The address of your registry, in every bundle", _base_url),
    Question("resolver_name", "--resolver-name", "The registry's name", _resolver_name),
    Question(
        "categories", "--category", "Categories to harvest, such as cs.LG hep-th; none is all",
        _categories,
    ),
    Question(
        "cron", "--schedule", "When: a time such as 05:30, on weekdays, or a cron line", _cron
    ),
    Question("timezone", "--timezone", "In which time zone, such as Europe/Berlin", _timezone),
)  # fmt: skip
