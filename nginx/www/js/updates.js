/* SPDX-License-Identifier: MIT
 * updates.js: the source of task updates. This one polls; one over live streams can take its
 * place, if it keeps the same contract:
 *
 *   source.start(query)  begin; pauses by itself while the tab is hidden
 *   source.refresh()     look now: something was just done, or the reader asks
 *   source.only(query)   look for other tasks, by parameters of GET /v1/tasks behind others; '': for all
 *
 * and tells its sink, where "asked" is performance.now() from before the request:
 *
 *   sink.page({tasks, next}, asked)   the newest tasks; returns whether that changed anything
 *   sink.task(task, asked)            one task; likewise
 *   sink.gone(id)                     a task that is no longer there
 *   sink.lost(problem, seconds)       no answer; the next try is in that many seconds (null: none)
 *   sink.back()                       answers come again, or for the first time
 *   sink.board                        which tasks are known (board.js)
 * / */

import { Problem } from './api.js';

const PAGE = 20;
const FAST_MSEC = 1000; /* while something is unfinished ... */
const SLOWEST_MSEC = 5000; /* ... and grown to this, when nothing about it changes */
const IDLE_MSEC = 10000;
const RETRY_MSEC = 1000; /* doubling up to ... */
const RETRY_MOST_MSEC = 60000;
const SINGLES = 5; /* unfinished tasks below the first page looked at in one round */

export class PollingSource {
    #api;
    #sink;
    #timer = 0;
    #running = false;
    #again = false;
    #failures = 0;
    #quiet = 0; /* rounds in which nothing changed */
    #etags = new Map(); /* target -> ETag of the last round's answers */
    #lowest = 0; /* the lowest id of the last first page */
    #answering = false;
    #query = '';

    constructor(api, sink) {
        this.#api = api;
        this.#sink = sink;
    }

    start(query = '') {
        this.#query = query;
        document.addEventListener('visibilitychange', () => this.#wake());
        window.addEventListener('online', () => this.#wake());
        this.refresh();
    }

    refresh() {
        this.#quiet = 0;
        this.#wake();
    }

    only(query) {
        this.#query = query;
        this.#etags = new Map(); /* the board begins anew: "as before" is no answer */
        this.refresh();
    }

    #wake() {
        clearTimeout(this.#timer);
        if (document.hidden) {
            return;
        }
        if (this.#running) {
            this.#again = true;
            return;
        }
        this.#round();
    }

    async #round() {
        this.#running = true;
        this.#again = false;
        let delay;
        try {
            delay = this.#pause(await this.#look());
            this.#failures = 0;
            if (!this.#answering) {
                this.#answering = true;
                this.#sink.back();
            }
        } catch (problem) {
            delay = this.#fail(problem);
        }
        this.#running = false;
        if (this.#again) {
            this.#wake();
        } else if (delay !== null && !document.hidden) {
            this.#timer = setTimeout(() => this.#wake(), delay);
        }
    }

    /* One look at everything. Returns the seconds that the API asks to wait (0: none named). */
    async #look() {
        const before = this.#etags;
        this.#etags = new Map();
        const first = await this.#ask(`?limit=${PAGE}${this.#query}`, before, (body, asked) => {
            this.#lowest = body.next ? (body.tasks.at(-1)?.id ?? Infinity) : 0;
            return this.#sink.page(body, asked);
        });
        const answers = [first];
        for (const task of this.#sink.board.unfinishedBelow(this.#lowest).slice(0, SINGLES)) {
            answers.push(await this.#one(task.id, before));
        }
        this.#quiet = answers.some((answer) => answer.changed) ? 0 : this.#quiet + 1;
        return Math.max(...answers.map((answer) => answer.retryAfter));
    }

    /* Asks for TARGET and hands the answer on, unless it is what it was, or other tasks are looked for
     * meanwhile. USE says if it changed anything. */
    async #ask(target, etags, use) {
        const asked = performance.now();
        const query = this.#query;
        const answer = await this.#api.get(target, { etag: etags.get(target) });
        this.#etags.set(target, answer.etag ?? etags.get(target));
        return {
            changed: query === this.#query && answer.status !== 304 && use(answer.body, asked),
            retryAfter: answer.retryAfter ?? 0,
        };
    }

    async #one(id, etags) {
        try {
            return await this.#ask(`/${id}`, etags, (task, asked) => this.#sink.task(task, asked));
        } catch (problem) {
            if (problem.status !== 404) {
                throw problem;
            }
            this.#sink.gone(id);
            return { changed: true, retryAfter: 0 };
        }
    }

    #pause(retryAfter) {
        if (!this.#sink.board.busy) {
            return IDLE_MSEC;
        }
        const msec = Math.min(FAST_MSEC * 1.3 ** this.#quiet, SLOWEST_MSEC);
        return Math.max(msec, retryAfter * 1000);
    }

    /* Tells of the failure. Returns the milliseconds until the next try; null: only when woken. */
    #fail(problem) {
        if (!(problem instanceof Problem)) {
            throw problem;
        }
        this.#answering = false;
        if (!problem.passing) {
            this.#sink.lost(problem, null);
            return null;
        }
        const backoff = Math.min(RETRY_MSEC * 2 ** this.#failures, RETRY_MOST_MSEC);
        const msec = Math.max(
            backoff * (0.8 + 0.4 * Math.random()),
            (problem.retryAfter ?? 0) * 1000,
        );
        this.#failures += 1;
        this.#sink.lost(problem, msec / 1000);
        return msec;
    }
}
