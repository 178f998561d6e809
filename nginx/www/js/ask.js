/* SPDX-License-Identifier: MIT
 * ask.js: the section where a task is asked for: which type, its form, sending it, and the
 * faults that the API finds. It shows no tasks; it hands what it got to its caller. */

import { newIdempotencyKey } from './api.js';
import { el, newId, setText, show } from './dom.js';
import { drawPart, findField } from './form.js';
import { jsonText } from './json.js';
import { typeLabel } from './names.js';
import { FileSender } from './send-file.js';
import { drawTaskLink } from './task-link.js';
import { faultText } from './text.js';

/* What every task has beside its data, drawn by the same code. */
const WHEN = {
    type: 'object',
    properties: {
        run_at: {
            type: 'string',
            format: 'date-time',
            title: 'Not before',
            description: 'Left empty, it starts as soon as it can.',
        },
        priority: {
            type: 'integer',
            minimum: 0,
            maximum: 9,
            title: 'Priority',
            description: 'From 0 to 9, higher goes first. Left empty, it is 5.',
        },
    },
};

const MANY_TYPES = 4; /* more than this, and only the chosen one shows its description */

export class AskForm {
    #api;
    #onCreated;
    #onShow;
    #types = [];
    #parts = new Map(); /* type name -> its drawn form, kept while the page stays */
    #when = drawPart('', WHEN, '', false);
    #key = { body: '', value: '' };
    #sending = false;
    #files;
    #nodes;
    #place;

    /* onCreated(task, stayed): stayed: the reader's focus is where it was when he sent the form; onShow(id): the reader wants to see that task. */
    constructor(place, api, { onCreated, onShow }) {
        this.#api = api;
        this.#onCreated = onCreated;
        this.#onShow = onShow;
        this.#place = place;
        this.#files = new FileSender(api);
        this.#nodes = this.#draw();
    }

    #draw() {
        const nodes = {
            kinds: el('div', { class: 'kinds' }),
            data: el('div', { class: 'group' }),
            more: el(
                'details',
                { class: 'more' },
                el('summary', {}, 'When and how urgent'),
                this.#when.element,
            ),
            faults: el('div', { class: 'notice notice-bad', role: 'alert', hidden: true }),
            send: el('button', { type: 'submit', class: 'button button-main' }, 'Start'),
            sent: el('p', { class: 'sent', hidden: true }),
        };
        nodes.form = el(
            'form',
            { novalidate: true, onsubmit: (event) => this.#submit(event) },
            el(
                'fieldset',
                { class: 'group' },
                el('legend', {}, 'What shall be made?'),
                nodes.kinds,
            ),
            nodes.data,
            nodes.more,
            nodes.faults,
            this.#files.element,
            el('div', { class: 'send' }, nodes.send, nodes.sent),
        );
        return nodes;
    }

