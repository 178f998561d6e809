/* SPDX-License-Identifier: MIT
 * send-file.js: the files among the values of a form, sent before the form itself: each becomes the
 * id of its upload. Shows how far it is. */

import { announce } from './announce.js';
import { el, setAttribute, setText, show } from './dom.js';
import { number } from './text.js';

const MARGIN_MSEC = 60000; /* an upload that expires sooner is sent again */

export class FileSender {
    #api;
    #sent = new WeakMap(); /* File -> {upload, until}: a second try need not send it again */
    #text = el('p', {});
    #bar = el('progress', { max: 1, 'aria-label': 'Sending the file' });

    constructor(api) {
        this.#api = api;
        this.element = show(el('div', { class: 'sending' }, this.#text, this.#bar), false);
    }

    /* DATA with the ids of uploads in place of its files. Throws a Problem that names the member. */
    async send(data) {
        if (!Object.values(data).some((value) => value instanceof File)) {
            return data; /* which may be no object, but JSON text */
        }
        const ready = { ...data };
        for (const [name, value] of Object.entries(data)) {
            if (value instanceof File) {
                ready[name] = await this.#upload(name, value);
            }
        }
        return ready;
    }

    /* The API did not want it: the next try sends the file again. */
    forget(data) {
        Object.values(data).forEach((value) => this.#sent.delete(value));
    }

    async #upload(name, file) {
        const known = this.#sent.get(file);
        if (known && known.until > Date.now() + MARGIN_MSEC) {
            return known.upload;
        }
        announce(`Sending ${file.name}.`);
        this.#show(file, 0, file.size);
        try {
            const answer = await this.#api.upload(file, (sent, total) => this.#show(file, sent, total));
            const until = Date.parse(answer.expires_at);
            this.#sent.set(file, { upload: answer.upload, until });
            return answer.upload;
        } catch (problem) {
            problem.errors = [{ pointer: `/data/${name}`, detail: problem.message }];
            throw problem;
        } finally {
            show(this.element, false);
        }
    }

    #show(file, sent, total) {
        const share = total > 0 ? sent / total : 1;
        setText(this.#text, `Sending ${file.name}: ${number(Math.floor(share * 100))}%`);
        setAttribute(this.#bar, 'value', share);
        show(this.element, true);
    }
}
