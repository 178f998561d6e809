/* SPDX-License-Identifier: MIT
 * text.js: numbers, sizes and identifiers as people write them. Pure functions. */

/* The page speaks English, so dates and numbers do too, in the reader's own kind of English if the
 * browser has one. */
export const LOCALE = navigator.languages.find((tag) => /^en\b/.test(tag)) || 'en-GB';

const NUMBER = new Intl.NumberFormat(LOCALE);
const SIZE = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });
const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const ABBREVIATIONS = new Set(['csv', 'html', 'http', 'id', 'json', 'sql', 'url', 'xlsx', 'xml']);

export function number(value) {
    return NUMBER.format(value);
}

/* count(1, 'row') is "1 row", count(2000, 'row') is "2,000 rows". */
export function count(value, noun) {
    return `${number(value)} ${value === 1 ? noun : `${noun}s`}`;
}

/* 1536000 is "1.54 MB". */
export function size(bytes) {
    let unit = 0;
    let value = bytes;
    while (value >= 999.5 && unit < UNITS.length - 1) {
        value /= 1000;
        unit += 1;
    }
    if (unit === 0) {
        return bytes === 1 ? '1 byte' : `${number(bytes)} bytes`;
    }
    return `${SIZE.format(value)} ${UNITS[unit]}`;
}

/* csv_export is "CSV export". */
export function humanise(identifier) {
    const words = identifier
        .split(/[_\s-]+/)
        .filter(Boolean)
        .map((word) => (ABBREVIATIONS.has(word.toLowerCase()) ? word.toUpperCase() : word));
    const text = words.join(' ');
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/* A fault of the API in words: {pointer: '/data/export', detail: 'is too long'} is "Export: is too long". */
export function faultText({ pointer = '', detail }) {
    const names = pointer.split('/').filter((name) => name !== '' && name !== 'data');
    const plain = names.map((name) => name.replace(/~1/g, '/').replace(/~0/g, '~'));
    return [humanise(plain.join(' ')), detail].filter(Boolean).join(': ');
}
