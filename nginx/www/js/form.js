/* SPDX-License-Identifier: MIT
 * form.js: draw a form for a whole JSON Schema: fields, groups and alternatives, nested as the
 * schema is. It reads the value back and finds the field that a JSON pointer names; it sends
 * nothing. */

import { el, newId, show } from './dom.js';
import { Field } from './fields.js';
import { exact } from './json.js';
import { branchesOf, childPointer, branchFor, discriminatorOf, kindOf, labelOf } from './schema.js';

/* A part is {element, read(), fields()}: element may be null (nothing to draw), read() gives
 * undefined for a member to leave out, fields() are those in use now. */
export function drawPart(name, schema, pointer, required = true) {
    const kind = kindOf(schema);
    if (kind === 'const') {
        return { element: null, read: () => exact(schema, 'const'), fields: () => [] };
    }
    if (kind === 'object') {
        return drawObject(name, schema, pointer, required);
    }
    if (kind === 'branches') {
        return drawBranches(name, schema, pointer, required);
    }
    const field = new Field(name, schema, pointer, required);
    return { element: field.element, read: () => field.read(), fields: () => [field] };
}

function drawMembers(schema, pointer) {
    const required = new Set(schema.required || []);
    return Object.entries(schema.properties || {}).map(([name, member]) => ({
        name,
        part: drawPart(name, member, childPointer(pointer, name), required.has(name)),
    }));
}

function readMembers(members, required) {
    const entries = members
        .map(({ name, part }) => [name, part.read()])
        .filter(([, value]) => value !== undefined);
    return entries.length > 0 || required ? Object.fromEntries(entries) : undefined;
}

/* Only an object that has a title gets a box around it; the outermost one (name '') is the form. */
function drawObject(name, schema, pointer, required) {
    const members = drawMembers(schema, pointer);
    const elements = members.map(({ part }) => part.element).filter(Boolean);
    return {
        element:
            name === '' || !schema.title
                ? group(elements)
                : box(labelOf(name, schema), schema.description, elements),
        read: () => readMembers(members, required),
        fields: () => members.flatMap(({ part }) => part.fields()),
    };
}

function group(elements) {
    return elements.length > 0 ? el('div', { class: 'group' }, elements) : null;
}

function box(legend, description, elements) {
    if (elements.length === 0) {
        return null;
    }
    const hint = description ? el('p', { class: 'hint', id: newId('hint') }, description) : null;
    return el(
        'fieldset',
        { class: 'group', 'aria-describedby': hint?.id },
        el('legend', {}, legend),
        hint,
        elements,
    );
}

/* Alternatives: a list to choose from, and below it the members of the chosen one. Each is drawn
 * when it is first chosen and kept, so that what was typed is still there on the way back. */
function drawBranches(name, schema, pointer, required) {
    const branches = branchesOf(schema);
    const member = discriminatorOf(branches);
    const parts = new Map();
    const picker = branchPicker(branches, member, member ? childPointer(pointer, member) : pointer);
    const place = el('div', { class: 'group' });
    const current = () => {
        const index = picker.read();
        if (!parts.has(index)) {
            parts.set(index, drawPart('', branches[index], pointer, required));
        }
        return parts.get(index);
    };
    const redraw = () => {
        const { element } = current();
        picker.setHint(branches[picker.read()].description || '');
        place.replaceChildren(...(element ? [element] : []));
        show(place, element !== null);
    };

    picker.control.addEventListener('change', redraw);
    redraw();
    return {
        element: el('div', { class: 'group' }, picker.element, place),
        read: () => current().read(),
        fields: () => [picker, ...current().fields()],
    };
}

function branchTitle(branch, member, i) {
    return (
        branch.title ||
        (member && String(branch.properties[member].const)) ||
        `Alternative ${i + 1}`
    );
}

/* A Field like any other, so that a fault in the member that tells the branches apart has a
 * place. */
function branchPicker(branches, member, pointer) {
    const choices = branches.map((branch, i) => ({
        const: i,
        title: branchTitle(branch, member, i),
    }));
    const first = branches.indexOf(branchFor(branches, {}));
    const schema = { oneOf: choices, default: Math.max(first, 0) };
    return new Field(member || 'Alternative', schema, pointer, true);
}

/* The field that POINTER names, or the nearest one around it; null if there is none. */
export function findField(fields, pointer) {
    const inside = fields.filter(
        (field) => pointer === field.pointer || pointer.startsWith(`${field.pointer}/`),
    );
    return inside.sort((a, b) => b.pointer.length - a.pointer.length)[0] || null;
}
