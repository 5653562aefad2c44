"""What axe, the usual checker of accessibility, finds in a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from support.browser.complaints import Complaints

_SERIOUS = {"serious", "critical"}


def serious_findings(page: Page, complaints: Complaints) -> list[str]:
    """Return what axe holds to be serious or critical: the rule, and where it is broken.

    Axe tries an inline style, which the page's policy forbids: that complaint is not the page's.
    """
    before = len(complaints.heard)
    found = Axe().run(page, options={"preload": False}).response["violations"]
    del complaints.heard[before:]
    return [
        f"{rule['impact']}: {rule['help']}: {[node['target'] for node in rule['nodes']]}"
        for rule in found
        if rule["impact"] in _SERIOUS
    ]
