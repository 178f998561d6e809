/* SPDX-License-Identifier: MIT
 * dom.js: make and change elements. Text enters the document only through text nodes and
 * attributes, never as markup, so nothing a task or a file is called can become an element. */

/* Makes <name>. In props, on* functions become listeners, true an empty attribute, and null,
 * undefined and false are left out; everything else is an attribute. Children are nodes or text. */
export function el(name, props = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props)) {
        if (typeof value === 'function') {
            node.addEventListener(key.slice(2), value);
        } else {
            setAttribute(node, key, value);
        }
    }
    node.append(
        ...children.flat(Infinity).filter((child) => child !== null && child !== undefined),
    );
    return node;
}

/* Sets an attribute, or removes it for null, undefined and false. Touches nothing that is right. */
export function setAttribute(node, key, value) {
    if (value === null || value === undefined || value === false) {
        node.removeAttribute(key);
        return;
    }
    const text = value === true ? '' : String(value);
    if (node.getAttribute(key) !== text) {
        node.setAttribute(key, text);
    }
}

/* Sets the text of a node, and leaves it alone (selection, screen readers) when it is the same. */
export function setText(node, text) {
    if (node.textContent !== text) {
        node.textContent = text;
    }
}

/* Shows or hides; returns the node. */
export function show(node, visible) {
    node.hidden = !visible;
    return node;
}

/* Text for screen readers only, to tell twelve "Delete" buttons apart. */
export function unseen(text) {
    return el('span', { class: 'unseen' }, text);
}

let lastId = 0;

/* An id that no other element of the page has. */
export function newId(prefix) {
    lastId += 1;
    return `${prefix}-${lastId}`;
}
