/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/ability.h"

#include <errno.h>

#define INFO(upper, n, w, l, h) [ABILITY_##upper] = {.name = (n), .what = (w), .lost = (l), .how = (h)},
const struct ability_info ability_infos[ABILITY_COUNT] = {ABILITIES(INFO)};
#undef INFO

bool ability_has(const struct abilities *abilities, enum ability ability)
{
	return abilities && abilities->has[ability];
}

int ability_demand(const struct abilities *abilities, enum ability ability, struct loc loc, const char *who,
		   const char *otherwise, struct err *err)
{
	const struct ability_info *info = &ability_infos[ability];
	const char *why = abilities ? abilities->why[ability] : "";

	if (ability_has(abilities, ability))
		return 0;
	return err_set(err, -EOPNOTSUPP, loc, "%s needs %s (%s), which this kernel has not%s%s. Ways out: %s%s%s", who,
		       info->name, info->what, *why ? ": " : "", why, info->how, otherwise ? "; or " : "",
		       otherwise ? otherwise : "");
}
