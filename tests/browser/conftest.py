"""One Jupyter server for all browser tests, and a page of a browser for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.bench import Bench
from tests.browser.server import Lab, NoBrowserError, find_browser, open_browser, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running server; without a browser the test is skipped, or fails where CI is set."""
    try:
        find_browser()
    except NoBrowserError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"{missing}; CI must install it", pytrace=False)
        pytest.skip(str(missing))
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def bench(page: Page, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(page, lab)
    yield bench
    bench.shot(f"end-of-{request.node.name}")


@pytest.fixture
def page_errors() -> list[str]:
    """Exceptions of scripts in the page, which fail the test at its end."""
    return []


@pytest.fixture
def page(lab: Lab, tmp_path: Path, page_errors: list[str]) -> Iterator[Page]:
    with open_browser(tmp_path / "profile") as context:
        page = context.pages[0] if context.pages else context.new_page()
        page.on("pageerror", lambda error: page_errors.append(str(error)))
        yield page
    lab.stop_kernels()
    assert not page_errors, page_errors
