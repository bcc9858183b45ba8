// SPDX-License-Identifier: MIT
/* See columns.h. A byte that is not part of a character counts as one column. */
#include "columns.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* Returns the bytes of the first character of text, and its columns. */
static int character(const char *text, int *ret_columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t n = mbrtowc(&wide, text, strlen(text), &state);
	int columns = n > 0 && n < (size_t)-2 ? wcwidth(wide) : -1;

	*ret_columns = columns < 0 ? 1 : columns;
	return n > 0 && n < (size_t)-2 ? (int)n : 1;
}

int columns_of(const char *text)
{
	int all = 0, columns;

	while (*text) {
		text += character(text, &columns);
		all += columns;
	}
	return all;
}

int columns_fit(const char *text, int width)
{
	const char *at = text;
	int columns;

	while (*at) {
		int n = character(at, &columns);

		if (columns > width)
			break;
		width -= columns;
		at += n;
	}
	return (int)(at - text);
}

int columns_of_terminal(int fd)
{
	struct winsize size;

	return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

unsigned int columns_of_bar(unsigned int before, unsigned int most)
{
	int terminal = columns_of_terminal(STDOUT_FILENO);
	unsigned int width = terminal > 0 ? (unsigned int)terminal : 80;

	/* One stays free: some terminals break a line that is full. */
	if (width <= before + 1)
		return 0;
	return width - before - 1 < most ? width - before - 1 : most;
}
