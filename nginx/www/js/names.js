/* SPDX-License-Identifier: MIT
 * names.js: what to call types and tasks, from the catalogue of types as far as it is there. */

import { branchesOf, branchFor } from './schema.js';
import { humanise } from './text.js';

const MOST_LETTERS = 120;

const catalogue = new Map();

export function setCatalogue(types) {
    catalogue.clear();
    types.forEach((type) => catalogue.set(type.name, type));
}

/* The type's title; without one csv_export is "CSV export". */
export function typeLabel(name) {
    return catalogue.get(name)?.title || humanise(name);
}

/* A target may have thousands of characters. */
function shortened(text) {
    return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}

/* What the task is about: the title of the export it makes, a deferred request's method and target, or its type. */
export function taskTitle(task) {
    const data = task.data;
    if (data === null || typeof data !== 'object') {
        return typeLabel(task.type);
    }
    if (task.type === 'http_request' && data.target) {
        return shortened(`${data.method} ${data.target}`);
    }
    const branches = branchesOf(catalogue.get(task.type)?.parameters || {});
    const title = branchFor(branches, data)?.title;
    if (title) {
        return title;
    }
    return typeof data.export === 'string' ? humanise(data.export) : typeLabel(task.type);
}

/* One line for announcements: "Books (CSV export)". */
export function taskName(task) {
    const title = taskTitle(task);
    const label = typeLabel(task.type);
    return title === label ? label : `${title} (${label})`;
}
