/* SPDX-License-Identifier: MIT
 * disclosure.js: a button that shows and hides something elsewhere in its item. Where both stand
 * together, <details> does. */

import { el, newId, show, unseen } from './dom.js';
import { icon } from './icons.js';

/* The button for PANEL, which it hides. OF tells screen readers whose details these are. onOpen(): they are looked at. */
export function disclosure(panel, of, onOpen = () => {}) {
    const toggle = () => {
        const open = panel.hidden;
        show(panel, open);
        button.setAttribute('aria-expanded', String(open));
        if (open) {
            onOpen();
        }
    };
    const button = el(
        'button',
        {
            type: 'button',
            class: 'button button-small button-quiet disclosure',
            'aria-expanded': 'false',
            'aria-controls': (panel.id ||= newId('panel')),
            onclick: toggle,
        },
        icon('more'),
        'Details',
        unseen(` of ${of}`),
    );
    show(panel, false);
    return button;
}
