/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * knotd as a signer: one policy for each zone, with keys that are there from the start (`manual`: it rolls none).
 */
#include "harness/servers/signing.h"
#include <errno.h>
#include <string.h>

static const char *algorithm_text(unsigned algorithm)
{
	switch (algorithm) {
	case 8:
		return "rsasha256";
	case 15:
		return "ed25519";
	default:
		return "ecdsap256sha256";
	}
}

static void add_policy(const struct server_signing *signing, size_t zone, struct buf *out)
{
	buf_printf(out, "  - id: \"zone-%zu\"\n    manual: on\n    algorithm: %s\n    single-type-signing: %s\n", zone,
		   algorithm_text(signing->algorithm), signing->is_csk ? "on" : "off");
	buf_printf(out, "    dnskey-ttl: %u\n    rrsig-lifetime: %lld\n    rrsig-refresh: %lld\n", signing->dnskey_ttl,
		   (long long)signing->validity_s, (long long)signing->validity_s / 3);
	if (signing->is_nsec3)
		buf_printf(out, "    nsec3: on\n    nsec3-iterations: %u\n    nsec3-salt-length: %zu\n",
			   signing->iterations, strcmp(signing->salt, "-") ? strlen(signing->salt) / 2 : 0);
}

void knot_add_policies(const struct server_spec *spec, struct buf *out)
{
	bool has_begun = false;

	for (size_t i = 0; i < spec->zone_count; i++) {
		if (!server_signs(&spec->zones[i]))
			continue;
		if (!has_begun)
			buf_puts(out, "policy:\n");
		has_begun = true;
		add_policy(spec->zones[i].signing, i, out);
	}
}

/* The file stays what an operator edits: signatures are kept in the journal. */
void knot_add_signing(const struct server_spec *spec, size_t zone, struct buf *out)
{
	if (server_signs(&spec->zones[zone]))
		buf_printf(out,
			   "    dnssec-signing: on\n    dnssec-policy: \"zone-%zu\"\n    zonefile-sync: -1\n"
			   "    zonefile-load: difference-no-serial\n    journal-content: all\n",
			   zone);
}

/* Once: a server that is started again has them. */
static int add_imports(const struct server_spec *spec, const char *keymgr, const char *config, struct arena *arena,
		       struct buf *out, struct err *err)
{
	for (size_t i = 0; i < spec->zone_count; i++) {
		const char *dir, **files;
		int r;

		if (!server_signs(&spec->zones[i]))
			continue;
		r = server_copy_keys(spec, i, arena, &dir, err);
		if (r < 0)
			return r;
		files = server_key_files(dir, arena);
		for (size_t k = 0; files[k]; k++)
			buf_printf(out, "\tid=$(%s -c %s '%s' import-bind '%s.key')\n", keymgr, config,
				   spec->zones[i].name, files[k]);
		if (spec->zones[i]
			    .signing
			    ->is_csk) /* its flags alone would make it a KSK; the first line printed is its id */
			buf_printf(out, "\t%s -c %s '%s' set \"${id%%%%[!0-9a-f]*}\" ksk=yes zsk=yes >/dev/null\n",
				   keymgr, config, spec->zones[i].name);
	}
	return 0;
}

int knot_import_keys(const struct server_spec *spec, const char *config, struct arena *arena,
		     struct server_command *ret, struct err *err)
{
	const char *keymgr = server_find_program("keymgr", arena), *script;
	struct buf out = {0};
	bool is_needed = false;
	int r;

	for (size_t i = 0; i < spec->zone_count; i++)
		is_needed = is_needed || server_signs(&spec->zones[i]);
	if (!is_needed)
		return 0;
	if (!keymgr)
		return err_set(err, -ENOENT, LOC_NONE, "keymgr is not installed: apt-get install knot");
	buf_printf(&out, "set -e\nif [ ! -e %s/imported ]; then\n", spec->dir);
	r = add_imports(spec, keymgr, config, arena, &out, err);
	buf_printf(&out, "\t: >%s/imported\nfi\nexec %s -c %s\n", spec->dir, ret->argv[0], config);
	if (r < 0) {
		buf_fini(&out);
		return r;
	}
	r = server_write(spec, "start.sh", &out, arena, &script, err);
	if (r == 0)
		*ret = (struct server_command){{"/bin/sh", script}};
	return r;
}
