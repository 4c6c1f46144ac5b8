/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/dnssec/rollover.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_LEN 4096
#define KEYS_MAX 64 /* of a zone, those of the past included */

const char *const rollover_names[] = {
	[ROLLOVER_ZSK] = "zsk",
	[ROLLOVER_KSK] = "ksk",
	[ROLLOVER_KSK_DOUBLE_DS] = "ksk-double-ds",
	[ROLLOVER_ALGORITHM] = "algorithm",
	NULL,
};

/* A key-signing key signs only while it is published; that of the other kind may sign before and after. */
#define NOWHERE 0
#define PUBLISHED ROLLOVER_PUBLISHED
#define SIGNING (ROLLOVER_PUBLISHED | ROLLOVER_SIGNS)
#define SIGNING_DS (SIGNING | ROLLOVER_HAS_DS)
#define HIDDEN_SIGNING ROLLOVER_SIGNS
#define DS_ALONE ROLLOVER_HAS_DS

static const struct rollover_step steps[][ROLLOVER_STEPS_MAX + 1] =
	{
		[ROLLOVER_ZSK] =
			{
				{"publish", "publishes a new zone-signing key", false, SIGNING, PUBLISHED},
				{"sign", "signs with the new zone-signing key", false, PUBLISHED, SIGNING},
				{"remove", "removes the old zone-signing key", false, NOWHERE, SIGNING},
			},
		[ROLLOVER_KSK] =
			{
				{"publish", "publishes a new key-signing key, which signs beside the old one", false,
				 SIGNING_DS, SIGNING},
				{"ds", "replaces the DS by that of the new key-signing key", true, SIGNING, SIGNING_DS},
				{"remove", "removes the old key-signing key", false, NOWHERE, SIGNING_DS},
			},
		[ROLLOVER_KSK_DOUBLE_DS] =
			{
				{"ds", "adds the DS of a new key-signing key", true, SIGNING_DS, DS_ALONE},
				{"swap", "replaces the key-signing key by the new one", false, DS_ALONE, SIGNING_DS},
				{"remove", "removes the DS of the old key-signing key", true, NOWHERE, SIGNING_DS},
			},
		[ROLLOVER_ALGORITHM] =
			{
				{"sign", "adds signatures of keys of a new algorithm", false, SIGNING_DS,
				 HIDDEN_SIGNING},
				{"publish", "publishes the keys of the new algorithm", false, SIGNING_DS, SIGNING},
				{"ds", "replaces the DS by that of the new algorithm", true, SIGNING, SIGNING_DS},
				{"remove", "removes the keys of the old algorithm", false, HIDDEN_SIGNING, SIGNING_DS},
				{"remove-signatures", "removes the signatures of the old algorithm", false,
				 NOWHERE, SIGNING_DS},
			},
};

const struct rollover_step *rollover_step(enum rollover roll, size_t number)
{
	return number < ROLLOVER_STEPS_MAX && steps[roll][number].name ? &steps[roll][number] : NULL;
}

/* ---- the state ---- */

enum part { PART_BYSTANDER, PART_OLD, PART_FRESH, PART_GONE };

struct key_state {
	unsigned tag, algorithm, part;
	bool is_published, signs, has_ds;
};

struct state {
	int64_t serial; /* of the last step; 0: none */
	struct key_state keys[KEYS_MAX];
	size_t count;
};

static int read_state(const char *dir, struct state *ret, struct err *err)
{
	char path[PATH_LEN], line[200];
	FILE *in;

	*ret = (struct state){0};
	snprintf(path, sizeof(path), "%s/rollover", dir);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? 0
				       : err_set(err, -errno, LOC_NONE, "cannot read %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), in) && ret->count < KEYS_MAX) {
		struct key_state *key = &ret->keys[ret->count];
		unsigned published, sign, ds;
		long long serial;

		if (sscanf(line, "step %lld", &serial) == 1)
			ret->serial = serial;
		if (sscanf(line, "key %u %u %u %u %u %u", &key->tag, &key->algorithm, &key->part, &published, &sign,
			   &ds) != 6)
			continue;
		key->is_published = published;
		key->signs = sign;
		key->has_ds = ds;
		ret->count++;
	}
	fclose(in);
	return 0;
}

