# SPDX-License-Identifier: MIT
"""The main path: ask for an export, watch it, download the file."""
import csv

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


def test_by_keyboard_alone(page):
    """From the top of the page to the downloaded file without a mouse."""
    chosen = page.tab_to("#ask input[type=radio]")
    while chosen.get_attribute("value") != "csv_export":
        page.press(Keys.ARROW_DOWN)
        chosen = page.focused()
    page.tab_to("#ask button[type=submit]")
    page.press(Keys.ENTER)
    task_id = page.sent()
    page.wait_for_state(task_id, "success")
    page.wait(lambda: "is done" in page.find("#announcer").text, "the announcement")

    page.tab_to(f"#task-{task_id} a[download]")
    page.press(Keys.ENTER)
    path = page.downloaded()
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, strict=True))
    assert path.suffix == ".csv"
    assert "id" in rows[0] and len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert page.console() == []


def test_file_is_listed(page):
    """The file is among the files, with its size, its checksum and a link."""
    page.choose_type("csv_export")
    task_id = page.submit()
    page.wait_for_state(task_id, "success")
    entry = page.file_of(task_id)
    assert "row" in entry.text and "made" in entry.text and f"by task {task_id}" in entry.text
    page.open_details(entry)
    checksum = page.js("return arguments[0].querySelector('.checksum').textContent", entry)
    assert len(checksum) == 64

    entry.find_element("css selector", "a[download]").click()
    assert page.downloaded().stat().st_size > 0


def test_markup_in_a_value_is_text(page, stack):
    """A title with <b> in it reads as written when the HTML file is opened."""
    (language, number), = stack.sql(
        "SELECT language, COUNT(*) FROM books WHERE owner_id = 1 AND language IS NOT NULL"
        " GROUP BY language HAVING SUM(title LIKE '%<b>%') > 0 ORDER BY COUNT(*) LIMIT 1",
        database=stack.env["SITE_DATABASE"])
    page.choose_type("html_export")
    Select(page.field("/data/export")).select_by_visible_text("My books, for programs")
    Select(page.field("/data/params/language")).select_by_visible_text(language)
    task_id = page.submit()
    page.wait_for_state(task_id, "success")
    page.button(page.row(task_id), "Download").click()
    path = page.downloaded()
    page.browser.get(path.as_uri())
    assert page.js("return document.querySelectorAll('td b, td script, td img').length") == 0
    assert page.js("return document.querySelector('table').textContent.includes('<b>')")
    assert page.find("caption").text != ""
    assert page.js("return document.querySelectorAll('tbody tr').length") == number


def test_fault_stands_at_its_field(page, stack):
    """What only the API finds is shown at the field that its pointer names, and the focus goes there."""
    page.choose_type("dummy")
    field = page.field("/data/seconds")
    page.js("arguments[0].removeAttribute('min')", field)
    field.clear()
    field.send_keys("-1")
    page.find("#ask button[type=submit]").click()
    page.wait(lambda: page.fault_at("/data/seconds"), "the fault")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.focused() == field
    assert "put right" in page.find("#ask [role=alert]").text

    field.clear()
    field.send_keys("0")
    assert page.fault_at("/data/seconds") == ""
    page.wait_for_state(page.submit(), "success")


def test_fault_that_the_browser_finds(page):
    """The same look for what needs no question to the API."""
    page.choose_type("dummy")
    field = page.field("/data/steps")
    field.clear()
    field.send_keys("1.5")
    page.find("#ask button[type=submit]").click()
    assert "whole number" in page.fault_at("/data/steps")
    assert page.find("#ask .sent").text == ""
