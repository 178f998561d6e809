/* SPDX-License-Identifier: MIT
 * task-row.js: one task as an item of the list. It is drawn once and then changed where the task
 * changed, so that focus, selection and open details stay. What its buttons do is tasks.js's. */

import { Attempts } from './attempts.js';
import { disclosure } from './disclosure.js';
import { el, setAttribute, setText, show, unseen } from './dom.js';
import { icon } from './icons.js';
import { taskTitle, typeLabel } from './names.js';
import { answerOf, importOf, isFinished, stateOf, whyOf } from './states.js';
import { doneText, progressText } from './progress.js';
import { drawFacts } from './task-facts.js';
import { setTime, shortTime, span, timeNode } from './time.js';

function button(iconName, text, onclick, extra = '') {
    return el(
        'button',
        { type: 'button', class: `button button-small ${extra}`, onclick },
        icon(iconName),
        text,
        unseen(''),
    );
}

/* An import's download is the list of what it has rejected. */
function downloadName(task) {
    const several = task.links?.files?.length;
    if (importOf(task)) {
        return 'Rejected rows';
    }
    return several ? `Download file 1 of ${several}` : 'Download';
}

/* A browser may take the focus from what is hidden at once, or only when it draws. */
function hasFocus(item) {
    const { activeElement } = document;
    return item.contains(activeElement) && !activeElement.closest('[hidden]');
}

export class TaskRow {
    #task = {};
    #reader; /* who sees only his own tasks is their user */
    #nodes;
    #api;
    #attempts;
    #names = new Map(); /* address of a file -> its name */

    /* act(verb, row): verb is 'retry', 'cancel' or 'delete'. */
    constructor(task, act, api) {
        this.#api = api;
        this.#attempts = new Attempts(api, task.id);
        this.#nodes = this.#draw(task.id, act);
        this.element = this.#nodes.item;
        this.update(task, false);
    }

    get task() {
        return this.#task;
    }

