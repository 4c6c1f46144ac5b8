/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step `raise-serial`: the same zone with a higher serial.
 */
#include "harness/actions/common.h"
#include "harness/base/serial.h"

struct raise_serial {
	struct action action;
	int64_t by, to;
};

static const struct param raise_serial_params[] = {
	P_INT(struct raise_serial, by, "by", 1, INT32_MAX, PARAM_UNSET, "how much higher; by default 1"),
	P_INT(struct raise_serial, to, "to_serial", 0, UINT32_MAX, PARAM_UNSET, "the new serial, instead of by"),
	PARAM_END,
};

static void raise_serial_resolve(struct action *action, struct plan *plan, struct arena *arena, struct errs *errs)
{
	const struct raise_serial *raise = (const struct raise_serial *)action;
	const struct zone_spec *spec = version_zone(plan, &action->zone, arena, errs);
	const struct zone *before = spec ? version_content(plan, spec) : NULL, *zone;
	uint32_t serial, serial_before;

	if (!before)
		return; /* said already */
	serial_before = version_serial(plan, spec);
	if (raise->by != PARAM_UNSET && raise->to != PARAM_UNSET)
		errs_add(errs, action->loc, "raise-serial: by and to_serial both say the new serial; leave one out");
	serial = serial_before + (uint32_t)(raise->by == PARAM_UNSET ? 1 : raise->by);
	if (raise->to != PARAM_UNSET)
		serial = (uint32_t)raise->to;
	if (!serial_is_higher(serial, serial_before)) {
		errs_add(errs, action->loc,
			 "raise-serial: %u %s %u, which %s has at that time: it may be at most 2147483647 more (RFC "
			 "1982); the fault zone-push lowers it",
			 serial,
			 serial_is_undefined(serial, serial_before) ? "cannot be compared with" : "is not higher than",
			 serial_before, action->zone.value);
		return;
	}
	zone = version_edit(plan, before, serial, NULL, NULL, "raise-serial", action->loc, arena, errs);
	if (zone)
		action->version = version_add(plan, spec, zone, action->loc, arena, errs);
}

static void raise_serial_sentence(const struct action *action, struct buf *out)
{
	buf_printf(out, "raises the serial of zone %s from %u to %u on ", action->zone.value,
		   action->version->serial_before, action->version->serial);
	action_add_hosts(action, out);
}

extern const struct action_ops raise_serial_ops;
const struct action_ops raise_serial_ops = {
	.kind = "raise-serial",
	.summary = "gives a zone's primaries the same zone with a higher serial",
	.on = ACTION_ON_ZONE,
	.verbs = SERVER_CAN(RELOAD_ZONE),
	.params = raise_serial_params,
	.size = sizeof(struct raise_serial),
	.resolve = raise_serial_resolve,
	.perform = action_push_version,
	.sentence = raise_serial_sentence,
	.commands = action_push_commands,
};
