# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill: `make run` and `make test`; `make help` lists the rest.

VERSION := 0.1.0

BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
WERROR ?= -Werror
CFLAGS ?= -O2 -g
ifeq ($(origin CC),default)
CC := gcc
endif

# Parallel by itself; an explicit -j wins. A make within a make shares the job slots of the outer one.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

PKGS := libpcap libnl-3.0 libnl-route-3.0 ldns yaml-0.1 libcurl libnftables libevent jansson openssl libcap-ng libseccomp libnghttp2 libelf
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS = -std=gnu11 $(WARN) $(WERROR) -D_GNU_SOURCE -DDNSDRILL_VERSION=\"$(VERSION)\" \
	-DPRELOAD_CLOCK=\"$(abspath $(BUILD))/preload/clock.so\" -I. $(PKG_CFLAGS) \
	$(CPPFLAGS) $(CFLAGS) $(SANITIZE)
ALL_LIBS = $(SANITIZE) $(LDFLAGS) -Wl,--as-needed $(PKG_LIBS) -lm -lpthread
SANITIZE_ALL := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Sources are found, not listed: a new file needs no line here.
sources = $(shell find $(1) -name '$(2)' 2>/dev/null | LC_ALL=C sort)
PRELOAD_SRC := $(call sources,harness/run/preload,*.c)
SRC := $(filter-out harness/main.c $(PRELOAD_SRC),$(call sources,harness injectors report,*.c))
UNIT_SRC := $(call sources,tests/unit,test_*.c)
SUPPORT_SRC := $(filter-out $(UNIT_SRC),$(call sources,tests/unit,*.c))
FUZZ_SRC := $(call sources,tests/fuzz,fuzz_*.c)
BENCH_SRC := $(call sources,tests/bench,bench_*.c)
ALL_SRC := harness/main.c $(SRC) $(PRELOAD_SRC) $(UNIT_SRC) $(SUPPORT_SRC) $(call sources,tests/fuzz,*.c) $(BENCH_SRC)

OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)
REPLAY_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/replay/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)
BENCH_BIN := $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)
LIB := $(BUILD)/libdnsdrill.a
TEST_LIB := $(BUILD)/libtest.a

.DEFAULT_GOAL := build
build: $(BUILD)/dnsdrill ## build/dnsdrill

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
	@echo 'Variables: BUILD=DIR CC=clang CFLAGS=… SANITIZE=… WERROR= (warnings stay warnings) PREFIX=… DESTDIR=… FUZZ_SECONDS=60 SOAK_SECONDS=600 V=1 (commands in full)'

deps: ## install what is missing of ci/packages.txt (Debian; needs root)
	@ci/deps run test

run: ## install what is missing to build and run, build, rehearse the loss of a DNS provider
	@ci/deps run
	@$(MAKE) --no-print-directory build
	$(BUILD)/dnsdrill run scenarios/10-outage/drop-provider.yaml

kernel: ## fetch the kernel of virtual machines (--engine vm) into ~/.cache/dnsdrill; no root needed
	@ci/kernel

test: ## everything: lint, unit, golden, fuzz corpora, scenarios, browser; ends with "N passed, N failed"
	@ci/deps run test
	@ci/kernel
	@MAKE='$(MAKE)' BUILD='$(BUILD)' tests/run

unit: unit-programs ## the unit tests alone (SANITIZE='-fsanitize=address,undefined' with a BUILD of its own)
	@tests/unit/run-unit $(UNIT_BIN)

scenario: build ## the scenario tests alone: they start real labs
	@DNSDRILL=$(BUILD)/dnsdrill tests/run-scripts tests/scenario

lint: ## format, warnings of gcc and clang, function and file sizes, layers, scripts
	@MAKE='$(MAKE)' BUILD='$(BUILD)' ci/lint

bench: build bench-programs ## the figures, each beside its bound
	@DNSDRILL=$(BUILD)/dnsdrill tests/bench/run tests/bench $(BENCH_BIN)

soak: build ## the proxy under full load for SOAK_SECONDS=600: its memory stays flat
	@DNSDRILL=$(BUILD)/dnsdrill SOAK_SECONDS=$(SOAK_SECONDS) tests/bench/run tests/bench/soak

days: build ## scenarios/70-days in virtual machines, each whole, and without its sting: takes an hour or two
	@ci/kernel
	@DNSDRILL=$(BUILD)/dnsdrill tests/run-scripts tests/days

