/* SPDX-License-Identifier: MIT
 * banner.js: say above everything else that the server does not answer, or does not know the
 * reader. */

import { signInUrl } from './api.js';
import { el, setText, show } from './dom.js';
import { count } from './text.js';

export class Banner {
    #title = el('strong');
    #text = el('span');
    #next = el('span', { class: 'quiet' }); /* the countdown, outside of what is announced */
    #retry;
    #signIn = el('a', { class: 'button', href: signInUrl }, 'Sign in');
    #box;
    #timer = 0;

    constructor(place, onRetry) {
        this.#retry = el(
            'button',
            { type: 'button', class: 'button', onclick: onRetry },
            'Try now',
        );
        this.#box = el(
            'div',
            { class: 'notice notice-warn', hidden: true },
            el('p', { role: 'alert' }, this.#title, ' ', this.#text),
            this.#next,
            el('div', { class: 'actions' }, this.#retry, this.#signIn),
        );
        place.replaceChildren(this.#box);
    }

    /* seconds until the next try; null: it waits for the reader. */
    showLost(problem, seconds) {
        const stranger = problem.status === 401;
        if (stranger) {
            this.#say(
                'You are not signed in.',
                'Tasks and files belong to somebody, so the site has to know who you are. ' +
                    'Sign in and come back: what you started goes on meanwhile.',
            );
        } else if (problem.passing) {
            this.#say(
                navigator.onLine ? 'The server does not answer.' : 'You are offline.',
                'What you see may be old. Work goes on meanwhile, and this page tries again.',
            );
        } else {
            this.#say('The server refused to answer.', problem.message);
        }
        show(this.#signIn, stranger);
        show(this.#retry, !stranger);
        this.#count(seconds);
        show(this.#box, true);
    }

    hide() {
        clearInterval(this.#timer);
        show(this.#box, false);
    }

    #say(title, text) {
        setText(this.#title, title);
        setText(this.#text, text);
    }

    #count(seconds) {
        clearInterval(this.#timer);
        show(this.#next, seconds !== null);
        if (seconds === null) {
            return;
        }
        const due = performance.now() + seconds * 1000;
        const tick = () => {
            const left = Math.ceil((due - performance.now()) / 1000);
            setText(this.#next, left > 0 ? `Next try in ${count(left, 'second')}.` : 'Trying…');
        };
        tick();
        this.#timer = setInterval(tick, 1000);
    }
}
