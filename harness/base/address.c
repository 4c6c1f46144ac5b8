/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int address_parse(const char *text, struct address *ret)
{
	struct address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET, .loc = ret->loc};

	if (inet_pton(address.family, text, address.bytes) != 1)
		return -EINVAL;
	inet_ntop(address.family, address.bytes, address.text, sizeof(address.text));
	*ret = address;
	return 0;
}

bool address_is_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

socklen_t address_to_sockaddr(const struct address *address, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->family == AF_INET) {
		struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

		memcpy(&sin.sin_addr, address->bytes, sizeof(sin.sin_addr));
		memcpy(ret, &sin, sizeof(sin));
		return sizeof(sin);
	}
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&sin6.sin6_addr, address->bytes, sizeof(sin6.sin6_addr));
	memcpy(ret, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

const struct address *addresses_first(const struct addresses *list, int family)
{
	for (size_t i = 0; i < list->count; i++) {
		if (family == AF_UNSPEC || list->v[i].family == family)
			return &list->v[i];
	}
	return NULL;
}
