/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trust-anchor: the resolver's trust anchor is a root key that is no longer in use, as after a rollover that it slept through (RFC 5011): nothing validates.
 */
#include <errno.h>
#include <ldns/ldns.h>

#include "injectors/process/stale.h"

#define KEY_FLAGS 257 /* zone key, secure entry point: RFC 4034 section 2.1.1 */

static void validate(const struct injector *injector, struct errs *errs)
{
	stale_validate(injector, errs);
	for (size_t i = 0; i < injector->server_count; i++) {
		if (injector->servers[i].role == SERVER_RESOLVER && !injector->servers[i].validates)
			errs_add(errs, injector->servers[i].loc,
				 "trust-anchor: no zone of the lab is signed, so %s has no trust anchor; add sign: "
				 "true to a "
				 "zone",
				 injector->servers[i].host);
	}
}

/* A real key, of which nobody has the other half. */
static int content(const struct injector *injector UNUSED, struct buf *out, struct err *err)
{
	ldns_key *key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
	ldns_rdf *root = ldns_dname_new_frm_str(".");
	ldns_rr *rr = NULL;
	char *text = NULL;

	if (key && root) {
		ldns_key_set_pubkey_owner(key, root);
		ldns_key_set_flags(key, KEY_FLAGS);
		rr = ldns_key2rr(key);
		text = rr ? ldns_rr2str(rr) : NULL;
	}
	if (text)
		buf_puts(out, text);
	free(text);
	ldns_rr_free(rr);
	if (key)
		ldns_key_deep_free(key);
	return out->len ? 0 : err_set(err, -EIO, LOC_NONE, "cannot make a key");
}

static void use(struct server_spec *spec, const char *path)
{
	spec->trust_anchor = path;
}

static const struct stale stale = {"stale-anchor", content, use};

static int apply(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return stale_apply(&stale, injector, ctx, err);
}

static int revert(struct injector *injector, struct injector_ctx *ctx, struct err *err)
{
	return stale_revert(&stale, injector, ctx, err);
}

static int effect(struct injector *injector, struct injector_ctx *ctx, struct effect *ret, struct err *err UNUSED)
{
	return stale_effect(&stale, injector, ctx, ret);
}

static void sentence(const struct injector *injector, struct buf *out)
{
	buf_puts(out, "restarts with a trust anchor that is not the root's key ");
	servers_list(injector, out);
}

static void commands(const struct injector *injector, struct buf *to_apply, struct buf *to_revert)
{
	servers_units(injector, to_apply,
		      "'cp -a /usr/share/dns/root.key /root/root.key.right && dnssec-keygen -K /root -a 13 -f KSK . && "
		      "cat /root/K.+013+*.key >/usr/share/dns/root.key && systemctl restart %s'");
	servers_units(injector, to_revert, "'mv /root/root.key.right /usr/share/dns/root.key; systemctl restart %s'");
}

const struct injector_ops trust_anchor_ops = {
	.kind = "trust-anchor",
	.summary = "the resolver's trust anchor is stale; it is restarted with it, and again with the right one",
	.hits = INJECTOR_HITS_SERVERS,
	.size = sizeof(struct injector),
	.validate = validate,
	.apply = apply,
	.revert = revert,
	.effect = effect,
	.sentence = sentence,
	.commands = commands,
};
