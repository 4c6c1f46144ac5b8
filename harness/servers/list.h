/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every server driver, one line each. Include it twice, with SERVER(id) defined: once to declare (`extern const struct server_ops
 * server_##id;`), once to build the table (`&server_##id,`). A new server software is one file and one line here.
 */
SERVER(bind)
SERVER(knot)
SERVER(nsd)
SERVER(powerdns)
SERVER(unbound)
SERVER(knot_resolver)
SERVER(powerdns_recursor)
SERVER(dnsmasq)
SERVER(dnsdist)
