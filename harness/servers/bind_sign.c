/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * named as a signer: one dnssec-policy for each zone, whose keys are there from the start and never roll.
 */
#include "harness/servers/signing.h"
#include <string.h>
#include <time.h>

#define LONG_AGO (30 * 24 * 3600)

/* As dnssec-policy calls them. */
static const char *algorithm_text(unsigned algorithm)
{
	switch (algorithm) {
	case 8:
		return "rsasha256 2048";
	case 15:
		return "ed25519";
	default:
		return "ecdsap256sha256";
	}
}

static void add_keys(const struct server_signing *signing, struct buf *out)
{
	static const char *const roles[] = {"ksk", "zsk"};

	buf_puts(out, "\tkeys {\n");
	for (size_t i = 0; i < (signing->is_csk ? 1 : ARRAY_LEN(roles)); i++)
		buf_printf(out, "\t\t%s key-directory lifetime unlimited algorithm %s;\n",
			   signing->is_csk ? "csk" : roles[i], algorithm_text(signing->algorithm));
	buf_puts(out, "\t};\n");
}

static void add_policy(const struct server_signing *signing, size_t zone, struct buf *out)
{
	buf_printf(out, "dnssec-policy \"zone-%zu\" {\n", zone);
	add_keys(signing, out);
	buf_printf(out, "\tdnskey-ttl %u;\n\tparent-ds-ttl %u;\n", signing->dnskey_ttl, signing->ds_ttl);
	buf_printf(out, "\tsignatures-validity %llds;\n\tsignatures-validity-dnskey %llds;\n",
		   (long long)signing->validity_s, (long long)signing->validity_s);
	buf_printf(out, "\tsignatures-refresh %llds;\n", (long long)signing->validity_s / 3);
	if (signing->is_nsec3)
		buf_printf(out, "\tnsec3param iterations %u optout no salt-length %zu;\n", signing->iterations,
			   strcmp(signing->salt, "-") ? strlen(signing->salt) / 2 : 0);
	buf_puts(out, "};\n");
}

/* Only its state tells named that a key with the flag SEP signs everything. It is established: every record of it has been seen for long. */
static int write_state(const struct server_spec *spec, size_t zone, const char *dir, struct arena *arena,
		       struct err *err)
{
	static const char *const states[] = {"DNSKEY", "ZRRSIG", "KRRSIG", "DS"};
	const struct server_signing *signing = spec->zones[zone].signing;
	const char **files = server_key_files(dir, arena), *path;
	time_t then = time(NULL) - LONG_AGO;
	struct buf out = {0};
	char text[32];
	struct tm tm;

	if (!files[0])
		return 0;
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", gmtime_r(&then, &tm));
	buf_printf(&out, "Algorithm: %u\nLength: %d\nLifetime: 0\nKSK: yes\nZSK: yes\n", signing->algorithm,
		   signing->algorithm == 8 ? 2048 : 256);
	buf_printf(&out, "Generated: %s\nPublished: %s\nActive: %s\nPublishCDS: %s\n", text, text, text, text);
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		buf_printf(&out, "%sChange: %s\n%sState: omnipresent\n", states[i], text, states[i]);
	buf_puts(&out, "GoalState: omnipresent\n");
	return server_write(spec, arena_printf(arena, "%s.state", files[0] + strlen(spec->dir) + 1), &out, arena, &path,
			    err);
}

int bind_add_policies(const struct server_spec *spec, struct arena *arena, struct buf *out, struct err *err)
{
	const char *dir;
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->zone_count; i++) {
		if (!server_signs(&spec->zones[i]))
			continue;
		add_policy(spec->zones[i].signing, i, out);
		r = server_copy_keys(spec, i, arena, &dir, err);
		if (r == 0 && spec->zones[i].signing->is_csk)
			r = write_state(spec, i, dir, arena, err);
	}
	return r;
}

void bind_add_signing(const struct server_spec *spec, size_t zone, struct buf *out)
{
	if (!server_signs(&spec->zones[zone]))
		return;
	buf_printf(out, "\tdnssec-policy \"zone-%zu\";\n\tinline-signing yes;\n\tkey-directory \"%s/keys-%zu\";\n",
		   zone, spec->dir, zone);
	/* All of it at once: else it shows signed and unsigned records side by side for its first moments. */
	buf_puts(out, "\tsig-signing-nodes 100000;\n\tsig-signing-signatures 1000000;\n");
}
