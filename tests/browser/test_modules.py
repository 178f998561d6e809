# SPDX-License-Identifier: MIT
"""The page's modules by themselves, with cases that a demo's catalogue and clock do not bring about."""
import json

import pytest
from browser.page import Page, with_password


@pytest.fixture(scope="module")
def modules(chromium, whole_stack):
    """A page that these cases share, since they leave nothing behind."""
    chromium.switch_to.new_window("tab")
    chromium.get(with_password(whole_stack.base_url, "ada", "demo") + "/tasks/")
    return Page(chromium, whole_stack.base_url).open().browser


DRAW = """
    const [text, entries, done] = arguments;
    Promise.all([import('/tasks/js/form.js'), import('/tasks/js/json.js')]).then(([{ drawPart }, json]) => {
        const schema = json.parseJson(text);
        const part = drawPart('', schema, '/data');
        const place = document.createElement('form');
        place.append(part.element || '');
        document.querySelector('main').append(place);
        for (const [pointer, value] of Object.entries(entries)) {
            const control = place.querySelector(`[name="${pointer}"]`);
            if (control.type === 'checkbox') {
                control.checked = value;
            } else {
                control.value = value;
            }
            control.dispatchEvent(new Event('change'));
        }
        const faults = part.fields().map((field) => [field.pointer, field.check()])
            .filter(([, text]) => text !== '');
        const value = faults.length === 0 ? json.jsonText(part.read()) : null;
        place.remove();
        done({ value, faults: Object.fromEntries(faults) });
    }).catch((error) => done({ error: String(error) }));
"""


