/* SPDX-License-Identifier: MIT
 * api.js: speak to /v1/tasks. Every failure, of the network too, is thrown as one kind of error, a
 * Problem (RFC 9457). It knows HTTP, but neither tasks nor the page. */

import { jsonText, parseJson } from './json.js';

/* None before the first answer: the browser may be asking for a password. */
const TIMEOUT_MSEC = 30000;

export class Problem extends Error {
    /* status 0: no answer came at all. retryAfter: seconds, or null. */
    constructor(status, body = {}, retryAfter = null) {
        super(body.detail || body.title || fallbackText(status));
        this.name = 'Problem';
        this.status = status;
        this.errors = Array.isArray(body.errors) ? body.errors : [];
        this.retryAfter = retryAfter;
    }

    /* Worth asking again without anybody changing anything. */
    get passing() {
        return this.status === 0 || this.status === 429 || this.status >= 500;
    }
}

function fallbackText(status) {
    if (status === 0) {
        return 'The server cannot be reached.';
    }
    if (status === 401) {
        return 'The server does not know who you are.';
    }
    if (status >= 500) {
        return 'The server cannot answer at the moment.';
    }
    return `The server refused the request (status ${status}).`;
}

function metaContent(name) {
    return document.querySelector(`meta[name="${name}"]`)?.content || null;
}

/* The page's own address may hold a name and a password, which fetch() refuses: hence the
 * origin. */
function absolute(url) {
    return new URL(url, window.location.origin);
}

export const signInUrl = metaContent('backdesk-sign-in') || window.location.pathname;

export class Api {
    #answered = false;

    constructor(base = metaContent('backdesk-api') || '/v1/tasks') {
        this.base = absolute(base).href.replace(/\/+$/, '');
    }

    /* The address of a route below the base, such as url('/exports/3/download'). */
    url(path = '') {
        return this.base + path;
    }

    /* One request. target: a path below the base, or a link as the API gave it. Returns {status,
     * body, etag, retryAfter, disposition}; a 304 to the given etag is a result, not a Problem. */
    async request(method, target, { body, headers = {}, etag } = {}) {
        const response = await this.#send(this.#resolve(target), {
            method,
            headers: {
                Accept: 'application/json, application/problem+json',
                ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
                ...(etag ? { 'If-None-Match': etag } : {}),
                ...headers,
            },
            body: body === undefined ? undefined : jsonText(body),
            credentials: 'same-origin',
            cache: 'no-store',
            redirect: 'manual',
        });
        const retryAfter = seconds(response.headers.get('Retry-After'));
        if (!response.ok && response.status !== 304) {
            throw new Problem(response.status, response.json, retryAfter);
        }
        return {
            status: response.status,
            body: response.json,
            etag: response.headers.get('ETag'),
            retryAfter,
            disposition: response.headers.get('Content-Disposition'),
        };
    }

    get(target = '', options = {}) {
        return this.request('GET', target, options);
    }

    /* What the file at HREF is called, or null where that cannot be learned. */
    async fileName(href) {
        try {
            return nameIn((await this.request('HEAD', href)).disposition ?? '');
        } catch (problem) {
            if (!(problem instanceof Problem)) {
                throw problem;
            }
            return null;
        }
    }

    /* Sends FILE as it is; onProgress(sent, total) in bytes. Returns the body of the answer. There is no
     * deadline: how long it takes is the file's and the connection's matter. */
    upload(file, onProgress) {
        return new Promise((resolve, reject) => {
            const request = new XMLHttpRequest(); /* fetch() tells nothing of what has been sent */
            const fail = () => reject(new Problem(0));
            request.open('POST', this.url('/uploads'));
            request.setRequestHeader('Accept', 'application/json, application/problem+json');
            request.setRequestHeader('Content-Type', 'application/octet-stream');
            request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
            request.onerror = fail;
            request.onabort = fail;
            request.onload = () => {
                const { status, responseText } = request;
                try {
                    const body = parse(responseText, { ok: status === 201 });
                    const retryAfter = seconds(request.getResponseHeader('Retry-After'));
                    if (status !== 201) {
                        throw new Problem(status, body, retryAfter);
                    }
                    resolve(body);
                } catch (problem) {
                    reject(problem);
                }
            };
            request.send(file);
        });
    }

    #resolve(target) {
        const own =
            target === '' ||
            target.startsWith('?') ||
            (target.startsWith('/') && !target.startsWith(new URL(this.base).pathname));
        const url = own ? new URL(this.base + target) : absolute(target);
        if (url.origin !== new URL(this.base).origin) {
            throw new Problem(0, { detail: 'The answer names an address of another site.' });
        }
        return url.href;
    }

    /* fetch() with a deadline for the whole answer, body included. */
    async #send(url, init) {
        const abort = new AbortController();
        const timer = this.#answered ? setTimeout(() => abort.abort(), TIMEOUT_MSEC) : 0;
        try {
            const response = await fetch(url, { ...init, signal: abort.signal });
            if (response.type === 'opaqueredirect') {
                throw new Problem(401); /* a site that sends strangers to its login page */
            }
            const text = await response.text();
            this.#answered = true;
            return {
                status: response.status,
                ok: response.ok,
                headers: response.headers,
                json: parse(text, response),
            };
        } catch (error) {
            if (error instanceof Problem) {
                throw error;
            }
            throw new Problem(0);
        } finally {
            clearTimeout(timer);
        }
    }
}

/* What is not JSON in an error is some proxy's page, and its status says enough. In an answer it is
 * a fault. */
function parse(text, response) {
    try {
        return text === '' ? {} : parseJson(text);
    } catch {
        if (response.ok) {
            throw new Problem(502, { detail: 'The server sent an answer that is not JSON.' });
        }
        return {};
    }
}

/* The file name of a Content-Disposition (RFC 6266), or null. */
function nameIn(disposition) {
    const coded = /filename\*=UTF-8''([^;]+)/.exec(disposition);
    return coded ? decodeURIComponent(coded[1]) : (/filename="([^"]*)"/.exec(disposition)?.[1] ?? null);
}

/* Retry-After: a number of seconds or a date. */
function seconds(header) {
    if (header === null) {
        return null;
    }
    const number = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
    return Number.isFinite(number) ? Math.max(0, number) : null;
}

/* A key for one submission, the same for every try of it. crypto.randomUUID() is there in secure
 * contexts only, and a site inside a company may well be plain HTTP. */
export function newIdempotencyKey() {
    if (typeof crypto.randomUUID === 'function') {
        return crypto.randomUUID();
    }
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
