/* SPDX-License-Identifier: MIT
 * accessibility.js: returns a list of what would keep somebody from using the page: controls without
 * a name, wrong headings and landmarks, doubled ids, text with too little contrast. */

const faults = [];
const all = (selector) => [...document.querySelectorAll(selector)];
const visible = (node) => node.checkVisibility({ visibilityProperty: true });
const brief = (node) => node.outerHTML.slice(0, 90);

function checkNames() {
    for (const control of all('input, select, textarea')) {
        const labels = [...(control.labels || [])].map((label) => label.textContent.trim());
        if (!labels.some(Boolean) && !control.getAttribute('aria-label')) {
            faults.push(`no label: ${brief(control)}`);
        }
    }
    for (const node of all('button, a[href], summary, legend').filter(visible)) {
        if (node.textContent.trim() === '') {
            faults.push(`no text: ${brief(node)}`);
        }
    }
    for (const node of all('progress, dialog')) {
        if (!node.getAttribute('aria-label') && !node.getAttribute('aria-labelledby')) {
            faults.push(`no name: ${brief(node)}`);
        }
    }
    const buttons = all('button').filter(visible).map((button) => button.textContent.trim());
    buttons.filter((text, i) => buttons.indexOf(text) !== i)
        .forEach((text) => faults.push(`two buttons are called "${text}"`));
}

function checkStructure() {
    for (const landmark of ['header', 'main', 'footer', 'h1']) {
        if (all(`body > ${landmark}, body > header ${landmark}`).length !== 1) {
            faults.push(`not exactly one ${landmark}`);
        }
    }
    if (!document.documentElement.lang || !document.title) {
        faults.push('no language or no title');
    }
    let level = 0;
    for (const heading of all('h1, h2, h3, h4').filter(visible)) {
        const next = Number(heading.localName[1]);
        if (next > level + 1) {
            faults.push(`a level of headings is missing before: ${brief(heading)}`);
        }
        level = next;
    }
    const ids = all('[id]').map((node) => node.id);
    ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => faults.push(`id twice: ${id}`));
    for (const attribute of ['aria-describedby', 'aria-labelledby', 'for']) {
        all(`[${attribute}]`).flatMap((node) => node.getAttribute(attribute).split(' '))
            .filter((id) => id && !document.getElementById(id))
            .forEach((id) => faults.push(`${attribute} names nothing: ${id}`));
    }
}

/* WCAG 2, relative luminance and contrast ratio. */
function parseColour(text) {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
}

function luminance(rgb) {
    const [r, g, b] = rgb.map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function backgroundOf(node) {
    for (let at = node; at; at = at.parentElement) {
        const colour = parseColour(getComputedStyle(at).backgroundColor);
        if (colour.a > 0.99) {
            return colour.rgb;
        }
    }
    return [255, 255, 255];
}

function checkContrast() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (walker.currentNode.data.trim() === '' || seen.has(node) || !visible(node)
            || node.closest('.unseen, dialog, .skip, option')) {
            continue;
        }
        seen.add(node);
        const style = getComputedStyle(node);
        const pair = [luminance(parseColour(style.color).rgb), luminance(backgroundOf(node))];
        const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        const large = parseFloat(style.fontSize) >= 24;
        if (ratio < (large ? 3 : 4.5)) {
            faults.push(`contrast ${ratio.toFixed(2)}: ${brief(node)}`);
        }
    }
}

checkNames();
checkStructure();
checkContrast();
return faults;
