/* SPDX-License-Identifier: MIT
 * waiting.js: show how far one deferred request is, and then its response in place of the page. */

import { Api, Problem } from './api.js';
import { setAttribute, setText, show } from './dom.js';
import { progressText } from './progress.js';
import { isFinished, stateOf, whyOf } from './states.js';

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
    showCancel(task);
}

function showCancel(task) {
    const stopping = Boolean(task.cancel_requested);
    setText(place('cancel'), stopping ? 'Stopping…' : 'Cancel');
    setAttribute(place('cancel'), 'aria-disabled', stopping && 'true');
    show(place('cancel'), Boolean(task.links.cancel));
}

/* wished: the title of an end that somebody asked for, and that is no fault. */
function showProblem(reason, canRetry = false, wished = '') {
    const focused = document.activeElement === place('cancel');
    setText(place('title'), wished || 'That did not work');
    place('problem').classList.toggle('notice-bad', !wished);
    setText(place('reason'), reason);
    show(place('text'), false);
    show(place('working'), false);
    show(place('again'), canRetry);
    show(place('problem'), true);
    if (focused) {
        place('title').focus();
    }
}

/* What comes of it the page hears as it hears of everything. */
async function cancel(api, id) {
    if (place('cancel').getAttribute('aria-disabled')) {
        return;
    }
    showCancel({ cancel_requested: true, links: { cancel: true } });
    await api.request('POST', `/${id}/cancel`).catch((problem) => setText(place('far'), problem.message));
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
                showProblem(problem.message);
                return null;
            }
            setText(place('far'), problem.message);
            await pause(Math.min(RETRY_MSEC * 2 ** failures, RETRY_MOST_MSEC));
            failures += 1;
        }
    }
}

/* The user who reads, where that is known: whoever sees only his own tasks is their user. */
async function readerOf(task, api) {
    const { body } = await api.get('/types').catch(() => ({ body: {} }));
    return body.roles?.includes('admin') === false ? task.created_by : undefined;
}

async function main() {
    const id = window.location.hash.slice(1);
    const api = new Api();
    if (!/^[1-9]\d*$/.test(id)) {
        showProblem('This page is shown while a request is worked on; its address names none.');
        return;
    }
    place('cancel').addEventListener('click', () => cancel(api, id));
    const task = await finished(api, id);
    if (task === null) {
        return;
    }
    if (task.links.result) {
        window.location.replace(api.url(`/${id}/result`));
        return;
    }
    const { word } = stateOf(task);
    const wished = task.status === 'cancelled';
    const { message } = whyOf(task.error, wished ? await readerOf(task, api) : undefined);
    showProblem(message || `${word}.`, Boolean(task.links.retry), wished ? word : '');
    place('again').addEventListener('click', async () => {
        await api.request('POST', `/${id}/retry`).catch(() => {});
        window.location.reload();
    });
}

window.addEventListener('hashchange', () => window.location.reload());
main();
