/* SPDX-License-Identifier: MIT
 * main.js: put the page together: the source of updates feeds the board, the board tells the
 * lists. */

import { announceMoves } from './announce.js';
import { Api, Problem } from './api.js';
import { AskForm } from './ask.js';
import { Banner } from './banner.js';
import { Board } from './board.js';
import { show } from './dom.js';
import { FileList } from './files.js';
import { setCatalogue } from './names.js';
import { isFinished } from './states.js';
import { TaskList } from './tasks.js';
import { timeZone } from './time.js';
import { PollingSource } from './updates.js';

const TYPES_RETRY_MSEC = 5000;

const place = (id) => document.getElementById(id);

function main() {
    const api = new Api();
    let typesAsked = false;

    const board = new Board(({ moved, gone }) => {
        tasks.render();
        announceMoves(moved);
        if (gone || moved.some(({ task }) => isFinished(task))) {
            files.reload();
        }
    });
    const refresh = () => source.refresh();
    const banner = new Banner(place('banner'), refresh);
    const reveal = (id) => tasks.reveal(id);
    const ask = new AskForm(place('ask'), api, {
        onCreated: (task, stayed) => {
            tasks.learn(task);
            refresh();
            if (stayed) {
                tasks.bringIntoView(task.id);
            }
        },
        onShow: reveal,
    });
    const tasks = new TaskList(place('tasks'), api, board, {
        onActed: (verb) => {
            refresh();
            if (verb === 'delete') {
                files.reload();
            }
        },
        onFilter: (query) => {
            board.reset();
            source.only(query);
            files.reload();
        },
    });
    const files = new FileList(place('files'), api, { onDeleted: refresh, onShow: reveal });

    const loadTypes = async () => {
        if (typesAsked) {
            return;
        }
        typesAsked = true;
        try {
            const { body } = await api.get('/types');
            setCatalogue(body.types);
            ask.setTypes(body.types);
            tasks.setRoles(body.roles);
            tasks.offerTypes(body.types.map((type) => type.name));
            tasks.render();
        } catch (problem) {
            if (!(problem instanceof Problem)) {
                throw problem;
            }
            typesAsked = false;
            setTimeout(loadTypes, TYPES_RETRY_MSEC);
        }
    };

    const source = new PollingSource(api, {
        board,
        page: (body, asked) => board.page(body, asked),
        task: (task, asked) => board.learn(task, asked),
        gone: (id) => board.forget(id),
        lost: (problem, seconds) => {
            banner.showLost(problem, seconds);
            show(place('work'), board.loaded || problem.passing);
        },
        back: () => {
            banner.hide();
            show(place('work'), true);
            files.reload();
            loadTypes();
        },
    });

    place('zone').textContent = timeZone ? `, ${timeZone}` : '';
    source.start(tasks.query);
}

main();
