// SPDX-License-Identifier: MIT
/*
 * Writes and reads a checkpoint as JSON. Reading is strict: each key must exist, have its
 * type, and be within its range. Unknown keys are allowed, because a schema may gain
 * some.
 */
#include "store/checkpoint_json.h"

#include "lullcp.h"
#include "store/state.h"
#include "sys/identity.h"
#include "util/json_name.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Linux accepts no longer path. hook.h has the limit of a command. */
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
	return json_pack("{s:I, s:b}", "since_ns", (json_int_t)as_int(c->frozen_since),
			 "kept", c->kept_frozen);
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
			 (json_int_t)ref->mtime_ns, "ctime_ns",
			 (json_int_t)ref->ctime_ns);
}

/* Adds what is about one file. */
static int add_file(json_t *object, const struct lull_checkpoint *c)
{
	json_t *keys = json_pack(
		"{s:{s:o, s:o}, s:{s:o, s:I, s:I, s:I, s:I}, s:I, s:i, s:s, s:s,"
		" s:{s:b, s:b, s:b, s:i, s:I, s:I, s:b}}",
		"source", "file_system_uuid", or_null(c->source_fs), "reference",
		reference_json(c), "destination", "file_system_uuid", or_null(c->dest_fs),
		"inode", (json_int_t)as_int(c->dest_inode), "generation",
		(json_int_t)as_int(c->dest_generation), "size",
		(json_int_t)as_int(c->dest_size), "ctime_ns",
		(json_int_t)c->dest_ctime_ns, "offset", (json_int_t)as_int(c->offset),
		"pass", (int)MIN(c->pass, UINT16_MAX), "method",
		lull_method_name(c->method), "phase", phase_names[c->phase], "options",
		"replaces_existing", c->replaces, "refresh", c->refresh, "used_up",
		c->used_up, "mode", (int)c->mode, "owner", (json_int_t)c->owner, "group",
		(json_int_t)c->group, "dated", c->dated);
	int r = keys ? json_object_update(object, keys) : -1;

	json_decref(keys);
	if (r < 0)
		return -ENOMEM;
	r |= lull_json_set_name(json_object_get(object, "source"), "path", c->source);
	r |= lull_json_set_name(json_object_get(object, "destination"), "path", c->dest);
	r |= lull_json_set_name(object, "temporary_name", c->temporary);
	r |= lull_json_set_name(object, "snapshot_name", c->snapshot);
	return r;
}

/* Adds what is about the run. */
static int add_run(json_t *root, const struct lull_checkpoint *c)
{
	json_t *keys = json_pack("{s:o, s:I, s:I}", "frozen", frozen_json(c),
				 "hook_timeout_ns",
				 (json_int_t)as_int(c->hook_timeout_ns), "updated_ns",
				 (json_int_t)as_int(c->updated));
	int r = keys ? json_object_update(root, keys) : -1;

	json_decref(keys);
	if (r < 0)
		return -ENOMEM;
	r |= lull_json_set_name(root, "hook", c->hook);
	r |= lull_json_set_name(root, "hook_directory", c->hook_directory);
	if (c->hook_files)
		r |= lull_json_set_name(root, "hook_files", c->hook_files);
	if (c->hook && c->machine[0])
		r |= lull_json_set_name(root, "machine", c->machine);
	return r < 0 ? -ENOMEM : 0;
}

static int add_files(json_t *root, const struct lull_checkpoint *of, unsigned int n)
{
	json_t *files = json_array();
	int r = json_object_set_new(root, "files", files);

	for (unsigned int i = 0; r == 0 && i < n; i++) {
		json_t *file = json_object();

		r = json_array_append_new(files, file);
		if (r == 0)
			r = add_file(file, &of[i]);
	}
	return r;
}

int lull_checkpoint_format_set(const struct lull_checkpoint *of, unsigned int n,
			       char **ret_text)
{
	json_t *root = json_pack("{s:s, s:s, s:i, s:s}", "self", LULL_STATE_BLANK, "type",
				 n == 1 ? "checkpoint" : "checkpoint_set", "schema",
				 LULL_CHECKPOINT_SCHEMA, "run_id", of->run_id);
	int r = root ? add_run(root, of) : -ENOMEM;

	if (r == 0)
		r = n == 1 ? add_file(root, of) : add_files(root, of, n);
	*ret_text = r < 0 ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(root);
	return *ret_text ? 0 : -ENOMEM;
}

