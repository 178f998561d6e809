/* SPDX-License-Identifier: MIT
 * backdesk-export.js: an element for the site's own pages: a button that asks for one export,
 * shows its progress and then the link to the file.
 *
 *   <script type="module" src="/tasks/backdesk-export.js"></script>
 *   <backdesk-export export="books" type="html_export" params='{"language": "de"}'>
 *     All my books
 *   </backdesk-export>
 *
 * export: which one; type: which format, by default csv_export; params: its parameters, as JSON;
 * api: where the API answers, by default as on the page at /tasks/. The element's own text is
 * the button's. Within the tab's session it remembers what it asked for, so that a visitor who
 * moves on and comes back finds the file. It fires "backdesk-task" (detail: the task) at each
 * change, and can be styled through ::part(button), ::part(download), ::part(progress),
 * ::part(text). */

import { Api, newIdempotencyKey, signInUrl } from './js/api.js';
import { el, setAttribute, setText, show } from './js/dom.js';
import { jsonText, RawJson } from './js/json.js';
import { doneText, progressText } from './js/progress.js';
import { isFinished, stateOf } from './js/states.js';
import { faultText } from './js/text.js';
import { watchTask } from './js/watch.js';

const STYLE = `
    :host { display: inline-block; max-inline-size: 100%; font: inherit; }
    :host([hidden]), [hidden] { display: none !important; }
    .row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em 0.75em; }
    button { font: inherit; cursor: pointer; }
    button, a.download { min-block-size: 2.25em; }
    a.download { display: inline-flex; align-items: center; font-weight: 600; }
    progress { inline-size: 10em; max-inline-size: 100%; }
    .text { font-size: 0.9em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; }
    .unseen { clip-path: inset(50%); }
`;

function readSession(key) {
    try {
        return sessionStorage.getItem(key);
    } catch {
        return null; /* switched off by the visitor */
    }
}

function writeSession(key, value) {
    try {
        if (value === null) {
            sessionStorage.removeItem(key);
        } else {
            sessionStorage.setItem(key, value);
        }
    } catch {
        /* then it is not remembered */
    }
}

/* As it stands there, once it is known to be JSON. */
function readParams(text) {
    JSON.parse(text);
    return new RawJson(text);
}

class BackdeskExport extends HTMLElement {
    #api;
    #task = null;
    #stop = null;
    #key = newIdempotencyKey();
    #sending = false;
    #nodes = null;

    connectedCallback() {
        this.#api = new Api(this.getAttribute('api') || undefined);
        this.#nodes ??= this.#draw();
        const id = readSession(this.#sessionKey);
        if (id) {
            this.#watch(id);
        }
    }

    disconnectedCallback() {
        this.#stop?.();
    }

    #draw() {
        const nodes = {
            button: el(
                'button',
                { type: 'button', part: 'button', onclick: () => this.#start() },
                el('slot', {}, 'Export'),
            ),
            download: el(
                'a',
                { class: 'download', part: 'download', download: true, hidden: true },
                'Download',
            ),
            bar: el('progress', {
                part: 'progress',
                max: 100,
                hidden: true,
                'aria-label': 'Progress of the export',
            }),
            text: el('span', { class: 'text', part: 'text' }),
            signIn: el('a', { href: signInUrl, hidden: true }, 'Sign in'),
            said: el('span', { class: 'unseen', role: 'status' }),
        };
        const style = new CSSStyleSheet();
        const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
        style.replaceSync(STYLE);
        root.adoptedStyleSheets = [style];
        root.append(
            el(
                'div',
                { class: 'row' },
                nodes.button,
                nodes.download,
                nodes.bar,
                nodes.text,
                nodes.signIn,
                nodes.said,
            ),
        );
        return nodes;
    }

    /* What is asked for. A params attribute that is not JSON is the author's fault, and thrown. */
    get #request() {
        const params = this.getAttribute('params');
        return {
            type: this.getAttribute('type') || 'csv_export',
            data: {
                ...(this.hasAttribute('export') ? { export: this.getAttribute('export') } : {}),
                ...(params ? { params: readParams(params) } : {}),
            },
        };
    }

    get #sessionKey() {
        return `backdesk-export ${this.#api.base} ${jsonText(this.#request)}`;
    }

    async #start() {
        if (this.#sending || (this.#task && !isFinished(this.#task))) {
            return;
        }
        this.#sending = true;
        this.#stop?.();
        try {
            const headers = { 'Idempotency-Key': this.#key };
            const { body } = await this.#api.request('POST', '', { body: this.#request, headers });
            this.#key = newIdempotencyKey();
            writeSession(this.#sessionKey, String(body.id));
            this.#say('The export was taken on.');
            this.#show(body);
            this.#watch(body.id);
        } catch (problem) {
            this.#showProblem(problem);
        } finally {
            this.#sending = false;
        }
    }

    #watch(id) {
        this.#stop = watchTask(
            this.#api,
            id,
            (task) => this.#show(task),
            (problem) => {
                if (problem.status === 404) {
                    /* deleted meanwhile: begin again */
                    this.#task = null;
                    writeSession(this.#sessionKey, null);
                    this.#reset();
                } else {
                    this.#showProblem(problem);
                }
            },
        );
    }

    #reset() {
        const { button, download, bar, text, signIn } = this.#nodes;
        setAttribute(button, 'aria-disabled', null);
        [download, bar, signIn].forEach((node) => show(node, false));
        setText(text, '');
    }

    #show(task) {
        const { button, download, bar, text } = this.#nodes;
        const state = stateOf(task);
        const before = this.#task;
        const running = !isFinished(task);

        this.#task = task;
        this.#reset();
        setAttribute(button, 'aria-disabled', running ? 'true' : null);
        show(bar, running);
        setAttribute(
            bar,
            'value',
            typeof task.progress?.percent === 'number' ? task.progress.percent : null,
        );
        setAttribute(download, 'href', task.links.download);
        show(download, Boolean(task.links.download));
        setText(text, this.#describe(task, state));
        if (before && before.status !== task.status && isFinished(task)) {
            this.#say(`The export ${state.told}.`);
        }
        this.dispatchEvent(
            new CustomEvent('backdesk-task', { detail: task, bubbles: true, composed: true }),
        );
    }

    #describe(task, state) {
        if (!isFinished(task)) {
            return progressText(task.progress) || `${state.word}…`;
        }
        if (task.status === 'success') {
            return task.links.download ? doneText(task) : 'The file is no longer kept.';
        }
        return [`${state.word}.`, task.error?.message].filter(Boolean).join(' ');
    }

    #showProblem(problem) {
        const stranger = problem.status === 401;
        const faults = (problem.errors ?? []).map(faultText);
        const text = faults.join(' ') || problem.message;
        setText(this.#nodes.text, stranger ? 'You are not signed in.' : text);
        show(this.#nodes.signIn, stranger);
        if (!stranger && !problem.passing) {
            console.error(`backdesk-export: ${text}`); /* the author's to put right */
        }
        this.#say(this.#nodes.text.textContent);
    }

    #say(text) {
        setText(this.#nodes.said, text);
    }
}

customElements.define('backdesk-export', BackdeskExport);
