"""The site of docs/ is whole and loads nothing from elsewhere; what is generated is up to date."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.paths import ROOT

pytestmark = pytest.mark.process
pytest_plugins = ["support.browser.fixtures"]

BIN = Path(sys.executable).parent
ELSEWHERE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    done = subprocess.run(
        [BIN / "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_page_of_docs_is_in_it_and_nothing_comes_from_elsewhere(site: Path) -> None:
    pages = {page.name for page in site.glob("*.html")}
    assert {page.with_suffix(".html").name for page in (ROOT / "docs").glob("*.md")} < pages
    loaded = {
        page.name: found
        for page in site.glob("*.html")
        if (found := ELSEWHERE.findall(page.read_text()))
    }
    assert loaded == {}


@pytest.mark.browser
def test_its_search_works_from_a_disk(site: Path, browser: Browser) -> None:
    page, asked = browser.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").fill("resumption")
    page.locator(".md-search-result__item a").first.click()
    page.wait_for_url("**/*.html*")
    assert "resumption" in page.content()
    assert [url for url in asked if not url.startswith("file:")] == []


def test_the_reference_of_commands_is_what_their_help_says() -> None:
    said = subprocess.run(
        [sys.executable, "docs/tools/commands.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert (ROOT / "docs" / "commands.md").read_text() == said


def test_the_notebook_runs_to_three_plots(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    settings = {
        "HOME": str(tmp_path),
        "PITH_DATA_DIR": str(tmp_path / "data" / "demo"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PREFECT_API_URL": "",
    }
    backfill = [str(BIN / "pith-ingest"), "backfill", "--raw", "data/sample"]
    subprocess.run(backfill, env=settings, cwd=tmp_path, capture_output=True, check=False)
    copy = shutil.copy(ROOT / "docs" / "explore.ipynb", tmp_path)
    done = subprocess.run(
        [BIN / "jupyter", "execute", "--inplace", copy],
        env=settings, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(copy).read_text().count('"image/png"') == 3
