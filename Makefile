# SPDX-License-Identifier: GPL-2.0-or-later
# dnsdrill: make run, make test; make help lists the rest.

BUILD ?= build
CC ?= gcc
PKGS := libpcap libnl-3.0 libnl-route-3.0 libldns yaml-0.1 libcurl libnftables libevent jansson openssl
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS ?= -O2 -g
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
VERSION := 0.1.0
ALL_CFLAGS = -std=gnu11 $(WARN) -D_GNU_SOURCE -DDNSDRILL_VERSION='"$(VERSION)"' -I. $(PKG_CFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP
ALL_LIBS = $(SANITIZE) $(PKG_LIBS) -lm -lpthread

SRC := $(filter-out harness/main.c,$(shell find harness injectors report -name '*.c' | LC_ALL=C sort))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
UNIT_SRC := $(shell find tests/unit -name 'test_*.c' | LC_ALL=C sort)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

build: $(BUILD)/dnsdrill

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libdnsdrill.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/dnsdrill: $(BUILD)/obj/harness/main.o $(BUILD)/libdnsdrill.a
	$(CC) -o $@ $^ $(ALL_LIBS)

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libdnsdrill.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MF $@.d -o $@ $< $(BUILD)/libdnsdrill.a $(ALL_LIBS) -lcmocka

unit: $(UNIT_BIN)
	@set -e; for t in $(UNIT_BIN); do echo "== $$t"; $$t; done

clean:
	rm -rf build build-*

.PHONY: build unit clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
