/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/sign.h"
#include "harness/base/macro.h"
#include "harness/base/units.h"
#include "harness/lab/tree_internal.h"
#include "harness/plan/zone_print.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* One zone being signed. */
struct job {
	struct tree *tree;
	size_t zone;
	const struct topo_zone *topo;
	const struct sign_spec *sign;
	const char *path; /* of the zone's file */
	const char **dirs; /* by provider, or one */
	const char **providers;
	size_t provider_count;
};

static int write_failed(const char *path, struct err *err)
{
	return err_set(err, errno ? -errno : -EIO, LOC_NONE, "cannot write %s: %s", path,
		       strerror(errno ? errno : EIO));
}

int tree_write_plain(const ldns_rr_list *rrs, const char *path, struct err *err)
{
	FILE *out = fopen(path, "we");
	int r;

	if (!out)
		return write_failed(path, err);
	r = zone_print(rrs, out);
	if (fclose(out) != 0 || r < 0)
		return write_failed(path, err);
	return 0;
}

/* ---- keys ---- */

/* Puts a key's file, public and perhaps private, into dir, and its DNSKEY into the secure entry. */
static int place_key(struct job *job, const struct dnssec_key *key, const char *dir, struct err *err)
{
	ldns_rr_list *entry = job->tree->secure_entry[job->zone];
	ldns_rr *copy;
	int r = dnssec_key_write(key, dir, err);

	if (r < 0 || !key->is_sep)
		return r;
	copy = ldns_rr_clone(key->dnskey);
	if (copy && ldns_rr_list_push_rr(entry, copy))
		return 0;
	ldns_rr_free(copy);
	return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

static int make_key(struct job *job, size_t provider, bool is_sep, struct err *err)
{
	struct dnssec_key *key = NULL, *public = NULL;
	int r = dnssec_key_new(job->topo->name, sign_algorithm(job->sign), is_sep, &key, err);

	if (r == 0)
		r = place_key(job, key, job->dirs[provider], err);
	/* The others publish what signs the zone's data here (RFC 8901 section 2.1.2), and cannot use it. */
	if (r == 0 && (!is_sep || job->sign->keys == SIGN_CSK))
		r = dnssec_key_public(key->dnskey, &public, err);
	for (size_t i = 0; r == 0 && public && i < job->provider_count; i++)
		if (i != provider)
			r = dnssec_key_write(public, job->dirs[i], err);
	dnssec_key_free(public);
	dnssec_key_free(key);
	return r;
}

static int make_keys(struct job *job, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < job->provider_count; i++)
		if (mkdir(job->dirs[i], 0755) < 0 && errno != EEXIST)
			r = write_failed(job->dirs[i], err);
	for (size_t i = 0; r == 0 && i < job->provider_count; i++) {
		r = make_key(job, i, true, err);
		if (r == 0 && job->sign->keys == SIGN_KSK_ZSK)
			r = make_key(job, i, false, err);
	}
	return r;
}

/* ---- zones ---- */

static struct dnssec_signing signing_of(const struct job *job)
{
	struct dnssec_signing ret = {
		.zone = job->topo->name,
		.is_nsec3 = job->sign->nsec == SIGN_NSEC3,
		.iterations = (uint16_t)job->sign->iterations,
		.has_zonemd = job->sign->zonemd,
		.dnskey_ttl = (uint32_t)(job->sign->dnskey_ttl_ns / SEC),
	};
	int64_t now_s = time(NULL);

	ret.inception_s = now_s - job->sign->inception_ns / SEC;
	ret.expiration_s = now_s + job->sign->validity_ns / SEC;
	dnssec_set_salt(&ret, job->sign->salt.value ? job->sign->salt.value : "-");
	return ret;
}

/* Record by record: the signed zone is a multiple of the plain one. */
static int write_signed(const ldns_rr_list *rrs, const struct dnssec_signing *signing, const char *path,
			struct err *err)
{
	struct zone_printer file = {.out = fopen(path, "we")};
	int r;

	if (!file.out)
		return write_failed(path, err);
	r = dnssec_sign_to(rrs, signing, zone_printer_take, &file, err);
	if (fclose(file.out) != 0 && r == 0)
		r = write_failed(path, err);
	zone_printer_fini(&file);
	return r;
}

