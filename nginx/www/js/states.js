/* SPDX-License-Identifier: MIT
 * states.js: the states of a task in words and signs, and what each means for the page. */

/* word: what the reader sees; sign: an icon, so that colour is never alone; finished: no longer
 * moves; told: what is announced when a task comes into the state, if anything. */
const STATES = {
    scheduled: { word: 'Scheduled', sign: 'clock' },
    fresh: { word: 'Waiting', sign: 'wait' },
    started: { word: 'Running', sign: 'run', told: 'has started' },
    stopping: { word: 'Stopping', sign: 'run' },
    success: { word: 'Done', sign: 'check', finished: true, told: 'is done' },
    failure: { word: 'Failed', sign: 'cross', finished: true, told: 'has failed' },
    cancelled: { word: 'Cancelled', sign: 'stop', finished: true, told: 'was cancelled' },
    dropped: { word: 'Lost', sign: 'broken', finished: true, told: 'was lost' },
};

/* status as the API has it -> its word; that a task stops is no status. */
export const STATUSES = new Map(
    Object.entries(STATES)
        .filter(([name]) => name !== 'stopping')
        .map(([name, { word }]) => [name, word]),
);

/* With which status the site has answered a deferred request; undefined for what is none, or has no answer. */
export function answerOf(task) {
    return task.type === 'http_request' ? task.result?.status : undefined;
}

const ROWS = ['read', 'inserted', 'replaced', 'skipped', 'rejected'];

/* What has become of an import's rows, which its result counts; undefined for what is none, or has not succeeded. */
export function importOf({ status, result }) {
    return status === 'success' && ROWS.every((name) => typeof result?.[name] === 'number') ? result : undefined;
}

/* The state that the reader should see: {name, word, sign, finished, told, warn}; warn: what the site has
 * answered is an error, or not every row was imported, which is a result all the same. */
export function stateOf(task) {
    let name = task.status;
    if (name === 'fresh' && Date.parse(task.run_at) > Date.now()) {
        name = 'scheduled';
    } else if (name === 'started' && task.cancel_requested) {
        name = 'stopping';
    }
    const warn = answerOf(task) >= 400 || importOf(task)?.rejected > 0;
    const state = { name, word: name, sign: 'wait', finished: false, ...STATES[name], warn };
    return warn ? { ...state, sign: 'broken' } : state;
}

/* What has become of an attempt; null: it runs. */
export function outcomeWord(outcome) {
    return { handed_back: 'Handed back' }[outcome] ?? STATES[outcome ?? 'started']?.word ?? outcome;
}

/* Why a task or an attempt ended, as {message, code}, from its ERROR. That somebody wished it says enough
 * without a code. READER: the user who reads, where that is known. */
export function whyOf(error, reader) {
    const { message = '', code = '' } = typeof error === 'object' ? (error ?? {}) : { message: error };
    if (code !== 'cancelled') {
        return { message, code };
    }
    const own = `cancelled by user ${reader}`;
    const text = String(message);
    return text === own || text.startsWith(`${own}:`)
        ? { message: `You cancelled it${text.slice(own.length)}`, code: '' }
        : { message: text.charAt(0).toUpperCase() + text.slice(1), code: '' };
}

export function isFinished(task) {
    return STATES[task.status]?.finished === true;
}

/* Something may happen to it within the next seconds. */
export function isBusy(task) {
    if (isFinished(task)) {
        return false;
    }
    return stateOf(task).name !== 'scheduled' || Date.parse(task.run_at) - Date.now() < 5000;
}
