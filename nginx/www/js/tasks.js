/* SPDX-License-Identifier: MIT
 * tasks.js: the list of tasks: keeps the rows in step with the board, does what their buttons
 * say, and pages on. */

import { announce } from './announce.js';
import { confirmed } from './dialog.js';
import { el, setText, show } from './dom.js';
import { TaskFilter } from './filter.js';
import { taskName } from './names.js';
import { TaskRow } from './task-row.js';

const DONE = { retry: 'waits to run again', cancel: 'is asked to stop' };
const NONE = 'No tasks yet. What you start appears here, and stays when you leave the page.';
const NONE_SUCH = 'No tasks of this kind.';
const PAGE = 50;
const MOST_EMPTY_PAGES = 20; /* a page may be short, even empty, while more follow */

export class TaskList {
    #api;
    #board;
    #onActed;
    #rows = new Map();
    #forAdmin = false;
    #acting = new Set();
    #list = el('ul', { class: 'items' });
    #loading = el('p', { class: 'quiet' }, 'Loading…');
    #empty = el('p', { class: 'quiet', hidden: true });
    #filter;
    #more;
    #fault = el('p', { class: 'fault', role: 'alert', hidden: true });

    /* onActed: called after something was done that other lists or the source should look at;
     * onFilter(query): other tasks shall be listed. */
    constructor(place, api, board, { onActed, onFilter }) {
        this.#api = api;
        this.#board = board;
        this.#onActed = onActed;
        this.#more = el(
            'button',
            { type: 'button', class: 'button', hidden: true, onclick: () => this.#showMore() },
            'Show more tasks',
        );
        this.#filter = new TaskFilter(() => onFilter(this.query));
        place.replaceChildren(this.#filter.element, this.#list, this.#loading, this.#empty, this.#fault, this.#more);
    }

    /* Which tasks are listed, as filter.js says it. */
    get query() {
        return this.#filter.query;
    }

    offerTypes(names) {
        this.#filter.offerTypes(names);
    }

    /* A task that the reader shall see, whatever is listed. */
    learn(task, asked) {
        if (!this.#filter.fits(task)) {
            this.#filter.clear();
        }
        this.#board.learn(task, asked);
    }

    bringIntoView(id) {
        this.#rows.get(id)?.bringIntoView();
    }

    /* An admin sees everybody's tasks, even where they all happen to be one user's. */
    setRoles(roles) {
        this.#forAdmin = roles.includes('admin');
    }

    /* Draws what the board holds: new rows in their place, changed ones changed, gone ones
     * removed. */
    render() {
        const tasks = this.#board.list();
        const withUser = this.#forAdmin || new Set(tasks.map((task) => task.created_by)).size > 1;
        const present = new Set(tasks.map((task) => task.id));
        for (const id of [...this.#rows.keys()].filter((known) => !present.has(known))) {
            this.#remove(id);
        }
        let place = this.#list.firstElementChild;
        for (const task of tasks) {
            const row = this.#rowFor(task, withUser);
            if (row.element === place) {
                place = place.nextElementSibling;
            } else {
                this.#list.insertBefore(row.element, place);
            }
        }
        this.offerTypes(new Set(tasks.map((task) => task.type)));
        setText(this.#empty, this.query ? NONE_SUCH : NONE);
        show(this.#loading, !this.#board.loaded);
        show(this.#empty, this.#board.loaded && tasks.length === 0 && this.#board.cursor === null);
        show(this.#more, this.#board.cursor !== null);
    }

    #rowFor(task, withUser) {
        let row = this.#rows.get(task.id);
        if (!row) {
            row = new TaskRow(task, (verb, which) => this.#act(verb, which), this.#api);
            this.#rows.set(task.id, row);
        }
        row.update(task, withUser);
        return row;
    }

    /* The focus of a removed row goes to the one that takes its place. */
    #remove(id) {
        const { element } = this.#rows.get(id);
        const next = element.nextElementSibling || element.previousElementSibling;
        const focused = element.contains(document.activeElement);
        element.remove();
        this.#rows.delete(id);
        if (focused) {
            (next?.querySelector('h3') || document.getElementById('tasks-title')).focus();
        }
    }

    async #act(verb, row) {
        const { task } = row;
        if (this.#acting.has(task.id) || (verb === 'delete' && !(await this.#mayDelete(task)))) {
            return;
        }
        this.#acting.add(task.id);
        row.note('');
        try {
            await this.#do(verb, task);
            this.#onActed(verb);
        } catch (problem) {
            row.note(problem.message);
            this.#onActed(verb);
        } finally {
            this.#acting.delete(task.id);
        }
    }

    async #do(verb, task) {
        if (verb === 'delete') {
            await this.#delete(task);
        } else {
            const { body } = await this.#api.request('POST', task.links[verb]);
            announce(`${taskName(task)}, task ${task.id}, ${DONE[verb]}.`);
            this.#board.learn(body);
        }
    }

    #mayDelete(task) {
        return confirmed({
            title: `Delete task ${task.id}?`,
            text: `${taskName(task)} and the file it made, if any, will be gone for good.`,
            yes: 'Delete',
        });
    }

    async #delete(task) {
        try {
            await this.#api.request('DELETE', task.links.self);
        } catch (problem) {
            if (problem.status !== 404) {
                /* somebody else was faster */
                throw problem;
            }
        }
        announce(`${taskName(task)}, task ${task.id}, is deleted.`);
        this.#board.forget(task.id);
    }

    /* Takes the reader to a task, which may be older than what the list shows. */
    async reveal(id) {
        try {
            if (!this.#rows.has(id)) {
                const asked = performance.now();
                this.learn((await this.#api.get(`/${id}`)).body, asked);
            }
            this.#rows.get(id)?.focus();
        } catch (problem) {
            announce(problem.message);
        }
    }

    async #showMore() {
        const before = new Set(this.#rows.keys());
        const { query } = this;
        show(this.#fault, false);
        try {
            for (let i = 0; i < MOST_EMPTY_PAGES && this.#board.cursor !== null; i += 1) {
                const asked = performance.now();
                const { body } = await this.#api.get(
                    `?limit=${PAGE}&after=${encodeURIComponent(this.#board.cursor)}${query}`,
                );
                if (query !== this.query) {
                    return; /* other tasks are listed meanwhile */
                }
                this.#board.older(body, asked);
                if (body.tasks.length > 0) {
                    break;
                }
            }
            const first = this.#board.list().find((task) => !before.has(task.id));
            this.#rows.get(first?.id)?.focus();
        } catch (problem) {
            this.#fault.textContent = problem.message;
            show(this.#fault, true);
        }
    }
}
