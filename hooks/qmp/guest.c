// SPDX-License-Identifier: MIT
/*
 * The QEMU to which a guest migrates opens the disk that its command line names, and no
 * sidecar that was made since. A redirect during a migration would therefore lose writes.
 */
#include "guest.h"

#include "say.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Sets *ret_status to the status in the answer, to be freed; NULL if QEMU refuses the
   command. */
static int ask(struct qmp *qmp, const char *command, char **ret_status)
{
	json_t *value = NULL;
	const char *status;
	int r = qmp_run(qmp, command, NULL, &value);

	*ret_status = NULL;
	if (r == -EREMOTEIO)
		return 0;
	if (r < 0)
		return r;
	status = json_string_value(json_object_get(value, "status"));
	*ret_status = strdup(status ? status : "");
	json_decref(value);
	return *ret_status ? 0 : -ENOMEM;
}

static bool is_one_of(const char *status, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(status, list[i]) == 0)
			return true;
	}
	return false;
}

int guest_find(struct qmp *qmp, enum guest_place *ret_place)
{
	/* all other states mean that the migration has ended or has not begun */
	static const char *const under_way[] = {
		"setup",           "active",           "postcopy-active",
		"postcopy-paused", "postcopy-recover", "pre-switchover",
		"device",          "wait-unplug",      "colo",
		"cancelling",
	};
	_cleanup_free_ char *status = NULL, *migration = NULL;
	int r = ask(qmp, "query-status", &status);

	*ret_place = GUEST_STAYS;
	if (r < 0 || !status)
		return r;
	if (strcmp(status, "postmigrate") == 0)
		*ret_place = GUEST_IS_GONE;
	else if (strcmp(status, "inmigrate") == 0)
		*ret_place = GUEST_ARRIVES;
	else if (strcmp(status, "finish-migrate") == 0)
		*ret_place = GUEST_LEAVES;
	if (*ret_place != GUEST_STAYS)
		return 0;
	r = ask(qmp, "query-migrate", &migration);
	if (r == 0 && migration && is_one_of(migration, under_way, ARRAY_SIZE(under_way)))
		*ret_place = GUEST_LEAVES;
	return r;
}

int guest_wake(struct qmp *qmp)
{
	_cleanup_free_ char *status = NULL;
	int r = ask(qmp, "query-status", &status);

	if (r < 0 || !status || strcmp(status, "io-error") != 0)
		return r;
	r = qmp_run(qmp, "cont", NULL, NULL);
	if (r == 0)
		say("the guest was paused after an I/O error while its disk was "
		    "redirected, probably because the sidecar's file system is full; it "
		    "goes on now");
	return r;
}
