/* SPDX-License-Identifier: MIT
 * watch.js: follow one task until it is finished, by polling. For the embeddable element; the page
 * follows all tasks by updates.js. */

import { isFinished } from './states.js';

const FAST_MSEC = 1000;
const SLOWEST_MSEC = 5000;
const RETRY_MOST_MSEC = 60000;

/* Calls onTask(task) whenever the task changed, and onProblem(problem) when there is no answer;
 * then it tries again by itself if problem.passing, and ends otherwise. Pauses while the tab is
 * hidden. Returns a function that ends it. */
export function watchTask(api, id, onTask, onProblem) {
    let timer = 0;
    let etag = null;
    let pause = FAST_MSEC;
    let ended = false;
    let due = false; /* a look was due while the tab was hidden */

    const next = (msec) => {
        timer = setTimeout(look, msec);
    };
    const end = () => {
        ended = true;
        clearTimeout(timer);
        document.removeEventListener('visibilitychange', wake);
    };
    const wake = () => {
        if (due && !document.hidden) {
            due = false;
            look();
        }
    };

    async function look() {
        if (document.hidden) {
            due = true;
            return;
        }
        try {
            const answer = await api.get(`/${id}`, { etag });
            const changed = answer.status !== 304;
            if (ended) {
                return;
            }
            pause = changed ? FAST_MSEC : Math.min(pause * 1.3, SLOWEST_MSEC);
            if (changed) {
                etag = answer.etag;
                onTask(answer.body);
            }
            if (changed && isFinished(answer.body)) {
                end();
            } else {
                next(Math.max(pause, (answer.retryAfter ?? 0) * 1000));
            }
        } catch (problem) {
            if (ended) {
                return;
            }
            onProblem(problem);
            if (problem.passing) {
                pause = Math.min(pause * 2, RETRY_MOST_MSEC);
                next(Math.max(pause, (problem.retryAfter ?? 0) * 1000));
            } else {
                end();
            }
        }
    }

    document.addEventListener('visibilitychange', wake);
    look();
    return end;
}
