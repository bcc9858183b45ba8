// SPDX-License-Identifier: MIT
/*
 * sd_notify(3) and sd-daemon(3), without libsystemd.
 *
 * Levels are added to lines inside the stream, so that messages of getopt(3) and each
 * line of a longer message get one.
 */
#include "service.h"

#include "outlet.h"
#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ULL
/* Time for what follows the thaw: sync, a checkpoint. */
#define STOP_EXTRA_NS (30 * SECOND)

static enum service_level level = SERVICE_ERROR;

void service_level(enum service_level next)
{
	level = next;
}

static ssize_t mark(void *cookie, const char *text, size_t size)
{
	bool *inside = cookie; /* inside a line */
	size_t len;

	for (size_t at = 0; at < size; at += len) {
		const char *end = memchr(text + at, '\n', size - at);
		char prefix[8];

		len = end ? (size_t)(end - text) - at + 1 : size - at;
		(void)snprintf(prefix, sizeof(prefix), "<%d>", (int)level);
		if (!*inside && !outlet_put(STDERR_FILENO, prefix, strlen(prefix)))
			return 0;
		if (!outlet_put(STDERR_FILENO, text + at, len))
			return 0;
		*inside = !end;
	}
	return (ssize_t)size;
}

/* JOURNAL_STREAM names the socket that systemd connected. If standard error was
   redirected since, it is another file. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, inode;
	struct stat st;
	int end = 0;

	return stream && sscanf(stream, "%llu:%llu%n", &dev, &inode, &end) == 2 &&
	       stream[end] == '\0' && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == inode;
}

void service_begin(void)
{
	static bool inside;
	FILE *stream;

	if (!is_journal())
		return;
	stream = fopencookie(&inside, "w", (cookie_io_functions_t){ .write = mark });
	if (!stream)
		return;
	(void)setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	stderr = stream;
}

static void tell(const char *state)
{
	const char *socket = getenv("NOTIFY_SOCKET");

	if (socket)
		lull_notify(socket, state);
}

void service_ready(const struct command *c)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s",
		       c->source ? quote(c->source) : "at work");
	tell(text);
}

void service_progress(const struct lull_progress *p)
{
	static time_t last;
	struct timespec now;
	char text[512];

	/* Once a second, not once per file. */
	if (!getenv("NOTIFY_SOCKET") || clock_gettime(CLOCK_MONOTONIC, &now) < 0 ||
	    now.tv_sec == last)
		return;
	last = now.tv_sec;
	(void)snprintf(text, sizeof(text), "STATUS=%s: %u%%, %s of %s%s%s",
		       quote(p->source), words_percent(p), words_bytes(words_done(p)),
		       words_bytes(words_all(p)),
		       p->frozen_ns > 0 ? ", writers frozen for " : "",
		       p->frozen_ns > 0 ? words_time(p->frozen_ns) : "");
	tell(text);
}

void service_stopping(const struct command *c, bool asked)
{
	char text[128];

	if (!asked) {
		tell("STOPPING=1");
		return;
	}

	(void)snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
		       (unsigned long long)(c->engine.hook_timeout_ns + STOP_EXTRA_NS) /
			       1000);
	tell(text);
}
