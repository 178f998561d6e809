# SPDX-License-Identifier: MIT
# nginx configuration to include in a site, and examples.
nginxdir = $(pkgdatadir)/nginx
dist_nginx_DATA = \
	nginx/backdesk-http.conf \
	nginx/backdesk.conf \
	nginx/backdesk-fastcgi.conf \
	nginx/backdesk-session.conf \
	nginx/backdesk-defer-http.conf \
	nginx/backdesk-defer.conf \
	nginx/backdesk-defer-arango.conf \
	nginx/backdesk-arango.conf \
	nginx/backdesk-defer-always.conf \
	nginx/backdesk-defer-params.conf \
	nginx/backdesk-replay.conf

nginxexamplesdir = $(nginxdir)/examples
dist_nginxexamples_DATA = \
	nginx/examples/defer-fastcgi.inc \
	nginx/examples/defer-proxy.conf \
	nginx/examples/defer-proxy.inc \
	nginx/examples/defer-uwsgi.inc \
	nginx/examples/identity-auth-request.conf \
	nginx/examples/identity-basic.conf \
	nginx/examples/site.conf

nobase_dist_doc_DATA += nginx/README.md

# The page at /tasks/ and the element to embed.
wwwdir = $(pkgdatadir)/www
dist_www_DATA = \
	nginx/www/index.html \
	nginx/www/waiting.html \
	nginx/www/icon.svg \
	nginx/www/backdesk-export.js

wwwcssdir = $(wwwdir)/css
dist_wwwcss_DATA = \
	nginx/www/css/base.css \
	nginx/www/css/form.css \
	nginx/www/css/lists.css \
	nginx/www/css/page.css

wwwjsdir = $(wwwdir)/js
dist_wwwjs_DATA = \
	nginx/www/js/announce.js \
	nginx/www/js/api.js \
	nginx/www/js/ask.js \
	nginx/www/js/attempts.js \
	nginx/www/js/banner.js \
	nginx/www/js/board.js \
	nginx/www/js/controls.js \
	nginx/www/js/dialog.js \
	nginx/www/js/disclosure.js \
	nginx/www/js/dom.js \
	nginx/www/js/fields.js \
	nginx/www/js/file-item.js \
	nginx/www/js/files.js \
	nginx/www/js/filter.js \
	nginx/www/js/form.js \
	nginx/www/js/icons.js \
	nginx/www/js/json.js \
	nginx/www/js/main.js \
	nginx/www/js/names.js \
	nginx/www/js/progress.js \
	nginx/www/js/schema.js \
	nginx/www/js/send-file.js \
	nginx/www/js/states.js \
	nginx/www/js/task-facts.js \
	nginx/www/js/task-link.js \
	nginx/www/js/task-row.js \
	nginx/www/js/tasks.js \
	nginx/www/js/text.js \
	nginx/www/js/time.js \
	nginx/www/js/updates.js \
	nginx/www/js/waiting.js \
	nginx/www/js/watch.js

# The demo stack; it runs from the source tree.
EXTRA_DIST += \
	nginx/demo/stack \
	nginx/demo/place.sh \
	nginx/demo/process.sh \
	nginx/demo/database.sh \
	nginx/demo/service.sh \
	nginx/demo/slow_site.py \
	nginx/demo/first_export.sh \
	nginx/demo/nginx.conf.in \
	nginx/demo/site-locations.conf.in \
	nginx/demo/mariadb.cnf.in \
	nginx/demo/backdesk.conf.in \
	sql/demo/library.sql
