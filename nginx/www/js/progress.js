/* SPDX-License-Identifier: MIT
 * progress.js: how far a task is, or came, in words. Pure functions. */

import { importOf } from './states.js';
import { count, number, size } from './text.js';

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

/* "1 of 3 rows imported, 1 skipped, 1 rejected"; DRY: it was only tried. */
function importText({ read, inserted, replaced, skipped, rejected }, dry) {
    const imported = inserted + replaced;
    const rows = imported === read ? count(read, 'row') : `${number(imported)} of ${count(read, 'row')}`;
    return [
        `${rows} ${dry ? 'would be imported' : 'imported'}`,
        skipped > 0 ? `${number(skipped)} skipped` : '',
        rejected > 0 ? `${number(rejected)} rejected` : '',
    ]
        .filter(Boolean)
        .join(', ');
}

/* What a task has done that ended, or how far it came: "98,000 rows" or "stopped at 12,000 of 98,000 rows".
 * Percent of what has succeeded say nothing. */
export function doneText(task) {
    const rows = importOf(task);
    if (rows) {
        return importText(rows, task.data?.dry_run === true);
    }
    const { status, progress } = task;
    if (typeof progress?.done !== 'number') {
        return '';
    }
    const { done, total, unit } = progress;
    if (status === 'success') {
        return unit === '%' ? '' : amount(done, unit);
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
