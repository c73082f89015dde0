#define _GNU_SOURCE
#include "json.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 22];
static size_t used;

static void append(const char *bytes, size_t length)
{
	if (used + length > sizeof buffer)
		json_flush();
	if (length > sizeof buffer)
		abort();
	memcpy(buffer + used, bytes, length);
	used += length;
}

void json_flush(void)
{
	size_t done = 0;

	while (done < used) {
		ssize_t n = write(1, buffer + done, used - done);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += n;
	}
	used = 0;
}

void json_raw(const char *format, ...)
{
	char text[512];
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(text, sizeof text, format, list);
	va_end(list);
	append(text, n < (int)sizeof text ? n : (int)sizeof text - 1);
}

void json_string(const char *bytes, long length)
{
	long i;

	if (length < 0)
		length = strlen(bytes);
	append("\"", 1);
	for (i = 0; i < length; i++) {
		unsigned char c = bytes[i];

		if (c == '"' || c == '\\')
			append("\\", 1);
		if (c < 32)
			json_raw("\\u%04x", c);
		else
			append(bytes + i, 1);
	}
	append("\"", 1);
}

void json_key(const char *name)
{
	if (used && buffer[used - 1] != '{' && buffer[used - 1] != '[')
		append(",", 1);
	if (name) {
		json_string(name, -1);
		append(":", 1);
	}
}

void json_number(const char *name, long long value)
{
	json_key(name);
	json_raw("%lld", value);
}

void json_text(const char *name, const char *value)
{
	json_key(name);
	if (value)
		json_string(value, -1);
	else
		json_raw("null");
}

void json_errno(const char *name, long result)
{
	json_text(name, result < 0 ? errno_name(errno) : "0");
}

void json_file(const char *name, const char *path)
{
	static char data[1 << 20];
	ssize_t n = 0, got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		json_text(name, NULL);
		return;
	}
	while (n < (ssize_t)sizeof data && (got = read(fd, data + n, sizeof data - n)) > 0)
		n += got;
	close(fd);
	json_key(name);
	json_string(data, n);
}

void json_begin(const char *name)
{
	json_key(name);
	append("{", 1);
}

void json_end(void)
{
	append("}", 1);
}

const char *errno_name(int number)
{
	const char *name = strerrorname_np(number);

	return name ? name : "EUNKNOWN";
}