int lull_checkpoint_format_pointer(const char *path, char **ret_text)
{
	json_t *root = json_pack("{s:s, s:s, s:i}", "self", LULL_STATE_BLANK, "type",
				 "pointer", "schema", LULL_CHECKPOINT_SCHEMA);
	int r = root ? lull_json_set_name(root, "checkpoint", path) : -ENOMEM;
	char *text = r < 0 ? NULL
			   : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	json_decref(root);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* The readers below share an error flag, so that they can be called one after the
   other. */
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

static void get_uuid(struct reader *r, const json_t *object, const char *key,
		     bool may_lack, char ret_uuid[37])
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

/* Returns NULL on error, or if the key may be missing and is. */
static char *get_text(struct reader *r, const json_t *object, const char *key,
		      bool may_lack, size_t longest)
{
	char *text = NULL;

	if (lull_json_get_name(object, key, &text) < 0 || (!text && !may_lack) ||
	    (text && (strlen(text) == 0 || strlen(text) > longest)))
		r->bad = true;
	return text;
}

static char *get_name(struct reader *r, const json_t *object, const char *key,
		      bool may_lack)
{
	return get_text(r, object, key, may_lack, LONGEST_TEXT - 1);
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

static enum lull_method get_method(struct reader *r, const json_t *root)
{
	const char *names[LULL_METHODS];

	for (int i = 0; i < LULL_METHODS; i++)
		names[i] = lull_method_name((enum lull_method)i);
	return (enum lull_method)get_choice(r, root, "method", names, LULL_METHODS);
}

static void read_file(struct reader *r, const json_t *object, struct lull_checkpoint *c)
{
	const json_t *source = json_object_get(object, "source");
	const json_t *dest = json_object_get(object, "destination");
	const json_t *reference = json_object_get(source, "reference");
	const json_t *options = json_object_get(object, "options");

	c->source = get_name(r, source, "path", false);
	c->dest = get_name(r, dest, "path", false);
	c->temporary = get_name(r, object, "temporary_name", true);
	c->snapshot = get_name(r, object, "snapshot_name", true);
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
	c->offset = get_uint(r, object, "offset", INT64_MAX);
	c->pass = (unsigned int)get_uint(r, object, "pass", UINT16_MAX);
	c->method = get_method(r, object);
	c->phase = (enum lull_phase)get_choice(r, object, "phase", phase_names,
					       ARRAY_SIZE(phase_names));
	c->replaces = get_bool(r, options, "replaces_existing");
	c->refresh = get_bool(r, options, "refresh");
	c->mode = (uint32_t)get_uint(r, options, "mode", 07777);
	c->owner = (uint32_t)get_uint(r, options, "owner", UINT32_MAX);
	c->group = (uint32_t)get_uint(r, options, "group", UINT32_MAX);
	/* These keys are newer than the schema. */
	c->used_up = json_object_get(options, "used_up") &&
		     get_bool(r, options, "used_up");
	c->dated = json_object_get(options, "dated") && get_bool(r, options, "dated");

	/* Refuse what no run writes, such as an offset past the end, or a temporary file
	   that is not beside the destination. */
	if (c->offset > c->dest_size || (c->offset > 0 && !c->has_reference) ||
	    (c->temporary && strchr(c->temporary, '/')) ||
	    (c->snapshot && strchr(c->snapshot, '/')) ||
	    (c->source && c->source[0] != '/') || (c->dest && c->dest[0] != '/'))
		r->bad = true;
}

static void read_run(struct reader *r, const json_t *root, struct lull_checkpoint *c)
{
	const json_t *frozen = json_object_get(root, "frozen");
	_cleanup_free_ char *machine = NULL;

	get_uuid(r, root, "run_id", false, c->run_id);
	c->hook = get_name(r, root, "hook", true);
	/* These keys are newer than the schema. */
	if (json_object_get(root, "hook_directory"))
		c->hook_directory = get_name(r, root, "hook_directory", true);
	if (json_object_get(root, "hook_files"))
		c->hook_files = get_text(r, root, "hook_files", true,
					 LULL_CHECKPOINT_LONGEST_FILES);
	if (json_object_get(root, "machine"))
		machine = get_name(r, root, "machine", false);
	if (machine && strlen(machine) < sizeof(c->machine))
		memcpy(c->machine, machine, strlen(machine) + 1);
	else if (machine)
		r->bad = true;
	c->frozen = !json_is_null(frozen);
	if (c->frozen) {
		c->frozen_since = get_uint(r, frozen, "since_ns", INT64_MAX);
		c->kept_frozen = get_bool(r, frozen, "kept");
	}
	c->hook_timeout_ns = get_uint(r, root, "hook_timeout_ns", INT64_MAX);
	c->updated = get_uint(r, root, "updated_ns", INT64_MAX);
	/* Nobody could thaw such writers. */
	if ((c->frozen && !c->hook) || (c->hook_directory && c->hook_directory[0] != '/'))
		r->bad = true;
}

/* Checks that a set is one that can be published as a whole: each destination occurs
   once, and none is in place. */
static bool fits_together(const struct lull_checkpoint *of, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!of[i].temporary || of[i].phase != of[0].phase)
			return false;
		for (unsigned int k = 0; k < i; k++) {
			if (strcmp(of[i].dest, of[k].dest) == 0)
				return false;
		}
	}
	return true;
}

