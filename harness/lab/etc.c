/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/lab/etc.h"
#include "harness/base/fd.h"
#include "harness/lab/lab.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define REAL_ETC LAB_DIR "/.etc"
#define HOST_ETCS LAB_DIR "/.hosts"
#define RESOLV_CONF_SERVERS 3 /* glibc's MAXNS: it ignores further ones */

struct own_file {
	const char *name, *text;
};

/* What the machine has in these would leak into the lab's answers. resolv.conf is written apart. */
static const struct own_file own_files[] = {
	{"hosts", "127.0.0.1 localhost dnsdrill\n::1 localhost ip6-localhost ip6-loopback\n"},
	{"hostname", "dnsdrill\n"},
	{"nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
			  "protocols: files\nservices: files\nethers: files\nrpc: files\n"},
	{"gai.conf", "# getaddrinfo(3) sorts as RFC 6724 says.\n"},
};

static bool is_own(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(own_files); i++) {
		if (!strcmp(name, own_files[i].name))
			return true;
	}
	return !strcmp(name, "resolv.conf");
}

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return err_set(err, -errno, LOC_NONE, "making the directory %s: %s", path, strerror(errno));
	return 0;
}

int etc_prepare(struct err *err)
{
	int rc = make_dir(LAB_DIR, err);

	if (!rc)
		rc = make_dir(REAL_ETC, err);
	if (!rc)
		rc = make_dir(HOST_ETCS, err);
	if (rc)
		return rc;
	/* Recursive: where something is mounted below /etc, as in containers, the kernel refuses less. */
	if (mount("/etc", REAL_ETC, NULL, MS_BIND | MS_REC, NULL))
		return err_set(err, -errno, LOC_NONE, "binding /etc to " REAL_ETC ": %s", strerror(errno));
	return 0;
}

/* A symbolic link is copied, since a relative one only works from /etc itself; anything else is linked to. */
static int link_entry(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len >= 0)
		target[len] = '\0';
	else if (snprintf(target, sizeof(target), REAL_ETC "/%s", name) >= (int)sizeof(target))
		return -ENAMETOOLONG;
	return symlinkat(target, to, name) ? -errno : 0;
}

static int link_all(int to, struct err *err)
{
	DIR *dir = opendir(REAL_ETC);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return err_set(err, -errno, LOC_NONE, "opening " REAL_ETC ": %s", strerror(errno));
	while (!rc && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_own(entry->d_name))
			continue;
		rc = link_entry(dirfd(dir), to, entry->d_name);
		if (rc)
			err_set(err, rc, LOC_NONE, "linking /etc/%s: %s", entry->d_name, strerror(-rc));
	}
	closedir(dir);
	return rc;
}

static void add_nameservers(const struct addresses *addresses, size_t *io_count, struct buf *out)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_LEN(families) && *io_count < RESOLV_CONF_SERVERS; i++) {
		const struct address *address = addresses_first(addresses, families[i]);

		if (!address)
			continue;
		buf_printf(out, "nameserver %s\n", address->text);
		++*io_count;
	}
}

static void add_client(const struct topo_host *host, struct buf *out)
{
	const struct client_spec *client = host->client;

	for (size_t i = 0; i < host->resolver_count && i < RESOLV_CONF_SERVERS; i++)
		buf_printf(out, "nameserver %s\n", host->resolvers[i].address.text);
	if (!client)
		return;
	buf_printf(out, "options timeout:%lld attempts:%lld\n",
		   (long long)((client->timeout_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC), (long long)client->attempts);
	if (client->options.value)
		buf_printf(out, "%s\n", client->options.value);
}

static const struct topo_host *first_resolver(const struct topology *topology)
{
	for (size_t i = 0; i < topology->host_count; i++) {
		if (topology->hosts[i].role == HOST_RESOLVER)
			return &topology->hosts[i];
	}
	return NULL;
}

void etc_resolv_conf(const struct topology *topology, const struct topo_host *host, struct buf *out)
{
	const struct topo_host *resolver = host->role == HOST_RESOLVER ? host : first_resolver(topology);
	size_t count = 0;

	if (host->role == HOST_CLIENT)
		add_client(host, out);
	else if (resolver)
		add_nameservers(&resolver->addresses, &count, out);
	else
		buf_puts(out, "# this lab has no resolver\n");
}

static int write_own(const struct topology *topology, const struct topo_host *host, int dir, struct err *err)
{
	struct buf text = {0};
	const char *name = "resolv.conf";
	int rc;

	etc_resolv_conf(topology, host, &text);
	rc = text.failed ? -ENOMEM : fd_write_file(dir, name, text.data ? text.data : "", text.len, 0644);
	buf_fini(&text);
	for (size_t i = 0; !rc && i < ARRAY_LEN(own_files); i++) {
		name = own_files[i].name;
		rc = fd_write_file(dir, name, own_files[i].text, strlen(own_files[i].text), 0644);
	}
	return rc ? err_set(err, rc, LOC_NONE, "writing /etc/%s of host %s: %s", name, host->name, strerror(-rc)) : 0;
}

int etc_make(const struct topology *topology, const struct topo_host *host, char **ret, struct err *err)
{
	CLEANUP_FREE char *path = NULL;
	CLEANUP_CLOSE int dir = -1;
	int rc;

	if (asprintf(&path, HOST_ETCS "/%s", host->name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	}
	rc = make_dir(path, err);
	if (rc)
		return rc;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, -errno, LOC_NONE, "opening %s: %s", path, strerror(errno));
	rc = link_all(dir, err);
	if (!rc)
		rc = write_own(topology, host, dir, err);
	if (rc)
		return rc;
	*ret = TAKE(path);
	return 0;
}
