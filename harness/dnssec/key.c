/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/key.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define RSA_BITS 2048
#define LONG_AGO (30 * 24 * 3600) /* longer than every TTL and delay of a key manager's own reckoning */
#define PATH_LEN 4096

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
}

/* Fills the rest from key->dnskey. */
static void describe(struct dnssec_key *key)
{
	key->tag = ldns_calc_keytag(key->dnskey);
	key->algorithm = ldns_rdf2native_int8(ldns_rr_dnskey_algorithm(key->dnskey));
	key->is_sep = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key->dnskey)) & LDNS_KEY_SEP_KEY;
}

/* Takes private over. */
static int make(ldns_key *private, const char *zone, uint16_t flags, struct dnssec_key **ret, struct err *err)
{
	struct dnssec_key *key = calloc(1, sizeof(*key));

	if (!key || !private) {
		if (private)
			ldns_key_deep_free(private);
		free(key);
		return out_of_memory(err);
	}
	key->key = private;
	ldns_key_set_pubkey_owner(private, ldns_dname_new_frm_str(zone));
	ldns_key_set_flags(private, flags);
	ldns_key_set_origttl(private, DNSSEC_KEY_TTL);
	key->dnskey = ldns_key2rr(private);
	if (!key->dnskey) {
		dnssec_key_free(key);
		return out_of_memory(err);
	}
	ldns_rr_set_ttl(key->dnskey, DNSSEC_KEY_TTL);
	describe(key);
	ldns_key_set_keytag(private, key->tag);
	*ret = key;
	return 0;
}

int dnssec_key_new(const char *zone, unsigned algorithm, bool is_sep, struct dnssec_key **ret, struct err *err)
{
	uint16_t flags = (uint16_t)(LDNS_KEY_ZONE_KEY | (is_sep ? LDNS_KEY_SEP_KEY : 0));
	unsigned bits = algorithm == LDNS_RSASHA256 ? RSA_BITS : 256;

	return make(ldns_key_new_frm_algorithm((ldns_signing_algorithm)algorithm, (uint16_t)bits), zone, flags, ret,
		    err);
}

int dnssec_key_public(const ldns_rr *dnskey, struct dnssec_key **ret, struct err *err)
{
	struct dnssec_key *key = calloc(1, sizeof(*key));

	if (key)
		key->dnskey = ldns_rr_clone(dnskey);
	if (!key || !key->dnskey) {
		free(key);
		return out_of_memory(err);
	}
	describe(key);
	*ret = key;
	return 0;
}

void dnssec_key_free(struct dnssec_key *key)
{
	if (!key)
		return;
	if (key->key)
		ldns_key_deep_free(key->key);
	ldns_rr_free(key->dnskey);
	free(key);
}

ldns_rr *dnssec_key_ds(const ldns_rr *dnskey, uint32_t ttl)
{
	ldns_rr *ds = ldns_key_rr2ds(dnskey, LDNS_SHA256);

	if (ds)
		ldns_rr_set_ttl(ds, ttl);
	return ds;
}

/* ---- files ---- */

static int file_failed(const char *what, const char *path, struct err *err)
{
	int error = errno ? errno : EIO;

	return err_set(err, -error, LOC_NONE, "cannot %s %s: %s", what, path, strerror(error));
}

static int finish(FILE *out, const char *path, struct err *err)
{
	bool has_failed = ferror(out);

	if (fclose(out) != 0 || has_failed)
		return file_failed("write", path, err);
	return 0;
}

/* Path without its ending, of at most PATH_LEN bytes. Names may hold any byte: RFC 2317 puts "/" into reverse zones. */
static void base_path(const struct dnssec_key *key, const char *dir, char path[PATH_LEN])
{
	char *zone = ldns_rdf2str(ldns_rr_owner(key->dnskey));

	for (char *p = zone; p && *p; p++)
		if (*p == '/')
			*p = '_';
	snprintf(path, PATH_LEN - 16, "%s/K%s+%03u+%05u", dir, zone ? zone : "", key->algorithm, key->tag);
	free(zone);
}

static FILE *create(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out)
		file_failed("write", path, err);
	return out;
}

static int write_public(const struct dnssec_key *key, const char *path, struct err *err)
{
	FILE *out = create(path, err);

	if (!out)
		return err->code;
	ldns_rr_print_fmt(out, ldns_output_format_nocomments, key->dnskey);
	return finish(out, path, err);
}

