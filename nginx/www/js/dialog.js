/* SPDX-License-Identifier: MIT
 * dialog.js: ask before something is deleted. The browser's own <dialog> keeps the focus inside,
 * gives it back, and closes on Escape. */

import { el, setText } from './dom.js';

function choice(dialog, answer, text, props) {
    const onclick = () => dialog.close(answer);
    return el('button', { type: 'button', onclick, ...props }, text);
}

/* Resolves to true only if the reader says yes. The careful answer has the focus first. */
export function confirmed({ title, text, yes, no = 'Keep it' }) {
    const dialog = document.getElementById('confirm');
    setText(dialog.querySelector('h2'), title);
    setText(dialog.querySelector('p'), text);
    dialog
        .querySelector('.actions')
        .replaceChildren(
            choice(dialog, 'no', no, { class: 'button', autofocus: true }),
            choice(dialog, 'yes', yes, { class: 'button button-bad' }),
        );
    dialog.returnValue = 'no';
    return new Promise((resolve) => {
        const answer = () => resolve(dialog.returnValue === 'yes');
        dialog.addEventListener('close', answer, { once: true });
        dialog.showModal();
    });
}