    #draw(id, act) {
        const downloadText = el('span', {}, 'Download');
        const cancelText = el('span', {}, 'Cancel');
        const nodes = {
            title: el('h3', { tabindex: '-1' }),
            kind: el('span', { class: 'tag' }),
            word: el('span'),
            asked: timeNode(),
            more: el('span'),
            bar: el('progress', { max: 100 }),
            amount: el('span', { class: 'amount' }),
            errorCode: el('code'),
            errorText: el('span'),
            note: el('p', { class: 'fault', role: 'alert', hidden: true }),
            downloadText,
            download: el(
                'a',
                { class: 'button button-small button-go', download: true },
                icon('download'),
                downloadText,
                unseen(''),
            ),
            open: el('a', { class: 'button button-small button-go' }, icon('open'), 'Open', unseen('')),
            retry: button('retry', 'Try again', () => act('retry', this)),
            cancelText,
            cancel: button('stop', cancelText, () => this.#isStopping || act('cancel', this)),
            remove: button('bin', 'Delete', () => act('delete', this), 'button-quiet'),
            facts: el('dl', { class: 'facts' }),
        };
        nodes.state = el('span', { class: 'state' }, nodes.word);
        nodes.progress = el('div', { class: 'progress' }, nodes.bar, nodes.amount);
        nodes.error = el('p', { class: 'why' }, nodes.errorText, ' ', nodes.errorCode);
        nodes.details = el('div', { class: 'details' }, nodes.facts, this.#attempts.element);
        nodes.item = el(
            'li',
            { class: 'item', id: `task-${id}` },
            el('div', { class: 'item-head' }, nodes.title, nodes.kind, nodes.state),
            el('p', { class: 'meta' }, `Task ${id}, `, nodes.asked, nodes.more),
            nodes.progress,
            nodes.error,
            nodes.note,
            el(
                'div',
                { class: 'item-foot' },
                nodes.download,
                nodes.open,
                nodes.retry,
                nodes.cancel,
                nodes.remove,
                disclosure(nodes.details, `task ${id}`, () => this.#readMore()),
            ),
            nodes.details,
        );
        return nodes;
    }

    /* withUser: say whose it is, since the list holds tasks of several. The details are drawn again only for
     * another task or state: a selection or the focus in them would be lost. */
    update(task, withUser) {
        const nodes = this.#nodes;
        const title = taskTitle(task);
        const label = typeLabel(task.type);
        const focused = nodes.item.contains(document.activeElement);
        const state = stateOf(task);
        const moved = state.name !== nodes.item.dataset.state || task.attempt !== this.#task.attempt;
        const changed = task !== this.#task || moved;

        this.#task = task;
        this.#reader = withUser ? undefined : task.created_by;
        setText(nodes.title, title);
        setText(nodes.kind, label);
        show(nodes.kind, label !== title);
        setTime(nodes.asked, task.created_at);
        setText(nodes.more, this.#summary(withUser));
        this.#updateState(state);
        this.#updateProgress(title);
        this.#updateError();
        this.#updateActions(`${title}, task ${task.id}`);
        if (changed) {
            nodes.facts.replaceChildren(...drawFacts(task, this.#names));
        }
        if (moved && !nodes.details.hidden) {
            this.#readMore();
        }
        if (focused && !hasFocus(nodes.item)) {
            this.focus();
        }
    }

    get #isStopping() {
        return stateOf(this.#task).name === 'stopping';
    }

    #summary(withUser) {
        const task = this.#task;
        const finished = isFinished(task);
        const took = finished ? span(task.started_at, task.finished_at) : '';
        return [
            withUser ? `user ${task.created_by}` : '',
            stateOf(task).name === 'scheduled'
                ? `${task.attempt ? 'next attempt' : 'starts'} ${shortTime(task.run_at)}`
                : '',
            finished ? doneText(task) : '',
            answerOf(task) ? `answered ${answerOf(task)}` : '',
            took ? `took ${took}` : '',
            task.attempt > 1 ? `attempt ${task.attempt} of ${task.max_attempts}` : '',
        ]
            .filter(Boolean)
            .map((text) => `, ${text}`)
            .join('');
    }

    #updateState(state) {
        const nodes = this.#nodes;
        setText(nodes.word, state.word);
        if (nodes.state.dataset.state !== state.name) {
            nodes.state.dataset.state = state.name;
            nodes.state.classList.toggle('state-warn', state.warn);
            nodes.item.dataset.state = state.name;
            nodes.state.replaceChildren(icon(state.sign), nodes.word);
        }
    }

    #updateProgress(title) {
        const { progress, status } = this.#task;
        const running = status === 'started';
        const known = typeof progress?.percent === 'number';
        show(this.#nodes.bar, running);
        setAttribute(
            this.#nodes.bar,
            'value',
            known ? Math.min(100, Math.max(0, progress.percent)) : null,
        );
        setAttribute(this.#nodes.bar, 'aria-label', `Progress of ${title}, task ${this.#task.id}`);
        setText(this.#nodes.amount, progressText(progress) || (running ? 'Working…' : ''));
        show(this.#nodes.progress, running);
    }

    #updateError() {
        const { error } = this.#task;
        const { message, code } = whyOf(error, this.#reader);
        setText(this.#nodes.errorText, message || '');
        setText(this.#nodes.errorCode, code || '');
        show(this.#nodes.error, Boolean(error));
    }

    #updateActions(name) {
        const nodes = this.#nodes;
        const links = this.#task.links || {};
        const set = (node, possible) => {
            show(node, Boolean(possible));
            setText(node.querySelector('.unseen'), ` ${name}`);
        };
        setText(nodes.downloadText, downloadName(this.#task));
        setAttribute(nodes.download, 'href', links.download);
        set(nodes.download, links.download);
        setAttribute(nodes.open, 'href', links.result);
        set(nodes.open, answerOf(this.#task) && links.result);
        set(nodes.retry, links.retry);
        set(nodes.cancel, links.cancel);
        setText(nodes.cancelText, this.#isStopping ? 'Stopping…' : 'Cancel');
        setAttribute(nodes.cancel, 'aria-disabled', this.#isStopping && 'true');
        set(nodes.remove, isFinished(this.#task) && links.self);
    }

    /* What the task itself does not hold, once somebody looks. */
    #readMore() {
        this.#attempts.read(this.#reader);
        this.#task.links?.files?.filter((href) => !this.#names.has(href)).forEach((href) => this.#readName(href));
    }

    async #readName(href) {
        this.#names.set(href, undefined);
        const name = await this.#api.fileName(href);
        const link = this.#nodes.facts.querySelector(`a[href="${href}"]`);
        if (name && link) {
            this.#names.set(href, name);
            setText(link, name);
        }
    }

    /* Says what went wrong with an action; '' takes it away. */
    note(text) {
        setText(this.#nodes.note, text);
        show(this.#nodes.note, text !== '');
    }

    focus() {
        this.#nodes.title.focus();
    }

    /* Scrolls no further than it must, and leaves the focus where it is. */
    bringIntoView() {
        const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.element.scrollIntoView({ block: 'nearest', behavior: still ? 'instant' : 'smooth' });
    }
}