/* ldns says v1.2, in which BIND does not look for times. */
static void print_private(FILE *out, const ldns_key *key)
{
	static const char old[] = "Private-key-format: v1.2\n";
	char *text = ldns_key2str(key);

	if (text && !strncmp(text, old, strlen(old)))
		fprintf(out, "Private-key-format: v1.3\n%s", text + strlen(old));
	else if (text)
		fputs(text, out);
	free(text);
}

static int write_private(const struct dnssec_key *key, const char *path, struct err *err)
{
	static const char *const moments[] = {"Created", "Publish", "Activate"};
	time_t then = time(NULL) - LONG_AGO;
	FILE *out = create(path, err);
	char text[32];
	struct tm tm;

	if (!out)
		return err->code;
	print_private(out, key->key);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", gmtime_r(&then, &tm));
	for (size_t i = 0; i < ARRAY_LEN(moments); i++)
		fprintf(out, "%s: %s\n", moments[i], text);
	if (key->is_sep) /* its DS is there, too */
		fprintf(out, "SyncPublish: %s\n", text);
	return finish(out, path, err);
}

int dnssec_key_write(const struct dnssec_key *key, const char *dir, struct err *err)
{
	char base[PATH_LEN], path[PATH_LEN];
	int r;

	base_path(key, dir, base);
	snprintf(path, sizeof(path), "%.*s.key", PATH_LEN - 16, base);
	r = write_public(key, path, err);
	if (r < 0 || !key->key)
		return r;
	snprintf(path, sizeof(path), "%.*s.private", PATH_LEN - 16, base);
	return write_private(key, path, err);
}

static int load_public(const char *path, ldns_rr **ret, struct err *err)
{
	FILE *in = fopen(path, "re");
	ldns_rr *rr = NULL;
	ldns_status status;

	if (!in)
		return file_failed("read", path, err);
	status = ldns_rr_new_frm_fp(&rr, in, NULL, NULL, NULL);
	fclose(in);
	if (status == LDNS_STATUS_OK && ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY) {
		*ret = rr;
		return 0;
	}
	ldns_rr_free(rr);
	return err_set(err, -EBADMSG, LOC_NONE, "%s holds no DNSKEY record", path);
}

static int load_private(const char *path, ldns_key **ret, struct err *err)
{
	FILE *in = fopen(path, "re");
	ldns_status status;

	if (!in)
		return errno == ENOENT ? 0 : file_failed("read", path, err);
	status = ldns_key_new_frm_fp(ret, in);
	fclose(in);
	if (status != LDNS_STATUS_OK)
		return err_set(err, -EBADMSG, LOC_NONE, "%s holds no private key: %s", path,
			       ldns_get_errorstr_by_id(status));
	return 0;
}

/* path: of the .key file. */
static int load_key(struct dnssec_keys *keys, const char *path, const char *zone, struct err *err)
{
	char other[PATH_LEN];
	struct dnssec_key *key = NULL;
	ldns_key *private = NULL;
	ldns_rr *dnskey = NULL;
	int r = load_public(path, &dnskey, err);

	snprintf(other, sizeof(other), "%.*s.private", (int)strlen(path) - 4, path);
	if (r == 0)
		r = load_private(other, &private, err);
	if (r == 0 && private)
		r = make(private, zone, ldns_rdf2native_int16(ldns_rr_dnskey_flags(dnskey)), &key, err);
	else if (r == 0)
		r = dnssec_key_public(dnskey, &key, err);
	ldns_rr_free(dnskey);
	return r < 0 ? r : dnssec_keys_add(keys, key, err);
}

static int is_public_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] == 'K' && len > 4 && !strcmp(entry->d_name + len - 4, ".key");
}

int dnssec_keys_load(struct dnssec_keys *keys, const char *dir, const char *zone, struct err *err)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_public_file, alphasort), r = 0;

	if (count < 0)
		return errno == ENOENT ? 0 : file_failed("read", dir, err);
	for (int i = 0; i < count; i++) {
		char path[PATH_LEN];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (r == 0)
			r = load_key(keys, path, zone, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int dnssec_keys_add(struct dnssec_keys *keys, struct dnssec_key *key, struct err *err)
{
	struct dnssec_key **v = realloc(keys->v, (keys->count + 1) * sizeof(struct dnssec_key *));

	if (!v) {
		dnssec_key_free(key);
		return out_of_memory(err);
	}
	keys->v = v;
	v[keys->count++] = key;
	return 0;
}

void dnssec_keys_fini(struct dnssec_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		dnssec_key_free(keys->v[i]);
	free(keys->v);
	*keys = (struct dnssec_keys){0};
}