/* Signed with the keys of a directory. */
static int write_with(const struct job *job, const char *key_dir, const char *path, struct err *err)
{
	struct dnssec_signing signing = signing_of(job);
	struct dnssec_key_use *uses;
	struct dnssec_keys keys = {0};
	int r = dnssec_keys_load(&keys, key_dir, job->topo->name, err);

	uses = calloc(keys.count + 1, sizeof(*uses));
	if (r == 0 && !uses)
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	if (r == 0) {
		dnssec_use_all(&keys, uses, &signing);
		r = write_signed(tree_records(job->tree, job->zone), &signing, path, err);
	}
	free(uses);
	dnssec_keys_fini(&keys);
	return r;
}

static size_t host_index(const struct job *job, const struct topo_host *host)
{
	return (size_t)(host - job->tree->topology->hosts);
}

/* What every server that signs loads: a file of its own, which it may write beside. */
static int write_unsigned(struct job *job, struct err *err)
{
	int r = tree_write_plain(tree_records(job->tree, job->zone), job->path, err);

	for (size_t i = 0; r == 0 && i < job->topo->primary_count; i++) {
		const struct topo_host *host = job->topo->primaries[i];
		const char *path = arena_printf(job->tree->arena, "%s@%s", job->path, host->name);

		job->tree->files->host_files[job->zone][host_index(job, host)] = path;
		r = tree_write_plain(tree_records(job->tree, job->zone), path, err);
	}
	return r;
}

static int write_of_provider(struct job *job, size_t provider, struct err *err)
{
	const char *name = job->providers[provider];
	const char *path = arena_printf(job->tree->arena, "%s@%s", job->path, name);

	for (size_t i = 0; i < job->topo->primary_count; i++) {
		const struct topo_host *host = job->topo->primaries[i];

		if (!strcmp(host->provider, name))
			job->tree->files->host_files[job->zone][host_index(job, host)] = path;
	}
	return write_with(job, job->dirs[provider], path, err);
}

static int write_files(struct job *job, struct err *err)
{
	int r;

	switch ((enum sign_by)job->sign->by) {
	case SIGN_BY_LDNS:
		return write_with(job, job->dirs[0], job->path, err);
	case SIGN_BY_SERVER:
		return write_unsigned(job, err);
	case SIGN_BY_PROVIDERS:
		r = write_with(job, job->dirs[0], job->path, err);
		for (size_t i = 0; r == 0 && i < job->provider_count; i++)
			r = write_of_provider(job, i, err);
		return r;
	}
	return 0;
}

/* ---- who ---- */

static size_t find_provider(const struct job *job, const char *name)
{
	size_t i = 0;

	while (i < job->provider_count && strcmp(job->providers[i], name) != 0)
		i++;
	return i;
}

static void find_providers(struct job *job)
{
	struct arena *arena = job->tree->arena;
	bool are_many = job->sign->by == SIGN_BY_PROVIDERS;

	job->providers = ARENA_ARRAY(arena, const char *, job->topo->primary_count + 1);
	job->dirs = ARENA_ARRAY(arena, const char *, job->topo->primary_count + 1);
	for (size_t i = 0; are_many && i < job->topo->primary_count; i++) {
		const char *name = job->topo->primaries[i]->provider;
		size_t at = find_provider(job, name);

		if (at < job->provider_count)
			continue;
		job->providers[at] = name;
		job->dirs[at] = arena_printf(arena, "%s.keys@%s", job->path, name);
		job->provider_count++;
	}
	if (are_many)
		return;
	job->dirs[0] = arena_printf(arena, "%s.keys", job->path);
	job->provider_count = 1;
}

/* Says for every server that loads the zone where its keys are. */
static void name_key_dirs(struct job *job)
{
	size_t hosts = job->tree->topology->host_count;

	job->tree->files->host_files[job->zone] = ARENA_ARRAY(job->tree->arena, const char *, hosts);
	job->tree->files->key_dirs[job->zone] = ARENA_ARRAY(job->tree->arena, const char *, hosts);
	for (size_t i = 0; i < job->topo->primary_count; i++) {
		const struct topo_host *host = job->topo->primaries[i];
		size_t at = job->sign->by == SIGN_BY_PROVIDERS ? find_provider(job, host->provider) : 0;

		job->tree->files->key_dirs[job->zone][host_index(job, host)] = job->dirs[at];
	}
}

int tree_write_signed(struct tree *tree, size_t i, const char *path, struct err *err)
{
	const struct topo_zone *topo = &tree->topology->zones[i];
	struct job job = {.tree = tree, .zone = i, .topo = topo, .sign = topo->signing, .path = path};
	int r;

	tree->secure_entry[i] = ldns_rr_list_new();
	if (!tree->secure_entry[i])
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	find_providers(&job);
	r = make_keys(&job, err);
	if (r < 0)
		return r;
	name_key_dirs(&job);
	return write_files(&job, err);
}
