/* SPDX-License-Identifier: MIT
 * fields.js: one labelled field for one scalar of a schema, with its hint, and the place where a
 * fault in it is shown. What belongs together in groups is form.js's. */

import { faultOf, hintOf, makeControl, readControl, writeControl } from './controls.js';
import { el, newId, setAttribute, setText, show } from './dom.js';
import { exact } from './json.js';
import { kindOf, labelOf } from './schema.js';

/* A field of the form. Its element is drawn once; faults come and go. */
export class Field {
    #label;
    #kind;
    #schema;
    #required;
    #fault;
    #hint;

    constructor(name, schema, pointer, required) {
        this.pointer = pointer;
        this.#label = labelOf(name, schema);
        this.#kind = kindOf(schema);
        this.#schema = schema;
        this.#required = required;
        this.control = this.#makeControl();
        this.element = this.#draw();
    }

    #makeControl() {
        const schema = this.#schema;
        const control = makeControl(this.#kind, schema, this.#required);
        control.id = newId('field');
        control.name = this.pointer;
        if (this.#required && this.#kind !== 'boolean') {
            control.required = true;
        }
        if (schema.default !== undefined && schema.default !== null) {
            writeControl(control, this.#kind, schema, exact(schema, 'default'));
        }
        control.addEventListener('input', () => this.showFault(''));
        return control;
    }

    #draw() {
        const { id } = this.control;
        const check = this.#kind === 'boolean';
        const optional = this.#required || check ? null : ' (optional)';
        const label = el(
            'label',
            { for: id },
            this.#label,
            optional && el('span', { class: 'optional' }, optional),
        );
        this.#hint = el('p', { class: 'hint', id: `${id}-hint` });
        this.#fault = el('p', { class: 'fault', id: `${id}-fault`, hidden: true });
        const texts = [this.#hint, this.#fault];
        this.setHint([this.#schema.description, hintOf(this.#kind)].filter(Boolean).join(' '));
        return el(
            'div',
            { class: check ? 'field field-check' : 'field' },
            check ? [this.control, label, texts] : [label, texts, this.control],
        );
    }

    #describe() {
        const shown = [this.#fault, this.#hint].filter((node) => !node.hidden);
        const ids = shown.map((node) => node.id).join(' ');
        setAttribute(this.control, 'aria-describedby', ids || null);
    }

    setHint(text) {
        setText(this.#hint, text);
        show(this.#hint, text !== '');
        this.#describe();
    }

    /* Shows a fault at the field, or with '' takes it away. */
    showFault(text) {
        setText(this.#fault, text);
        show(this.#fault, text !== '');
        setAttribute(this.control, 'aria-invalid', text !== '' ? 'true' : null);
        this.#describe();
    }

    /* What is wrong as far as the browser can tell, or ''. */
    check() {
        return faultOf(this.control, this.#kind, this.#schema);
    }

    /* The value, or undefined where the member is to be left out. */
    read() {
        const value = readControl(this.control, this.#kind, this.#schema);
        const leftOut = value === false && !this.#required && this.#schema.default === undefined;
        return leftOut ? undefined : value;
    }
}
