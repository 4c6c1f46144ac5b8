/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/plan/names.h"

#include <string.h>

#include "harness/base/text.h"

#define NAMES_SHOWN 20 /* a longer list says less */

void names_add(struct names *names, struct arena *arena, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->v[i], name))
			return;
	}
	if (names->count == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 16;
		const char **v = ARENA_ARRAY(arena, const char *, cap);

		if (names->count)
			memcpy(v, names->v, names->count * sizeof(*v));
		names->v = v;
		names->cap = cap;
	}
	names->v[names->count++] = name;
}

void names_describe_unknown(const struct names *known, const char *what, const char *word, struct buf *out)
{
	const char *nearest = text_nearest(word, known->v, known->count);

	buf_printf(out, "unknown %s '%.80s'", what, word);
	if (!known->count) {
		buf_puts(out, "; there is none");
		return;
	}
	buf_puts(out, nearest ? "; did you mean '" : "; there ");
	if (nearest)
		buf_printf(out, "%s'? There ", nearest);
	buf_puts(out, known->count == 1 ? "is: " : "are: ");
	for (size_t i = 0; i < known->count && i < NAMES_SHOWN; i++)
		buf_printf(out, "%s%s", i ? ", " : "", known->v[i]);
	if (known->count > NAMES_SHOWN)
		buf_printf(out, " and %zu more", known->count - NAMES_SHOWN);
}

const char *names_place(struct arena *arena, struct loc there, struct loc here)
{
	if (there.file && here.file && strcmp(there.file, here.file))
		return arena_printf(arena, "%s:%u", there.file, there.line);
	return arena_printf(arena, "line %u", there.line);
}

void names_unknown(const struct names *known, const char *what, const char *word, struct loc loc, struct errs *errs)
{
	struct buf text = {0};

	names_describe_unknown(known, what, word, &text);
	errs_add(errs, loc, "%s", text.data ? text.data : "out of memory");
	buf_fini(&text);
}
