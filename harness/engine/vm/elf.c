/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/elf.h"
#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>

static void endp(Elf **elf)
{
	elf_end(*elf);
}

/* NULL: not an ELF file of this machine's kind. */
static Elf *open_elf(int fd, GElf_Ehdr *ret_header)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (gelf_getclass(elf) == ELFCLASS64 && gelf_getehdr(elf, ret_header) &&
	    ret_header->e_ident[EI_DATA] == ELFDATA2LSB)
		return elf;
	elf_end(elf);
	return NULL;
}

/* In the arena; NULL if the file ends before it does. */
static const char *string_at(Elf *elf, uint64_t offset, struct arena *arena)
{
	size_t len;
	const char *file = elf_rawfile(elf, &len);

	if (!file || offset >= len || !memchr(file + offset, 0, len - offset))
		return NULL;
	return arena_strdup(arena, file + offset);
}

/* Where in the file the byte at a virtual address stands. */
static uint64_t file_offset(Elf *elf, uint64_t address)
{
	GElf_Phdr load;

	for (int i = 0; gelf_getphdr(elf, i, &load); i++) {
		if (load.p_type == PT_LOAD && address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz)
			return load.p_offset + (address - load.p_vaddr);
	}
	return UINT64_MAX;
}

static int read_entry(Elf *elf, const GElf_Dyn *entry, uint64_t names, struct arena *arena, struct elf_needs *ret)
{
	bool is_path = entry->d_tag == DT_RUNPATH || entry->d_tag == DT_RPATH;
	const char *text;

	if (!is_path && entry->d_tag != DT_NEEDED)
		return 0;
	text = entry->d_un.d_val <= UINT64_MAX - names ? string_at(elf, names + entry->d_un.d_val, arena) : NULL;
	if (!text)
		return -EBADMSG;
	if (is_path)
		ret->runpath = text;
	else
		ret->needed[ret->needed_count++] = text;
	return 0;
}

/* The dynamic segment rather than the section: a program runs without sections. */
static int read_dynamic(Elf *elf, const GElf_Phdr *dynamic, struct arena *arena, struct elf_needs *ret)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)dynamic->p_offset, dynamic->p_filesz, ELF_T_DYN);
	uint64_t names = UINT64_MAX;
	GElf_Dyn entry;
	int count = 0, r = 0;

	if (!data)
		return -EBADMSG;
	for (; gelf_getdyn(data, count, &entry) && entry.d_tag != DT_NULL; count++) {
		if (entry.d_tag == DT_STRTAB)
			names = file_offset(elf, entry.d_un.d_ptr);
	}
	ret->needed = ARENA_ARRAY(arena, const char *, (size_t)count + 1);
	for (int i = 0; !r && i < count; i++)
		r = read_entry(elf, gelf_getdyn(data, i, &entry), names, arena, ret);
	return r;
}

int elf_read_needs(int fd, struct arena *arena, struct elf_needs *ret)
{
	struct elf_needs needs = {0};
	GElf_Ehdr header;
	CLEANUP(endp) Elf *elf = open_elf(fd, &header);
	size_t count;
	int r = 0;

	if (!elf)
		return -ENOEXEC;
	if (elf_getphdrnum(elf, &count))
		return -EBADMSG;
	for (size_t i = 0; !r && i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment))
			return -EBADMSG;
		if (segment.p_type == PT_DYNAMIC)
			r = read_dynamic(elf, &segment, arena, &needs);
		else if (segment.p_type == PT_INTERP) {
			needs.interpreter = string_at(elf, segment.p_offset, arena);
			r = needs.interpreter ? 0 : -EBADMSG;
		}
	}
	if (!r)
		*ret = needs;
	return r;
}

static Elf_Scn *find_section(Elf *elf, const char *name)
{
	Elf_Scn *found = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((found = elf_nextscn(elf, found)) && gelf_getshdr(found, &header)) {
		const char *text = elf_strptr(elf, names, header.sh_name);

		if (text && !strcmp(text, name))
			return found;
	}
	return NULL;
}

/* The section is a row of "key=value", each with a NUL behind it. */
static const char *find_value(const char *data, size_t len, const char *key)
{
	size_t key_len = strlen(key);

	for (const char *text = data; text < data + len;) {
		size_t left = (size_t)(data + len - text), text_len = strnlen(text, left);

		if (text_len == left)
			return NULL;
		if (text_len > key_len && !strncmp(text, key, key_len) && text[key_len] == '=')
			return text + key_len + 1;
		text += text_len + 1;
	}
	return NULL;
}

int elf_read_modinfo(int fd, const char *key, struct arena *arena, const char **ret)
{
	GElf_Ehdr header;
	CLEANUP(endp) Elf *elf = open_elf(fd, &header);
	Elf_Scn *section = elf ? find_section(elf, ".modinfo") : NULL;
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *value;

	if (!elf)
		return -ENOEXEC;
	if (!data)
		return -EBADMSG;
	value = find_value(data->d_buf, data->d_size, key);
	*ret = value ? arena_strdup(arena, value) : NULL;
	return 0;
}
