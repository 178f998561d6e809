# SPDX-License-Identifier: MIT
"""An import: choose a file, watch it go, read what was rejected."""
import csv

from selenium.webdriver.support.ui import Select


def test_choose_a_file_and_import_it(page, stack, tmp_path_factory):
    site = stack.env["SITE_DATABASE"]
    file = tmp_path_factory.mktemp("csv") / "books to add.csv"
    file.write_text("title;pages\nAn imported book;17\nAnother;many\n", encoding="utf-8")
    page.choose_type("csv_import")
    page.find("#ask button[type=submit]").click()
    page.wait(lambda: page.fault_at("/data/upload") == "Choose a file.", "the fault")
    assert page.focused().get_attribute("name") == "/data/upload"

    page.field("/data/upload").send_keys(str(file))
    Select(page.field("/data/delimiter")).select_by_visible_text(";")
    assert "Tab" in [option.text for option in Select(page.field("/data/delimiter")).options]
    try:
        task_id = page.submit()
        page.wait_for_state(task_id, "success")
        assert stack.sql("SELECT pages FROM books WHERE title = 'An imported book' AND owner_id = 1",
                         database=site) == [(17,)]
        row = page.row(task_id)
        assert "1 of 2 rows imported, 1 rejected, took" in row.text
        assert row.find_elements("css selector", ".state-warn .icon-broken")
        page.button(row, "Rejected rows").click()
        with open(page.downloaded(), newline="", encoding="utf-8") as report:
            row, = csv.DictReader(report)
        assert (row["row"], row["column"], row["record"]) == ("2", "pages", "Another;many")
        assert page.console() == []
    finally:
        stack.sql("DELETE FROM books WHERE title = 'An imported book'", database=site)


def test_a_file_that_is_refused(page, tmp_path_factory):
    """The refusal is shown at the field."""
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    file.write_text("title\na\n")
    page.js("""const open = XMLHttpRequest.prototype.open;
               XMLHttpRequest.prototype.open = function (method, url) {
                   open.call(this, method, url.replace('/uploads', ''));  // which takes no file
               };""")
    page.choose_type("csv_import")
    page.field("/data/upload").send_keys(str(file))
    page.find("#ask button[type=submit]").click()
    page.wait(lambda: "application/json" in page.fault_at("/data/upload"), "the fault")
