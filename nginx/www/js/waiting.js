/* SPDX-License-Identifier: MIT
 * waiting.js: show how far one deferred request is, and then its response in place of the page. */

import { Api, Problem } from './api.js';
import { setText, show } from './dom.js';
import { progressText } from './progress.js';
import { isFinished, stateOf } from './states.js';

const WAIT_SECONDS = 2; /* how long the API may hold an answer: so often progress is shown */
const RETRY_MSEC = 1000;
const RETRY_MOST_MSEC = 30000;

const place = (id) => document.getElementById(id);
const pause = (msec) => new Promise((resolve) => setTimeout(resolve, msec));

function showProgress(task) {
    const { percent } = task.progress ?? {};
    if (typeof percent === 'number') {
        place('bar').value = percent / 100;
    } else {
        place('bar').removeAttribute('value');
    }
    setText(place('far'), progressText(task.progress) || stateOf(task).word);
}

function showProblem(reason, canRetry) {
    setText(place('title'), 'That did not work');
    setText(place('reason'), reason);
    show(place('bar'), false);
    show(place('again'), canRetry);
    show(place('problem'), true);
}

/* The task once it has ended, or null where it cannot be seen. */
async function finished(api, id) {
    let failures = 0;
    for (;;) {
        try {
            const { body } = await api.get(`/${id}`, { headers: { Prefer: `wait=${WAIT_SECONDS}` } });
            failures = 0;
            if (isFinished(body)) {
                return body;
            }
            showProgress(body);
            await pause(RETRY_MSEC / 2);
        } catch (problem) {
            if (!(problem instanceof Problem)) {
                throw problem;
            }
            if (!problem.passing) {
                showProblem(problem.message, false);
                return null;
            }
            setText(place('far'), problem.message);
            await pause(Math.min(RETRY_MSEC * 2 ** failures, RETRY_MOST_MSEC));
            failures += 1;
        }
    }
}

async function main() {
    const id = window.location.hash.slice(1);
    const api = new Api();
    if (!/^[1-9]\d*$/.test(id)) {
        showProblem('This page is shown while a request is worked on; its address names none.', false);
        return;
    }
    const task = await finished(api, id);
    if (task === null) {
        return;
    }
    if (task.links.result) {
        window.location.replace(api.url(`/${id}/result`));
        return;
    }
    showProblem(task.error?.message || `${stateOf(task).word}.`, Boolean(task.links.retry));
    place('again').addEventListener('click', async () => {
        await api.request('POST', `/${id}/retry`).catch(() => {});
        window.location.reload();
    });
}

window.addEventListener('hashchange', () => window.location.reload());
main();
