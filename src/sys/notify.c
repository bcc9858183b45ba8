// SPDX-License-Identifier: MIT
/* Sends state to a service manager, like sd_notify(3), without its library. */
#include "lullcp.h"
#include "util/macros.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

void lull_notify(const char *path, const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	_cleanup_close_ int fd = -1;

	/* Accept a path, or the name of an abstract socket, which has no NUL at its
	   end. */
	if (len < 2 || len >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* If the manager is busy, the message is lost; the next one has newer state. */
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)(const void *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
