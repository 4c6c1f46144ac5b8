/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line per subcommand, in the order in which help shows them. Included twice by cli.c.
 */
COMMAND(run)
COMMAND(check)
COMMAND(explain)
COMMAND(lab)
COMMAND(proxy)
COMMAND(report)
COMMAND(list)
COMMAND(schema)
COMMAND(doctor)
COMMAND(man)
