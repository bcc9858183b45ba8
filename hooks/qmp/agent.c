// SPDX-License-Identifier: MIT
/*
 * Speaks with qemu-ga. The protocol has no greeting, and answers have no id. Each
 * conversation therefore begins with guest-sync-delimited, whose answer follows a byte
 * 0xff. JSON text cannot contain that byte, so that late answers to an earlier client are
 * not taken for ours.
 */
#include "agent.h"

#include "sys/clock.h"
#include "wire.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct talk {
	struct wire wire;
	const char *path;
	uint64_t deadline;
	/* send the command without waiting for the agent's first answer */
	bool is_blind;
	/* the command was sent and may be carried out, whatever the answer */
	bool has_asked;
};

static int speak(struct talk *talk, const char *text)
{
	return wire_send(&talk->wire, text, strlen(text), talk->deadline);
}

static int hear(struct talk *talk, json_t **ret_object)
{
	char *line;
	size_t len;
	int r = wire_line(&talk->wire, talk->deadline, &line, &len);

	if (r < 0)
		return r;

	/* Everything before the delimiter is an older answer. */
	char *mark = memrchr(line, 0xff, len);

	if (mark) {
		len -= (size_t)(mark + 1 - line);
		line = mark + 1;
	}
	*ret_object = json_loadb(line, len, 0, NULL);
	return *ret_object ? 0 : -EBADMSG;
}

static int synchronize(struct talk *talk, const char *next)
{
	json_int_t id = (json_int_t)(lull_clock_now() & 0x7fffffff);
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text),
		       "\xff{\"execute\":\"guest-sync-delimited\","
		       "\"arguments\":{\"id\":%lld}}\n%s",
		       (long long)id, next);
	r = speak(talk, text);
	while (r == 0) {
		json_t *object = NULL;

		r = hear(talk, &object);
		if (r == -EBADMSG) {
			r = 0;
			continue;
		}
		if (r < 0)
			break;

		json_t *value = json_object_get(object, "return");
		bool ours = json_is_integer(value) && json_integer_value(value) == id;

		json_decref(object);
		if (ours)
			return 0;
	}
	return r;
}

static int converse(struct talk *talk, const char *command, char **ret_why)
{
	_cleanup_free_ char *text = NULL;
	json_t *object = NULL;
	int r;

	if (asprintf(&text, "{\"execute\":\"%s\"}\n", command) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	r = synchronize(talk, talk->is_blind ? text : "");
	if (r == 0 && !talk->is_blind) {
		talk->has_asked = true;
		r = speak(talk, text);
	}
	if (r == 0)
		r = hear(talk, &object);
	if (r == 0) {
		const char *why = json_string_value(
			json_object_get(json_object_get(object, "error"), "desc"));

		if (!json_object_get(object, "return")) {
			r = -EREMOTEIO;
			if (asprintf(ret_why, "the guest agent refused '%s': %s", command,
				     why ? why : "without a reason") < 0)
				*ret_why = NULL;
		}
	}
	json_decref(object);
	return r;
}

static int ask(const char *path, uint64_t timeout_ns, bool is_blind, const char *command,
	       bool *ret_asked, char **ret_why)
{
	struct talk talk = {
		.wire = { .fd = -1, .heeds_stop = !is_blind },
		.path = path,
		.deadline = lull_clock_now() + timeout_ns,
		.is_blind = is_blind,
	};
	char *why = NULL;
	int r = wire_open(&talk.wire, path, talk.deadline);

	if (r == 0)
		r = converse(&talk, command, &why);
	if (r < 0 && !why &&
	    asprintf(&why, "the guest agent at %s: '%s': %s", path, command,
		     r == -ETIMEDOUT ? "no answer in time"
		     : r == -EPIPE   ? "it hung up"
		     : r == -EINTR   ? "told to stop"
				     : strerror(-r)) < 0)
		why = NULL;
	wire_close(&talk.wire);
	if (r < 0)
		*ret_why = why;
	*ret_asked = talk.has_asked;
	return r;
}

int agent_freeze(const char *path, uint64_t timeout_ns, bool *ret_asked, char **ret_why)
{
	return ask(path, timeout_ns, false, "guest-fsfreeze-freeze", ret_asked, ret_why);
}

int agent_thaw(const char *path, uint64_t timeout_ns, char **ret_why)
{
	bool asked;

	/* An agent that is still busy with the freeze reads this command when it is
	   done. */
	return ask(path, timeout_ns, true, "guest-fsfreeze-thaw", &asked, ret_why);
}
