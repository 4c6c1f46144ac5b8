/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per kind of step that does something (`do:`): main.c includes this twice, to declare <name>_ops and to build the table.
 */
ACTION(push)
ACTION(update)
ACTION(raise_serial)
ACTION(rollover_step)
ACTION(reload)
ACTION(restart)
ACTION(flush)
ACTION(run)
