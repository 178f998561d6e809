# SPDX-License-Identifier: MIT
"""The list of tasks: progress, failure, retry, cancel, deletion, older ones."""
import pathlib
import re

import pytest
from browser.page import Page, with_password
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


def test_progress_is_visible(page, stack):
    """A task that somebody else started appears by itself, and its progress moves."""
    task_id = stack.create("dummy", {"seconds": 4, "steps": 8})["id"]
    page.wait_for_state(task_id, "started")
    bar = page.row(task_id).find_element("css selector", "progress")
    first = page.wait(lambda: float(bar.get_attribute("value") or 0), "progress")
    page.wait(lambda: float(bar.get_attribute("value") or 0) > first, "more progress")
    assert "%" in page.row(task_id).text
    page.wait_for_state(task_id, "success")
    assert not bar.is_displayed()


def test_what_others_do_leaves_the_details_alone(page, stack):
    """Whoever reads them keeps his selection and his focus, until the task itself changes."""
    read = stack.create("dummy", {})["id"]
    page.wait_for_state(read, "success")
    page.open_details(page.row(read))
    details = page.row(read).find_element("css selector", "pre")
    other = stack.create("dummy", {"seconds": 1, "steps": 4})["id"]
    page.wait_for_state(other, "success")
    assert details.is_displayed()  # not StaleElementReferenceException
    shown = page.row(other).find_element("css selector", ".facts").get_attribute("textContent")
    assert "StateDone" in shown and "Ended" in shown


def test_failure_says_why_and_can_be_retried(page, stack):
    task_id = stack.create("dummy", {"fail": True}, max_attempts=1)["id"]
    page.wait_for_state(task_id, "failure")
    before = stack.task(task_id)
    why = page.row(task_id).find_element("css selector", ".why").text
    assert before["error"]["message"] in why and before["error"]["code"] in why
    assert "Failed" in page.row(task_id).text

    page.button(page.row(task_id), "Try again").click()
    page.wait(lambda: stack.task(task_id)["finished_at"] not in (None, before["finished_at"]),
              "the second run to end")
    page.wait_for_state(task_id, "failure")
    page.button(page.row(task_id), "Details").click()
    page.wait(lambda: page.row(task_id).text.count("Started again by hand") == 1, "the two attempts")


def test_attempts_are_told_in_the_details(page, stack):
    """Each with its time to the second, what went wrong and its log; a task that is tried again says when."""
    task_id = stack.create("dummy", {"crash": True}, max_attempts=2)["id"]
    page.wait_for_state(task_id, "dropped", "failure")
    stack.sql("UPDATE attempts SET log = %s WHERE task_id = %s", ["a line\n" * 99, task_id])
    stack.sql("UPDATE tasks SET status = 'fresh', attempt = 1, finished_at = NULL, error = NULL,"
              " run_at = UTC_TIMESTAMP(6) + INTERVAL 1 DAY WHERE id = %s", [task_id])
    page.look()
    page.wait_for_state(task_id, "scheduled")
    row = page.row(task_id)
    page.button(row, "Details").click()
    shown = page.wait(lambda: row.find_element("css selector", ".attempts ol").text, "the attempts")
    first, second = re.findall(r"^Attempt \d: .*", shown, re.M)
    assert re.match(r"Attempt 1: \w+, started today \d+:\d\d:\d\d.*, took .*, by demo:", first), shown
    assert second.startswith("Attempt 2: ") and "the worker" in shown
    log = row.find_element("css selector", ".log")
    assert page.js("return arguments[0].scrollHeight > arguments[0].clientHeight", log)
    facts = row.find_element("css selector", ".facts").text
    assert "Next attempt" in facts and "Not before" not in facts and "next attempt tomorrow" in row.text
    assert page.console() == []


