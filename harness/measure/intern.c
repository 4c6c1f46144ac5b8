/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/measure/intern.h"

#include "harness/base/buf.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct slot {
	const char *text; /* NULL: free */
	uint64_t hash;
};

struct intern {
	struct arena *arena;
	struct slot *slots; /* open addressing, at most half full; a power of two */
	size_t size, used;
};

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p) {
		fputs("dnsdrill: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct intern *intern_new(struct arena *arena)
{
	struct intern *intern = zeroed(1, sizeof(*intern));

	intern->arena = arena;
	intern->size = 256;
	intern->slots = zeroed(intern->size, sizeof(*intern->slots));
	return intern;
}

void intern_free(struct intern *intern)
{
	if (!intern)
		return;
	free(intern->slots);
	free(intern);
}

/* With a last stir because the table uses the low bits. */
static uint64_t hash_of(const char *text, bool *ret_ascii)
{
	uint64_t hash = HASH_START;
	unsigned char bits = 0;

	for (const char *p = text; *p; p++) {
		bits |= (unsigned char)*p;
		hash = hash_byte(hash, (unsigned char)*p);
	}
	*ret_ascii = bits < 0x80;
	return hash ^ hash >> 32;
}

/* Where text stands, or the free slot where it belongs. */
static struct slot *find(const struct intern *intern, const char *text, uint64_t hash)
{
	size_t i = hash & (intern->size - 1);

	while (intern->slots[i].text && (intern->slots[i].hash != hash || strcmp(intern->slots[i].text, text) != 0))
		i = (i + 1) & (intern->size - 1);
	return &intern->slots[i];
}

static void grow(struct intern *intern)
{
	struct slot *old = intern->slots;
	size_t old_size = intern->size;

	intern->size *= 2;
	intern->slots = zeroed(intern->size, sizeof(*intern->slots));
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].text)
			*find(intern, old[i].text, old[i].hash) = old[i];
	}
	free(old);
}

static const char *keep(struct intern *intern, const char *text, uint64_t hash)
{
	struct slot *slot = find(intern, text, hash);

	if (slot->text)
		return slot->text;
	if (intern->used * 2 >= intern->size) {
		grow(intern);
		slot = find(intern, text, hash);
	}
	intern->used++;
	slot->hash = hash;
	slot->text = arena_strdup(intern->arena, text);
	return slot->text;
}

static bool is_utf8(const char *text)
{
	while (*text) {
		size_t len = text_utf8_length(text);

		if (!len)
			return false;
		text += len;
	}
	return true;
}

static const char *keep_mended(struct intern *intern, const char *text)
{
	struct buf mended = {0};
	const char *kept;
	bool ascii;

	while (*text) {
		size_t len = text_utf8_length(text);

		if (len)
			buf_add(&mended, text, len);
		else
			buf_puts(&mended, "\xef\xbf\xbd");
		text += len ? len : 1;
	}
	kept = mended.failed ? "" : keep(intern, mended.data, hash_of(mended.data, &ascii));
	buf_fini(&mended);
	return kept;
}

const char *intern_text(struct intern *intern, const char *text)
{
	uint64_t hash;
	bool ascii;

	if (!text)
		return NULL;
	hash = hash_of(text, &ascii);
	return ascii || is_utf8(text) ? keep(intern, text, hash) : keep_mended(intern, text);
}
