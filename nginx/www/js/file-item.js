/* SPDX-License-Identifier: MIT
 * file-item.js: one finished file as an item of the list. A file does not change, so it is drawn
 * once. What its buttons do is files.js's. */

import { disclosure } from './disclosure.js';
import { el, unseen } from './dom.js';
import { icon } from './icons.js';
import { drawTaskLink } from './task-link.js';
import { count, size } from './text.js';
import { timeNode } from './time.js';

function drawName(file, href) {
    const heading = el('h3', { tabindex: '-1' });
    if (isExpired(file)) {
        heading.append(file.filename);
    } else {
        heading.append(el('a', { href, download: true }, icon('download'), file.filename));
    }
    return heading;
}

function isExpired(file) {
    return Boolean(file.expires_at) && Date.parse(file.expires_at) < Date.now();
}

/* "18.2 MB, 50,000 rows, made today 11:48 PM by task 17, kept until Dec 5 11:48 PM": the files of one
 * day may all have one name. */
function drawMeta(file, onShow) {
    const meta = el('p', { class: 'meta' }, size(file.bytes ?? 0));
    if (typeof file.rows === 'number') {
        meta.append(`, ${count(file.rows, 'row')}`);
    }
    meta.append(', made ', timeNode(file.created_at));
    if (file.task_id) {
        meta.append(' by ', drawTaskLink(file.task_id, onShow));
    }
    if (file.expires_at) {
        meta.append(isExpired(file) ? ', expired ' : ', kept until ', timeNode(file.expires_at));
    }
    return meta;
}

function drawDelete(file, onclick) {
    const props = { type: 'button', class: 'button button-small button-quiet', onclick };
    const name = unseen(` ${file.filename}, file ${file.id}`);
    return el('button', props, icon('bin'), 'Delete', name);
}

/* null where there is nothing to say. */
function drawFacts(file) {
    return (
        file.sha256 &&
        el('dl', { class: 'facts' }, el('dt', {}, 'SHA-256'), el('dd', {}, el('code', { class: 'checksum' }, file.sha256)))
    );
}

/* href: where it is downloaded; onDelete(); onShow(id): the reader wants to see that task. */
export function drawFile(file, { href, onDelete, onShow }) {
    const format = el('span', { class: 'tag' }, (file.format || 'file').toUpperCase());
    const facts = drawFacts(file);
    const details = facts && disclosure(facts, `${file.filename}, file ${file.id}`);
    return el(
        'li',
        { class: 'item', id: `file-${file.id}` },
        el('div', { class: 'item-head' }, drawName(file, href), format),
        drawMeta(file, onShow),
        el('p', { class: 'fault', role: 'alert', hidden: true }),
        el('div', { class: 'item-foot' }, drawDelete(file, onDelete), details),
        facts,
    );
}
