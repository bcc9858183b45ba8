/* SPDX-License-Identifier: MIT */
/* A QEMU monitor: greeting, commands, answers and events. */
#pragma once

#include "util/macros.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct qmp;

/*
 * Connects, reads the greeting and leaves capabilities negotiation. Waits up to
 * patience_ns for another client to leave the monitor; timeout_ns is the time for each
 * command. Returns 0, or -errno with a message, to be freed, or NULL in *ret_why.
 */
int qmp_open(const char *path, uint64_t patience_ns, uint64_t timeout_ns,
	     struct qmp **ret_qmp, char **ret_why) _must_check_;

/* Accepts NULL. */
void qmp_close(struct qmp *qmp);

/*
 * Runs a command. Takes ownership of arguments, NULL for none. Returns 0, with the value
 * in *ret_value (a new reference) unless ret_value is NULL, or -errno, which qmp_why()
 * explains:
 *
 *   -EREMOTEIO: QEMU refused, and the connection is intact.
 *   -EPIPE: QEMU hung up. -ETIMEDOUT: no answer. -EBADMSG: the answer makes no sense.
 *   -EINTR: told to stop.
 *
 * After the last four it is unknown whether the command was carried out.
 */
int qmp_run(struct qmp *qmp, const char *command, json_t *arguments,
	    json_t **ret_value) _must_check_;

/* Returns the last error, for messages. */
const char *qmp_why(const struct qmp *qmp);

/* Waits up to ns for an event. Returns 0, also if none came, or -errno as qmp_run(). */
int qmp_wait(struct qmp *qmp, uint64_t ns) _must_check_;

/* Returns the process that answers, which is QEMU's; 0 if unknown. */
pid_t qmp_peer(const struct qmp *qmp);

/* Returns the user that QEMU runs as; root if unknown. */
uid_t qmp_peer_user(const struct qmp *qmp);

/* Passes each event to heard from now on, also while something else is waited for. NULL:
   to nobody. */
void qmp_listen(struct qmp *qmp, void (*heard)(void *ctx, json_t *event), void *ctx);
