/* SPDX-License-Identifier: MIT
 * icons.js: the few pictograms of the page, drawn from a table of paths. They are decoration:
 * whatever one says stands beside it as text. */

const SVG = 'http://www.w3.org/2000/svg';

/* 16 x 16, strokes of the current text colour. */
const PATHS = {
    clock: 'M8 14.2a6.2 6.2 0 1 0 0-12.4 6.2 6.2 0 0 0 0 12.4M8 4.6V8l2.3 1.6',
    wait: 'M3.2 8h.01M8 8h.01M12.8 8h.01',
    run: 'M8 1.8A6.2 6.2 0 1 1 1.8 8',
    check: 'M3 8.6l3.3 3.3L13 4.6',
    cross: 'M4 4l8 8M12 4l-8 8',
    stop: 'M8 14.2a6.2 6.2 0 1 0 0-12.4 6.2 6.2 0 0 0 0 12.4M3.7 3.7l8.6 8.6',
    broken: 'M8 14.2a6.2 6.2 0 1 0 0-12.4 6.2 6.2 0 0 0 0 12.4M8 4.7v4M8 11.2h.01',
    download: 'M8 2.2v8M4.6 7.2L8 10.6l3.4-3.4M2.8 13.6h10.4',
    open: 'M6.8 3H3v10h10V9.2M9.4 2.5h4.1v4.1M13.2 2.8L7.6 8.4',
    more: 'M6 3.5L10.5 8L6 12.5',
    retry: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 1.9v3.2H10',
    bin: 'M2.8 4.4h10.4M6.3 4.2V2.5h3.4v1.7M4.2 4.6l.6 8.9h6.4l.6-8.9',
};

export function icon(name) {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('class', `icon icon-${name}`);
    path.setAttribute('d', PATHS[name]);
    svg.append(path);
    return svg;
}
