// SPDX-License-Identifier: MIT
/*
 * The QEMU Machine Protocol: JSON objects in lines.
 *
 * INVARIANTS
 *  1. An answer belongs to the command with its id. Other answers are skipped, so that a
 *     late one is never taken for that of the next command.
 *  2. Events may come at any time and are never taken for an answer.
 */
#include "qmp.h"

#include "say.h"
#include "sys/clock.h"
#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct qmp {
	struct wire wire;
	char *path;
	uint64_t timeout_ns;
	json_int_t last_id;
	char *why;
	void (*heard)(void *ctx, json_t *event);
	void *heard_ctx;
};

static int failed(struct qmp *qmp, int r, const char *format, ...) _printf_(3, 4);
static int failed(struct qmp *qmp, int r, const char *format, ...)
{
	va_list args;

	free(qmp->why);
	va_start(args, format);
	if (vasprintf(&qmp->why, format, args) < 0)
		qmp->why = NULL;
	va_end(args);
	return r;
}

/* As failed(), for an error of the wire. doing: during what. */
static int broken(struct qmp *qmp, int r, const char *doing)
{
	switch (r) {
	case -ETIMEDOUT:
		return failed(qmp, r, "no answer from %s within %.3g s %s", qmp->path,
			      (double)qmp->timeout_ns / (double)NSEC_PER_SEC, doing);
	case -EPIPE:
		return failed(qmp, r, "%s hung up %s", qmp->path, doing);
	case -EINTR:
		return failed(qmp, r, "told to stop %s", doing);
	case -EBADMSG:
		return failed(qmp, r,
			      "%s does not speak QMP: it sent something else "
			      "%s",
			      qmp->path, doing);
	default:
		return failed(qmp, r, "%s: %s %s", qmp->path, strerror(-r), doing);
	}
}

/* Reads the next object, a new reference. */
static int next(struct qmp *qmp, uint64_t deadline, json_t **ret_object)
{
	char *line;
	size_t len;
	int r;

	do {
		r = wire_line(&qmp->wire, deadline, &line, &len);
		if (r < 0)
			return r;
	} while (len == 0 || (len == 1 && line[0] == '\r'));

	json_t *object = json_loadb(line, len, 0, NULL);

	if (!json_is_object(object)) {
		json_decref(object);
		return -EBADMSG;
	}
	if (qmp->heard && json_object_get(object, "event"))
		qmp->heard(qmp->heard_ctx, object);
	*ret_object = object;
	return 0;
}