static int write_state(const char *dir, const struct state *state, struct err *err)
{
	char path[PATH_LEN], fresh[PATH_LEN];
	FILE *out;
	int r = 0;

	snprintf(path, sizeof(path), "%s/rollover", dir);
	snprintf(fresh, sizeof(fresh), "%s/rollover.new", dir);
	out = fopen(fresh, "we");
	if (out) {
		fprintf(out, "step %lld\n", (long long)state->serial);
		for (size_t i = 0; i < state->count; i++)
			fprintf(out, "key %u %u %u %u %u %u\n", state->keys[i].tag, state->keys[i].algorithm,
				state->keys[i].part, state->keys[i].is_published, state->keys[i].signs,
				state->keys[i].has_ds);
	}
	if (!out || fclose(out) || rename(fresh, path))
		r = err_set(err, errno ? -errno : -EIO, LOC_NONE, "cannot write %s: %s", path, strerror(errno));
	return r;
}

static struct key_state *find(struct state *state, const struct dnssec_key *key)
{
	for (size_t i = 0; i < state->count; i++)
		if (state->keys[i].tag == key->tag && state->keys[i].algorithm == key->algorithm)
			return &state->keys[i];
	return NULL;
}

/* ---- a step ---- */

static bool is_rolled(enum rollover roll, const struct dnssec_key *key)
{
	return roll == ROLLOVER_ALGORITHM || key->is_sep == (roll != ROLLOVER_ZSK);
}

/* Keys of which nothing was said yet. */
static int note_keys(struct state *state, const struct dnssec_keys *keys, unsigned part, struct err *err)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct dnssec_key *key = keys->v[i];

		if (find(state, key))
			continue;
		if (state->count == KEYS_MAX)
			return err_set(err, -E2BIG, LOC_NONE, "the zone has had more than %d keys", KEYS_MAX);
		state->keys[state->count++] =
			(struct key_state){key->tag, key->algorithm, part, true, key->key != NULL, key->is_sep};
	}
	return 0;
}

static int make_key(const struct rollover_move *move, struct state *state, unsigned algorithm, bool is_sep,
		    struct dnssec_keys *keys, struct err *err)
{
	struct dnssec_key *key = NULL;
	int r;

	do { /* another tag than every key has: files and this state tell them apart by it */
		dnssec_key_free(key);
		key = NULL;
		r = dnssec_key_new(move->zone, algorithm, is_sep, &key, err);
	} while (r == 0 && find(state, key));
	if (r == 0)
		r = dnssec_key_write(key, move->dir, err);
	if (r < 0) {
		dnssec_key_free(key);
		return r;
	}
	r = dnssec_keys_add(keys, key, err);
	return r < 0 ? r : note_keys(state, keys, PART_FRESH, err);
}

/* Says of every key what part it has in the rollover, and makes the fresh ones. */
static int cast_parts(const struct rollover_move *move, struct state *state, struct dnssec_keys *keys, struct err *err)
{
	unsigned algorithm = 0;
	int r = note_keys(state, keys, PART_BYSTANDER, err);

	for (size_t i = 0; r == 0 && i < keys->count; i++) {
		struct key_state *key = find(state, keys->v[i]);

		if (key->part == PART_OLD)
			key->part = PART_GONE;
		if (key->part == PART_GONE)
			continue;
		key->part = is_rolled(move->roll, keys->v[i]) ? PART_OLD : PART_BYSTANDER;
		algorithm = key->algorithm;
	}
	if (move->roll == ROLLOVER_ALGORITHM)
		algorithm = algorithm == LDNS_SIGN_ECDSAP256SHA256 ? LDNS_SIGN_ED25519 : LDNS_SIGN_ECDSAP256SHA256;
	for (int is_sep = 1; r == 0 && is_sep >= 0; is_sep--)
		if (move->roll == ROLLOVER_ALGORITHM || is_sep == (move->roll != ROLLOVER_ZSK))
			r = make_key(move, state, algorithm, is_sep, keys, err);
	return r;
}