def _object(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


BRANCHES = {"type": "object", "oneOf": [
    _object(["export"], export={"const": "a"}, params=_object(n={"type": "integer"})),
    _object(["export", "params"], export={"const": "b"}, params=_object(["day"], day={
        "type": "string", "format": "date"})),
]}

# What is drawn, what is entered, what is read.
VALUES = [
    ({"type": "object", "properties": {}}, {}, {}),
    (_object(s={"type": "string"}), {}, {}),
    (_object(s={"type": "string"}), {"/data/s": " as it is "}, {"s": " as it is "}),
    (_object(s={"type": "string", "default": "x"}), {}, {"s": "x"}),
    (_object(s={"type": ["string", "null"]}), {"/data/s": "y"}, {"s": "y"}),
    (_object(n={"type": "integer"}), {"/data/n": "-5"}, {"n": -5}),
    (_object(n={"type": "number"}), {"/data/n": "1.25"}, {"n": 1.25}),
    (_object(n={"type": "integer"}), {"/data/n": "9007199254740993"}, {"n": 9007199254740993}),
    (_object(n={"type": "integer"}), {"/data/n": "-9223372036854775808"}, {"n": -2**63}),
    (_object(n={"type": "integer", "maximum": 2**63 - 1}), {"/data/n": "9223372036854775807"}, {"n": 2**63 - 1}),
    (_object(n={"type": "integer"}), {"/data/n": "1e3"}, {"n": 1000}),
    (_object(n={"type": "integer", "default": 9007199254740993}), {}, {"n": 9007199254740993}),
    (_object(n={"type": "number"}), {"/data/n": "-.50"}, {"n": -0.5}),
    (_object(e={"enum": [9007199254740993], "default": 9007199254740993}), {}, {"e": 9007199254740993}),
    (_object(c={"const": 9007199254740993}), {}, {"c": 9007199254740993}),
    (_object(b={"type": "boolean"}), {}, {}),
    (_object(b={"type": "boolean"}), {"/data/b": True}, {"b": True}),
    (_object(["b"], b={"type": "boolean"}), {}, {"b": False}),
    (_object(b={"type": "boolean", "default": True}), {"/data/b": False}, {"b": False}),
    (_object(d={"type": "string", "format": "date"}), {"/data/d": "2024-02-29"}, {"d": "2024-02-29"}),
    (_object(e={"enum": ["de", 7, None]}), {"/data/e": "1"}, {"e": 7}),
    (_object(e={"enum": ["de", "en"]}), {}, {}),
    (_object(e={"enum": ["de", "en"], "default": "en"}), {}, {"e": "en"}),
    (_object(e={"oneOf": [{"const": 1, "title": "One"}, {"const": 2}]}), {"/data/e": "1"}, {"e": 2}),
    (_object(c={"const": [1, 2]}), {}, {"c": [1, 2]}),
    (_object(s={"type": "string", "maxLength": 3}), {"/data/s": "\U0001f600\U0001f600b"},
     {"s": "\U0001f600\U0001f600b"}),
    (_object(a={"type": "array"}), {"/data/a": "[1, {\"x\": 2}]"}, {"a": [1, {"x": 2}]}),
    (_object(o=_object(s={"type": "string"})), {}, {}),
    (_object(["o"], o=_object(s={"type": "string"})), {}, {"o": {}}),
    (_object(o=_object(s={"type": "string"})), {"/data/o/s": "z"}, {"o": {"s": "z"}}),
    (_object(**{"a/b~c": {"type": "string"}}), {"/data/a~1b~0c": "w"}, {"a/b~c": "w"}),
    (BRANCHES, {}, {"export": "a"}),
    (BRANCHES, {"/data/params/n": "3"}, {"export": "a", "params": {"n": 3}}),
    (BRANCHES, {"/data/export": "1", "/data/params/day": "2024-05-06"},
     {"export": "b", "params": {"day": "2024-05-06"}}),
]

# Choosing nothing means the alternative that need not be named.
DEFAULT = {"oneOf": [BRANCHES["oneOf"][0], _object(export={"const": "d"})]}
VALUES.append((DEFAULT, {}, {"export": "d"}))

# What is drawn, what is entered, where a fault stands.
FAULTS = [
    (_object(["s"], s={"type": "string"}), {}, ["/data/s"]),
    (_object(["e"], e={"enum": ["de"]}), {}, ["/data/e"]),
    (_object(n={"type": "integer", "minimum": 0, "maximum": 9}), {"/data/n": "10"}, ["/data/n"]),
    (_object(n={"type": "integer"}), {"/data/n": "1.5"}, ["/data/n"]),
    (_object(n={"type": "integer"}), {"/data/n": "9223372036854775808"}, ["/data/n"]),
    (_object(n={"type": "integer", "minimum": -2**63 + 1}), {"/data/n": "-9223372036854775808"}, ["/data/n"]),
    (_object(s={"type": "string", "maxLength": 3}), {"/data/s": "\U0001f600\U0001f600bcd"}, ["/data/s"]),
    (_object(d={"type": "string", "format": "date", "formatMinimum": "2000-01-01"}),
     {"/data/d": "1999-12-31"}, ["/data/d"]),
    (_object(a={"type": "array"}), {"/data/a": "[1,"}, ["/data/a"]),
    (BRANCHES, {"/data/export": "1"}, ["/data/params/day"]),
    (_object(["s", "n"], s={"type": "string"}, n={"type": "number"}), {}, ["/data/s", "/data/n"]),
]


def _name(value):
    return json.dumps(value)[:60] if isinstance(value, dict) else ""


@pytest.mark.parametrize("schema,entries,value", VALUES, ids=_name)
def test_form_value(modules, schema, entries, value):
    answer = modules.execute_async_script(DRAW, json.dumps(schema), entries)
    assert (json.loads(answer["value"]), answer["faults"]) == (value, {})


# Enters TEXT as the data of a type that takes any; gives the body that is sent.
ASK = """
    const [text, done] = arguments;
    Promise.all([import('/tasks/js/ask.js'), import('/tasks/js/api.js')]).then(([{ AskForm }, { Api }]) => {
        const place = document.createElement('section');
        document.querySelector('main').append(place);
        new AskForm(place, new Api(), {}).setTypes([{ name: 'any', parameters: { type: 'object' } }]);
        place.querySelector('[name="/data"]').value = text;
        const { fetch } = window;
        window.fetch = (url, { body }) => {
            window.fetch = fetch;
            place.remove();
            done(body);
            return Promise.reject();
        };
        place.querySelector('[type=submit]').click();
    });
"""


def test_digits_stay(modules):
    """JSON and numbers are sent as they were typed, and what is read can be written again."""
    typed = '{"id": 9007199254740993, "d": 1.10, "x": 12345678901234567890, "__proto__": [1e2, "1.0", {}, []]}'
    numbers = json.dumps(_object(n={"type": "number"}))
    assert modules.execute_async_script(DRAW, numbers, {"/data/n": "1.10"})["value"] == '{"n":1.10}'
    assert modules.execute_async_script(ASK, f" {typed}\n") == f'{{"type":"any","data":{typed}}}'
    assert modules.execute_async_script("""
        const [text, done] = arguments;
        import('/tasks/js/json.js').then(({ jsonText, parseJson }) => done(jsonText(parseJson(text))));
    """, typed) == typed.replace(": ", ":").replace(", ", ",")


@pytest.mark.parametrize("schema,entries,pointers", FAULTS, ids=_name)
def test_form_fault(modules, schema, entries, pointers):
    answer = modules.execute_async_script(DRAW, json.dumps(schema), entries)
    assert sorted(answer["faults"]) == sorted(pointers), answer
    assert all(answer["faults"].values())


def test_fault_without_a_field(modules):
    """It stands above the button, in words."""
    assert modules.execute_async_script("""
        const done = arguments[0];
        const problem = { message: 'M', errors: [{ pointer: '/type', detail: 'needs the role x' },
            { pointer: '/data/a~1b/0', detail: 'is wrong' }, { pointer: '', detail: 'D' }] };
        import('/tasks/js/ask.js').then(({ AskForm }) => {
            const place = document.createElement('section');
            document.querySelector('main').append(place);
            const form = new AskForm(place, { request: () => Promise.reject(problem) }, {});
            form.setTypes([{ name: 'any', parameters: { type: 'object', properties: {} } }]);
            place.querySelector('[type=submit]').click();
            setTimeout(() => {
                place.remove();
                done([...place.querySelectorAll('[role=alert] li')].map((node) => node.textContent));
            });
        });
    """) == ["Type: needs the role x", "A/b 0: is wrong", "D"]


BOARD = """
    const [steps, done] = arguments;
    const task = ([id, status]) => ({ id, status, links: {} });
    import('/tasks/js/board.js').then(({ Board }) => {
        const moves = [];
        const board = new Board(({ moved }) => moves.push(...moved.map(({ task: t }) => t.id)));
        for (const [what, argument, asked] of steps) {
            if (what === 'page' || what === 'older') {
                const [tasks, next] = argument;
                board[what]({ tasks: tasks.map(task), next }, asked);
            } else if (what === 'learn') {
                board.learn(task(argument), asked);
            } else {
                board.forget(argument);
            }
        }
        done({ ids: board.list().map((t) => t.id), states: board.list().map((t) => t.status),
            cursor: board.cursor, moves });
    });
"""

F, S, OK = "fresh", "started", "success"

# Steps (what, argument, when it was asked), then the ids and states that must be left.
BOARDS = {
    "an empty page": ([("page", [[], None], 1)], [], []),
    "newest first": ([("page", [[[2, F], [1, OK]], None], 1)], [2, 1], [F, OK]),
    "what is missing on a later page is gone":
        ([("page", [[[2, F], [1, OK]], None], 1), ("page", [[[2, F]], None], 2)], [2], [F]),
    "what is below a page is kept":
        ([("page", [[[2, OK]], "c"], 1), ("older", [[[1, OK]], None], 2),
          ("page", [[[3, F], [2, OK]], "c"], 3)], [3, 2, 1], [F, OK, OK]),
    "an answer asked for before a task was made does not remove it":
        ([("page", [[[1, OK]], None], 1), ("learn", [2, F], 5), ("page", [[[1, OK]], None], 4)],
         [2, 1], [F, OK]),
    "an answer asked for before a retry does not undo it":
        ([("page", [[[1, "failure"]], None], 1), ("learn", [1, F], 5),
          ("page", [[[1, "failure"]], None], 4)], [1], [F]),
    "more new tasks than a page: no hole is left":
        ([("page", [[[2, OK], [1, OK]], None], 1), ("page", [[[9, F], [8, F]], "c"], 2)],
         [9, 8], [F, F]),
    "a task made here does not hide such a hole":
        ([("page", [[[2, OK], [1, OK]], None], 1), ("learn", [9, F], 2),
          ("page", [[[9, S], [8, F]], "c"], 3)], [9, 8], [S, F]),
    "an empty page that goes on says nothing of what is there":
        ([("page", [[[1, OK]], None], 1), ("page", [[], "c"], 2)], [1], [OK]),
    "forgotten": ([("page", [[[2, F], [1, OK]], None], 1), ("forget", 2)], [1], [OK]),
}


@pytest.mark.parametrize("steps,ids,states", BOARDS.values(), ids=list(BOARDS))
def test_board(modules, steps, ids, states):
    answer = modules.execute_async_script(BOARD, [list(step) for step in steps])
    assert (answer["ids"], answer["states"]) == (ids, states)


def test_board_tells_of_moves_only(modules):
    """Not of what was there at first, nor of mere progress."""
    steps = [("page", [[[1, S]], None], 1), ("page", [[[2, F], [1, S]], None], 2),
             ("page", [[[2, F], [1, OK]], None], 3)]
    answer = modules.execute_async_script(BOARD, [list(step) for step in steps])
    assert answer["moves"] == [2, 1]


def test_answers_for_another_filter(modules):
    """They come too late to be shown, and are no reason to be told later that nothing has changed."""
    assert modules.execute_async_script("""
        const done = arguments[0];
        import('/tasks/js/updates.js').then(async ({ PollingSource }) => {
            const asked = [];
            const pages = [];
            const get = (target, { etag }) => new Promise((resolve) => {
                const body = { tasks: [], next: null, target };
                asked.push({ seen: [target, etag ?? null],
                    answer: () => resolve({ status: 200, body, etag: target }) });
            });
            const board = { unfinishedBelow: () => below.splice(0), busy: false };
            const below = [];
            const page = ({ target }) => pages.push(target) > 0;
            const source = new PollingSource({ get }, { board, page, task: () => false, back: () => {} });
            source.start('&a');
            for (const queries of [['&b'], [], ['&a', '&b']]) {
                queries.forEach((query) => source.only(query));
                asked.at(-1).answer();
                await new Promise((resolve) => setTimeout(resolve));
                below.push({ id: 7 }); /* asked for behind the next page */
            }
            done([asked.map(({ seen }) => seen), pages]);
        });
    """) == [[["?limit=20&a", None], ["?limit=20&b", None], ["/7", None], ["?limit=20&b", None]], ["?limit=20&b"]]


def test_local_time_becomes_an_instant(page):
    """What is entered as local time is sent in UTC."""
    page.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
    schema = _object(t={"type": "string", "format": "date-time"})
    answer = page.browser.execute_async_script(DRAW, json.dumps(schema), {"/data/t": "2024-05-06T07:30"})
    assert json.loads(answer["value"]) == {"t": "2024-05-06T02:00:00.000Z"}


PERCENT = {"done": 50, "total": 100, "unit": "%", "percent": 50, "message": None}
BYTES = {"done": 49, "total": 49, "unit": "bytes", "percent": 100, "message": None}
ROWS = {"read": 2, "inserted": 2, "replaced": 0, "skipped": 0, "rejected": 0}


@pytest.mark.parametrize("task, text, warn", [
    ({"status": "success", "progress": PERCENT}, "", False),
    ({"status": "failure", "progress": PERCENT}, "stopped at 50 of 100 %", False),
    ({"status": "success", "progress": BYTES, "result": {"rejected": 1}}, "49 bytes", False),
    ({"status": "success", "progress": BYTES, "result": ROWS}, "2 rows imported", False),
    ({"status": "success", "progress": BYTES, "result": ROWS, "data": {"dry_run": True}},
     "2 rows would be imported", False),
    ({"status": "success", "result": {**ROWS, "read": 5000, "replaced": 1, "skipped": 3, "rejected": 4994}},
     "3 of 5,000 rows imported, 3 skipped, 4,994 rejected", True),
    ({"status": "success", "result": {**ROWS, "read": 1, "inserted": 0, "rejected": 1}},
     "0 of 1 row imported, 1 rejected", True),
])
def test_what_was_done_in_words(modules, task, text, warn):
    assert modules.execute_async_script("""
        const [task, done] = arguments;
        Promise.all([import('/tasks/js/progress.js'), import('/tasks/js/states.js')])
            .then(([{ doneText }, { stateOf }]) => done([doneText(task), stateOf(task).warn === true]));
    """, task) == [text, warn]


@pytest.mark.parametrize("progress, text", [
    ({"done": 1, "total": None, "unit": "rows", "percent": None, "message": None}, "1 row"),
    ({"done": 12000, "total": 98000, "unit": "rows", "percent": 12, "message": None}, "12,000 of 98,000 rows, 12%"),
    ({"done": 67035136, "total": None, "unit": "bytes", "percent": None, "message": "about 439 MiB"},
     "67 MB – about 439 MiB"),
    ({"done": 1000, "total": 5300000, "unit": "bytes", "percent": 0, "message": None}, "1 kB of 5.3 MB, 0%"),
])
def test_progress_in_words(modules, progress, text):
    assert modules.execute_async_script("""
        const [progress, done] = arguments;
        import('/tasks/js/progress.js').then((module) => done(module.progressText(progress)));
    """, progress) == text
