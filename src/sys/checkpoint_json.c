// SPDX-License-Identifier: MIT
/*
 * The checkpoint's JSON, written and read. Reading is strict: each key must be there, of
 * its type and within its range. Unknown keys are allowed, for a schema may gain some.
 */
#include "sys/checkpoint_json.h"

#include "lullcp.h"
#include "sys/identity.h"
#include "util/base64.h"
#include "util/json_name.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Longer is no path and no command line that Linux would take. */
#define LONGEST_TEXT 4096

static const char *const phase_names[] = {
	[LULL_PHASE_CLONING] = "cloning",
	[LULL_PHASE_COMPLETE] = "complete",
};

static int64_t as_int(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static json_t *or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *frozen_json(const struct lull_checkpoint *c)
{
	if (!c->frozen)
		return json_null();
	return json_pack("{s:I, s:b}", "since_ns", (json_int_t)as_int(c->frozen_since), "kept",
			 c->kept_frozen);
}

static json_t *reference_json(const struct lull_checkpoint *c)
{
	const struct lull_reference *ref = &c->reference;

	if (!c->has_reference)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "inode",
			 (json_int_t)as_int(ref->inode), "generation",
			 (json_int_t)as_int(ref->generation), "size",
			 (json_int_t)as_int(ref->size), "mtime_ns",
			 (json_int_t)ref->mtime_ns, "ctime_ns", (json_int_t)ref->ctime_ns);
}

int lull_checkpoint_format(const struct lull_checkpoint *c, char **ret_text)
{
	json_t *root = json_pack(
		"{s:s, s:i, s:s, s:{s:o, s:o}, s:{s:o, s:I, s:I, s:I, s:I}, s:I, s:i, s:s, s:s,"
		" s:o, s:I, s:{s:b, s:b, s:i, s:I, s:I, s:b}, s:I}",
		"type", "checkpoint", "schema", LULL_CHECKPOINT_SCHEMA, "run_id", c->run_id,
		"source", "file_system_uuid", or_null(c->source_fs), "reference",
		reference_json(c), "destination", "file_system_uuid", or_null(c->dest_fs),
		"inode", (json_int_t)as_int(c->dest_inode), "generation",
		(json_int_t)as_int(c->dest_generation), "size",
		(json_int_t)as_int(c->dest_size), "ctime_ns", (json_int_t)c->dest_ctime_ns,
		"offset", (json_int_t)as_int(c->offset), "pass", (int)MIN(c->pass, UINT16_MAX), "method",
		lull_method_name((enum lull_method)c->method), "phase", phase_names[c->phase],
		"frozen", frozen_json(c), "hook_timeout_ns",
		(json_int_t)as_int(c->hook_timeout_ns), "options", "replaces_existing",
		c->replaces, "refresh", c->refresh, "mode", (int)c->mode, "owner",
		(json_int_t)c->owner, "group", (json_int_t)c->group, "dated", c->dated, "updated_ns",
		(json_int_t)as_int(c->updated));
	int r = 0;

	if (!root)
		return -ENOMEM;
	r |= lull_json_set_name(json_object_get(root, "source"), "path", c->source);
	r |= lull_json_set_name(json_object_get(root, "destination"), "path", c->dest);
	r |= lull_json_set_name(root, "temporary_name", c->temporary);
	r |= lull_json_set_name(root, "snapshot_name", c->snapshot);
	r |= lull_json_set_name(root, "hook", c->hook);
	*ret_text = r < 0 ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(root);
	return *ret_text ? 0 : -ENOMEM;
}

/* The readers below share an error flag, so that they can follow each other. */
struct reader {
	bool bad;
};

static uint64_t get_uint(struct reader *r, const json_t *object, const char *key,
			 uint64_t max)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > max) {
		r->bad = true;
		return 0;
	}
	return (uint64_t)json_integer_value(value);
}

static int64_t get_int(struct reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		r->bad = true;
	return json_integer_value(value);
}

static bool get_bool(struct reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value))
		r->bad = true;
	return json_is_true(value);
}

static void get_uuid(struct reader *r, const json_t *object, const char *key, bool may_lack,
		     char ret_uuid[37])
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	ret_uuid[0] = '\0';
	if (may_lack && json_is_null(value))
		return;
	if (!text || json_string_length(value) != 36 || !lull_identity_is_uuid(text))
		r->bad = true;
	else
		memcpy(ret_uuid, text, 37);
}

static char *get_name(struct reader *r, const json_t *object, const char *key, bool may_lack)
{
	char *name = NULL;

	if (lull_json_get_name(object, key, &name) < 0 || (!name && !may_lack) ||
	    (name && (strlen(name) == 0 || strlen(name) >= LONGEST_TEXT)))
		r->bad = true;
	return name;
}

