/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/api/zone_rework.h"
#include "harness/api/zone_job.h"
#include "harness/base/clock.h"
#include "harness/base/serial.h"
#include "harness/dnssec/rollover.h"
#include "harness/plan/zone_print.h"
#include "harness/run/zone_witness.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ASK_AGAIN_MS 10
#define KEYS_MORE 8 /* an edit may add some */

/* What signing adds is left out where the lab signs the zone: of a signed zone it is most. */
static bool is_wanted(const struct zone_rework *rework, const ldns_rr *rr)
{
	return !rework->zone->signing || !dnssec_is_added(ldns_rr_get_type(rr));
}

/* Fills rework->rrs. Takes over in, which may be NULL, with errno. */
static int read_stream(struct zone_rework *rework, FILE *in, const char *path, struct err *err)
{
	ldns_rr_list *list = ldns_rr_list_new();
	ldns_rdf *origin = NULL, *previous = NULL;
	ldns_status status = LDNS_STATUS_OK;
	uint32_t ttl = 3600;

	while (in && list && !feof(in)) {
		ldns_rr *rr = NULL;

		status = ldns_rr_new_frm_fp(&rr, in, &ttl, &origin, &previous);
		if (status == LDNS_STATUS_OK && is_wanted(rework, rr))
			ldns_rr_list_push_rr(list, rr);
		else if (status == LDNS_STATUS_OK)
			ldns_rr_free(rr);
		else if (status != LDNS_STATUS_SYNTAX_EMPTY && status != LDNS_STATUS_SYNTAX_TTL &&
			 status != LDNS_STATUS_SYNTAX_ORIGIN)
			break;
		status = LDNS_STATUS_OK;
	}
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	if (in)
		fclose(in);
	rework->rrs = list;
	if (in && list && status == LDNS_STATUS_OK)
		return 0;
	return err_set(err, -EIO, LOC_NONE, "cannot read %s: %s", path,
		       in ? ldns_get_errorstr_by_id(status) : strerror(errno));
}

/* Sets *ret to the serial raised by one, which secondaries take and by which the change is recognised. */
static int raise_serial(ldns_rr_list *rrs, uint32_t *ret, struct err *err)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs); i++) {
		ldns_rr *rr = ldns_rr_list_rr(rrs, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA)
			continue;
		*ret = ldns_rdf2native_int32(ldns_rr_rdf(rr, 2)) + 1;
		ldns_rdf_deep_free(ldns_rr_set_rdf(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, *ret), 2));
		return 0;
	}
	return err_set(err, -EINVAL, LOC_NONE, "the zone has no SOA record");
}

static struct dnssec_signing signing_of(const struct server_zone *zone)
{
	const struct server_signing *as = zone->signing;
	struct dnssec_signing ret = {.zone = zone->name,
				     .is_nsec3 = as->is_nsec3,
				     .iterations = (uint16_t)as->iterations,
				     .has_zonemd = as->has_zonemd,
				     .dnskey_ttl = as->dnskey_ttl};

	ret.inception_s = time(NULL) - as->inception_s;
	ret.expiration_s = time(NULL) + as->validity_s;
	dnssec_set_salt(&ret, as->salt);
	return ret;
}

/* How the zone is signed now. */
static int prepare_signing(struct zone_rework *rework, struct dnssec_signing *signing, struct dnssec_keys *keys,
			   struct dnssec_key_use **ret_uses, struct err *err)
{
	const char *dir = rework->zone->signing->key_dir;
	int r = dnssec_keys_load(keys, dir, rework->zone->name, err);

	*ret_uses = calloc(keys->count + KEYS_MORE, sizeof(**ret_uses));
	if (!*ret_uses)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*signing = signing_of(rework->zone);
	dnssec_use_all(keys, *ret_uses, signing);
	rework->signing = signing;
	rework->keys = keys;
	return r < 0 ? r : rollover_use(dir, signing, err);
}

struct writer {
	struct zone_printer printer;
	ldns_rdf *witness; /* NULL: none */
	ldns_rr_list *kept;
};

static int write_record(void *arg, const ldns_rr *rr)
{
	struct writer *writer = arg;

	if (writer->witness && ldns_dname_compare(ldns_rr_owner(rr), writer->witness) == 0 &&
	    !ldns_rr_list_push_rr(writer->kept, ldns_rr_clone(rr)))
		return -ENOMEM;
	return zone_printer_take(&writer->printer, rr);
}

/* Leaves in rework->rrs what the signed zone has at the name of the witness, if there is one. */
static int write_signed(struct zone_rework *rework, FILE *out, struct err *err)
{
	struct writer writer = {.printer = {.out = out}, .kept = ldns_rr_list_new()};
	int r;

	if (rework->witness.type)
		writer.witness = ldns_dname_new_frm_str(rework->witness.record);
	if (!writer.kept || (rework->witness.type && !writer.witness))
		r = err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	else
		r = dnssec_sign_to(rework->rrs, rework->signing, write_record, &writer, err);
	ldns_rr_list_deep_free(rework->rrs);
	rework->rrs = writer.kept;
	ldns_rdf_deep_free(writer.witness);
	zone_printer_fini(&writer.printer);
	return r;
}

