/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes two runs the same: one processor, its clock counted in instructions (-icount); idle time skipped, not slept (sleep=off); devices that answer within the instruction that asks them
 * (ioeventfd=off: else another thread would, when it finds time); plain files behind the ports; a fixed seed, no instructions that give random numbers, no kvmclock.
 *
 * What makes them cheap: see KERNEL_LINE and CPU. What counts is less how many instructions run than how many leave the translated code, or have to be translated.
 */
#include "harness/engine/vm.h"
#include "harness/api/param.h"
#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/signals.h"
#include "harness/engine/vm/report.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define MEMORY_MIB 512 /* for a guest whose files take no more than FILES_MIB */
#define FILES_MIB 160
#define HANG_CPU_NS (300 * SEC) /* of processor time without a word: a virtual minute costs far less */
#define HANG_IDLE_NS (30 * SEC) /* without a word and without using the processor */
#define CONSOLE_LINES 12
#define CONSOLE_BYTES 1200
/*
 * nolapic_timer (with the HPET), no_timer_check, tsc_early_khz: each `pause` leaves the translated code, and without these the kernel spins on it for 120 ms to measure what is known: one tick
 * is one nanosecond. norandmaps: a library at one address is translated once for all servers. Huge pages would be zeroed whole, and looked for ever after. The machine runs what is packed: nothing
 * to mitigate, nothing to audit.
 */
#define KERNEL_LINE                                                                                            \
	"console=ttyS0 quiet panic=-1 oops=panic nowatchdog tsc=reliable tsc_early_khz=1000000 nolapic_timer " \
	"no_timer_check nokaslr norandmaps transparent_hugepage=never mitigations=off psi=0 no_hash_pointers " \
	"audit=0 apparmor=0 selinux=0 cryptomgr.notests rcupdate.rcu_expedited=1 random.trust_cpu=off "        \
	"rdinit=" PACK_PROGRAM " -- guest"

/* Without what is dear to emulate: strings copied by the byte, a fifth level of page tables, guards that switch on each system call. */
#define CPU "max,-rdrand,-rdseed,-erms,-la57,-smap,-smep,-umip,-pku"

/* QEMU finds the files it writes by descriptor. */
enum { FD_CONTROL, FD_CONSOLE = 3, FD_INITRD, FD_EVENTS, FD_CAPTURE, FD_REPORT, FD_END };

struct vm {
	pid_t pid;
	int control_fd; /* a pipe into the guest */
	int console_fd, report_fd, events_fd, logs_dirfd;
	int64_t said_bytes; /* when last looked */
	int64_t said_cpu_ns, said_at_ns; /* processor time and clock when that changed */
	const char *killed; /* why, by vm_tick */
};

int vm_check(struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kernel kernel;
	struct utsname uts;
	const char *cache;
	int r;

	if (uname(&uts) || strcmp(uts.machine, "x86_64"))
		return err_set(
			err, -EOPNOTSUPP, LOC_NONE,
			"a lab in a virtual machine needs an x86_64 machine: its guest runs this one's programs");
	r = pack_cache(arena, &cache, err);
	return r ? r : kernel_find(cache, arena, &kernel, err);
}