def test_a_new_start_is_told_among_the_attempts(page):
    """Their numbers begin anew where somebody has tried again; what was handed back did not count."""
    page.js("""
        import('/tasks/js/attempts.js').then(async ({ Attempts }) => {
            const attempts = arguments[0].map(([attempt, outcome]) => ({ attempt, outcome }));
            const list = new Attempts({ get: async () => ({ body: { attempts } }) }, 999999);
            await list.read();
            document.querySelector('#tasks').append(list.element);
        });
    """, [(1, "failure"), (2, "handed_back"), (2, "failure"), (1, "failure"), (1, "handed_back"), (1, None)])
    shown = page.wait(lambda: page.find(".attempts ol").text, "the attempts")
    assert shown.splitlines() == ["Attempt 1: Failed", "Attempt 2: Handed back", "Attempt 2: Failed",
                                  "Started again by hand", "Attempt 1: Failed",
                                  "Started again by hand", "Attempt 1: Handed back", "Attempt 1: Running"]


@pytest.mark.parametrize("data", [{"seconds": 5}, {"fail": True}, {}])
def test_buttons_follow_the_links(page, stack, data):
    """What can be done with a task is what its links say, while it runs and when it ended."""
    names = {"download": "Download", "retry": "Try again", "cancel": "Cancel"}
    task_id = stack.create("dummy", data, max_attempts=1)["id"]
    if "seconds" in data:
        page.wait_for_state(task_id, "started")
    else:
        page.wait_for_state(task_id, "success", "failure")
    links = stack.task(task_id)["links"]
    shown = page.row(task_id).text.splitlines()
    for link, name in names.items():
        assert (name in [line.split(" " + "Dummy")[0] for line in shown]) == (link in links)


def test_cancel_by_keyboard(page, stack):
    """While the task stops the button says so and does nothing more; the focus stays in the row all the time."""
    task_id = stack.create("dummy", {"seconds": 60, "steps": 1})["id"]
    page.wait_for_state(task_id, "started")
    cancel = page.button(page.row(task_id), "Cancel")
    page.js("arguments[0].focus()", cancel)
    page.press(Keys.ENTER)
    page.wait_for_state(task_id, "stopping")
    assert page.focused() == cancel and cancel.text.startswith("Stopping")
    assert cancel.get_attribute("aria-disabled") == "true"
    page.press(Keys.ENTER)
    page.wait_for_state(task_id, "cancelled")
    page.wait(lambda: not cancel.is_displayed(), "the button to go")
    assert page.focused().tag_name == "h3" and page.focused().find_element("xpath", "../..") == page.row(task_id)
    page.open_details(page.row(task_id))
    page.wait(lambda: [node.text for node in page.row(task_id).find_elements("css selector", ".why")]
              == ["You cancelled it"] * 2, "why it ended, and its attempt")
    assert page.console() == []


def test_an_admin_sees_whose_a_task_is(browser, stack):
    """Also where all are one user's; the page asks the API whether he is one."""
    task_id = stack.create("dummy", {})["id"]
    wished = stack.create("dummy", run_at="9000-01-01T00:00:00Z")["id"]
    stack.request("POST", f"/v1/tasks/{wished}/cancel", json={"reason": "wrong year"})
    browser.get(with_password(stack.base_url, "admin", "demo") + "/tasks/")
    page = Page(browser, stack.base_url).open()
    page.wait_for_state(task_id, "success")
    page.wait(lambda: ", user 1" in page.row(task_id).text, "the owner")
    assert "Cancelled by user 1: wrong year" in page.row(wished).text
    browser.get(with_password(stack.base_url, "ada", "demo") + "/tasks/")
    page.open()
    assert "user" not in page.row(task_id).text
    assert "You cancelled it: wrong year" in page.row(wished).text


def test_delete_task_asks_first(page, stack):
    task_id = stack.create("dummy", {})["id"]
    page.wait_for_state(task_id, "success")
    delete = page.button(page.row(task_id), "Delete")
    delete.click()
    page.wait(lambda: page.find("dialog").is_displayed(), "the question")
    assert page.focused().text == "Keep it"
    page.press(Keys.ESCAPE)
    page.wait(lambda: not page.find("dialog").is_displayed(), "the question to go")
    assert stack.request("GET", f"/v1/tasks/{task_id}").status_code == 200
    assert page.focused() == delete

    delete.click()
    page.button(page.find("dialog"), "Delete").click()
    page.wait(lambda: not page.find_all(f"#task-{task_id}"), "the row to go")
    assert stack.request("GET", f"/v1/tasks/{task_id}").status_code == 404
    assert page.focused().tag_name in ("h2", "h3")


