/* SPDX-License-Identifier: MIT
 * attempts.js: the history of one task, asked for when the reader opens its details: how each attempt
 * went, and the end of what it wrote. */

import { Problem } from './api.js';
import { el, setText, show } from './dom.js';
import { outcomeWord, whyOf } from './states.js';
import { preciseTime, span } from './time.js';

/* ", started today 14:03:07, took 2.1 s, by demo:6f1c9a52" */
function drawCourse({ started_at, finished_at, worker }) {
    const took = span(started_at, finished_at);
    return [
        started_at ? [', started ', preciseTime(started_at)] : '',
        took ? `, took ${took}` : '',
        worker ? `, by ${worker}` : '',
    ];
}

function drawError(error, reader) {
    if (!error) {
        return null;
    }
    const { message, code } = whyOf(error, reader);
    return el('p', { class: 'why' }, message, ' ', el('code', {}, code));
}

function drawLog(log, name) {
    return log && el('pre', { class: 'log', tabindex: '0', role: 'region', 'aria-label': `Log of ${name}` }, log);
}

/* What was handed back does not count, so its number comes again; any other that does not go on belongs to
 * a task that was started again. */
function startsAgain(attempt, before) {
    return before && attempt.attempt < before.attempt + (before.outcome === 'handed_back' ? 0 : 1);
}

function drawAttempt(attempt, before, id, reader) {
    const { outcome, error, log } = attempt;
    const name = `Attempt ${attempt.attempt}`;
    return el(
        'li',
        { 'data-state': outcome },
        startsAgain(attempt, before) ? el('p', { class: 'quiet' }, 'Started again by hand') : null,
        el('p', {}, `${name}: ${outcomeWord(outcome)}`, drawCourse(attempt)),
        drawError(error, reader),
        drawLog(log, `attempt ${attempt.attempt} of task ${id}`),
    );
}

export class Attempts {
    #api;
    #id;
    #list = el('ol');
    #fault = el('p', { class: 'fault', hidden: true });
    #asked = 0;

    constructor(api, id) {
        this.#api = api;
        this.#id = id;
        this.element = show(
            el('section', { class: 'attempts' }, el('h4', {}, 'Attempts'), this.#fault, this.#list),
            false,
        );
    }

    /* Asks for them, and draws them for READER, as whyOf() knows him. A later call overtakes an earlier one. */
    async read(reader) {
        this.#asked += 1;
        const asked = this.#asked;
        const { attempts, fault } = await this.#ask();
        if (asked !== this.#asked) {
            return;
        }
        if (attempts) {
            this.#list.replaceChildren(
                ...attempts.map((attempt, at) => drawAttempt(attempt, attempts[at - 1], this.#id, reader)),
            );
        }
        setText(this.#fault, fault ?? '');
        show(this.#fault, Boolean(fault));
        show(this.element, Boolean(fault) || attempts.length > 0);
    }

    async #ask() {
        try {
            return (await this.#api.get(`/${this.#id}/attempts`)).body;
        } catch (problem) {
            if (!(problem instanceof Problem)) {
                throw problem;
            }
            return { fault: problem.message };
        }
    }
}
