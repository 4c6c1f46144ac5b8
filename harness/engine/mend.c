/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/fd.h"
#include "harness/engine/start.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

/* The number after `key` in a small file; key "": the file is the number. -1 if there is none. */
static long long read_number(const char *path, const char *key, int base)
{
	CLEANUP_FREE char *text = NULL;
	const char *at;
	size_t len;

	if (fd_read_file(AT_FDCWD, path, 1 << 16, &text, &len))
		return -1;
	at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, base) : -1;
}

static bool has_sys_admin(void)
{
	long long caps = read_number("/proc/self/status", "CapEff:\t", 16);

	return geteuid() == 0 && caps > 0 && (caps >> CAP_SYS_ADMIN & 1);
}

static bool is_in_container(void)
{
	return !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK) ||
	       !access("/var/run/secrets/kubernetes.io", F_OK);
}

void engine_facts_read(struct engine_facts *ret)
{
	ssize_t len;

	*ret = (struct engine_facts){
		.is_root = has_sys_admin(),
		.in_container = is_in_container(),
		.userns_clone = read_number("/proc/sys/kernel/unprivileged_userns_clone", "", 10),
		.max_userns = read_number("/proc/sys/user/max_user_namespaces", "", 10),
		.apparmor = read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "", 10),
	};
	len = readlink("/proc/self/exe", ret->program, sizeof(ret->program) - 1);
	ret->program[len > 0 ? len : 0] = '\0';
}

static void add(struct err *err, const char *text)
{
	size_t len = strlen(err->text);

	snprintf(err->text + len, sizeof(err->text) - len, "%s", text);
}

static void add_apparmor(const struct engine_facts *facts, struct err *err)
{
	const char *program = facts->program[0] ? facts->program : "/usr/local/bin/dnsdrill";

	add(err, "\n  AppArmor keeps ordinary users' namespaces powerless here (Ubuntu 23.10 and later). Either"
		 "\n    sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
		 "\n  or allow it to this program alone: put these lines into /etc/apparmor.d/dnsdrill"
		 "\n    abi <abi/4.0>,\n    include <tunables/global>\n    profile dnsdrill ");
	add(err, program);
	add(err, " flags=(unconfined) {\n      userns,\n    }"
		 "\n  and load them: sudo apparmor_parser -r /etc/apparmor.d/dnsdrill");
}

int engine_add_mend(const struct engine_facts *facts, struct err *err)
{
	if (facts->max_userns == 0)
		add(err, "\n  User namespaces are switched off here: sudo sysctl user.max_user_namespaces=15000");
	if (!facts->is_root && facts->userns_clone == 0)
		add(err, "\n  Only root may make user namespaces here: sudo sysctl kernel.unprivileged_userns_clone=1");
	if (!facts->is_root && facts->apparmor > 0)
		add_apparmor(facts, err);
	if (facts->in_container)
		add(err, "\n  This is a container. Start it with --privileged, or with --cap-add SYS_ADMIN --cap-add "
			 "NET_ADMIN"
			 "\n  --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
			 " --security-opt systempaths=unconfined");
	if (!facts->is_root)
		add(err, "\n  Running as root works without any of this: sudo dnsdrill ...");
	return err->code;
}
