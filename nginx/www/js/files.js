/* SPDX-License-Identifier: MIT
 * files.js: the list of finished files: download, look at the checksum, delete. It is asked to
 * reload when a task ended; files by themselves do not change. */

import { announce } from './announce.js';
import { confirmed } from './dialog.js';
import { el, show } from './dom.js';
import { drawFile } from './file-item.js';

const PAGE = 20;

export class FileList {
    #api;
    #onDeleted;
    #onShow;
    #list = el('ul', { class: 'items' });
    #loading = el('p', { class: 'quiet' }, 'Loading…');
    #empty = el(
        'p',
        { class: 'quiet', hidden: true },
        'No files yet. Finished exports are listed here for as long as they are kept.',
    );
    #fault = el('p', { class: 'fault', role: 'alert', hidden: true });
    #more;
    #items = new Map(); /* id -> {text, element} */
    #top = 0; /* the highest id of the last newest page: no hole below it */
    #next = null;
    #running = false;
    #again = false;

    constructor(place, api, { onDeleted, onShow }) {
        this.#api = api;
        this.#onDeleted = onDeleted;
        this.#onShow = onShow;
        this.#more = el(
            'button',
            { type: 'button', class: 'button', hidden: true, onclick: () => this.#showMore() },
            'Show more files',
        );
        place.replaceChildren(this.#list, this.#loading, this.#empty, this.#fault, this.#more);
    }

    /* Asks for the newest files and draws them. One request at a time; a call in between is not
     * lost. */
    async reload() {
        if (this.#running) {
            this.#again = true;
            return;
        }
        this.#running = true;
        do {
            this.#again = false;
            await this.#load('', (body) => this.#takeNewest(body));
        } while (this.#again);
        this.#running = false;
    }

    async #showMore() {
        const known = new Set(this.#items.keys());
        const cursor = `&after=${encodeURIComponent(this.#next)}`;
        await this.#load(cursor, (body) => this.#takeOlder(body));
        const first = [...this.#items].find(([id]) => !known.has(id));
        first?.[1].element.querySelector('a').focus();
    }

    async #load(cursor, take) {
        try {
            const { body } = await this.#api.get(`/exports?limit=${PAGE}${cursor}`);
            take({ files: body.exports, next: body.next ?? null });
            show(this.#loading, false);
            show(this.#fault, false);
            this.#showEnd();
        } catch (problem) {
            /* No answer at all is the banner's news. */
            this.#fault.textContent = problem.message;
            show(this.#fault, !problem.passing && problem.status !== 401);
        }
    }

    /* What the newest page should show and does not is gone. Below it, older pages stay as they
     * are, unless there may be a hole between. */
    #takeNewest({ files, next }) {
        const lowest = next === null ? 0 : (files.at(-1)?.id ?? Infinity);
        const present = new Set(files.map((file) => file.id));
        const hole = files.length > 0 && lowest > this.#top;
        const below = [...this.#items.keys()].filter((id) => id < lowest);
        for (const id of [...this.#items.keys()]) {
            if (!present.has(id) && (id >= lowest || hole)) {
                this.#remove(id);
            }
        }
        if (below.length === 0 || hole) {
            this.#next = next;
        }
        this.#top = files[0]?.id ?? this.#top;
        this.#place(files, true);
    }

    #takeOlder({ files, next }) {
        this.#next = next;
        this.#place(files, false);
    }

    #place(files, atTop) {
        const elements = files.map((file) => this.#itemFor(file));
        let place = atTop ? this.#list.firstElementChild : null;
        for (const element of elements) {
            if (element === place) {
                place = place.nextElementSibling;
            } else {
                this.#list.insertBefore(element, place);
            }
        }
    }

    #showEnd() {
        show(this.#empty, this.#items.size === 0 && this.#next === null);
        show(this.#more, this.#next !== null);
    }

    #itemFor(file) {
        const text = JSON.stringify(file);
        const known = this.#items.get(file.id);
        if (known?.text === text) {
            return known.element;
        }
        const element = drawFile(file, {
            href: file.links?.download ?? this.#api.url(`/exports/${file.id}/download`),
            onDelete: () => this.#delete(file),
            onShow: this.#onShow,
        });
        known?.element.replaceWith(element);
        this.#items.set(file.id, { text, element });
        return element;
    }

    async #delete(file) {
        const yes = await confirmed({
            title: 'Delete this file?',
            text: `${file.filename} will be gone for good. The task that made it stays.`,
            yes: 'Delete',
        });
        if (!yes) {
            return;
        }
        try {
            await this.#api.request('DELETE', `/exports/${file.id}`);
        } catch (problem) {
            if (problem.status !== 404) {
                this.#showFault(file.id, problem.message);
                return;
            }
        }
        announce(`${file.filename} is deleted.`);
        this.#remove(file.id);
        this.#showEnd();
        this.reload(); /* after one that may be on its way with the file still in it */
        this.#onDeleted();
    }

    #showFault(id, text) {
        const node = this.#items.get(id).element.querySelector('.fault');
        node.textContent = text;
        show(node, true);
    }

    /* The focus of a removed file goes to the one that takes its place. */
    #remove(id) {
        const item = this.#items.get(id);
        if (!item) {
            return;
        }
        const next = item.element.nextElementSibling || item.element.previousElementSibling;
        const focused = item.element.contains(document.activeElement);
        item.element.remove();
        this.#items.delete(id);
        if (focused) {
            (next?.querySelector('h3') || document.getElementById('files-title')).focus();
        }
    }
}
