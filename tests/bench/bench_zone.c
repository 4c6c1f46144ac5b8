/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone of a million records (`bench_zone RECORDS` for another number): what the harness itself does with it, beside what others take for the same on the same files, in
 * the same run. Compared is CPU time, user and system, which says more than the clock on a machine with other work; the clock is shown, too. Each part is a process
 * of its own, so that its largest memory is its own.
 *
 * `bench_zone write FILE RECORDS SERIAL` writes the zone alone; serial 2 is the zone with 1,000 records changed.
 */
#include "harness/base/clock.h"
#include "harness/base/units.h"
#include "harness/dnssec/sign.h"
#include "harness/plan/versions.h"
#include "harness/plan/zone_print.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ZONE "example.com"
#define CHANGES 1000
#define MEMORY_BOUND_MIB 1536

/* ---- the zone ---- */

/* The same numbers for the same place, whatever came before: so the second version differs where it is meant to, and nowhere else. */
static uint32_t number_at(uint32_t i, uint32_t salt)
{
	uint64_t x = ((uint64_t)i << 32 | salt) + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(x ^ x >> 31);
}

/* Of ten names three are hosts, two hosts with both families, two delegations, one with glue; mail, a text, an alias. Returns how many records. */
static unsigned write_name(FILE *out, uint32_t i, uint32_t salt)
{
	uint32_t a = number_at(i, salt), b = number_at(i, 2);
	unsigned label = i * 2654435761u; /* an odd factor: never the same twice */

	switch (number_at(i, 1) % 10) {
	case 0:
		return fprintf(out, "n%08x 3600 MX 10 mail%u.example.net.\n", label, a % 100) ? 1 : 0;
	case 1:
		return fprintf(out, "n%08x TXT \"v=spf1 ip4:10.%u.%u.0/24 -all\" \"id=%08x\"\n", label, a % 256,
			       b % 256, a)
			       ? 1
			       : 0;
	case 2:
		return fprintf(out, "n%08x CNAME www%u.example.net.\n", label, a % 1000) ? 1 : 0;
	case 3:
		fprintf(out, "n%08x NS ns1.n%08x\n\tNS ns.example.net.\nns1.n%08x A 10.%u.%u.1\n", label, label, label,
			a % 256, b % 256);
		fprintf(out, "ns1.n%08x AAAA 2001:db8:%x:%x::1\n", label, a % 65536, b % 65536);
		return 4;
	case 4:
		fprintf(out, "n%08x NS ns1.example.net.\n\tNS ns2.example.net.\n", label);
		return 2;
	case 5:
	case 6:
		fprintf(out, "n%08x A 10.%u.%u.80\n\tAAAA 2001:db8:%x::80\n", label, a % 256, b % 256, a % 65536);
		return 2;
	default:
		fprintf(out, "n%08x A 10.%u.%u.%u\n", label, a % 256, b % 256, a >> 24);
		return 1;
	}
}

static int write_zone(const char *path, unsigned records, unsigned serial)
{
	FILE *out = fopen(path, "we");
	uint32_t every = records / 2 / CHANGES + 1; /* a name has not quite two records */

	if (!out)
		return -1;
	fprintf(out, "$ORIGIN %s.\n$TTL 300\n@ SOA ns1.alpha-dns.net. hostmaster %u 3600 600 86400 60\n", ZONE, serial);
	fprintf(out, "@ NS ns1.alpha-dns.net.\n@ NS ns2.alpha-dns.net.\n@ NS ns3.alpha-dns.net.\n");
	for (unsigned i = 0, count = 4; count < records; i++)
		count += write_name(out, i, serial == 2 && i % every == 0 ? 4 : 3);
	return fclose(out) ? -1 : 0;
}

/* ---- measuring ---- */

struct cost {
	double cpu_s, wall_s, mib;
	bool ok;
};

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* run: does it in this process, a child; returns its exit status. */
static struct cost measure(const char *what, int (*run)(void *arg), void *arg)
{
	int64_t start_ns = clock_now_ns();
	struct rusage usage = {0};
	int status = -1;
	pid_t pid;
	struct cost cost;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(run(arg));
	if (pid > 0)
		wait4(pid, &status, 0, &usage);
	cost = (struct cost){
		.cpu_s = seconds(&usage.ru_utime) + seconds(&usage.ru_stime),
		.wall_s = (double)(clock_now_ns() - start_ns) / 1e9,
		.mib = (double)usage.ru_maxrss / 1024,
		.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0,
	};
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		printf("%s: not installed\n", what);
	else if (!cost.ok)
		printf("%s: FAILED with status %d\n", what, status);
	else
		printf("%s: %.2f s of CPU, %.2f s by the clock, %.0f MiB\n", what, cost.cpu_s, cost.wall_s, cost.mib);
	return cost;
}

static int run_program(void *arg)
{
	char *const *argv = arg;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);
	execvp(argv[0], argv);
	return 127;
}

#define PROGRAM(...) measure((const char *[]){__VA_ARGS__}[0], run_program, (char *[]){__VA_ARGS__, NULL})

static bool report(const char *what, struct cost own, struct cost peer)
{
	if (!own.ok)
		return false;
	if (peer.ok)
		printf("%s: CPU\t%.2f\ts\t<= %.2f\n", what, own.cpu_s, peer.cpu_s);
	printf("%s: memory\t%.0f\tMiB\t<= %d\n", what, own.mib, MEMORY_BOUND_MIB);
	return true;
}

/* ---- what the harness does ---- */

struct files {
	char dir[200];
	char first[256], second[256], like_first[256], plan[256], keys[256], key[320], out[256], peer_out[256];
};

static struct zone *load(const char *path)
{
	struct errs errs = {0};
	struct zone *zone = zone_load(ZONE, path, LOC_NONE, &errs);