def test_delete_file_asks_first(page, stack):
    task_id = stack.create("csv_export", {"export": "books"})["id"]
    page.wait_for_state(task_id, "success")
    entry = page.file_of(task_id)
    page.button(entry, "Delete").click()
    page.button(page.find("dialog"), "Delete").click()
    page.wait(lambda: not page.find_all(f"#files a[href='#task-{task_id}']"), "the file to go")
    page.wait(lambda: not page.row(task_id).find_element("css selector", "a[download]").is_displayed(),
              "the task to lose its download")
    assert page.state(task_id) == "success"


def test_deleted_elsewhere(page, stack):
    """A task that another program deletes leaves the list."""
    task_id = stack.create("dummy", {})["id"]
    page.wait_for_state(task_id, "success")
    page.js("fetch(`/v1/tasks/${arguments[0]}`, { method: 'DELETE' })", task_id)
    page.wait(lambda: stack.request("GET", f"/v1/tasks/{task_id}").status_code == 404, "the deletion")
    page.look()
    page.wait(lambda: not page.find_all(f"#task-{task_id}"), "the row to go")


def test_older_tasks(page, stack):
    """More tasks than a page: the rest comes on request, and the focus goes to the first of it."""
    first = stack.create("dummy", {})["id"]
    for _ in range(25):
        last = stack.create("dummy", {})["id"]
    page.wait_for_state(last, "success")
    page.open()
    assert not page.find_all(f"#task-{first}")
    before = len(page.find_all("#tasks .item"))
    page.button(page.find("#tasks"), "Show more").click()
    page.wait(lambda: len(page.find_all("#tasks .item")) > before, "older tasks")
    row = page.row(first)
    assert page.focused().tag_name == "h3"
    ids = [int(item.get_attribute("id")[5:]) for item in page.find_all("#tasks .item")]
    assert ids == sorted(ids, reverse=True)
    assert row.is_displayed()


def test_filter(page, stack):
    """By state and type, kept in the address; what the reader asks for is shown all the same."""
    def listed():
        return [int(item.get_attribute("id")[5:]) for item in page.find_all("#tasks .item")]

    failed = stack.create("dummy", {"fail": True}, max_attempts=1)["id"]
    done = stack.create("dummy", {})["id"]
    page.wait_for_state(failed, "failure")
    page.wait_for_state(done, "success")
    state, kind = (Select(node) for node in page.find_all("#tasks select"))
    state.select_by_visible_text("Failed")
    page.wait(lambda: listed() and done not in listed() and listed()[0] == failed, "failed tasks only")
    kind.select_by_visible_text("CSV import")
    page.wait(lambda: "No tasks of this kind." in page.find("#tasks").text, "none")
    kind.select_by_visible_text("Dummy")
    page.wait(lambda: failed in listed(), "the task again")
    assert page.browser.current_url.endswith("/tasks/?status=failure&type=dummy")

    page.browser.refresh()
    page.wait(lambda: failed in listed() and done not in listed(), "the same after a reload")
    page.wait(lambda: page.find("#ask button[type=submit]").is_displayed(), "the form")
    page.choose_type("dummy")
    new = page.submit()
    page.wait_for_state(new, "success")
    assert done in listed() and page.browser.current_url.endswith("/tasks/")
    assert page.console() == []


def test_older_files(page, stack):
    """The same for files; and a new one at the top leaves the older ones where they are."""
    data = {"export": "books_plain", "params": {"added_since": "9000-01-01"}}
    for task_id in [stack.create("csv_export", data)["id"] for _ in range(22)]:
        stack.finish(task_id)
    files = stack.request("GET", "/v1/tasks/exports?limit=22").json()["exports"]
    newest, oldest = files[0]["task_id"], files[-1]["task_id"]
    page.open()
    page.file_of(newest)
    assert not page.find_all(f"#files a[href='#task-{oldest}']")
    page.button(page.find("#files"), "Show more").click()
    page.file_of(oldest)
    new = stack.create("csv_export", data)["id"]
    page.wait_for_state(new, "success")
    assert page.file_of(new) == page.find("#files .item")
    assert page.file_of(oldest).is_displayed()


