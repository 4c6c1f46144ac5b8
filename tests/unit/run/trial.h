/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab brought up for one test: starts the servers of a topology in namespaces, asks some questions, stops. What happened is in the trial afterwards.
 */
#pragma once
#include "harness/run/bringup.h"
#include "harness/run/jobs.h"
#include "tests/unit/run/small_plan.h"

struct trial_ask {
	const char *from; /* host whose namespace it is asked from */
	const char *to; /* host that is asked, at its first address */
	const char *name;
	ldns_rr_type type;
	bool is_tcp, is_chaos, is_do; /* class CH; with EDNS and the DO bit */
	const char *until; /* asked again until this is the answer, for at most 20 s; NULL: once */
	char answer
		[128]; /* rcode, or data of the first record that answers, then " aa", " ad", " rrsig", " nsec" for what it has */
};

struct trial_report {
	struct err err; /* of bring-up; code 0: every server answered */
	size_t versions; /* hosts whose version is known */
	char version[128]; /* of the first host */
	bool is_stopped;
	size_t excused; /* exits that had a cause */
	char lost[sizeof(((struct err *)0)->text)]; /* of a server that was started again and did not come back: why */
	char exited[32], exit_status[64], log_tail[512]; /* of on_exit */
	char answers[16][128];
};

struct trial {
	const struct topology *topology;
	int64_t limit_ns;
	struct trial_ask *asks;
	size_t ask_count;
	void (*before_asks)(struct trial *trial); /* in the lab */
	/* In the lab, once every server answers, with the event loop at rest: trial_turn runs it. Its error is the trial's. Exits that something allows are only counted then. */
	int (*body)(struct trial *trial, struct err *err);
	const struct cgroup_tree *cgroup; /* as in bringup_options */
	const char *kill; /* host whose server gets SIGKILL at the end */
	struct trial_report report;

	int logs_dirfd, report_fd;
	struct event_base *base;
	struct lab *lab;
	struct bringup *bringup;
	struct jobs *jobs;
};

/* Runs the loop until is_so says true, for at most 15 s. Whether it did. */
bool trial_turn(struct trial *trial, bool (*is_so)(void *arg), void *arg);

/* Comes back when the lab is gone; answers are in trial->asks. */
void trial_run(struct trial *trial);
/* The same, and every server must have come up. */
void trial_must(struct trial *trial);
