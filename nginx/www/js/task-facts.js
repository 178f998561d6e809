/* SPDX-License-Identifier: MIT
 * task-facts.js: what is known of a task, name by name, for its details. It only draws. */

import { el } from './dom.js';
import { exact, jsonText } from './json.js';
import { isFinished, stateOf } from './states.js';
import { preciseTime } from './time.js';

const MOST_LINES = 12; /* of JSON; more are shown when the reader asks for them */

function drawJson(value) {
    const text = jsonText(value, '  ');
    const lines = text.split('\n').length;
    const pre = el('pre', {}, text);
    return lines > MOST_LINES ? el('details', {}, el('summary', {}, `${lines} lines`), pre) : pre;
}

/* Where a task has several files: a link to each, by its name in NAMES (address -> name) if that is known. */
function drawFiles(task, names) {
    const links = (task.links?.files ?? []).map((href, at) =>
        el('li', {}, el('a', { href, download: true }, names.get(href) ?? `File ${at + 1}`)),
    );
    return links.length > 0 ? el('ul', {}, ...links) : null;
}

/* A long result is not in the task; that of a deferred request is its response, which the task only tells of. */
function drawResult(task) {
    const result = task.links?.result;
    const parts = [
        (task.result ?? null) !== null && drawJson(exact(task, 'result')),
        result && el('a', { href: result }, 'Open the result'),
    ].filter(Boolean);
    return parts.length > 0 ? parts : null;
}

/* For what time it waits; the time of what has begun is no longer of interest. */
function waitsFor(task) {
    const waits = !isFinished(task) && task.status !== 'started';
    return waits && Date.parse(task.run_at) > Date.parse(task.created_at) + 1000 ? task.run_at : null;
}

function drawTime(instant) {
    return instant ? preciseTime(instant) : null;
}

/* The rows of a <dl>. */
export function drawFacts(task, names) {
    return [
        ['State', stateOf(task).word],
        ['Type', task.type],
        ['Data', drawJson(exact(task, 'data'))],
        ['Asked for', drawTime(task.created_at)],
        [task.attempt ? 'Next attempt' : 'Not before', drawTime(waitsFor(task))],
        ['Started', drawTime(task.started_at)],
        ['Ended', drawTime(task.finished_at)],
        ['Kept until', drawTime(task.expires_at)],
        ['Attempt', task.attempt ? `${task.attempt} of ${task.max_attempts}` : null],
        ['Priority', String(task.priority)],
        ['Worker', task.worker],
        ['Files', drawFiles(task, names)],
        ['Result', drawResult(task)],
    ]
        .filter(([, value]) => value)
        .flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]);
}