def test_names_are_text(page, stack):
    """What a task carries enters the page as text, wherever it is shown."""
    data = {"export": "<img src=x onerror=alert(1)>"}
    page.js("""
        import('/tasks/js/task-row.js').then(({ TaskRow }) => {
            const task = { id: 999999, type: '<b>type</b>', status: 'failure', links: {},
                error: { code: '<i>', message: '<script>alert(1)</script>' }, data: arguments[0] };
            const attempts = [{ attempt: 1, outcome: '<u>', worker: '<u>', error: '<u>', log: '<u>log</u>' }];
            const api = { get: async () => ({ body: { attempts } }) };
            document.querySelector('#tasks ul').append(new TaskRow(task, () => {}, api).element);
        });
    """, data)
    row = page.row(999999)
    page.open_details(row)
    page.wait(lambda: "<u>log</u>" in row.text, "the attempts")
    assert row.find_elements("css selector", "b, i, u, script, img") == []
    assert "<script>alert(1)</script>" in row.text


def test_the_response_of_a_request(page, stack):
    """What was asked for is one click away from the task, which says what it was and how the site has answered."""
    ids = [stack.request("GET", f"/demo/slow?status={status}", headers={"Prefer": "respond-async"}).json()["id"]
           for status in (200, 404)]
    for task_id, status, warned in zip(ids, (200, 404), (False, True)):
        page.wait_for_state(task_id, "success")
        shown = page.row(task_id).text
        assert f"GET /demo/slow?status={status}" in shown and f"answered {status}" in shown
        assert bool(page.row(task_id).find_elements("css selector", ".state-warn .icon-broken")) == warned
    link = page.button(page.row(task_id), "Open")
    assert link.get_attribute("href").endswith(f"/v1/tasks/{task_id}/result")
    page.open_details(page.row(task_id))
    link = page.row(task_id).find_element("link text", "Open the result")
    assert link.get_attribute("href").endswith(f"/v1/tasks/{task_id}/result") and link.is_displayed()


def test_several_files_and_a_long_result(page, stack):
    """Each can be reached from the task, files by their names."""
    with stack.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO tasks (type, data, created_by, status, finished_at)"
                       " VALUES ('parked', '{\"id\": 9007199254740993, \"d\": [1.10]}', 1, 'success', UTC_TIMESTAMP(6))")
        task_id = cursor.lastrowid
        for name, purpose in (("a", "download"), ("b", "download"), ("r", "result")):
            path = f"zz/{task_id}-{name}"
            cursor.execute("INSERT INTO csv_export (filename, owner_id, task_id, path, purpose)"
                           " VALUES (%s, 1, %s, %s, %s)", (f"{name} \u00e4.csv", task_id, path, purpose))
            file = pathlib.Path(stack.env["SHARED_DIR"], path)
            file.parent.mkdir(exist_ok=True)
            file.write_text("x")
    row = page.row(task_id)
    links = stack.task(task_id)["links"]
    assert page.button(row, "Download file 1 of 2").get_attribute("href").endswith(links["download"])
    page.open_details(row)
    assert row.find_element("css selector", "pre").text.split() == ["{", '"id":', "9007199254740993,",
                                                                    '"d":', "[", "1.10", "]", "}"]
    shown = [link.get_attribute("href") for link in row.find_elements("css selector", ".facts a")]
    assert [href[len(stack.base_url):] for href in shown] == [*links["files"], links["result"]]
    page.wait(lambda: [link.text for link in row.find_elements("css selector", ".facts li a")]
              == ["a \u00e4.csv", "b \u00e4.csv"], "the names of the files")
    assert page.file_of(task_id)
    assert page.console() == []
