/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injectors/proxy/inline_tls.h"

#include <errno.h>
#include <stdlib.h>

#include "injectors/proxy/tls.h"

static void count(const struct ca *ca, size_t *ret_hosts, size_t *ret_addresses)
{
	const struct addresses *addresses;
	const char *name;

	for (*ret_hosts = *ret_addresses = 0; ca_host(ca, *ret_hosts, &name, &addresses); ++*ret_hosts)
		*ret_addresses += addresses->count;
}

static int add_host(struct inline_tls *tls, struct ca *ca, const char *name, const struct addresses *addresses,
		    struct err *err)
{
	struct tls_service **service = &tls->services[tls->service_count];
	struct ca_identity identities[CA_FLAW_COUNT] = {0};
	int r = 0;

	for (int i = 0; !r && i < CA_FLAW_COUNT; i++)
		r = ca_issue(ca, name, (enum ca_flaw)i, &identities[i], err);
	if (!r)
		r = tls_service_new(identities, service, err);
	if (r)
		return r;
	tls->service_count++;
	for (size_t i = 0; i < addresses->count; i++)
		tls->hosts[tls->tls.host_count++] =
			(struct proxy_host){.address = addresses->v[i], .service = *service};
	return 0;
}

int inline_tls_init(struct inline_tls *tls, struct ca *ca, struct err *err)
{
	const struct addresses *addresses;
	size_t hosts, all;
	const char *name;
	int r = 0;

	*tls = (struct inline_tls){0};
	count(ca, &hosts, &all);
	tls->services = calloc(hosts + 1, sizeof(struct tls_service *));
	tls->hosts = calloc(all + 1, sizeof(*tls->hosts));
	if (!tls->services || !tls->hosts)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	for (size_t i = 0; !r && ca_host(ca, i, &name, &addresses); i++)
		r = add_host(tls, ca, name, addresses, err);
	if (!r)
		r = tls_trust_new(ca_bundle(ca), NULL, true, &tls->trust, err);
	tls->tls.hosts = tls->hosts;
	tls->tls.trust = tls->trust;
	return r;
}

void inline_tls_fini(struct inline_tls *tls)
{
	for (size_t i = 0; i < tls->service_count; i++)
		tls_service_free(tls->services[i]);
	free(tls->services);
	free(tls->hosts);
	tls_trust_free(tls->trust);
	*tls = (struct inline_tls){0};
}
