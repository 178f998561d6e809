/* SPDX-License-Identifier: MIT
 * schema.js: read the JSON Schema of a task type's data, as far as a form can be drawn from it.
 * Pure functions; form.js draws. A schema that is not understood becomes a field for JSON text,
 * so a new task type never needs a change here. */

import { exact } from './json.js';
import { humanise } from './text.js';

const LONG_TEXT = 2000; /* from here on, more than one line may be wanted */

function typeOf(schema) {
    const types = [schema.type].flat().filter((type) => type !== 'null');
    return types.length === 1 ? types[0] : undefined;
}

function isObject(schema) {
    return typeOf(schema) === 'object' || schema.properties !== undefined;
}

/* The alternatives of an object, each completed by what they have in common; [] where there are
 * none. */
export function branchesOf(schema) {
    const list = schema.oneOf || schema.anyOf || [];
    if (list.length === 0 || !list.every(isObject)) {
        return [];
    }
    return list.map((branch) => ({
        title: undefined,
        description: undefined,
        ...branch,
        type: 'object',
        properties: { ...schema.properties, ...branch.properties },
        required: [...(schema.required || []), ...(branch.required || [])],
    }));
}

/* What cannot be seen gets a name. */
function choiceLabel(value) {
    return { '\t': 'Tab', ' ': 'Space', '': 'Nothing' }[value] || String(value);
}

/* [{value, label}] of a fixed set of values, or null. */
export function choicesOf(schema) {
    if (Array.isArray(schema.enum)) {
        return schema.enum.map((_, i) => {
            const value = exact(schema.enum, i);
            return { value, label: choiceLabel(value) };
        });
    }
    const list = schema.oneOf || schema.anyOf || [];
    if (list.length > 0 && list.every((item) => item.const !== undefined)) {
        return list.map((item) => {
            const value = exact(item, 'const');
            return { value, label: item.title || String(value) };
        });
    }
    return null;
}

const TEXT_KINDS = {
    date: 'date',
    'date-time': 'datetime',
    time: 'time',
    email: 'email',
    uri: 'url',
    'backdesk-upload': 'file',
};

/* Which kind of field a schema becomes; see fields.js and form.js. */
export function kindOf(schema) {
    if (schema.const !== undefined) {
        return 'const';
    }
    if (choicesOf(schema)) {
        return 'choice';
    }
    if (branchesOf(schema).length > 0) {
        return 'branches';
    }
    if (isObject(schema)) {
        return schema.properties ? 'object' : 'json';
    }
    const type = typeOf(schema);
    if (type === 'string') {
        return (
            TEXT_KINDS[schema.format] ||
            (schema.maxLength >= LONG_TEXT || schema.format === 'textarea' ? 'longtext' : 'text')
        );
    }
    return ['boolean', 'integer', 'number'].includes(type) ? type : 'json';
}

export function labelOf(name, schema) {
    return schema.title || humanise(name) || 'Value';
}

/* The members by which the branches are told apart, such as "export": constant in each of them. */
export function discriminatorOf(branches) {
    const names = Object.keys(branches[0].properties);
    return (
        names.find((name) => branches.every((b) => b.properties[name]?.const !== undefined)) || null
    );
}

/* The branch that DATA belongs to by its constants, or undefined. A constant may be missing in
 * DATA only where the branch does not require it: that branch is the default one. */
export function branchFor(branches, data) {
    const fits = (branch, name, { const: value }) =>
        value === undefined ||
        data[name] === value ||
        (data[name] === undefined && !branch.required.includes(name));
    return branches.find((branch) =>
        Object.entries(branch.properties).every(([name, schema]) => fits(branch, name, schema)),
    );
}

/* RFC 6901, one step: childPointer('/data', 'a/b') is '/data/a~1b'. */
export function childPointer(pointer, name) {
    return `${pointer}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
}
