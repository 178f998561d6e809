# SPDX-License-Identifier: MIT
"""The page where a browser waits for a request that is always deferred."""

import json

from browser.page import Page, with_password
from selenium.webdriver.common.keys import Keys


def test_progress_then_response(browser, stack):
    """From the location to the page, and from there to what the site has answered."""
    browser.get(with_password(stack.base_url, "ada", "demo") + "/demo/always?seconds=3")
    page = Page(browser, stack.base_url)
    page.wait(lambda: "/tasks/waiting.html#" in browser.current_url, "the waiting page")
    task = int(browser.current_url.rpartition("#")[2])
    page.wait(lambda: page.find("#far").text == "Running", "its state")
    page.wait(lambda: browser.current_url.endswith(f"/v1/tasks/{task}/result"), "the response")
    page.wait(lambda: '"target": "/demo/always?seconds=3"' in page.find("body").text, "what the site said")


def test_failure_can_be_tried_again(browser, stack):
    stack.stop_own_runner()
    try:
        browser.get(with_password(stack.base_url, "ada", "demo") + "/demo/always?seconds=0")
        page = Page(browser, stack.base_url)
        page.wait(lambda: "/tasks/waiting.html#" in browser.current_url, "the waiting page")
        task = int(browser.current_url.rpartition("#")[2])
        stack.sql("UPDATE tasks SET status = 'dropped', error = %s, finished_at = UTC_TIMESTAMP(6) WHERE id = %s",
                  [json.dumps({"code": "x", "message": "<b>The site</b> was away"}), task])
        page.wait(lambda: page.find("#reason").text == "<b>The site</b> was away", "the reason")
        assert "will appear here" not in page.find("body").text
        page.find("#again").click()
        page.wait(lambda: stack.task(task)["status"] == "fresh", "the retry")
    finally:
        stack.start()


def test_cancel(browser, stack):
    """Nothing then says that the answer will come; the bar is drawn as on the other page."""
    browser.get(with_password(stack.base_url, "ada", "demo") + "/demo/always?seconds=60")
    page = Page(browser, stack.base_url)
    page.wait(lambda: page.find("#cancel").is_displayed(), "the button")
    assert page.js("return getComputedStyle(document.querySelector('#bar')).appearance") == "none"
    page.tab_to("#cancel")
    page.press(Keys.ENTER)
    assert page.focused().text == "Stopping…"
    page.wait(lambda: page.find("#reason").text == "You cancelled it", "the end")
    assert "notice-bad" not in page.find("#problem").get_attribute("class")
    assert page.find("#title").text == "Cancelled" and page.focused() == page.find("#title")
    assert page.find("#again").is_displayed()
    assert not page.find("#text").is_displayed() and not page.find("#bar").is_displayed()
    assert page.console() == []


def test_no_task(browser, stack):
    for fragment in ("", "#x", "#999999999"):
        browser.get(with_password(stack.base_url, "ada", "demo") + f"/tasks/waiting.html{fragment}")
        page = Page(browser, stack.base_url)
        page.wait(lambda: page.find("#problem").is_displayed(), "a word about it")
        browser.get("about:blank")
