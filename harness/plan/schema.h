/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON Schema (draft-07) of a plan, made from the parameter tables.
 */
#pragma once
#include "harness/api/registry.h"
#include "harness/base/buf.h"

/* Appends the schema as indented JSON. Same tables, same bytes. */
void schema_write(const struct registry *registry, struct buf *out);
