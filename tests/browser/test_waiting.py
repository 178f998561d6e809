# SPDX-License-Identifier: MIT
"""The page where a browser waits for a request that is always deferred."""

import json
import os

from browser.page import Page, with_password


def test_progress_then_response(browser, stack):
    """From the location to the page, and from there to what the site has answered."""
    stack.taskctl("pause", "http_request")
    try:
        browser.get(with_password(stack.base_url, "ada", "demo") + "/demo/always?seconds=0")
        page = Page(browser, stack.base_url)
        page.wait(lambda: "/tasks/waiting.html#" in browser.current_url, "the waiting page")
        task = int(browser.current_url.rpartition("#")[2])
        page.wait(lambda: page.find("#far").text == "Waiting", "its state")
        name = f"zz/{task}-1-{os.urandom(16).hex()}.response"
        path = stack.shared_dir / name
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        head = {"status": 200, "reason": "OK", "headers": [["Content-Type", "text/html; charset=utf-8"]]}
        path.write_text(json.dumps(head) + "\n<title>Report</title><p id=answer>It is done")
        path.chmod(0o644)
        stack.sql("INSERT INTO csv_export (filename, owner_id, task_id, format, path, bytes, purpose)"
                  " VALUES ('response', 1, %s, 'http', %s, 1, 'response')", [task, name])
        stack.sql("UPDATE tasks SET status = 'success', finished_at = UTC_TIMESTAMP(6) WHERE id = %s", [task])
        page.wait(lambda: page.find("#answer").text == "It is done", "the response")
        assert browser.current_url.endswith(f"/v1/tasks/{task}/result")
    finally:
        stack.taskctl("resume", "http_request")


def test_failure_can_be_tried_again(browser, stack):
    stack.taskctl("pause", "http_request")
    try:
        browser.get(with_password(stack.base_url, "ada", "demo") + "/demo/always?seconds=0")
        page = Page(browser, stack.base_url)
        page.wait(lambda: "/tasks/waiting.html#" in browser.current_url, "the waiting page")
        task = int(browser.current_url.rpartition("#")[2])
        stack.sql("UPDATE tasks SET status = 'dropped', error = %s, finished_at = UTC_TIMESTAMP(6) WHERE id = %s",
                  [json.dumps({"code": "x", "message": "<b>The site</b> was away"}), task])
        page.wait(lambda: page.find("#reason").text == "<b>The site</b> was away", "the reason")
        page.find("#again").click()
        page.wait(lambda: stack.task(task)["status"] == "fresh", "the retry")
    finally:
        stack.taskctl("resume", "http_request")


def test_no_task(browser, stack):
    for fragment in ("", "#x", "#999999999"):
        browser.get(with_password(stack.base_url, "ada", "demo") + f"/tasks/waiting.html{fragment}")
        page = Page(browser, stack.base_url)
        page.wait(lambda: page.find("#problem").is_displayed(), "a word about it")
        browser.get("about:blank")
