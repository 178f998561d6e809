# SPDX-License-Identifier: MIT
# lint: what holds for the tree as a whole; needs Python 3, its standard library only

lint_tests = tests/lint/documented tests/lint/form tests/lint/layers tests/lint/python tests/lint/shell
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) tests/lint/source.py

# they read the tables and what is made of them
check_DATA = backdesk.conf.example backdesk.conf.5
