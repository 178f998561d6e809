# SPDX-License-Identifier: MIT
"""Fixtures of the tests that drive the page in a real Chromium."""
import os

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from browser.page import Page, with_password
from browser.relay import Relay

PASSWORD = "demo"

FLAGS = (
    "--headless=new",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-sync",
    "--force-prefers-reduced-motion",  # what scrolls for a while cannot be clicked on meanwhile
    "--no-default-browser-check",
    "--no-first-run",
    "--window-size=1280,1000",
)


def _program(variable, *places):
    names = [os.environ.get(variable), *places]
    return next((name for name in names if name and os.path.exists(name)), None)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """One Chromium for all tests, with a profile and a download folder of its own."""
    program = _program("CHROMIUM", "/usr/bin/chromium", "/usr/bin/chromium-browser")
    driver = _program("CHROMEDRIVER", "/usr/bin/chromedriver")
    if not program or not driver:
        pytest.skip("Chromium and its driver are not installed")
    home = tmp_path_factory.mktemp("chromium")
    options = Options()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={home / 'profile'}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=Service(driver), options=options)
    browser.set_script_timeout(30)
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium, tmp_path):
    """A new tab, with nothing left of earlier tests but who is signed in."""
    old = chromium.current_window_handle
    chromium.switch_to.new_window("tab")
    new = chromium.current_window_handle
    chromium.switch_to.window(old)
    chromium.close()
    chromium.switch_to.window(new)
    chromium.get_log("browser")
    chromium.downloads = tmp_path
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior",
                             {"behavior": "allow", "downloadPath": str(tmp_path)})
    return chromium


@pytest.fixture
def page(browser, stack):
    """The page at /tasks/, opened by ada, who gave her password once."""
    browser.get(with_password(stack.base_url, "ada", PASSWORD) + "/tasks/")
    return Page(browser, stack.base_url).open()


@pytest.fixture
def relay(stack):
    """A site in front of the stack that knows its visitor by itself, as by a cookie: its 401 brings
    no password prompt. It can also be cut off."""
    with Relay(stack.base_url, ("ada", PASSWORD)) as site:
        yield site


@pytest.fixture(autouse=True)
def tidy(stack):
    """Removes the tasks that ada got during a test. One that still runs ends by itself."""
    own = "FROM tasks WHERE created_by = 1 AND id > %s"
    (before,), = stack.sql("SELECT COALESCE(MAX(id), 0) FROM tasks")
    yield
    stack.sql(f"DELETE {own} AND status = 'scheduled'", [before])
    for task_id, in stack.sql(f"SELECT id {own} ORDER BY id", [before]):
        answer = stack.request("DELETE", f"/v1/tasks/{task_id}")
        assert answer.status_code in (204, 404, 409), answer.text
