# SPDX-License-Identifier: MIT
"""When something is in the way: not signed in, the server gone for a while."""
from browser.page import Page


def test_not_signed_in(browser, relay):
    """A 401 is explained, with a way to sign in; afterwards everything is there."""
    relay.signed_in = False
    page = Page(browser, relay.base_url)
    page.browser.get(relay.base_url + "/tasks/")
    page.wait(lambda: "not signed in" in page.find("#banner").text, "the explanation")
    assert not page.find("#work").is_displayed()
    link = page.button(page.find("#banner"), "Sign in")
    relay.signed_in = True
    link.click()
    page.wait(lambda: page.find("#work").is_displayed(), "the page after signing in")
    assert page.find("#banner").text == ""


def test_signed_out_meanwhile(browser, relay, stack):
    relay.signed_in = True
    page = Page(browser, relay.base_url).open()
    relay.signed_in = False
    stack.create("dummy", {})
    page.look()
    page.wait(lambda: "not signed in" in page.find("#banner").text, "the explanation")


def test_server_gone_and_back(browser, relay, stack):
    """A banner says so, and goes by itself when the server answers again."""
    page = Page(browser, relay.base_url).open()
    relay.reachable = False
    page.look()
    page.wait(lambda: "does not answer" in page.find("#banner").text, "the banner")
    assert page.find("#work").is_displayed()
    assert "Next try" in page.wait(lambda: "Next try" in page.find("#banner").text
                                   and page.find("#banner").text, "the countdown")
    task_id = stack.create("dummy", {})["id"]
    relay.reachable = True
    page.wait(lambda: page.find("#banner").text == "", "the banner to go")
    page.wait_for_state(task_id, "success")


def test_sending_again(browser, relay, stack):
    """A try that got no answer and the one after it carry the same key, so that they are one task
    wherever the first one got to; the next task has a key of its own."""
    page = Page(browser, relay.base_url).open()
    page.choose_type("dummy")
    relay.reachable = False
    page.find("#ask button[type=submit]").click()
    page.wait(lambda: "cannot be reached" in page.find("#ask [role=alert]").text, "the fault")
    relay.reachable = True
    page.wait_for_state(page.submit(), "success")
    assert len(relay.keys) >= 2  # the browser, too, may try twice
    assert len(set(relay.keys)) == 1 and len(relay.keys[0]) >= 16
    page.submit()
    assert len(set(relay.keys)) == 2