static int send_command(struct qmp *qmp, const char *command, json_t *arguments,
			uint64_t deadline)
{
	json_t *object = json_pack("{s:s, s:I}", "execute", command, "id",
				   ++qmp->last_id);
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *line = NULL;
	int len;

	if (object && arguments && json_object_set(object, "arguments", arguments) < 0) {
		json_decref(object);
		object = NULL;
	}
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	len = text ? asprintf(&line, "%s\n", text) : -1;
	if (len < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return wire_send(&qmp->wire, line, (size_t)len, deadline);
}

static int take_answer(struct qmp *qmp, const char *command, json_t *object,
		       json_t **ret_value)
{
	json_t *error = json_object_get(object, "error");
	json_t *value = json_object_get(object, "return");
	const char *text = json_string_value(json_object_get(error, "desc"));

	if (error)
		return failed(qmp, -EREMOTEIO, "QEMU refused '%s': %s", command,
			      text ? text : "without a reason");
	if (!value)
		return failed(qmp, -EBADMSG,
			      "%s answered '%s' with neither value nor error", qmp->path,
			      command);
	if (ret_value)
		*ret_value = json_incref(value);
	return 0;
}

static int converse(struct qmp *qmp, const char *command, json_t *arguments,
		    json_t **ret_value)
{
	uint64_t deadline = lull_clock_now() + qmp->timeout_ns;
	_cleanup_free_ char *doing = NULL;
	int r = send_command(qmp, command, arguments, deadline);

	if (asprintf(&doing, "during '%s'", command) < 0) {
		doing = NULL;
		return failed(qmp, -ENOMEM, "out of memory");
	}
	while (r == 0) {
		json_t *object = NULL;

		r = next(qmp, deadline, &object);
		if (r < 0)
			break;

		json_t *id = json_object_get(object, "id");

		/* QEMU answers without an id what it could not parse at all. */
		if (!json_object_get(object, "event") &&
		    (json_integer_value(id) == qmp->last_id ||
		     (!id && json_object_get(object, "error")))) {
			r = take_answer(qmp, command, object, ret_value);
			json_decref(object);
			return r;
		}
		json_decref(object);
	}
	return broken(qmp, r, doing);
}

int qmp_run(struct qmp *qmp, const char *command, json_t *arguments, json_t **ret_value)
{
	int r = converse(qmp, command, arguments, ret_value);

	json_decref(arguments);
	return r;
}

static int greet(struct qmp *qmp, uint64_t deadline, uint64_t patience_ns)
{
	json_t *object = NULL;
	int r = next(qmp, deadline, &object);

	if (r == 0 && !json_object_get(object, "QMP"))
		r = -EBADMSG;
	json_decref(object);
	if (r == -ETIMEDOUT)
		return failed(
			qmp, r,
			"no greeting from %s within %.3g s: QEMU serves one client of a "
			"monitor at a time, and another may hold this one; give the hook "
			"a monitor of its own",
			qmp->path, (double)patience_ns / (double)NSEC_PER_SEC);
	if (r < 0)
		return broken(qmp, r, "in place of a greeting");
	return qmp_run(qmp, "qmp_capabilities", NULL, NULL);
}

int qmp_open(const char *path, uint64_t patience_ns, uint64_t timeout_ns,
	     struct qmp **ret_qmp, char **ret_why)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	uint64_t deadline = lull_clock_now() + patience_ns;
	int r;

	if (!qmp)
		return -ENOMEM;
	qmp->timeout_ns = timeout_ns;
	qmp->wire = (struct wire){ .fd = -1, .heeds_stop = true };
	qmp->path = strdup(path);
	r = qmp->path ? wire_open(&qmp->wire, path, deadline) : -ENOMEM;
	if (r == -ETIMEDOUT)
		(void)failed(qmp, r,
			     "cannot connect to %s: others are waiting for this monitor, "
			     "and QEMU serves one client at a time",
			     path);
	else if (r < 0)
		(void)failed(qmp, r, "cannot connect to %s: %s", path, strerror(-r));
	else
		r = greet(qmp, deadline, patience_ns);
	if (r < 0) {
		*ret_why = qmp->why;
		qmp->why = NULL;
		qmp_close(qmp);
		return r;
	}
	*ret_qmp = qmp;
	return 0;
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	wire_close(&qmp->wire);
	free(qmp->path);
	free(qmp->why);
	free(qmp);
}

const char *qmp_why(const struct qmp *qmp)
{
	return qmp->why ? qmp->why : "out of memory";
}

void qmp_listen(struct qmp *qmp, void (*heard)(void *ctx, json_t *event), void *ctx)
{
	qmp->heard = heard;
	qmp->heard_ctx = ctx;
}

int qmp_wait(struct qmp *qmp, uint64_t ns)
{
	json_t *object = NULL;
	int r = next(qmp, lull_clock_now() + ns, &object);

	json_decref(object);
	return r == -ETIMEDOUT ? 0
	       : r < 0         ? broken(qmp, r, "while waiting for a job")
			       : 0;
}

pid_t qmp_peer(const struct qmp *qmp)
{
	return qmp->wire.peer;
}

uid_t qmp_peer_user(const struct qmp *qmp)
{
	return qmp->wire.peer > 0 ? qmp->wire.peer_user : 0;
}
