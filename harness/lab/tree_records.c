/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/tree_internal.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "harness/base/rr.h"

/* Length of a name without its trailing dot; 0 for the root. */
static size_t name_length(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '.' ? len - 1 : len;
}

const char *tree_fqdn(const struct tree *tree, const char *name)
{
	return arena_printf(tree->arena, "%.*s.", (int)name_length(name), name);
}

bool tree_is_below(const char *name, const char *zone)
{
	size_t n = name_length(name), z = name_length(zone);

	if (z == 0)
		return true;
	return n >= z && !strncasecmp(name + n - z, zone, z) && (n == z || name[n - z - 1] == '.');
}

static bool is_same_name(const char *a, const char *b)
{
	return name_length(a) == name_length(b) && tree_is_below(a, b);
}

int tree_push(ldns_rr_list *list, ldns_rr *rr, struct err *err)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		if (ldns_rr_compare(ldns_rr_list_rr(list, i), rr) == 0) {
			ldns_rr_free(rr);
			return 0;
		}
	}
	if (ldns_rr_list_push_rr(list, rr))
		return 0;
	ldns_rr_free(rr);
	return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

int tree_add(ldns_rr_list *list, struct err *err, const char *fmt, ...)
{
	char line[2048];
	ldns_rr *rr = NULL;
	ldns_status status;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	status = rr_from_text(&rr, line, 0, NULL);
	if (status != LDNS_STATUS_OK)
		return err_set(err, -EINVAL, LOC_NONE, "cannot make the record \"%s\": %s", line,
			       ldns_get_errorstr_by_id(status));
	return tree_push(list, rr, err);
}

bool tree_has(const ldns_rr_list *list, const char *name, ldns_rr_type type)
{
	ldns_rdf *dname = ldns_dname_new_frm_str(name);
	bool found = false;

	for (size_t i = 0; dname && !found && i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		found = (!type || ldns_rr_get_type(rr) == type) && ldns_dname_compare(ldns_rr_owner(rr), dname) == 0;
	}
	ldns_rdf_deep_free(dname);
	return found;
}

const ldns_rr_list *tree_records(const struct tree *tree, size_t zone)
{
	return tree->zones[zone] ? tree->zones[zone] : tree->topology->zones[zone].spec->zone->rrs;
}

const struct topo_host *tree_bearer(const struct topology *topology, const char *hostname)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		const struct topo_host *host = &topology->hosts[i];

		if (host->hostname && is_same_name(host->hostname, hostname))
			return host;
	}
	return NULL;
}

int tree_add_addresses(const struct tree *tree, ldns_rr_list *list, const struct topo_host *host, unsigned ttl,
		       struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->addresses.count; i++) {
		const struct address *address = &host->addresses.v[i];

		r = tree_add(list, err, "%s %u IN %s %s", tree_fqdn(tree, host->hostname), ttl,
			     address->family == AF_INET ? "A" : "AAAA", address->text);
	}
	return r;
}
