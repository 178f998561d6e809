/* SPDX-License-Identifier: MIT
 * task-link.js: a link to a task in the list. */

import { el } from './dom.js';

/* The task may have to be fetched first; onShow(id) sees to that. */
export function drawTaskLink(id, onShow) {
    const onclick = (event) => {
        event.preventDefault();
        onShow(id);
    };
    return el('a', { href: `#task-${id}`, onclick }, `task ${id}`);
}