static void set_keys(const struct rollover_move *move, struct state *state, const struct dnssec_keys *keys)
{
	const struct rollover_step *step = rollover_step(move->roll, move->number);

	for (size_t i = 0; i < keys->count; i++) {
		struct key_state *key = find(state, keys->v[i]);
		unsigned set;

		if (!key || (key->part != PART_OLD && key->part != PART_FRESH))
			continue;
		set = key->part == PART_OLD ? step->old : step->fresh;
		key->is_published = set & ROLLOVER_PUBLISHED;
		key->signs = set & ROLLOVER_SIGNS;
		key->has_ds = set & ROLLOVER_HAS_DS;
		if (keys->v[i]->is_sep)
			key->signs = key->signs && key->is_published;
		else
			key->has_ds = false;
	}
}

static int move_locked(const struct rollover_move *move, struct err *err)
{
	struct dnssec_keys keys = {0};
	struct state state;
	int r = read_state(move->dir, &state, err);

	if (r < 0 || state.serial == move->serial)
		return r;
	if (state.serial != move->serial - 1)
		return err_set(err, -EINVAL, LOC_NONE, "the step before this one of the rollover of %s was not done",
			       move->zone);
	r = dnssec_keys_load(&keys, move->dir, move->zone, err);
	if (r == 0 && move->number == 0)
		r = cast_parts(move, &state, &keys, err);
	if (r == 0) {
		set_keys(move, &state, &keys);
		state.serial = move->serial;
		r = write_state(move->dir, &state, err);
	}
	dnssec_keys_fini(&keys);
	return r;
}

int rollover_move(const struct rollover_move *move, struct err *err)
{
	char path[PATH_LEN];
	int fd, r;

	snprintf(path, sizeof(path), "%s/rollover.lock", move->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX))
		r = err_set(err, -errno, LOC_NONE, "cannot lock %s: %s", path, strerror(errno));
	else
		r = move_locked(move, err);
	if (fd >= 0)
		close(fd);
	return r;
}

/* ---- what follows from it ---- */

int rollover_use(const char *dir, struct dnssec_signing *signing, struct err *err)
{
	struct state state;
	int r = read_state(dir, &state, err);

	for (size_t i = 0; r == 0 && i < signing->key_count; i++) {
		struct dnssec_key_use *use = &signing->keys[i];
		const struct key_state *key = find(&state, use->key);

		if (!key)
			continue;
		use->is_published = key->is_published;
		use->signs = key->signs && use->key->key;
	}
	return r;
}

int rollover_ds(const char *dir, const char *zone, uint32_t ttl, ldns_rr_list **ret, struct err *err)
{
	ldns_rr_list *list = ldns_rr_list_new();
	struct dnssec_keys keys = {0};
	struct state state;
	int r = list ? read_state(dir, &state, err) : err_set(err, -ENOMEM, LOC_NONE, "out of memory");

	if (r == 0 && !state.serial)
		r = err_set(err, -ENOENT, LOC_NONE, "no rollover of %s has begun", zone);
	if (r == 0)
		r = dnssec_keys_load(&keys, dir, zone, err);
	for (size_t i = 0; r == 0 && i < keys.count; i++) {
		const struct key_state *key = find(&state, keys.v[i]);
		ldns_rr *ds = key && key->has_ds ? dnssec_key_ds(keys.v[i]->dnskey, ttl) : NULL;

		if (key && key->has_ds && (!ds || !ldns_rr_list_push_rr(list, ds)))
			r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	dnssec_keys_fini(&keys);
	if (r < 0)
		ldns_rr_list_deep_free(list);
	else
		*ret = list;
	return r;
}