/* Its own descriptors, where the command line says they are. */
static int place(const int *from)
{
	int high[FD_END];

	for (int i = 0; i < FD_END; i++) {
		high[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD_CLOEXEC, 64) : -1;
		if (from[i] >= 0 && high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < FD_END; i++) {
		if (high[i] >= 0 && dup2(high[i], i) < 0)
			return -errno;
	}
	return 0;
}

_Noreturn static void become(const char *const *argv, const int *fds, pid_t maker)
{
	char **args;

	signals_reset();
	setsid(); /* Ctrl-C is for the harness */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != maker || place(fds))
		_exit(125);
	memcpy(&args, &argv, sizeof(args)); /* execv's prototype lacks a const it keeps */
	execv(argv[0], args);
	dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static const char *clock_base(int64_t clock_s, struct arena *arena)
{
	time_t at = (time_t)(clock_s == PARAM_UNSET ? VM_CLOCK_DEFAULT_S : clock_s);
	char text[64];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(arena, "clock=vm,base=%s", text);
}

/* "512", of MiB. */
static const char *memory(size_t files_bytes, int servers_mib, struct arena *arena)
{
	int64_t files_mib = (int64_t)(files_bytes >> 20);
	int64_t more_mib = servers_mib + (files_mib > FILES_MIB ? 2 * (files_mib - FILES_MIB) : 0);

	return arena_printf(arena, "%lld", (long long)(MEMORY_MIB + (more_mib + 63) / 64 * 64));
}

/* argv of QEMU, in arena. */
static const char *const *compose(const struct vm_options *options, const struct kernel *kernel, size_t files_bytes,
				  struct arena *arena)
{
	const char *const argv[] = {
		options->qemu, "-no-user-config",
		"-nodefaults", "-display",
		"none",        "-no-reboot",
		"-accel",      "tcg,thread=single",
		"-icount",     "shift=0,align=off,sleep=off",
		"-cpu",        CPU,
		"-machine",    "q35,hpet=on,usb=off,vmport=off,sata=off,smbus=off",
		"-nic",        "none",
		"-rtc",        clock_base(options->clock_s, arena),
		"-seed",       arena_printf(arena, "%u", (unsigned)(options->seed ^ options->seed >> 32)),
		"-m",          memory(files_bytes, options->pack.memory_mib, arena),
		"-kernel",     kernel->image,
		"-append",     KERNEL_LINE,
		"-initrd",     "/proc/self/fd/4",
		"-chardev",    "file,id=console,append=on,path=/proc/self/fd/3",
		"-serial",     "chardev:console",
		"-device",     "virtio-serial-pci,id=ports,max_ports=8,ioeventfd=off",
		"-chardev",    "file,id=events,append=on,path=/proc/self/fd/5",
		"-device",     "virtserialport,bus=ports.0,nr=1,chardev=events",
		"-chardev",    "file,id=capture,append=on,path=/proc/self/fd/6",
		"-device",     "virtserialport,bus=ports.0,nr=2,chardev=capture",
		"-chardev",    "file,id=report,append=on,path=/proc/self/fd/7",
		"-device",     "virtserialport,bus=ports.0,nr=3,chardev=report",
		"-chardev",    "stdio,id=control,signal=off",
		"-device",     "virtserialport,bus=ports.0,nr=4,chardev=control",
		NULL,
	};

	return arena_memdup(arena, argv, sizeof(argv));
}

static int launch(struct vm *vm, const struct vm_options *options, const char *const *argv, int initrd, struct err *err)
{
	CLEANUP_CLOSE int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int control[2];
	pid_t maker = getpid();

	if (null < 0 || pipe2(control, O_CLOEXEC))
		return err_set(err, -errno, LOC_NONE, "cannot start a virtual machine: %s", strerror(errno));
	vm->control_fd = control[1];
	vm->pid = fork();
	if (vm->pid == 0) {
		const int fds[FD_END] = {control[0],          null,         vm->console_fd,
					 vm->console_fd,      initrd,       options->events_fd,
					 options->capture_fd, vm->report_fd};

		become(argv, fds, maker);
	}
	close(control[0]);
	return vm->pid < 0 ? err_set(err, -errno, LOC_NONE, "cannot start a virtual machine: %s", strerror(errno)) : 0;
}

static int start(struct vm *vm, const struct vm_options *options, struct arena *arena, struct err *err)
{
	CLEANUP_CLOSE int initrd = -1;
	struct kernel kernel;
	const char *cache;
	size_t bytes;
	int r = pack_cache(arena, &cache, err);

	if (!r)
		r = kernel_find(cache, arena, &kernel, err);
	if (!r)
		r = pack_guest(&options->pack, &kernel, cache, &initrd, &bytes, err);
	if (r)
		return r;
	vm->console_fd =
		openat(options->logs_dirfd, "console.log", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	vm->report_fd = memfd_create("report", MFD_CLOEXEC);
	vm->events_fd = dup(options->events_fd);
	vm->logs_dirfd = dup(options->logs_dirfd);
	if (vm->console_fd < 0 || vm->report_fd < 0 || vm->events_fd < 0 || vm->logs_dirfd < 0)
		return err_set(err, -errno, LOC_NONE, "cannot write the guest's console to logs/: %s", strerror(errno));
	return launch(vm, options, compose(options, &kernel, bytes, arena), initrd, err);
}

int vm_start(const struct vm_options *options, struct vm **ret, struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return err_set(err, -ENOMEM, LOC_NONE, "out of memory");
	*vm = (struct vm){.control_fd = -1,
			  .console_fd = -1,
			  .report_fd = -1,
			  .events_fd = -1,
			  .logs_dirfd = -1,
			  .said_at_ns = clock_now_ns()};
	r = start(vm, options, arena, err);
	if (r)
		vm_free(vm);
	else
		*ret = vm;
	return r;
}

pid_t vm_pid(const struct vm *vm)
{
	return vm->pid;
}

void vm_ask_end(struct vm *vm)
{
	(void)!write(vm->control_fd, "", 1); /* it may be gone already */
}

static int64_t said(const struct vm *vm)
{
	const int fds[] = {vm->console_fd, vm->report_fd, vm->events_fd};
	int64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		sum += fstat(fds[i], &st) ? 0 : st.st_size;
	return sum;
}

void vm_tick(struct vm *vm)
{
	int64_t bytes = said(vm), now_ns = clock_now_ns(), cpu_ns;
	clockid_t cpu;

	if (vm->killed || clock_getcpuclockid(vm->pid, &cpu))
		return;
	cpu_ns = clock_of_ns(cpu);
	if (bytes != vm->said_bytes) {
		vm->said_bytes = bytes;
		vm->said_cpu_ns = cpu_ns;
		vm->said_at_ns = now_ns;
		return;
	}
	if (cpu_ns - vm->said_cpu_ns > HANG_CPU_NS)
		vm->killed = "it made no progress: busy, but its clock stood still";
	else if (now_ns - vm->said_at_ns > HANG_IDLE_NS && cpu_ns - vm->said_cpu_ns < HANG_IDLE_NS / 100)
		vm->killed = "it made no progress: it waits for something that never comes";
	if (vm->killed)
		kill(vm->pid, SIGKILL);
}

/* The end of the console, and whether it speaks of `what`. */
static const char *read_console(const struct vm *vm, char **ret_text)
{
	char path[64];
	size_t len = 0, lines = 0;
	char *text = NULL, *tail;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vm->console_fd);
	if (fd_read_file(AT_FDCWD, path, 64 << 20, &text, &len) || !len) {
		*ret_text = text;
		return "(it is empty)";
	}
	for (size_t i = 0; i < len; i++) {
		if (!text[i] || text[i] == '\r')
			text[i] = ' ';
	}
	for (tail = text + len - 1; tail > text && tail > text + len - CONSOLE_BYTES; tail--) {
		if (tail[-1] == '\n' && ++lines == CONSOLE_LINES)
			break;
	}
	*ret_text = text;
	return tail;
}

static const char *what_happened(const struct vm *vm, int status, const char *console, char *buf, size_t size)
{
	if (vm->killed)
		return vm->killed;
	if (console && strstr(console, "Out of memory"))
		return "it ran out of memory";
	if (console && strstr(console, "Kernel panic"))
		return "its kernel panicked";
	if (WIFSIGNALED(status))
		snprintf(buf, size, "QEMU was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(buf, size, "QEMU exited with status %d", WEXITSTATUS(status));
	else
		snprintf(buf, size, "it ended before the run did");
	return buf;
}

int vm_finish(struct vm *vm, int status, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	const char *tail;
	char buf[160];
	int ended, r = report_read(vm->report_fd, vm->logs_dirfd, &ended, err);

	if (r || ended == 0)
		return r;
	tail = read_console(vm, &text);
	return err_set(err, -ECHILD, LOC_NONE, "the virtual machine: %s. Its console (logs/console.log) ends:\n%s",
		       what_happened(vm, status, text, buf, sizeof(buf)), tail);
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	fd_closep(&vm->control_fd);
	fd_closep(&vm->console_fd);
	fd_closep(&vm->report_fd);
	fd_closep(&vm->events_fd);
	fd_closep(&vm->logs_dirfd);
	free(vm);
}
