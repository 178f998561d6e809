/* SPDX-License-Identifier: MIT
 * filter.js: which tasks are listed, by state and by type. The choice stands in the page's address, so
 * that it is still there after a reload. It asks for nothing. */

import { el, setText } from './dom.js';
import { typeLabel } from './names.js';
import { STATUSES } from './states.js';

function drawSelect(all, onchange) {
    return el('select', { onchange }, el('option', { value: '' }, all));
}

/* Makes SELECT offer VALUES behind its "all", and keeps what is chosen. */
function offer(select, values, label) {
    const known = new Map([...select.options].map((option) => [option.value, option]));
    for (const value of values) {
        const option = known.get(value) ?? el('option', { value });
        setText(option, label(value));
        if (!option.parentNode) {
            select.append(option);
        }
    }
}

export class TaskFilter {
    #state;
    #type;
    #onChange;

    /* onChange(): the reader, or clear(), has chosen something else. */
    constructor(onChange) {
        const change = () => this.#change();
        const chosen = new URLSearchParams(window.location.search);
        this.#onChange = onChange;
        this.#state = drawSelect('All states', change);
        this.#type = drawSelect('All types', change);
        this.element = el(
            'div',
            { class: 'filter', role: 'group', 'aria-label': 'Which tasks are listed' },
            el('label', {}, 'State ', this.#state),
            el('label', {}, 'Type ', this.#type),
        );
        offer(this.#state, STATUSES.keys(), (name) => STATUSES.get(name));
        this.offerTypes([chosen.get('type')].filter(Boolean));
        this.#state.value = STATUSES.has(chosen.get('status')) ? chosen.get('status') : '';
        this.#type.value = chosen.get('type') ?? '';
    }

    /* As parameters of GET /v1/tasks behind others: "&status=failure"; '' for all tasks. */
    get query() {
        return Object.entries({ status: this.#state.value, type: this.#type.value })
            .filter(([, value]) => value !== '')
            .map(([name, value]) => `&${name}=${encodeURIComponent(value)}`)
            .join('');
    }

    /* Types that are not offered yet. */
    offerTypes(names) {
        offer(this.#type, names, typeLabel);
    }

    fits(task) {
        return ['', task.status].includes(this.#state.value) && ['', task.type].includes(this.#type.value);
    }

    /* Lists all tasks again. */
    clear() {
        this.#state.value = '';
        this.#type.value = '';
        this.#change();
    }

    #change() {
        const { pathname, hash } = window.location;
        window.history.replaceState(null, '', pathname + this.query.replace('&', '?') + hash);
        this.#onChange();
    }
}
