/* SPDX-License-Identifier: MIT
 * json.js: JSON whose numbers keep their digits. JavaScript's own has only doubles, which change
 * 9007199254740993 and 1.10. Pure functions; what a member means is its reader's business. */

/* A value as JSON text, which is written as it is. */
export class RawJson {
    constructor(text) {
        this.text = text;
    }

    toString() {
        return this.text;
    }
}

/* What stands for a value, opens or closes one; commas and colons are not needed. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[-\w.+]+|[{}[\]]/g;

const DIGITS = new WeakMap(); /* object or array -> Map of member -> digits of its number */

function isChanged(token) {
    return /^[-\d]/.test(token) && String(Number(token)) !== token;
}

/* The value that begins with TOKEN; next() gives the tokens behind it. */
function build(token, next) {
    if (token === '[') {
        const list = [];
        for (let first = next(); first !== ']'; first = next()) {
            put(list, list.length, first, next);
        }
        return list;
    }
    if (token === '{') {
        const object = {};
        for (let name = next(); name !== '}'; name = next()) {
            put(object, JSON.parse(name), next(), next);
        }
        return object;
    }
    return JSON.parse(token);
}

function put(holder, name, token, next) {
    const value = build(token, next);
    const known = DIGITS.get(holder) ?? new Map();
    /* not by =, for which "__proto__" is something else */
    Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
    known.delete(String(name));
    if (isChanged(token)) {
        DIGITS.set(holder, known.set(String(name), token));
    }
}

/* As JSON.parse(), with plain values, and throws as it does; exact() knows the digits. */
export function parseJson(text) {
    const value = JSON.parse(text);
    const tokens = text.match(TOKEN);
    if (!tokens.some(isChanged)) {
        return value;
    }
    let at = 0;
    return build(tokens[at], () => tokens[(at += 1)]);
}

/* A member of what parseJson() gave: a RawJson where the value is a number that is not what was written. */
export function exact(holder, name) {
    const digits = DIGITS.get(holder)?.get(String(name));
    return digits === undefined ? holder[name] : new RawJson(digits);
}

/* VALUE as JSON with its digits, in lines that are indented by STEP, or without one in a single line. */
export function jsonText(value, step = '', margin = '') {
    if (value instanceof RawJson) {
        return value.text;
    }
    if (value === null || typeof value !== 'object') {
        return JSON.stringify(value);
    }
    const isList = Array.isArray(value);
    const inner = margin + step;
    const members = Object.keys(value)
        .filter((name) => isList || value[name] !== undefined)
        .map((name) => {
            const text = jsonText(exact(value, name), step, inner);
            return isList ? text : `${JSON.stringify(name)}:${step && ' '}${text}`;
        });
    const [open, close] = isList ? '[]' : '{}';
    if (members.length === 0 || step === '') {
        return open + members.join(',') + close;
    }
    return `${open}\n${inner}${members.join(`,\n${inner}`)}\n${margin}${close}`;
}