	if (!zone)
		errs_print(&errs, stderr);
	return zone;
}

static int sign(void *arg)
{
	const struct files *files = arg;
	struct zone *zone = load(files->first);
	struct dnssec_key_use uses[2];
	struct dnssec_keys keys = {0};
	struct dnssec_signing signing = {.zone = ZONE, .dnskey_ttl = 300, .inception_s = time(NULL) - 3600};
	struct zone_printer printer = {.out = fopen(files->out, "we")};
	struct err err = {0};

	signing.expiration_s = time(NULL) + 7 * 86400;
	if (!zone || !printer.out || dnssec_keys_load(&keys, files->keys, ZONE, &err) || keys.count != 1)
		return 1;
	dnssec_use_all(&keys, uses, &signing);
	return dnssec_sign_to(zone->rrs, &signing, zone_printer_take, &printer, &err) || fclose(printer.out);
}

/* What a push takes of ours: reading and checking the new version, and writing the file that servers get. */
static int push(void *arg)
{
	const struct files *files = arg;
	const struct zone *zone = load(files->second);
	FILE *out = fopen(files->out, "we");

	return !zone || !out || zone_print(zone->rrs, out) || fclose(out);
}

/* Which question tells two versions apart that differ in data and not in their serial. */
static int compare(void *arg)
{
	const struct files *files = arg;
	struct arena *arena = arena_new();
	const struct zone *first = load(files->first), *second = load(files->like_first);
	struct zone_question question;

	return !first || !second || !version_question(first, second, arena, &question);
}

static const char plan_text[] = "plan: 1\n"
				"name: A million records\n"
				"lab:\n"
				"  zones: {example.com: {file: first.zone}}\n"
				"  providers:\n"
				"    alpha:\n"
				"      nameservers:\n"
				"        ns1: {hostname: ns1.alpha-dns.net, address: 192.0.2.1, server: bind}\n"
				"        ns2: {hostname: ns2.alpha-dns.net, address: 192.0.2.2, server: knot}\n"
				"        ns3: {hostname: ns3.alpha-dns.net, address: 192.0.2.3, server: nsd}\n"
				"  resolvers: {r1: {address: 203.0.113.53, server: unbound}}\n"
				"  clients: {office: {resolvers: [r1]}}\n"
				"probes:\n"
				"  apex: {from: office, query: example.com NS, every: 1s}\n"
				"timeline:\n"
				"  - {at: 5s, for: 1s, fault: blackhole, target: r1}\n";

static int write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	return !out || fputs(text, out) < 0 || fclose(out) ? -1 : 0;
}

/* One key that signs everything, as a file that ldns-signzone takes. */
static int write_key(struct files *files)
{
	struct dnssec_key *key = NULL;
	struct err err = {0};

	if (mkdir(files->keys, 0700) || dnssec_key_new(ZONE, 13, true, &key, &err) ||
	    dnssec_key_write(key, files->keys, &err))
		return -1;
	snprintf(files->key, sizeof(files->key), "%s/K%s.+013+%05u", files->keys, ZONE, key->tag);
	dnssec_key_free(key);
	return 0;
}

static int prepare(struct files *files, unsigned records)
{
	const struct {
		char *path;
		const char *name;
	} names[] = {
		{files->first, "first.zone"}, {files->second, "second.zone"}, {files->like_first, "like-first.zone"},
		{files->plan, "plan.yaml"},   {files->keys, "keys"},          {files->out, "out"},
		{files->peer_out, "peer-out"}};
	FILE *out;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		snprintf(names[i].path, 256, "%s/%s", files->dir, names[i].name);
	if (write_zone(files->first, records, 1) || write_zone(files->second, records, 2) ||
	    write_zone(files->like_first, records, 1) || write_text(files->plan, plan_text) || write_key(files))
		return -1;
	out = fopen(files->like_first, "ae");
	return !out || fputs("zzz A 192.0.2.1\n", out) < 0 || fclose(out) ? -1 : 0;
}

static bool measure_all(struct files *files, const char *program)
{
	struct cost peer;
	bool ok;

	PROGRAM("kzonecheck", "-o", ZONE, files->first);
	peer = PROGRAM("named-checkzone", "-q", "-i", "local", ZONE, files->first);
	ok = report("a million records, read and checked (dnsdrill check)",
		    PROGRAM((char *)(uintptr_t)program, "check", files->plan), peer);
	peer = PROGRAM("named-compilezone", "-q", "-i", "local", "-o", files->peer_out, ZONE, files->second);
	ok &= report("a version to be pushed, read, checked and written", measure("push", push, files), peer);
	peer = PROGRAM("ldns-compare-zones", files->first, files->like_first);
	ok &= report("two versions, told apart", measure("compare", compare, files), peer);
	peer = PROGRAM("ldns-signzone", "-f", files->peer_out, files->first, files->key);
	ok &= report("signed (algorithm 13) and written", measure("sign", sign, files), peer);
	return ok;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *ftw UNUSED)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	const char *program = getenv("DNSDRILL"), *tmp = getenv("TMPDIR");
	struct files files = {0};
	bool ok;

	if (argc == 5 && !strcmp(argv[1], "write"))
		return write_zone(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4])) ? 1 : 0;
	snprintf(files.dir, sizeof(files.dir), "%s/dnsdrill-bench-XXXXXX", tmp ? tmp : "/tmp");
	if (!program || !mkdtemp(files.dir)) {
		fprintf(stderr, "bench_zone: needs DNSDRILL in the environment and a writable TMPDIR\n");
		return 2;
	}
	ok = !prepare(&files, argc == 2 ? (unsigned)atoi(argv[1]) : 1000000) && measure_all(&files, program);
	nftw(files.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return ok ? 0 : 1;
}
