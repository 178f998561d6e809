/* SPDX-License-Identifier: MIT
 * announce.js: tell screen readers, politely, what happened out of their sight: tasks that start
 * and end, never each step of progress. */

import { setText } from './dom.js';
import { taskName } from './names.js';
import { stateOf } from './states.js';
import { count } from './text.js';

const MOST_NAMED = 3;

export function announce(text) {
    const node = document.getElementById('announcer');
    setText(node, ''); /* the same words twice are two announcements */
    requestAnimationFrame(() => setText(node, text));
}

/* moved: [{task, before}] as board.js reports them. */
export function announceMoves(moved) {
    const told = moved
        .filter(({ task, before }) => stateOf(task).told && (before || task.status !== 'started'))
        .map(({ task }) => task);
    if (told.length > MOST_NAMED) {
        announce(`${count(told.length, 'task')} started or ended.`);
    } else if (told.length > 0) {
        announce(
            told
                .map((task) => `${taskName(task)}, task ${task.id}, ${stateOf(task).told}.`)
                .join(' '),
        );
    }
}
