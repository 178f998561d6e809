# SPDX-License-Identifier: MIT
"""The page as its visitor sees it: what the tests do with it and wait for. Nothing here sleeps."""
import re

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

TIMEOUT = 30
MOST_TABS = 80


def with_password(base_url, user, password):
    """The address as somebody types it who does not want to be asked."""
    return base_url.replace("://", f"://{user}:{password}@", 1)


class Page:
    def __init__(self, browser, base_url):
        self.browser = browser
        self.base_url = base_url

    def open(self):
        """Opens it, and waits until the form is drawn and the list is there."""
        self.browser.get(self.base_url + "/tasks/")
        self.wait(lambda: self.find("#ask button[type=submit]").is_displayed(), "the form")
        self.wait(lambda: "Loading" not in self.find("#tasks").text, "the list of tasks")
        return self

    def open_details(self, scope=None):
        """Opens whatever can be opened on the page, or below SCOPE."""
        self.js("""
            arguments[0].querySelectorAll('[aria-expanded=false]').forEach((node) => node.click());
            arguments[0].querySelectorAll('details').forEach((node) => { node.open = true; });
        """, scope or self.find("main"))

    def wait(self, condition, what, timeout=TIMEOUT):
        """Waits for CONDITION() to be true, and returns its value."""
        waiter = WebDriverWait(self.browser, timeout, poll_frequency=0.05, ignored_exceptions=(
            NoSuchElementException, StaleElementReferenceException))
        return waiter.until(lambda _: condition(), f"waited in vain for {what}")

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def js(self, script, *args):
        return self.browser.execute_script(script, *args)

    def console(self):
        """What the browser complained of since the last call."""
        return [entry for entry in self.browser.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    # The form.

    def choose_type(self, name):
        choice = self.find(f"#ask input[type=radio][value='{name}']")
        self.find(f"label[for='{choice.get_attribute('id')}']").click()

    def field(self, pointer):
        """The control for what a JSON pointer names."""
        return self.find(f"#ask [name='{pointer}']")

    def fault_at(self, pointer):
        """The text of the fault that a screen reader reads with the field; '' if there is none."""
        ids = (self.field(pointer).get_attribute("aria-describedby") or "").split()
        return " ".join(self.find(f"#{i}").text for i in ids if i.endswith("-fault"))

    def submit(self):
        """Sends the form; returns the new task's id."""
        self.find("#ask button[type=submit]").click()
        return self.sent()

    def sent(self):
        text = self.wait(lambda: self.find("#ask .sent").text, "the task to be taken on")
        return int(re.search(r"task (\d+)", text)[1])

    # The lists.

    def row(self, task_id):
        if not self.find_all(f"#task-{task_id}"):
            self.look()
        return self.wait(lambda: self.find(f"#task-{task_id}"), f"task {task_id} in the list")

    def look(self):
        """Makes the page ask for news now instead of within seconds."""
        self.js("window.dispatchEvent(new Event('online'))")

    def state(self, task_id):
        return self.row(task_id).get_attribute("data-state")

    def wait_for_state(self, task_id, *states):
        return self.wait(lambda: self.state(task_id) in states and self.state(task_id),
                         f"task {task_id} to be {' or '.join(states)}")

    def button(self, scope, text):
        """A visible button or link below SCOPE that starts with TEXT."""
        found = [node for node in scope.find_elements(By.CSS_SELECTOR, "button, a")
                 if node.is_displayed() and node.text.startswith(text)]
        assert found, f"no {text!r} in: {scope.text}"
        return found[0]

    def file_of(self, task_id):
        """The entry among the files that names the task."""
        return self.wait(lambda: next((item for item in self.find_all("#files .item") if item.
                         find_elements(By.CSS_SELECTOR, f"a[href='#task-{task_id}']")), None),
                         f"the file of task {task_id}")

    def downloaded(self):
        """Waits for one finished download in the browser's folder; returns its path."""
        def finished():
            files = list(self.browser.downloads.iterdir())
            return files[0] if len(files) == 1 and files[0].suffix != ".crdownload" else None
        return self.wait(finished, "the download")

    # The keyboard.

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def focused(self):
        return self.browser.switch_to.active_element

    def tab_to(self, selector):
        """Presses the Tab key until the focus is on SELECTOR, as somebody without a mouse does."""
        for _ in range(MOST_TABS):
            self.press(Keys.TAB)
            if self.js("return document.activeElement.matches(arguments[0])", selector):
                return self.focused()
        raise AssertionError(f"{selector} cannot be reached by the Tab key")
