/* SPDX-License-Identifier: MIT
 * board.js: the tasks that the page knows, newest first, and what changed about them. It takes
 * in what a source of updates (updates.js) or an action learned, draws nothing and asks for
 * nothing.
 *
 * Rule: what was asked earlier never overrules what was learned later. So whoever reports says
 * when he asked (performance.now()), and an answer that was on its way while the reader acted
 * changes nothing. */

import { isBusy, isFinished } from './states.js';

export class Board {
    #tasks = new Map(); /* id -> {task, text, learned} */
    #onChange;
    #top = 0; /* the highest id that a page has shown: no gap below it */
    #extended = false; /* older pages than the first were loaded */

    cursor = null; /* where "Show more" goes on */
    loaded = false; /* the first page has been here */

    /* onChange({moved, gone}): moved are [{task, before}], tasks that are new or whose status changed;
     * before is undefined for new ones; gone: some are no longer on the page where they were. Called
     * once for each thing reported, only if it changed something. */
    constructor(onChange) {
        this.#onChange = onChange;
    }

    /* All tasks, highest id first. */
    list() {
        return [...this.#tasks.values()].map((entry) => entry.task).sort((a, b) => b.id - a.id);
    }

    get busy() {
        return this.list().some(isBusy);
    }

    /* The newest page as it was at ASKED. What it should show and does not is gone. Returns, as
     * learn() does, whether anything changed. */
    page({ tasks, next }, asked) {
        const lowest = tasks.length > 0 && next ? tasks[tasks.length - 1].id : 0;
        const first = !this.loaded;
        const covers = (id) => (tasks.length > 0 || !next ? id >= lowest : false);
        const gap =
            next &&
            lowest > this.#top; /* more new tasks than a page: what is below is not joined */
        const present = new Set(tasks.map((task) => task.id));
        const gone = this.#forget(
            (id, learned) =>
                learned <= asked && !present.has(id) && (covers(id) || (gap && !first)),
        );

        if (!this.#extended || gap) {
            this.cursor = next;
            this.#extended = false;
        }
        this.#top = Math.max(this.#top, tasks[0]?.id ?? 0);
        this.loaded = true;
        return this.#report(this.#merge(tasks, asked), gone || first, first, gone);
    }

    /* Other tasks than before are asked for: begins anew. */
    reset() {
        this.#tasks.clear();
        this.#top = 0;
        this.#extended = false;
        this.cursor = null;
        this.loaded = false;
        this.#report([], true);
    }

    /* An older page, from "Show more". */
    older({ tasks, next }, asked) {
        this.cursor = next;
        this.#extended = true;
        this.#report(this.#merge(tasks, asked), true, true);
    }

    /* One task, from an action or a look at it. */
    learn(task, asked = performance.now()) {
        return this.#report(this.#merge([task], asked), false);
    }

    forget(id) {
        this.#report(
            [],
            this.#forget((known) => known === id),
        );
    }

    /* Unfinished tasks that a first page down to LOWEST did not show. */
    unfinishedBelow(lowest) {
        return this.list().filter((task) => task.id < lowest && !isFinished(task));
    }

    #forget(unwanted) {
        const ids = [...this.#tasks]
            .filter(([id, entry]) => unwanted(id, entry.learned))
            .map(([id]) => id);
        ids.forEach((id) => this.#tasks.delete(id));
        return ids.length > 0;
    }

    /* Returns [{task, before}] of those that are not what they were. */
    #merge(tasks, asked) {
        const changed = [];
        for (const task of tasks) {
            const known = this.#tasks.get(task.id);
            const text = JSON.stringify(task);
            if (known && (known.learned > asked || known.text === text)) {
                continue;
            }
            this.#tasks.set(task.id, { task, text, learned: asked });
            changed.push({ task, before: known?.task });
        }
        return changed;
    }

    #report(changed, force, quiet = false, gone = false) {
        if (changed.length === 0 && !force) {
            return false;
        }
        const moved = changed.filter(({ task, before }) => task.status !== before?.status);
        this.#onChange({ moved: quiet ? [] : moved, gone });
        return true;
    }
}
