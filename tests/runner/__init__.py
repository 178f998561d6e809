# SPDX-License-Identifier: MIT
"""A package, so that its fixtures end with it."""