fuzz: ## every fuzzer for FUZZ_SECONDS, with clang
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang-fuzz CC=clang \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/clang-fuzz/fuzz/%)

DOC := $(DESTDIR)$(PREFIX)/share/doc/dnsdrill
MAN := $(DESTDIR)$(PREFIX)/share/man/man1
SHARE := $(DESTDIR)$(PREFIX)/share/dnsdrill

install: build $(BUILD)/dnsdrill.1 ## program, man page, scenarios and docs below PREFIX (DESTDIR is put in front)
	install -D -m 755 $(BUILD)/dnsdrill $(DESTDIR)$(PREFIX)/bin/dnsdrill
	install -D -m 644 $(BUILD)/dnsdrill.1 $(MAN)/dnsdrill.1
	install -d $(DOC) $(SHARE)
	cp -R scenarios $(SHARE)/
	cp -R README.md LICENSE docs $(DOC)/
	chmod -R u=rwX,go=rX $(SHARE) $(DOC)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/dnsdrill $(MAN)/dnsdrill.1
	rm -rf $(SHARE) $(DOC)

clean: ## remove everything built
	rm -rf $(BUILD)

# --- how things are built; V=1 shows the commands ---

ifeq ($(V),1)
short = $(1)
else
short = @echo '  $(2)'; $(1)
endif

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<,cc $<)

# A library that servers load, carried within the program. Never sanitized: it goes into other people's programs.
$(BUILD)/preload/%.so: harness/run/preload/%.c harness/api/server_clock.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,$(CC) -std=gnu11 $(WARN) $(WERROR) -D_GNU_SOURCE -I. -O2 -fPIC -shared -o $@ $<,so $<)

$(BUILD)/obj/harness/run/server_clock.o: $(BUILD)/preload/clock.so

$(LIB): $(OBJ)
$(TEST_LIB): $(SUPPORT_SRC:%.c=$(BUILD)/obj/%.o)
$(LIB) $(TEST_LIB):
	@rm -f $@
	@mkdir -p $(@D)
	$(call short,ar rcs $@ $^,ar $@)

$(BUILD)/dnsdrill: $(BUILD)/obj/harness/main.o $(LIB)
	$(call short,$(CC) -o $@ $^ $(ALL_LIBS),ld $@)

$(BUILD)/dnsdrill.1: $(BUILD)/dnsdrill
	$< man >$@.tmp
	mv $@.tmp $@

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(TEST_LIB) $(LIB)
	@mkdir -p $(@D)
	$(call short,$(CC) -o $@ $^ $(ALL_LIBS) -lcmocka,ld $@)

$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	$(call short,$(CC) -o $@ $^ $(ALL_LIBS),ld $@)

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(call short,$(CC) -o $@ $^ -fsanitize=fuzzer $(ALL_LIBS),ld $@)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(call short,$(CC) -o $@ $^ $(ALL_LIBS),ld $@)

unit-programs: $(UNIT_BIN)
replay-programs: $(REPLAY_BIN)
fuzz-programs: $(FUZZ_BIN)
bench-programs: $(BENCH_BIN)

# Changed flags rebuild everything; a missing library is said once, in words.
$(BUILD)/flags: export FLAGS_NOW = $(CC) $(ALL_CFLAGS)
$(BUILD)/flags: FORCE
	@pkg-config --exists --print-errors $(PKGS) || { echo 'error: libraries are missing: run `make deps`' >&2; exit 1; }
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" >$@

# --- lint by file, so that only what changed is looked at again; called by ci/lint ---

lint-objects: $(ALL_SRC:%.c=$(BUILD)/obj/%.o)
lint-clang: $(ALL_SRC:%.c=$(BUILD)/lint/%.clang)
lint-tidy: $(ALL_SRC:%.c=$(BUILD)/lint/%.tidy)

$(BUILD)/lint/%.clang: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@clang $(ALL_CFLAGS) -Werror -fsyntax-only -MMD -MP -MF $@.d -MT $@ $<
	@touch $@

$(BUILD)/lint/%.tidy: %.c .clang-tidy $(BUILD)/lint/%.clang
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(ALL_CFLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

FORCE:
.SECONDARY:
.PHONY: build help deps run kernel test unit scenario lint bench soak days fuzz install uninstall clean FORCE \
	unit-programs replay-programs fuzz-programs bench-programs lint-objects lint-clang lint-tidy

-include $(shell find $(BUILD) -name '*.d' -not -path '$(BUILD)/clang-fuzz/*' -not -path '$(BUILD)/sanitized/*' 2>/dev/null)