    /* Fills in the catalogue, exports first, what not everybody may ask for last. */
    setTypes(types) {
        const place = (type) => (type.role ? 2 : /export/.test(type.name) ? 0 : 1);
        this.#types = [...types].sort((a, b) => place(a) - place(b));
        this.#parts.clear();
        const group = newId('type');
        this.#nodes.kinds.replaceChildren(
            ...this.#types.map((type, i) => this.#drawKind(type, group, i === 0)),
        );
        this.#nodes.kinds.classList.toggle('kinds-many', types.length > MANY_TYPES);
        if (types.length === 0) {
            this.#place.replaceChildren(
                el('p', { class: 'quiet' }, 'No kind of task is set up here.'),
            );
            return;
        }
        this.#redraw();
        this.#place.replaceChildren(this.#nodes.form);
    }

    #drawKind(type, group, checked) {
        const id = newId('kind');
        const role = type.role ? `Only for the role ${type.role}.` : '';
        const about = [type.description, role].filter(Boolean).join(' ');
        return el(
            'div',
            { class: 'kind' },
            el('input', {
                type: 'radio',
                name: group,
                id,
                value: type.name,
                checked,
                'aria-describedby': about ? `${id}-text` : null,
                onchange: () => this.#redraw(),
            }),
            el('label', { for: id }, typeLabel(type.name)),
            about ? el('p', { id: `${id}-text` }, about) : null,
        );
    }

    get #type() {
        const chosen = this.#nodes.kinds.querySelector('input:checked');
        return this.#types.find((type) => type.name === chosen?.value);
    }

    get #part() {
        const type = this.#type;
        if (!this.#parts.has(type.name)) {
            const schema = type.parameters || {};
            const known = schema.properties || schema.oneOf || schema.anyOf;
            this.#parts.set(
                type.name,
                drawPart(known ? '' : 'data', schema, '/data', Boolean(known)),
            );
        }
        return this.#parts.get(type.name);
    }

    get #fields() {
        return [...this.#part.fields(), ...this.#when.fields()];
    }

    #redraw() {
        const { element } = this.#part;
        this.#nodes.data.replaceChildren(...(element ? [element] : []));
        show(this.#nodes.data, element !== null);
        show(this.#nodes.faults, false);
    }

    async #submit(event) {
        event.preventDefault();
        if (this.#sending || !this.#type) {
            return;
        }
        this.#clear();
        const found = this.#fields
            .map((field) => ({ pointer: field.pointer, detail: field.check() }))
            .filter((fault) => fault.detail !== '');
        if (found.length > 0) {
            this.#showFaults(found);
            return;
        }
        await this.#send({
            type: this.#type.name,
            data: this.#part.read() || {},
            ...this.#when.read(),
        });
    }

    async #send(entered) {
        const { activeElement } = document;
        this.#setSending(true);
        try {
            const task = { ...entered, data: await this.#files.send(entered.data) };
            const headers = { 'Idempotency-Key': this.#keyFor(jsonText(task)) };
            const { body } = await this.#api.request('POST', '', { body: task, headers });
            this.#key.body = '';
            this.#showSent(body);
            this.#onCreated(body, document.activeElement === activeElement);
        } catch (problem) {
            if (!problem.passing) {
                this.#key.body = '';
                this.#files.forget(entered.data);
            }
            this.#showFaults(problem.errors || [], problem.message);
        } finally {
            this.#setSending(false);
        }
    }

    /* The same key for the same task until there is an answer: sending again after a lost
     * connection makes no second task. */
    #keyFor(body) {
        if (this.#key.body !== body) {
            this.#key = { body, value: newIdempotencyKey() };
        }
        return this.#key.value;
    }

    #setSending(sending) {
        this.#sending = sending;
        this.#nodes.send.setAttribute('aria-disabled', String(sending));
        setText(this.#nodes.send, sending ? 'Sending…' : 'Start');
    }

    #clear() {
        this.#fields.forEach((field) => field.showFault(''));
        show(this.#nodes.faults, false);
        show(this.#nodes.sent, false);
    }

    #showSent(task) {
        const link = drawTaskLink(task.id, this.#onShow);
        this.#nodes.sent.replaceChildren('Taken on as ', link, '.');
        show(this.#nodes.sent, true);
    }

    /* Each fault at the field it names; those without a field in the box above the button. */
    #showFaults(faults, message = '') {
        const fields = this.#fields;
        const atField = new Map();
        const loose = [];
        for (const fault of faults) {
            const field = findField(fields, fault.pointer || '');
            if (field) {
                atField.set(field, [...(atField.get(field) || []), fault.detail]);
            } else {
                loose.push(faultText(fault));
            }
        }
        atField.forEach((details, field) => field.showFault(details.join(' ')));
        this.#nodes.faults.replaceChildren(
            el('p', {}, atField.size > 0 ? notSent(atField.size) : message),
            loose.length > 0
                ? el(
                      'ul',
                      {},
                      loose.map((text) => el('li', {}, text)),
                  )
                : '',
        );
        show(this.#nodes.faults, true);
        focusField(fields.find((field) => atField.has(field)));
    }
}

function notSent(number) {
    return `Not sent: ${number === 1 ? 'one entry' : `${number} entries`} above must be put right.`;
}

function focusField(field) {
    const details = field?.control.closest('details');
    if (details) {
        details.open = true;
    }
    field?.control.focus();
}
