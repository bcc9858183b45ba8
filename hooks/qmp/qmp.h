/* SPDX-License-Identifier: MIT */
/* A QEMU monitor: greeting, commands and their answers, events in between. */
#pragma once

#include "util/macros.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct qmp;

/*
 * Connects, reads the greeting and leaves capabilities negotiation. Another client may
 * have the monitor meanwhile: for it to leave there is patience_ns, and then timeout_ns
 * for each command. 0 or -errno; what went wrong is in *ret_why, which the caller frees.
 */
int qmp_open(const char *path, uint64_t patience_ns, uint64_t timeout_ns,
	     struct qmp **ret_qmp, char **ret_why) _must_check_;

/* NULL is fine. */
void qmp_close(struct qmp *qmp);

/*
 * Runs a command; takes arguments over, which may be NULL for none. 0 and the value (a
 * new reference, if ret_value is not NULL), or -errno, and qmp_why() says what happened:
 * -EREMOTEIO QEMU refused, and the connection is as good as before;
 * -EPIPE it hung up, -ETIMEDOUT no answer, -EBADMSG no sense in it, -EINTR told to stop:
 * whether the command was carried out is unknown.
 */
int qmp_run(struct qmp *qmp, const char *command, json_t *arguments,
	    json_t **ret_value) _must_check_;

/* What went wrong last, for people. */
const char *qmp_why(const struct qmp *qmp);

/* Waits for an event, at most so long. 0 (also if none came) or -errno as above. */
int qmp_wait(struct qmp *qmp, uint64_t ns) _must_check_;

/* QEMU's process, the one that answers; 0 if unknown. */
pid_t qmp_peer(const struct qmp *qmp);

/* The user that it runs as, root if unknown. */
uid_t qmp_peer_user(const struct qmp *qmp);

/* From now on each event is given to heard, whatever is waited for. NULL: to nobody. */
void qmp_listen(struct qmp *qmp, void (*heard)(void *ctx, json_t *event), void *ctx);