static int get_choice(struct reader *r, const json_t *object, const char *key,
		      const char *const *names, size_t n)
{
	const char *text = json_string_value(json_object_get(object, key));

	for (size_t i = 0; text && i < n; i++) {
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	}
	r->bad = true;
	return 0;
}

static int get_method(struct reader *r, const json_t *root)
{
	const char *names[LULL_METHODS];

	for (int i = 0; i < LULL_METHODS; i++)
		names[i] = lull_method_name((enum lull_method)i);
	return get_choice(r, root, "method", names, LULL_METHODS);
}

static void read_root(struct reader *r, const json_t *root, struct lull_checkpoint *c)
{
	const json_t *source = json_object_get(root, "source");
	const json_t *dest = json_object_get(root, "destination");
	const json_t *reference = json_object_get(source, "reference");
	const json_t *frozen = json_object_get(root, "frozen");
	const json_t *options = json_object_get(root, "options");

	get_uuid(r, root, "run_id", false, c->run_id);
	c->source = get_name(r, source, "path", false);
	c->dest = get_name(r, dest, "path", false);
	c->temporary = get_name(r, root, "temporary_name", true);
	c->snapshot = get_name(r, root, "snapshot_name", true);
	c->hook = get_name(r, root, "hook", true);
	get_uuid(r, source, "file_system_uuid", true, c->source_fs);
	get_uuid(r, dest, "file_system_uuid", true, c->dest_fs);
	c->has_reference = !json_is_null(reference);
	if (c->has_reference) {
		c->reference.inode = get_uint(r, reference, "inode", INT64_MAX);
		c->reference.generation = get_uint(r, reference, "generation", INT64_MAX);
		c->reference.size = get_uint(r, reference, "size", INT64_MAX);
		c->reference.mtime_ns = get_int(r, reference, "mtime_ns");
		c->reference.ctime_ns = get_int(r, reference, "ctime_ns");
	}
	c->dest_inode = get_uint(r, dest, "inode", INT64_MAX);
	c->dest_generation = get_uint(r, dest, "generation", INT64_MAX);
	c->dest_size = get_uint(r, dest, "size", INT64_MAX);
	c->dest_ctime_ns = get_int(r, dest, "ctime_ns");
	c->offset = get_uint(r, root, "offset", INT64_MAX);
	c->pass = (unsigned int)get_uint(r, root, "pass", UINT16_MAX);
	c->method = get_method(r, root);
	c->phase = get_choice(r, root, "phase", phase_names, ARRAY_SIZE(phase_names));
	c->frozen = !json_is_null(frozen);
	if (c->frozen) {
		c->frozen_since = get_uint(r, frozen, "since_ns", INT64_MAX);
		c->kept_frozen = get_bool(r, frozen, "kept");
	}
	c->hook_timeout_ns = get_uint(r, root, "hook_timeout_ns", INT64_MAX);
	c->replaces = get_bool(r, options, "replaces_existing");
	c->refresh = get_bool(r, options, "refresh");
	c->mode = (uint32_t)get_uint(r, options, "mode", 07777);
	c->owner = (uint32_t)get_uint(r, options, "owner", UINT32_MAX);
	c->group = (uint32_t)get_uint(r, options, "group", UINT32_MAX);
	/* Younger than the schema. */
	c->dated = json_object_get(options, "dated") && get_bool(r, options, "dated");
	c->updated = get_uint(r, root, "updated_ns", INT64_MAX);

	/* What fits together in no run: nothing durable beyond the end, a temporary file
	   that is not beside the destination, frozen writers without a hook. */
	if (c->offset > c->dest_size || (c->offset > 0 && !c->has_reference) ||
	    (c->temporary && strchr(c->temporary, '/')) ||
	    (c->snapshot && strchr(c->snapshot, '/')) || (c->frozen && !c->hook) ||
	    (c->source && c->source[0] != '/') || (c->dest && c->dest[0] != '/'))
		r->bad = true;
}

int lull_checkpoint_parse(const char *text, size_t len,
			  struct lull_checkpoint *ret_checkpoint)
{
	struct lull_checkpoint c = { 0 };
	struct reader reader = { 0 };
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *schema = json_object_get(root, "schema");
	int r = 0;

	if (!type || strcmp(type, "checkpoint") != 0 || !json_is_integer(schema)) {
		r = -EBADMSG;
	} else if (json_integer_value(schema) != LULL_CHECKPOINT_SCHEMA) {
		r = -EPROTONOSUPPORT;
	} else {
		read_root(&reader, root, &c);
		if (reader.bad)
			r = -EBADMSG;
	}
	json_decref(root);
	if (r < 0)
		lull_checkpoint_done(&c);
	else
		*ret_checkpoint = c;
	return r;
}
