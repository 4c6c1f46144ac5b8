/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness/engine/vm/elf.h"
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A file in memory. Every offset in it is somebody else's word: all reading goes through at(). */
struct image {
	const unsigned char *data;
	size_t len;
};

static const void *at(const struct image *image, uint64_t offset, uint64_t len)
{
	return offset <= image->len && len <= image->len - offset ? image->data + offset : NULL;
}

/* NULL if it does not end within the file. */
static const char *string_at(const struct image *image, uint64_t offset)
{
	if (offset >= image->len || !memchr(image->data + offset, 0, image->len - offset))
		return NULL;
	return (const char *)image->data + offset;
}

static int open_image(int fd, struct image *ret)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*ret = (struct image){data, (size_t)st.st_size};
	return 0;
}

static void close_image(const struct image *image)
{
	munmap((void *)(uintptr_t)image->data, image->len);
}

static const Elf64_Ehdr *header_of(const struct image *image)
{
	const Elf64_Ehdr *header = at(image, 0, sizeof(*header));

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB)
		return NULL;
	return header;
}

static const Elf64_Phdr *segment(const struct image *image, const Elf64_Ehdr *header, size_t i)
{
	return i < header->e_phnum && header->e_phentsize == sizeof(Elf64_Phdr)
		       ? at(image, header->e_phoff + i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr))
		       : NULL;
}

/* Where in the file the byte at a virtual address stands. */
static uint64_t file_offset(const struct image *image, const Elf64_Ehdr *header, uint64_t address)
{
	const Elf64_Phdr *load;

	for (size_t i = 0; (load = segment(image, header, i)); i++) {
		if (load->p_type == PT_LOAD && address >= load->p_vaddr && address - load->p_vaddr < load->p_filesz)
			return load->p_offset + (address - load->p_vaddr);
	}
	return UINT64_MAX;
}

static const Elf64_Dyn *entries(const struct image *image, const Elf64_Phdr *dynamic, size_t *ret_count)
{
	*ret_count = dynamic->p_filesz / sizeof(Elf64_Dyn);
	return at(image, dynamic->p_offset, *ret_count * sizeof(Elf64_Dyn));
}

static int read_dynamic(const struct image *image, const Elf64_Ehdr *header, const Elf64_Phdr *dynamic,
			struct arena *arena, struct elf_needs *ret)
{
	size_t count;
	const Elf64_Dyn *entry = entries(image, dynamic, &count);
	uint64_t names = UINT64_MAX;

	if (!entry)
		return -EBADMSG;
	for (size_t i = 0; i < count && entry[i].d_tag != DT_NULL; i++) {
		if (entry[i].d_tag == DT_STRTAB)
			names = file_offset(image, header, entry[i].d_un.d_ptr);
	}
	ret->libraries = ARENA_ARRAY(arena, const char *, count + 1);
	for (size_t i = 0; i < count && entry[i].d_tag != DT_NULL; i++) {
		bool is_path = entry[i].d_tag == DT_RUNPATH || entry[i].d_tag == DT_RPATH;
		const char *text;

		if (!is_path && entry[i].d_tag != DT_NEEDED)
			continue;
		text = names < image->len && entry[i].d_un.d_val < image->len
			       ? string_at(image, names + entry[i].d_un.d_val)
			       : NULL;
		if (!text)
			return -EBADMSG;
		if (is_path)
			ret->runpath = arena_strdup(arena, text);
		else
			ret->libraries[ret->library_count++] = arena_strdup(arena, text);
	}
	return 0;
}

static int read_segments(const struct image *image, struct arena *arena, struct elf_needs *ret)
{
	const Elf64_Ehdr *header = header_of(image);
	const Elf64_Phdr *found;
	int r = 0;

	if (!header)
		return -ENOEXEC;
	for (size_t i = 0; !r && (found = segment(image, header, i)); i++) {
		if (found->p_type == PT_INTERP) {
			const char *path = string_at(image, found->p_offset);

			if (!path)
				return -EBADMSG;
			ret->interpreter = arena_strdup(arena, path);
		} else if (found->p_type == PT_DYNAMIC) {
			r = read_dynamic(image, header, found, arena, ret);
		}
	}
	return r;
}

int elf_read_needs(int fd, struct arena *arena, struct elf_needs *ret)
{
	struct elf_needs needs = {0};
	struct image image;
	int r = open_image(fd, &image);

	if (r)
		return r;
	r = read_segments(&image, arena, &needs);
	close_image(&image);
	if (!r)
		*ret = needs;
	return r;
}

static const Elf64_Shdr *section(const struct image *image, const Elf64_Ehdr *header, size_t i)
{
	return i < header->e_shnum && header->e_shentsize == sizeof(Elf64_Shdr)
		       ? at(image, header->e_shoff + i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr))
		       : NULL;
}

static const Elf64_Shdr *find_section(const struct image *image, const Elf64_Ehdr *header, const char *name)
{
	const Elf64_Shdr *names = section(image, header, header->e_shstrndx), *found;

	for (size_t i = 0; names && (found = section(image, header, i)); i++) {
		const char *text = string_at(image, names->sh_offset + found->sh_name);

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
	const Elf64_Ehdr *header;
	const Elf64_Shdr *info;
	struct image image;
	int r = open_image(fd, &image);

	if (r)
		return r;
	header = header_of(&image);
	info = header ? find_section(&image, header, ".modinfo") : NULL;
	if (info && at(&image, info->sh_offset, info->sh_size)) {
		const char *value = find_value(at(&image, info->sh_offset, info->sh_size), info->sh_size, key);

		*ret = value ? arena_strdup(arena, value) : NULL;
	} else {
		r = header ? -EBADMSG : -ENOEXEC;
	}
	close_image(&image);
	return r;
}
