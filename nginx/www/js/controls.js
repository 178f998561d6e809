/* SPDX-License-Identifier: MIT
 * controls.js: for each kind of scalar, which control it gets, how its value is read and written,
 * and what is wrong with it as far as the browser can tell. The API judges again. */

import { el } from './dom.js';
import { exact, jsonText, RawJson } from './json.js';
import { choicesOf } from './schema.js';
import { count, number } from './text.js';
import { fromLocalInput, timeZone, toLocalInput } from './time.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

function input(type, attributes) {
    return el('input', { type, autocomplete: 'off', ...attributes });
}

function numberLimits(schema, step) {
    return {
        min: exact(schema, 'minimum'),
        max: exact(schema, 'maximum'),
        step,
        inputmode: step === 1 ? 'numeric' : 'decimal',
    };
}

/* No maxlength attribute: it would cut what is pasted without a word, and count otherwise. No
 * pattern attribute either: regular expressions here and there differ, so the API judges. */
function readText(control, schema) {
    if ([...control.value].length > schema.maxLength) {
        throw new Error(`Enter at most ${count(schema.maxLength, 'character')}.`);
    }
    return control.value;
}

function dateLimits(schema, convert, latest) {
    const limit = (value) => (value === undefined ? undefined : convert(value));
    return { min: limit(schema.formatMinimum), max: limit(schema.formatMaximum) ?? latest };
}

function plainText(type) {
    return {
        make: () => input(type, {}),
        read: readText,
        write: (control, value) => {
            control.value = value;
        },
    };
}

function readJson(control) {
    const text = control.value.trim();
    try {
        JSON.parse(text);
    } catch {
        throw new Error('This is not valid JSON.');
    }
    return new RawJson(text);
}

/* What is entered as a number is sent in the same digits, where JSON can have them: not 007, .5. */
function readNumber(control) {
    return new RawJson(control.value.replace(/^(-?)0+(?=\d)/, '$1').replace(/^(-?)\./, '$10.'));
}

function bigLimit(schema, name, most) {
    const limit = exact(schema, name) ?? most;
    return /^-?\d+$/.test(limit) ? BigInt(limit) : most;
}

/* The browser compares doubles, so the limits are looked at again. */
function readInteger(control, schema) {
    const { text } = readNumber(control);
    const value = /^-?\d+$/.test(text) ? BigInt(text) : BigInt(Number(text)); /* 1e3 */
    if (value < bigLimit(schema, 'minimum', INT64_MIN) || value > bigLimit(schema, 'maximum', INT64_MAX)) {
        throw new Error(rangeText('integer', schema) || 'This number is too large.');
    }
    return new RawJson(String(value));
}

/* make: the control for a schema; read: its value, called only when it is not empty, may throw the
 * fault's text; write: show a value; hint: what the reader must know beyond the schema's text. */
const KINDS = {
    text: plainText('text'),
    email: plainText('email'),
    url: plainText('url'),
    time: plainText('time'),
    longtext: {
        ...plainText(),
        make: () => el('textarea', { rows: 4 }),
    },
    json: {
        make: () => el('textarea', { rows: 3, spellcheck: 'false', class: 'code' }),
        read: readJson,
        write: (control, value) => {
            control.value = jsonText(value, '  ');
        },
        hint: () => 'As JSON text.',
    },
    integer: {
        ...plainText(),
        make: (schema) => input('number', numberLimits(schema, 1)),
        read: readInteger,
    },
    number: {
        ...plainText(),
        make: (schema) => input('number', numberLimits(schema, 'any')),
        read: readNumber,
    },
    date: {
        ...plainText(),
        make: (schema) => input('date', dateLimits(schema, String, '9999-12-31')),
    },
    datetime: {
        make: (schema) =>
            input('datetime-local', dateLimits(schema, toLocalInput, '9999-12-31T23:59')),
        read: (control) => fromLocalInput(control.value),
        write: (control, value) => {
            control.value = toLocalInput(value);
        },
        hint: () => (timeZone ? `In your time zone (${timeZone}).` : 'In your time zone.'),
    },
    file: {
        /* the value is the File itself: whoever sends the form uploads it */
        make: () => input('file', {}),
        read: (control) => control.files[0],
        write: () => {},
    },
    choice: {
        make: (schema, required) =>
            el(
                'select',
                {},
                required && schema.default !== undefined
                    ? null
                    : el('option', { value: '' }, required ? 'Choose…' : 'Not set'),
                choicesOf(schema).map((choice, i) => el('option', { value: i }, choice.label)),
            ),
        read: (control, schema) => choicesOf(schema)[Number(control.value)].value,
        write: (control, value, schema) => {
            control.value = choicesOf(schema).findIndex((choice) => jsonText(choice.value) === jsonText(value));
        },
    },
    boolean: {
        make: () => input('checkbox', {}),
        read: (control) => control.checked,
        write: (control, value) => {
            control.checked = value === true;
        },
    },
};

/* "Enter a number from 1 to 9.", "Enter a date not after 2024-12-31."; '' where there is no
 * limit. */
function rangeText(kind, schema) {
    const numeric = kind === 'integer' || kind === 'number';
    const text = (value) => (numeric ? number(String(value)) : value);
    const low = exact(schema, 'minimum') ?? schema.formatMinimum;
    const high = exact(schema, 'maximum') ?? schema.formatMaximum;
    const noun = numeric ? 'a number' : 'a date';
    if (low !== undefined && high !== undefined) {
        return `Enter ${noun} from ${text(low)} to ${text(high)}.`;
    }
    if (low !== undefined) {
        return `Enter ${noun} not ${numeric ? 'below' : 'before'} ${text(low)}.`;
    }
    return high === undefined
        ? ''
        : `Enter ${noun} not ${numeric ? 'above' : 'after'} ${text(high)}.`;
}

/* What the browser found wrong, in words of our own: its are often vague ("fill out this field"),
 * and differ between browsers. */
function constraintText(control, kind, schema) {
    const state = control.validity;
    const numeric = kind === 'integer' || kind === 'number';
    if (state.valueMissing) {
        return { choice: 'Choose one.', file: 'Choose a file.' }[kind] || 'This is needed.';
    }
    if (state.badInput) {
        return numeric ? 'Enter a number.' : 'This is not complete.';
    }
    if (state.stepMismatch && numeric) {
        return 'Enter a whole number.';
    }
    const outside = state.rangeUnderflow || state.rangeOverflow;
    return (outside && rangeText(kind, schema)) || control.validationMessage;
}

/* What is wrong with what was entered, as far as can be told here, or ''. */
export function faultOf(control, kind, schema) {
    if (!control.checkValidity()) {
        return constraintText(control, kind, schema);
    }
    try {
        readControl(control, kind, schema);
        return '';
    } catch (error) {
        return error.message;
    }
}

/* The value; undefined where nothing is entered. May throw an Error whose message is for the
 * reader. */
export function readControl(control, kind, schema) {
    const empty = kind !== 'boolean' && control.value === '';
    return empty ? undefined : KINDS[kind].read(control, schema);
}

export function writeControl(control, kind, schema, value) {
    KINDS[kind].write(control, value, schema);
}

export function makeControl(kind, schema, required) {
    return KINDS[kind].make(schema, required);
}

/* What the reader must know beyond the schema's own text, or ''. */
export function hintOf(kind) {
    return KINDS[kind].hint?.() || '';
}