static int read_root(const json_t *root, struct lull_checkpoint **ret_of,
		     unsigned int *ret_n)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *schema = json_object_get(root, "schema");
	bool set = type && strcmp(type, "checkpoint_set") == 0;
	const json_t *files = json_object_get(root, "files");
	size_t n = set ? json_array_size(files) : 1;
	struct reader reader = { 0 };
	struct lull_checkpoint *of;

	bool pointer = type && strcmp(type, "pointer") == 0;

	if (!type || (!set && !pointer && strcmp(type, "checkpoint") != 0) ||
	    !json_is_integer(schema))
		return -EBADMSG;
	if (json_integer_value(schema) != LULL_CHECKPOINT_SCHEMA)
		return -EPROTONOSUPPORT;
	if (pointer)
		return -ENOTUNIQ;
	if (n < (set ? 2 : 1) || n > LULL_CHECKPOINT_MOST)
		return -EBADMSG;
	of = calloc(n, sizeof(*of));
	if (!of)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		read_run(&reader, root, &of[i]);
		read_file(&reader, set ? json_array_get(files, i) : root, &of[i]);
	}
	if (reader.bad || (set && !fits_together(of, (unsigned int)n))) {
		lull_checkpoint_free(of, (unsigned int)n);
		return -EBADMSG;
	}
	*ret_of = of;
	*ret_n = (unsigned int)n;
	return 0;
}

int lull_checkpoint_parse_set(const char *text, size_t len,
			      struct lull_checkpoint **ret_of, unsigned int *ret_n)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int r = read_root(root, ret_of, ret_n);

	json_decref(root);
	return r;
}

int lull_checkpoint_parse(const char *text, size_t len,
			  struct lull_checkpoint *ret_checkpoint)
{
	struct lull_checkpoint *of;
	unsigned int n;
	int r = lull_checkpoint_parse_set(text, len, &of, &n);

	return r < 0 ? r : lull_checkpoint_take_only(of, n, ret_checkpoint);
}

int lull_checkpoint_parse_pointer(const char *text, size_t len, char **ret_path)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *schema = json_object_get(root, "schema");
	char *path = NULL;
	int r = 0;

	if (!type || strcmp(type, "pointer") != 0 || !json_is_integer(schema))
		r = -ENOENT;
	else if (json_integer_value(schema) != LULL_CHECKPOINT_SCHEMA)
		r = -EPROTONOSUPPORT;
	else if (lull_json_get_name(root, "checkpoint", &path) < 0 || !path ||
		 path[0] != '/' || strlen(path) >= LONGEST_TEXT)
		r = -EBADMSG;
	json_decref(root);
	if (r < 0)
		free(path);
	else
		*ret_path = path;
	return r;
}
