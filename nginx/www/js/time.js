/* SPDX-License-Identifier: MIT
 * time.js: instants of the API (RFC 3339, UTC) as local times, and spans of time. */

import { el, setAttribute, setText } from './dom.js';
import { LOCALE } from './text.js';

const CLOCK = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'short' });
const SECONDS = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const FULL = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'long' });

export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone || '';

/* Calendar days from a to b, whatever the clocks did in between. */
function daysBetween(a, b) {
    const midnight = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
    return Math.round((midnight(b) - midnight(a)) / 86400000);
}

/* "today 14:03", "12 May 14:03", "12 May 2023 14:03" */
function short(date, clock = CLOCK) {
    const now = new Date();
    const near = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }[daysBetween(now, date)];
    const day = date.getFullYear() === now.getFullYear() ? DAY : YEAR;
    return `${near || day.format(date)} ${clock.format(date)}`;
}

/* The same as text. */
export function shortTime(instant) {
    return short(new Date(instant));
}

export function timeNode(instant = null) {
    return setTime(el('time'), instant);
}

/* The same with seconds. */
export function preciseTime(instant) {
    return setTime(el('time'), instant, SECONDS);
}

/* Shows INSTANT (text or null) in a <time>; returns it. */
export function setTime(node, instant, clock = CLOCK) {
    const date = new Date(instant ?? NaN);
    if (Number.isNaN(date.getTime())) {
        setAttribute(node, 'datetime', null);
        setText(node, '');
        return node;
    }
    setAttribute(node, 'datetime', instant);
    setAttribute(node, 'title', FULL.format(date));
    setText(node, short(date, clock));
    return node;
}

/* From one instant to another: "under 0.1 s", "0.4 s", "12 s", "3 min 20 s", "5 h 2 min"; ''
 * where one is missing. A number and its unit stay on one line. */
export function span(from, to) {
    const msec = new Date(to ?? NaN) - new Date(from ?? NaN);
    if (!(msec >= 0)) {
        return '';
    }
    if (msec < 100) {
        return 'under 0.1\u00a0s';
    }
    if (msec < 9950) {
        return `${(msec / 1000).toFixed(1)}\u00a0s`;
    }
    const seconds = Math.round(msec / 1000);
    if (seconds < 60) {
        return `${seconds}\u00a0s`;
    }
    if (seconds < 3600) {
        return `${Math.floor(seconds / 60)}\u00a0min ${seconds % 60}\u00a0s`;
    }
    return `${Math.floor(seconds / 3600)}\u00a0h ${Math.floor((seconds % 3600) / 60)}\u00a0min`;
}

/* For <input type="datetime-local">: local wall-clock time without a zone, to the minute. */
export function toLocalInput(instant) {
    const date = new Date(instant);
    const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60000);
    return Number.isNaN(date.getTime()) ? '' : shifted.toISOString().slice(0, 16);
}

export function fromLocalInput(text) {
    return new Date(text).toISOString();
}
