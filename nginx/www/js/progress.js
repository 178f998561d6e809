/* SPDX-License-Identifier: MIT
 * progress.js: how far a task is, or came, in words. Pure functions. */

import { number } from './text.js';

const SINGULAR = { rows: 'row', bytes: 'byte', steps: 'step' };

function amount(done, unit) {
    return [number(done), (done === 1 && SINGULAR[unit]) || unit].filter(Boolean).join(' ');
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
    return `stopped at ${total ? `${number(done)} of ${amount(total, unit)}` : amount(done, unit)}`;
}

/* Progress as words: "12,000 of 98,000 rows, 12%". */
export function progressText(progress) {
    if (!progress) {
        return '';
    }
    const { done, total, unit, percent, message } = progress;
    const parts = [];
    if (typeof done === 'number') {
        parts.push(total ? `${number(done)} of ${amount(total, unit)}` : amount(done, unit));
    }
    if (typeof percent === 'number') {
        parts.push(`${Math.floor(percent)}%`);
    }
    return [parts.join(', '), message].filter(Boolean).join(' – ');
}
