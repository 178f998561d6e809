# SPDX-License-Identifier: MIT
"""<backdesk-export>, the element for the site's own pages."""
import pytest
from selenium.webdriver.common.keys import Keys

INSERT = """
    const [attributes, done] = arguments;
    import('/tasks/backdesk-export.js').then(() => {
        const element = document.createElement('backdesk-export');
        Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
        element.textContent = 'All my books';
        document.querySelector('main').prepend(element);
        done();
    });
"""


@pytest.fixture
def insert(page):
    """Puts an element into a document; returns a function that finds a part of it."""
    def _insert(**attributes):
        page.browser.execute_async_script(INSERT, attributes)
        root = page.find("backdesk-export").shadow_root
        return lambda selector: root.find_element("css selector", selector)

    return _insert


def test_button_progress_and_file(page, insert):
    part = insert(export="books", type="csv_export")
    part("button").send_keys(Keys.ENTER)
    page.wait(lambda: part("a.download").is_displayed(), "the link to the file")
    assert "rows" in part(".text").text
    part("a.download").click()
    assert page.downloaded().suffix == ".csv"
    assert page.console() == []


def test_is_still_there_after_a_reload(page, insert):
    part = insert(export="books", type="csv_export")
    part("button").send_keys(Keys.ENTER)
    page.wait(lambda: part("a.download").is_displayed(), "the link to the file")
    page.open()
    part = insert(export="books", type="csv_export")
    page.wait(lambda: part("a.download").is_displayed(), "the link to the file, again")


def test_says_what_the_api_refuses(page, insert):
    part = insert(export="no such export", type="csv_export")
    part("button").send_keys(Keys.ENTER)
    page.wait(lambda: "Export: there is no such export; known are books" in part(".text").text, "the reason")
    assert not part("a.download").is_displayed()
    assert any("backdesk-export: Export: there is no such export" in entry["message"] for entry in page.console())
