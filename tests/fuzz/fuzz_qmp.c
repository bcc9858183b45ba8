// SPDX-License-Identifier: MIT
/*
 * Any bytes from a QEMU monitor, as the hook's looking for a disk meets them: an error,
 * or an answer. The guest may have taken over the process at the other side.
 */
#include "fuzz.h"

#include "disks.h"
#include "say.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as a socket takes without anybody to read it. */
#define MOST (64u << 10)

/* The monitor's end, full of what it says. */
static int monitor = -1;
static int held = -1;

volatile sig_atomic_t say_stopped;

void say(const char *format, ...)
{
	(void)format;
}

/* In place of the C library's: the other end of the monitor. */
int socket(int domain, int type, int protocol)
{
	int pair[2];

	if (socketpair(domain, type, protocol, pair) < 0)
		abort();
	monitor = pair[1];
	return pair[0];
}

static const uint8_t *script;
static size_t script_len;

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	(void)fd;
	(void)address;
	(void)len;
	if (write(monitor, script, script_len) != (ssize_t)script_len ||
	    shutdown(monitor, SHUT_WR) < 0)
		abort();
	return 0;
}

static void look(struct qmp *qmp)
{
	struct disks disks = { .disk = calloc(1, sizeof(*disks.disk)), .n = 1 };
	struct disk *disk = disks.disk;

	if (!disk)
		abort();
	disk->made = -1;
	disk->source = strdup("/proc/self/exe");
	disk->sidecar = strdup("/nowhere/.exe.lullcp-sidecar");
	if (!disk->source || !disk->sidecar || stat(disk->source, &disk->st) < 0)
		abort();
	if (disks_look(&disks, qmp) == 0) {
		const struct disk_state *state = &disk->state;

		if (state->is_open != (state->image != NULL) ||
		    state->is_redirected != (state->overlay != NULL) ||
		    strlen(disk->name) >= sizeof(disk->name))
			abort();
	}
	disks_done(&disks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp *qmp;
	char *why = NULL;

	/* what it says of the disk is believed only if it has it open */
	if (size > MOST || (held < 0 && (held = open("/proc/self/exe", O_RDONLY)) < 0))
		return 0;
	script = data;
	script_len = size;
	if (qmp_open("/monitor", NSEC_PER_SEC, NSEC_PER_SEC, &qmp, &why) == 0) {
		look(qmp);
		while (qmp_wait(qmp, NSEC_PER_SEC) == 0)
			;
		qmp_close(qmp);
	}
	free(why);
	(void)close(monitor);
	return 0;
}
