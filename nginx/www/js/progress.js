/* SPDX-License-Identifier: MIT
 * progress.js: how far a task is, or came, in words. Pure functions. */

import { number, size } from './text.js';

const SINGULAR = { rows: 'row', steps: 'step' };

function amount(done, unit) {
    if (unit === 'bytes') {
        return size(done);
    }
    return [number(done), (done === 1 && SINGULAR[unit]) || unit].filter(Boolean).join(' ');
}

/* "12,000 of 98,000 rows", "12 MB of 98 MB"; without a total "12,000 rows". */
function amountOf(done, total, unit) {
    if (!total) {
        return amount(done, unit);
    }
    return `${unit === 'bytes' ? size(done) : number(done)} of ${amount(total, unit)}`;
}

/* How far a task came that ended: "98,000 rows" or "stopped at 12,000 of 98,000 rows". */
export function doneText({ status, progress }) {
    if (typeof progress?.done !== 'number') {
        return '';
    }
    const { done, total, unit } = progress;
    if (status === 'success') {
        return amount(done, unit);
    }
    return `stopped at ${amountOf(done, total, unit)}`;
}

/* Progress as words: "12,000 of 98,000 rows, 12%". */
export function progressText(progress) {
    if (!progress) {
        return '';
    }
    const { done, total, unit, percent, message } = progress;
    const parts = [];
    if (typeof done === 'number') {
        parts.push(amountOf(done, total, unit));
    }
    if (typeof percent === 'number') {
        parts.push(`${Math.floor(percent)}%`);
    }
    return [parts.join(', '), message].filter(Boolean).join(' – ');
}