static int write_out(struct zone_rework *rework, FILE *out, struct err *err)
{
	int r;

	if (rework->signing && !rework->is_unsigned) {
		r = write_signed(rework, out, err);
	} else {
		r = zone_print(rework->rrs, out);
		if (r < 0)
			err_set(err, r, LOC_NONE, "cannot write the zone out: %s", strerror(-r));
	}
	if (r == 0 && fflush(out))
		r = err_set(err, -errno, LOC_NONE, "cannot write the zone out: %s", strerror(errno));
	return r;
}

/* rework->rrs: as read. Writes out what the zone shall be. */
static int edit_zone(struct zone_rework *rework, zone_rework_fn *edit, void *arg, FILE *out, struct err *err)
{
	struct dnssec_signing signing;
	struct dnssec_keys keys = {0};
	struct dnssec_key_use *uses = NULL;
	int r = 0;

	if (rework->zone->signing)
		r = prepare_signing(rework, &signing, &keys, &uses, err);
	if (r == 0 && edit)
		r = edit(rework, arg, err);
	if (r == 0)
		r = write_out(rework, out, err);
	free(uses);
	dnssec_keys_fini(&keys);
	return r;
}

/* A file without a name beside the zone's own: a signed zone is a multiple of the plain one, and need not be held in memory. */
static FILE *open_spool(const struct zone_rework *rework)
{
	const char *path = rework->zone->file, *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

	free(dir);
	return fd < 0 ? tmpfile() : fdopen(fd, "w+");
}

static int replace(const struct zone_rework *rework, FILE *spool, struct job_report *report)
{
	off_t len = lseek(fileno(spool), 0, SEEK_END);
	char *text = len > 0 ? mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fileno(spool), 0) : MAP_FAILED;
	int status;

	if (text == MAP_FAILED) {
		job_say(report, "cannot read back what was written: %s", strerror(errno));
		return 1;
	}
	status = zone_job_replace(rework->server, rework->zone->name, text, (size_t)len, report);
	munmap(text, (size_t)len);
	return status;
}

/* rework->rrs: as read. */
static int push(struct zone_rework *rework, zone_rework_fn *edit, void *arg, struct job_report *report)
{
	FILE *spool = open_spool(rework);
	struct err err = {0};
	int status = 1;

	if (!spool)
		job_say(report, "cannot write the zone out: %s", strerror(errno));
	else if (edit_zone(rework, edit, arg, spool, &err) < 0)
		job_say(report, "%s", err.text);
	else
		status = replace(rework, spool, report);
	if (spool)
		fclose(spool);
	return status;
}

/* Another server with the same file may have raised it once more. */
static int wait_serial(const struct zone_rework *rework, uint32_t serial, int64_t until_ns, struct job_report *report)
{
	int64_t seen;

	do {
		seen = zone_job_serial(rework->server, rework->zone->name, until_ns, report);
		if (seen >= 0 && ((uint32_t)seen == serial || serial_is_higher((uint32_t)seen, serial))) {
			report->shown_ns = clock_now_ns();
			return 0;
		}
		poll(NULL, 0, ASK_AGAIN_MS);
	} while (clock_now_ns() < until_ns);
	job_say(report, "it still answers with serial %lld, not %u", (long long)seen, serial);
	return 1;
}

int zone_rework(const struct server_process *server, const struct server_zone *zone, zone_rework_fn *edit, void *arg,
		int64_t until_ns, struct job_report *report)
{
	struct zone_rework rework = {.server = server, .zone = zone};
	uint32_t serial = 0;
	struct err err = {0};
	int status = 1, lock = zone_job_hold(server, zone->name, report);

	if (lock < 0)
		return 1;
	if (read_stream(&rework, fopen(zone->file, "re"), zone->file, &err) < 0 ||
	    raise_serial(rework.rrs, &serial, &err) < 0)
		job_say(report, "%s", err.text);
	else
		status = push(&rework, edit, arg, report);
	close(lock);
	if (!status)
		status = wait_serial(&rework, serial, until_ns, report);
	if (!status && rework.witness.type)
		status = zone_witness_look(server, &rework.witness, rework.rrs, until_ns, report);
	ldns_rr_list_deep_free(rework.rrs);
	return status;
}

int zone_resign(const struct server_process *server, const struct server_zone *zone, const char *text, size_t len,
		struct job_report *report)
{
	struct zone_rework rework = {.server = server, .zone = zone};
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r"); /* only read */
	struct err err = {0};
	int status = 1, lock = zone_job_hold(server, zone->name, report);

	if (lock < 0) {
		if (in)
			fclose(in);
		return 1;
	}
	if (read_stream(&rework, in, "what is pushed", &err) < 0)
		job_say(report, "%s", err.text);
	else
		status = push(&rework, NULL, NULL, report);
	close(lock);
	ldns_rr_list_deep_free(rework.rrs);
	return status;
}
