# SPDX-License-Identifier: MIT
"""The page as such: it loads clean under its policy, and everybody can use it."""
import pathlib
from datetime import datetime, timedelta, timezone

import pytest
from browser.page import with_password
from selenium.webdriver.common.keys import Keys

CHECKS = (pathlib.Path(__file__).parent / "accessibility.js").read_text()


def tasks_of_each_look(page, stack):
    """Brings a failed, a finished, a scheduled and a running task into the list, and one that was answered 404."""
    refused = stack.request("GET", "/demo/slow?status=404", headers={"Prefer": "respond-async"}).json()["id"]
    failed = stack.create("dummy", {"fail": True}, max_attempts=1)["id"]
    done = stack.create("csv_export", {"export": "books"})["id"]
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    planned = stack.create("dummy", run_at=tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ"))["id"]
    page.wait_for_state(failed, "failure")
    page.wait_for_state(done, "success")
    page.wait_for_state(planned, "scheduled")
    page.wait_for_state(refused, "success")
    page.file_of(done)
    page.wait_for_state(stack.create("dummy", {"seconds": 8})["id"], "started")
    return failed


def test_loads_without_complaint(page, stack):
    """No error and no violation of the policy, with tasks in the usual states on it."""
    tasks_of_each_look(page, stack)
    assert page.console() == []


def test_types_of_other_roles_are_not_offered(page):
    offered = [node.get_attribute("value") for node in page.find_all("#ask input[type=radio]")]
    assert "csv_export" in offered and "backup" not in offered


def test_address_with_password(page, stack):
    """fetch() takes no address with a password in it, and the page's own may be such a one."""
    page.base_url = with_password(stack.base_url, "ada", "demo")
    page.open()
    assert page.console() == []


def test_policy_is_strict(page):
    """The header that nginx sends lets neither inline scripts nor other sites in."""
    script = """
        const done = arguments[0];
        fetch(location.pathname).then((answer) => done(answer.headers.get('Content-Security-Policy')));
    """
    policy = page.browser.execute_async_script(script)
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("motion, behavior", [("reduce", "instant"), ("no-preference", "smooth")])
def test_a_new_task_comes_into_view(page, motion, behavior):
    """Also where the button is far below the list; the focus stays at the button."""
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-reduced-motion", "value": motion}]})
    resize(page, 1280)
    page.js("""
        const { scrollIntoView } = Element.prototype;
        Element.prototype.scrollIntoView = function (options) {
            window.scrolled = options.behavior;
            scrollIntoView.call(this, options);
        };
    """)
    page.tab_to("#ask button[type=submit]")
    assert page.js("return document.querySelector('#tasks').getBoundingClientRect().top") < 0
    page.press(Keys.ENTER)
    row = page.row(page.sent())
    page.wait(lambda: page.js("const { top, bottom } = arguments[0].getBoundingClientRect();"
                              "return top >= 0 && bottom <= innerHeight", row), "the row in view")
    assert page.js("return window.scrolled") == behavior
    assert page.focused() == page.find("#ask button[type=submit]")


def test_a_new_task_leaves_whoever_has_gone_on(page):
    page.js("""
        const { fetch } = window;
        window.fetch = (url, options) => {
            if (options.method === 'POST') {
                document.querySelector('#files-title').focus();
            }
            return fetch(url, options);
        };
        Element.prototype.scrollIntoView = () => { window.scrolled = true; };
    """)
    page.tab_to("#ask button[type=submit]")
    page.press(Keys.ENTER)
    page.row(page.sent())
    assert page.js("return window.scrolled") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(page, stack, scheme):
    """Names, labels, headings, landmarks, ids and contrast, with one task of each look."""
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    failed = tasks_of_each_look(page, stack)
    page.open_details()
    page.wait(lambda: page.row(failed).find_elements("css selector", ".attempts .why"), "its attempts")
    assert page.js(CHECKS) == []


def resize(page, width):
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 640, "deviceScaleFactor": 1, "mobile": False})


def test_narrow(page, stack):
    """Nothing sticks out of a screen 320 pixels wide (WCAG 1.4.10); at 360 a task's buttons stand in one line, apart."""
    task_id = stack.create("csv_export", {"export": "books"})["id"]
    page.wait_for_state(task_id, "success")
    resize(page, 360)
    row = page.row(task_id)
    buttons = [page.button(row, name).rect for name in ("Download", "Delete", "Details")]
    assert len({round(b["y"]) for b in buttons}) == 1
    assert buttons[1]["x"] - buttons[0]["x"] - buttons[0]["width"] >= 8
    assert buttons[2]["x"] + buttons[2]["width"] <= row.rect["x"] + row.rect["width"]
    resize(page, 320)
    page.open_details()
    assert page.js("return document.documentElement.scrollWidth") <= 320


def test_buttons_stay_in_their_list(page, stack):
    """Each has a frame where the pointer or the focus is, also the last one of a row."""
    task_id = stack.create("csv_export", {"export": "books"})["id"]
    page.wait_for_state(task_id, "success")
    for row in (page.row(task_id), page.file_of(task_id)):
        button = page.button(row, "Details").rect
        assert int(button["x"] + button["width"]) <= row.rect["x"] + row.rect["width"]


def test_skip_link(page):
    """The first stop of the keyboard leads past everything before the content."""
    link = page.tab_to("a")
    assert link.is_displayed() and "Skip" in link.text
    link.click()
    assert page.focused().get_attribute("id") == "main"
