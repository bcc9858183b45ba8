// SPDX-License-Identifier: MIT
/*
 * Checkpoints: what is written is read back, what is not exactly one is refused, and a
 * save that ends at any of its system calls leaves the old one or the new one.
 *
 * The linker sends the library's calls through the wrappers below (--wrap).
 */
#include "unit.h"

#include "lullcp.h"
#include "store/checkpoint_file.h"
#include "store/checkpoint_json.h"
#include "store/state.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NAME "disk.img.lullcp"

/* ---- calls that fail or end the process ---- */

enum fate { PASS, FAIL, DIE_BEFORE, DIE_AFTER, SHORT };

static struct {
	enum fate fate;
	unsigned int at;    /* which call, from 1 */
	unsigned int count; /* calls so far */
} plot;

ssize_t __real_write(int fd, const void *buf, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags);
int __real_openat(int dir, const char *name, int flags, ...);
int __real_openat64(int dir, const char *name, int flags, ...);
int __real_unlinkat(int dir, const char *name, int flags);

ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat64(int dir, const char *name, int flags, mode_t mode);
int __wrap_unlinkat(int dir, const char *name, int flags);

/* Whether the call's turn has come; dies where it is to die before it. */
static bool turn(void)
{
	bool now = plot.fate != PASS && ++plot.count == plot.at;

	if (now && plot.fate == DIE_BEFORE)
		_exit(9);
	return now;
}

static int end(bool now, int r)
{
	if (now && plot.fate == DIE_AFTER)
		_exit(9);
	return r;
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	bool now = turn();

	if (now && plot.fate == FAIL) {
		errno = ENOSPC;
		return -1;
	}
	/* Half of it gets there, whether the process lives on or not. */
	if (now)
		len = len > 1 ? len / 2 : len;

	ssize_t n = __real_write(fd, buf, len);

	(void)end(now, 0);
	return n;
}

#define WRAP(real)                      \
	bool now = turn();              \
                                        \
	if (now && plot.fate == FAIL) { \
		errno = EIO;            \
		return -1;              \
	}                               \
	return end(now, real)

int __wrap_fsync(int fd)
{
	WRAP(__real_fsync(fd));
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	WRAP(__real_renameat(from_dir, from, to_dir, to));
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to,
		     unsigned int flags)
{
	WRAP(__real_renameat2(from_dir, from, to_dir, to, flags));
}

int __wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
	WRAP(__real_openat(dir, name, flags, mode));
}

int __wrap_openat64(int dir, const char *name, int flags, mode_t mode)
{
	WRAP(__real_openat64(dir, name, flags, mode));
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	WRAP(__real_unlinkat(dir, name, flags));
}

/* ---- checkpoints to test with ---- */

static struct lull_checkpoint full(void)
{
	static char source[] = "/srv/vm/disk \xe9\xff.img",
		    dest[] = "/srv/vm/copy\n'\".img";
	static char temporary[] = ".copy\xc3(.img.tmp", snapshot[] = ".copy\xc3.snap",
		    hook[] = "hook --name 'caf\xc3\xa9 \xe9'",
		    files[] = "10-caf\xc3\xa9/20-\xe9/";

	return (struct lull_checkpoint){
		.run_id = "0b1f6a3e-4c1d-4b6e-9f0a-7e2d5c8b9a10",
		.source = source,
		.dest = dest,
		.temporary = temporary,
		.source_fs = "11111111-2222-3333-4444-555555555555",
		.dest_fs = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		.reference = { .inode = 133,
			       .generation = 4294967295,
			       .size = 1ULL << 40,
			       .mtime_ns = 1700000000123456789,
			       .ctime_ns = -1 },
		.has_reference = true,
		.dest_inode = INT64_MAX,
		.dest_generation = 7,
		.dest_size = 1ULL << 40,
		.dest_ctime_ns = 1700000000987654321,
		.offset = (1ULL << 39) + 1,
		.pass = 65535,
		.method = LULL_METHOD_FROZEN,
		.phase = LULL_PHASE_COMPLETE,
		.frozen = true,
		.kept_frozen = true,
		.frozen_since = 1700000001000000000,
		.hook = hook,
		.hook_files = files,
		.hook_timeout_ns = 60000000000,
		.replaces = true,
		.dated = true,
		.updated = 1700000002000000000,
		.snapshot = snapshot,
		.refresh = true,
		.mode = 07751,
		.owner = 4294967294,
		.group = 100,
	};
}

static struct lull_checkpoint least(void)
{
	static char source[] = "/a", dest[] = "/b";

	return (struct lull_checkpoint){
		.run_id = "00000000-0000-4000-8000-000000000000",
		.source = source,
		.dest = dest,
	};
}

static void check_text(const char *name, const char *a, const char *b)
{
	check(name, (a == NULL) == (b == NULL));
	check(name, !a || strcmp(a, b) == 0);
}

static void check_same(const char *name, const struct lull_checkpoint *a,
		       const struct lull_checkpoint *b)
{
	check_text(name, a->run_id, b->run_id);
	check_text(name, a->source, b->source);
	check_text(name, a->dest, b->dest);
	check_text(name, a->temporary, b->temporary);
	check_text(name, a->source_fs, b->source_fs);
	check_text(name, a->dest_fs, b->dest_fs);
	check_int(name, a->has_reference, b->has_reference);
	check_int(name, a->reference.inode, b->reference.inode);
	check_int(name, a->reference.generation, b->reference.generation);
	check_int(name, a->reference.size, b->reference.size);
	check_int(name, a->reference.mtime_ns, b->reference.mtime_ns);
	check_int(name, a->reference.ctime_ns, b->reference.ctime_ns);
	check_int(name, a->dest_inode, b->dest_inode);
	check_int(name, a->dest_generation, b->dest_generation);
	check_int(name, a->dest_size, b->dest_size);
	check_int(name, a->dest_ctime_ns, b->dest_ctime_ns);
	check_int(name, a->offset, b->offset);
	check_int(name, a->pass, b->pass);
	check_int(name, a->method, b->method);
	check_int(name, a->phase, b->phase);
	check_int(name, a->frozen, b->frozen);
	check_int(name, a->kept_frozen, b->kept_frozen);
	check_int(name, a->frozen_since, b->frozen_since);
	check_text(name, a->hook, b->hook);
	check_text(name, a->hook_files, b->hook_files);
	check_int(name, a->hook_timeout_ns, b->hook_timeout_ns);
	check_int(name, a->replaces, b->replaces);
	check_int(name, a->dated, b->dated);
	check_text(name, a->snapshot, b->snapshot);
	check_int(name, a->refresh, b->refresh);
	check_int(name, a->mode, b->mode);
	check_int(name, a->owner, b->owner);
	check_int(name, a->group, b->group);
	check_int(name, a->updated, b->updated);
}

static char *text_of(const struct lull_checkpoint *c)
{
	char *text = NULL;

	assert_int_equal(lull_checkpoint_format_set(c, 1, &text), 0);
	return text;
}

/* ---- the text ---- */

static void test_round_trip(void **state UNUSED)
{
	struct lull_checkpoint cases[12];
	static const char *const names[ARRAY_SIZE(cases)] = {
		"full",          "least",        "in place", "no hook",
		"not frozen",    "cloning",      "no UUIDs", "method none",
		"method single", "method quiet", "not kept", "does not replace",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cases[i] = full();
	cases[1] = least();
	cases[2].temporary = NULL;
	cases[3].frozen = cases[3].kept_frozen = false;
	cases[3].frozen_since = 0;
	cases[3].hook = cases[3].hook_files = NULL;
	cases[4].frozen = cases[4].kept_frozen = false;
	cases[4].frozen_since = 0;
	cases[5].phase = LULL_PHASE_CLONING;
	cases[6].source_fs[0] = cases[6].dest_fs[0] = '\0';
	cases[7].method = LULL_METHOD_NONE;
	cases[8].method = LULL_METHOD_SINGLE;
	cases[9].method = LULL_METHOD_QUIET;
	cases[10].kept_frozen = false;
	cases[11].replaces = false;
	cases[11].dated = false;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_checkpoint back = { 0 };
		char *text = text_of(&cases[i]);

		check_int(names[i], lull_checkpoint_parse(text, strlen(text), &back), 0);
		check_same(names[i], &back, &cases[i]);
		lull_checkpoint_done(&back);
		check(names[i], back.source == NULL && back.hook == NULL);
		free(text);
	}
}

static void test_truncated(void **state UNUSED)
{
	const struct lull_checkpoint c = full();
	char *text = text_of(&c);
	size_t len = strlen(text);

	for (size_t n = 0; n < len; n++) {
		struct lull_checkpoint back = { .pass = 42 };
		/* A buffer of just this size: a byte read beyond it shows under ASan. */
		char *part = malloc(n ? n : 1);

		assert_non_null(part);
		memcpy(part, text, n);
		if (lull_checkpoint_parse(part, n, &back) != -EBADMSG)
			fail_msg("accepted with %zu of %zu bytes", n, len);
		assert_int_equal(back.pass, 42);
		assert_null(back.source);
		free(part);
	}
	free(text);
}

/* Every key, where it is, and what may stand there: s(tring) n(ull) i(nteger) b(ool). */
static const struct {
	const char *object, *key, *types;
} keys[] = {
	{ NULL, "type", "s" },
	{ NULL, "schema", "i" },
	{ NULL, "run_id", "s" },
	{ NULL, "source", "o" },
	{ NULL, "destination", "o" },
	{ NULL, "offset", "i" },
	{ NULL, "pass", "i" },
	{ NULL, "method", "s" },
	{ NULL, "phase", "s" },
	{ NULL, "frozen", "no" },
	{ NULL, "hook_timeout_ns", "i" },
	{ NULL, "options", "o" },
	{ NULL, "updated_ns", "i" },
	{ NULL, "temporary_name", "sn" },
	{ NULL, "hook", "s" }, /* null is not allowed beside frozen */
	{ "source", "path", "s" },
	{ "source", "file_system_uuid", "sn" },
	{ "source", "reference", "o" }, /* null is not allowed beside an offset */
	{ "reference", "inode", "i" },
	{ "reference", "generation", "i" },
	{ "reference", "size", "i" },
	{ "reference", "mtime_ns", "i" },
	{ "reference", "ctime_ns", "i" },
	{ "destination", "path", "s" },
	{ "destination", "file_system_uuid", "sn" },
	{ "destination", "inode", "i" },
	{ "destination", "generation", "i" },
	{ "destination", "size", "i" },
	{ "destination", "ctime_ns", "i" },
	{ "frozen", "since_ns", "i" },
	{ "frozen", "kept", "b" },
	{ "options", "replaces_existing", "b" },
};

static json_t *object_in(json_t *root, const char *name)
{
	if (!name)
		return root;
	if (strcmp(name, "reference") == 0)
		root = json_object_get(root, "source");
	return json_object_get(root, name);
}

/* Parses the full checkpoint after key of object was set to value (NULL: removed). */
static int parse_with(const char *object, const char *key, json_t *value)
{
	struct lull_checkpoint c = full(), back = { 0 };
	char *text, *changed, twin[64];
	json_t *root, *at;
	int r;

	/* Without twins, so that the text itself is what is read. */
	c.source = c.dest = (char *)(uintptr_t) "/a";
	c.temporary = c.snapshot = c.hook = (char *)(uintptr_t) "a";
	text = text_of(&c);
	root = json_loads(text, 0, NULL);
	at = object_in(root, object);
	assert_non_null(json_object_get(at, key));
	(void)snprintf(twin, sizeof(twin), "%s_base64", key);
	assert_null(json_object_get(at, twin));
	if (value)
		assert_int_equal(json_object_set_new(at, key, value), 0);
	else
		assert_int_equal(json_object_del(at, key), 0);
	changed = json_dumps(root, JSON_ENCODE_ANY);
	r = lull_checkpoint_parse(changed, strlen(changed), &back);
	if (r == 0)
		lull_checkpoint_done(&back);
	json_decref(root);
	free(changed);
	free(text);
	return r;
}

static void test_missing(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		check_int(keys[i].key, parse_with(keys[i].object, keys[i].key, NULL),
			  -EBADMSG);
}

static json_t *of_type(char type)
{
	switch (type) {
	case 's':
		return json_string("");
	case 'n':
		return json_null();
	case 'i':
		return json_integer(1);
	case 'r':
		return json_real(1.0);
	case 'b':
		return json_true();
	case 'a':
		return json_pack("[i]", 1);
	default:
		return json_object();
	}
}

static void test_wrong_type(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (const char *type = "snirbao"; *type; type++) {
			/* An empty string, or an empty object, is wrong wherever it
			 * stands. */
			bool fine = strchr(keys[i].types, *type) && !strchr("so", *type);
			int r;

			/* A size of 1 is before the offset; sizes have rows of their own.
			 */
			if (fine && strcmp(keys[i].key, "size") == 0)
				continue;
			/* 1 is another schema: that has rows of its own, too. */
			if (fine && strcmp(keys[i].key, "schema") == 0)
				continue;
			r = parse_with(keys[i].object, keys[i].key, of_type(*type));
			if (r != (fine ? 0 : -EBADMSG))
				fail_msg("%s as %c: %d", keys[i].key, *type, r);
		}
	}
}

static void test_range(void **state UNUSED)
{
	static const struct {
		const char *object, *key, *json;
		int wanted;
	} cases[] = {
		{ NULL, "type", "\"summary\"", -EBADMSG },
		{ NULL, "type", "\"Checkpoint\"", -EBADMSG },
		{ NULL, "schema", "0", -EPROTONOSUPPORT },
		{ NULL, "schema", "1", -EPROTONOSUPPORT },
		{ NULL, "schema", "3", -EPROTONOSUPPORT },
		{ NULL, "schema", "-1", -EPROTONOSUPPORT },
		{ NULL, "schema", "4294967297", -EPROTONOSUPPORT },
		{ NULL, "schema", "\"2\"", -EBADMSG },
		{ NULL, "schema", "2.0", -EBADMSG },
		{ NULL, "run_id", "\"0b1f6a3e\"", -EBADMSG },
		{ NULL, "run_id", "\"0b1f6a3e-4c1d-4b6e-9f0a-7e2d5c8b9a1g\"", -EBADMSG },
		{ NULL, "run_id", "\"0b1f6a3e-4c1d-4b6e-9f0a-7e2d5c8b9a100\"", -EBADMSG },
		{ NULL, "run_id", "\"0b1f6a3e04c1d-4b6e-9f0a-7e2d5c8b9a10\"", -EBADMSG },
		{ NULL, "run_id", "\"\xe2\x82\xac\"", -EBADMSG },
		{ NULL, "offset", "-1", -EBADMSG },
		{ NULL, "offset", "0", 0 },
		{ NULL, "offset", "1099511627776", 0 },
		{ NULL, "offset", "1099511627777", -EBADMSG },
		{ NULL, "offset", "9223372036854775807", -EBADMSG },
		{ NULL, "pass", "0", 0 },
		{ NULL, "pass", "-1", -EBADMSG },
		{ NULL, "pass", "65536", -EBADMSG },
		{ NULL, "method", "\"slow\"", -EBADMSG },
		{ NULL, "method", "\"Frozen\"", -EBADMSG },
		{ NULL, "method", "\"quiet\"", 0 },
		{ NULL, "phase", "\"done\"", -EBADMSG },
		{ NULL, "phase", "\"cloning\"", 0 },
		{ NULL, "hook_timeout_ns", "-1", -EBADMSG },
		{ NULL, "updated_ns", "-1", -EBADMSG },
		{ NULL, "temporary_name", "\"../a\"", -EBADMSG },
		{ NULL, "temporary_name", "\"/a\"", -EBADMSG },
		{ NULL, "temporary_name", "\"a/\"", -EBADMSG },
		{ NULL, "temporary_name", "\"\"", -EBADMSG },
		{ NULL, "hook", "\"\"", -EBADMSG },
		{ NULL, "hook", "null", -EBADMSG },
		{ NULL, "frozen", "{\"since_ns\": -1, \"kept\": true}", -EBADMSG },
		{ NULL, "frozen", "{\"since_ns\": 1, \"kept\": 1}", -EBADMSG },
		{ NULL, "frozen", "{\"since_ns\": 1, \"kept\": false}", 0 },
		{ NULL, "frozen", "{\"since_ns\": 1, \"kept\": false, \"more\": 1}", 0 },
		{ NULL, "options", "{\"replaces_existing\": null}", -EBADMSG },
		{ NULL, "options",
		  "{\"replaces_existing\": false, \"refresh\": true, \"mode\": 4095, "
		  "\"owner\": 0, \"group\": 4294967295, \"more\": 1}",
		  0 },
		{ NULL, "options",
		  "{\"replaces_existing\": false, \"refresh\": true, \"mode\": 0, "
		  "\"owner\": 0, \"group\": 4294967296}",
		  -EBADMSG },
		{ NULL, "options",
		  "{\"replaces_existing\": false, \"refresh\": true, \"mode\": 0, "
		  "\"group\": 0}",
		  -EBADMSG },
		{ NULL, "options",
		  "{\"replaces_existing\": false, \"refresh\": true, \"mode\": 4096, "
		  "\"owner\": 0, \"group\": 0}",
		  -EBADMSG },
		{ NULL, "options", "{\"replaces_existing\": false, \"mode\": 0}",
		  -EBADMSG },
		{ NULL, "snapshot_name", "\"../x\"", -EBADMSG },
		{ NULL, "snapshot_name", "\".x.lullcp-snap\"", 0 },
		{ "source", "path", "\"relative\"", -EBADMSG },
		{ "source", "path", "\"/\"", 0 },
		{ "source", "file_system_uuid", "\"x\"", -EBADMSG },
		{ "source", "reference", "null", -EBADMSG },
		{ "reference", "inode", "-1", -EBADMSG },
		{ "reference", "generation", "-1", -EBADMSG },
		{ "reference", "size", "-1", -EBADMSG },
		{ "reference", "mtime_ns", "-1", 0 },
		{ "reference", "mtime_ns", "-9223372036854775807", 0 },
		{ "reference", "ctime_ns", "1e3", -EBADMSG },
		{ "destination", "path", "\"relative\"", -EBADMSG },
		{ "destination", "file_system_uuid", "\"\"", -EBADMSG },
		{ "destination", "inode", "-1", -EBADMSG },
		{ "destination", "generation", "-1", -EBADMSG },
		{ "destination", "size", "-1", -EBADMSG },
		{ "destination", "size", "549755813888",
		  -EBADMSG }, /* less than the offset */
		{ "destination", "size", "549755813889", 0 },
		{ "destination", "ctime_ns", "-1", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		int r;

		check(cases[i].json, value != NULL);
		r = parse_with(cases[i].object, cases[i].key, value);
		if (r != cases[i].wanted)
			fail_msg("%s: %s: %d, not %d", cases[i].key, cases[i].json, r,
				 cases[i].wanted);
	}
}

/* A path that no path can be. */
static void test_longest(void **state UNUSED)
{
	static const struct {
		size_t len;
		int wanted;
	} cases[] = { { 4095, 0 }, { 4096, -EBADMSG }, { 100000, -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path = malloc(cases[i].len + 1);

		memset(path, '/', cases[i].len);
		path[cases[i].len] = '\0';
		assert_int_equal(parse_with("source", "path", json_string(path)),
				 cases[i].wanted);
		free(path);
	}
}

static void test_no_checkpoint(void **state UNUSED)
{
	static const struct {
		const char *name, *text;
		int wanted;
	} cases[] = {
		{ "empty", "", -EBADMSG },
		{ "blank", " \n", -EBADMSG },
		{ "no JSON", "hello", -EBADMSG },
		{ "array", "[]", -EBADMSG },
		{ "string", "\"checkpoint\"", -EBADMSG },
		{ "null", "null", -EBADMSG },
		{ "empty object", "{}", -EBADMSG },
		{ "only a type", "{\"type\": \"checkpoint\"}", -EBADMSG },
		{ "only a schema", "{\"schema\": 2}", -EBADMSG },
		{ "both", "{\"type\": \"checkpoint\", \"schema\": 2}", -EBADMSG },
		{ "another schema", "{\"type\": \"checkpoint\", \"schema\": 3}",
		  -EPROTONOSUPPORT },
		{ "twice", "{\"type\": \"checkpoint\", \"schema\": 3, \"schema\": 3}",
		  -EBADMSG },
		{ "more behind", "{\"type\": \"checkpoint\", \"schema\": 3} x",
		  -EBADMSG },
		{ "no UTF-8",
		  "{\"type\": \"checkpoint\", \"schema\": 3, \"x\": \"\xff\"}",
		  -EBADMSG },
		{ "too large a number",
		  "{\"type\": \"checkpoint\", \"schema\": 99999999999999999999}",
		  -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_checkpoint back = { 0 };

		check_int(cases[i].name,
			  lull_checkpoint_parse(cases[i].text, strlen(cases[i].text),
						&back),
			  cases[i].wanted);
	}
}

/* ---- of several files ---- */

/* n files of one run, with names of their own. */
static void make_set(struct lull_checkpoint *of, unsigned int n)
{
	static char source[LULL_CHECKPOINT_MOST + 1][16],
		dest[LULL_CHECKPOINT_MOST + 1][16];

	for (unsigned int i = 0; i < n; i++) {
		of[i] = full();
		(void)snprintf(source[i], sizeof(source[i]), "/s/%u", i);
		(void)snprintf(dest[i], sizeof(dest[i]), "/d/%u\xff", i);
		of[i].source = source[i];
		of[i].dest = dest[i];
		of[i].offset = i * 4096;
	}
}

static char *text_of_set(const struct lull_checkpoint *of, unsigned int n)
{
	char *text = NULL;

	assert_int_equal(lull_checkpoint_format_set(of, n, &text), 0);
	return text;
}

static void test_set_round_trip(void **state UNUSED)
{
	static const unsigned int sizes[] = { 1, 2, 3, LULL_CHECKPOINT_MOST };
	struct lull_checkpoint of[LULL_CHECKPOINT_MOST];

	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		struct lull_checkpoint *back = NULL, alone = { 0 };
		unsigned int n = 0;
		char *text;

		make_set(of, sizes[k]);
		text = text_of_set(of, sizes[k]);
		assert_int_equal(lull_checkpoint_parse_set(text, strlen(text), &back, &n),
				 0);
		assert_int_equal(n, sizes[k]);
		for (unsigned int i = 0; i < n; i++)
			check_same("of a set", &back[i], &of[i]);
		lull_checkpoint_free(back, n);
		/* One file is not a set: a version without sets can read it. */
		check_int("alone", lull_checkpoint_parse(text, strlen(text), &alone),
			  n == 1 ? 0 : -ENOTUNIQ);
		lull_checkpoint_done(&alone);
		assert_true(strlen(text) < LULL_CHECKPOINT_MAX_SIZE);
		free(text);
	}
}

/* Parses a set of two after key of its second file, or of the whole, was set to value. */
static int parse_set_with(bool whole, const char *key, json_t *value)
{
	struct lull_checkpoint of[2], *back = NULL;
	unsigned int n = 42;
	char *text, *changed;
	json_t *root, *at;
	int r;

	make_set(of, 2);
	of[1].dest = (char *)(uintptr_t) "/d/1";
	text = text_of_set(of, 2);
	root = json_loads(text, 0, NULL);
	at = whole ? root : json_array_get(json_object_get(root, "files"), 1);
	assert_non_null(json_object_get(at, key));
	assert_int_equal(value ? json_object_set_new(at, key, value)
			       : json_object_del(at, key),
			 0);
	changed = json_dumps(root, 0);
	r = lull_checkpoint_parse_set(changed, strlen(changed), &back, &n);
	if (r == 0)
		lull_checkpoint_free(back, n);
	else
		assert_true(back == NULL && n == 42);
	json_decref(root);
	free(changed);
	free(text);
	return r;
}

static void test_set_bad(void **state UNUSED)
{
	static const char *const of_run[] = { "type",      "schema", "run_id",
					      "frozen",    "files",  "hook_timeout_ns",
					      "updated_ns" };
	static const char *const of_file[] = { "source", "destination", "offset", "pass",
					       "method", "phase",       "options" };
	struct lull_checkpoint same[2], *back = NULL;
	unsigned int n;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(of_run); i++)
		check_int(of_run[i], parse_set_with(true, of_run[i], NULL), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(of_file); i++)
		check_int(of_file[i], parse_set_with(false, of_file[i], NULL), -EBADMSG);
	check_int("schema", parse_set_with(true, "schema", json_integer(3)),
		  -EPROTONOSUPPORT);
	check_int("type", parse_set_with(true, "type", json_string("checkpoint")),
		  -EBADMSG);
	check_int("no array", parse_set_with(true, "files", json_object()), -EBADMSG);
	check_int("no files", parse_set_with(true, "files", json_array()), -EBADMSG);
	check_int("one file", parse_set_with(true, "files", json_pack("[{}]")), -EBADMSG);
	check_int("no objects", parse_set_with(true, "files", json_pack("[i, i]", 1, 2)),
		  -EBADMSG);
	check_int("half whole", parse_set_with(false, "phase", json_string("cloning")),
		  -EBADMSG);
	check_int("in place", parse_set_with(false, "temporary_name", json_null()),
		  -EBADMSG);
	check_int("of another version",
		  parse_set_with(true, "updated_ns", json_integer(1)), 0);

	make_set(same, 2);
	same[1].dest = same[0].dest;
	text = text_of_set(same, 2);
	check_int("twice", lull_checkpoint_parse_set(text, strlen(text), &back, &n),
		  -EBADMSG);
	free(text);
}

static void test_set_too_many(void **state UNUSED)
{
	struct lull_checkpoint of[LULL_CHECKPOINT_MOST + 1], *back = NULL;
	unsigned int n;
	char *text;

	make_set(of, ARRAY_SIZE(of));
	text = text_of_set(of, ARRAY_SIZE(of));
	assert_int_equal(lull_checkpoint_parse_set(text, strlen(text), &back, &n),
			 -EBADMSG);
	free(text);
}

static void test_set_truncated(void **state UNUSED)
{
	struct lull_checkpoint of[2], *back = NULL;
	unsigned int n;
	char *text;
	size_t len;

	make_set(of, 2);
	text = text_of_set(of, 2);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if (lull_checkpoint_parse_set(text, i, &back, &n) != -EBADMSG)
			fail_msg("accepted with %zu of %zu bytes", i, len);
	}
	free(text);
}

/* ---- the file ---- */

struct place {
	char *path;
	int dir;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place->path = unit_directory();
	place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	plot.fate = PASS;
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	plot.fate = PASS;
	(void)close(place->dir);
	unit_remove(place->path);
	free(place);
	return 0;
}

static void test_save(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = full(), back = { 0 };
	struct stat st;

	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), -ENOENT);
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	assert_int_equal(fstatat(place->dir, NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), 0);
	check_same("first", &back, &c);
	lull_checkpoint_done(&back);

	c.offset = 4096;
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), 0);
	check_same("second", &back, &c);
	lull_checkpoint_done(&back);
	assert_int_equal(fstatat(place->dir, NAME "~", &st, AT_SYMLINK_NOFOLLOW), -1);

	assert_int_equal(lull_checkpoint_remove(place->dir, NAME, true), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), -ENOENT);
	assert_int_equal(lull_checkpoint_remove(place->dir, NAME, true), 0);
}

/* What it takes to be no part of a leaf of Btrfs' tree. A part of it is still refused. */
static void test_longer_than_a_block(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };
	struct stat st;

	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	assert_int_equal(fstatat(place->dir, NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_size, LULL_CHECKPOINT_MIN_SIZE);
	assert_true(st.st_size > 4096);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), 0);
	lull_checkpoint_done(&back);

	int fd = openat(place->dir, NAME, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	while (st.st_size > 0) {
		st.st_size -= MIN(st.st_size, 97);
		assert_int_equal(ftruncate(fd, st.st_size), 0);
		assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), -EBADMSG);
	}
	assert_int_equal(close(fd), 0);
}

static void test_long_name(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least();
	char name[400];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(lull_checkpoint_save(place->dir, name, &c), -ENAMETOOLONG);
}

static void test_untrusted(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		int wanted;
	} cases[] = {
		{ "ours", 0600, 0 },
		{ "read-only", 0400, 0 },
		{ "others may read", 0644, 0 },
		{ "group may write", 0620, -EPERM },
		{ "all may write", 0602, -EPERM },
		{ "both", 0666, -EPERM },
	};
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };

	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		check_int(cases[i].name, fchmodat(place->dir, NAME, cases[i].mode, 0), 0);
		r = lull_checkpoint_load(place->dir, NAME, &back);
		check_int(cases[i].name, r, cases[i].wanted);
		if (r == 0)
			lull_checkpoint_done(&back);
	}
	/* Only root can give a file away; others have no file of another owner to try. */
	if (geteuid() == 0) {
		assert_int_equal(fchmodat(place->dir, NAME, 0600, 0), 0);
		assert_int_equal(fchownat(place->dir, NAME, 12345, (gid_t)-1, 0), 0);
		assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), -EPERM);
	}
}

static void test_no_file(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };

	assert_int_equal(lull_checkpoint_save(place->dir, "real", &c), 0);
	assert_int_equal(symlinkat("real", place->dir, "link"), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, "link", &back), -ELOOP);
	assert_int_equal(symlinkat("nowhere", place->dir, "dangling"), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, "dangling", &back), -ELOOP);
	assert_int_equal(mkdirat(place->dir, "directory", 0700), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, "directory", &back), -EBADMSG);
	/* Must not wait for a writer. */
	assert_int_equal(mkfifoat(place->dir, "fifo", 0600), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, "fifo", &back), -EBADMSG);
	assert_int_equal(lull_checkpoint_load(-1, "real", &back), -EBADF);
}

/* A file of len bytes that would be a checkpoint but for its size: blanks follow it. */
static void write_padded(const struct place *place, size_t len)
{
	struct lull_checkpoint c = least();
	char *text = text_of(&c), *bytes = malloc(len + 1);

	memset(bytes, ' ', len);
	bytes[len] = '\0';
	memcpy(bytes, text, strlen(text));
	assert_int_equal(lull_state_write(place->dir, NAME, bytes, true), 0);
	free(bytes);
	free(text);
}

static void test_oversized(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int wanted;
	} cases[] = {
		{ "large", LULL_CHECKPOINT_MAX_SIZE - 1, 0 },
		{ "too large", LULL_CHECKPOINT_MAX_SIZE, -EBADMSG },
		{ "far too large", 4 * LULL_CHECKPOINT_MAX_SIZE, -EBADMSG },
	};
	const struct place *place = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_checkpoint back = { 0 };

		write_padded(place, cases[i].len);
		check_int(cases[i].name, lull_checkpoint_load(place->dir, NAME, &back),
			  cases[i].wanted);
		lull_checkpoint_done(&back);
	}
}

static void test_set_file(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint of[3], *back = NULL, alone = { 0 };
	unsigned int n = 0;

	make_set(of, 3);
	assert_int_equal(lull_checkpoint_load_set(place->dir, NAME, &back, &n), -ENOENT);
	assert_int_equal(lull_checkpoint_save_set(place->dir, NAME, of, 3, true), 0);
	assert_int_equal(lull_checkpoint_load_set(place->dir, NAME, &back, &n), 0);
	assert_int_equal(n, 3);
	check_same("third", &back[2], &of[2]);
	lull_checkpoint_free(back, n);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &alone), -ENOTUNIQ);
	assert_int_equal(fchmodat(place->dir, NAME, 0620, 0), 0);
	assert_int_equal(lull_checkpoint_load_set(place->dir, NAME, &back, &n), -EPERM);
}

static void test_pointer(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least();
	char *path = NULL;

	assert_int_equal(lull_checkpoint_pointed(place->dir, NAME, &path), -ENOENT);
	assert_int_equal(lull_checkpoint_point(place->dir, NAME, "/d/.a.lullcp"), 0);
	assert_int_equal(lull_checkpoint_point(place->dir, NAME, "/d/.a.lullcp"), 0);
	assert_int_equal(lull_checkpoint_point(place->dir, NAME, "/d/.b.lullcp"),
			 -EEXIST);
	assert_int_equal(lull_checkpoint_point(place->dir, NAME, "/d/.a"), -EEXIST);
	assert_int_equal(lull_checkpoint_pointed(place->dir, NAME, &path), 0);
	assert_string_equal(path, "/d/.a.lullcp");
	free(path);
	/* Made by somebody else: a relative one, a link, a copy. */
	assert_int_equal(lull_checkpoint_point(place->dir, "relative", ".a.lullcp"), 0);
	assert_int_equal(lull_checkpoint_pointed(place->dir, "relative", &path),
			 -EBADMSG);
	assert_int_equal(symlinkat("/d/.a.lullcp", place->dir, "link"), 0);
	assert_int_equal(lull_checkpoint_pointed(place->dir, "link", &path), -ELOOP);
	assert_int_equal(lull_checkpoint_point(place->dir, "link", "/d/.a.lullcp"),
			 -EEXIST);
	unit_copy(place->dir, NAME, "copy");
	assert_int_equal(lull_checkpoint_pointed(place->dir, "copy", &path), -ESTALE);
	assert_int_equal(lull_checkpoint_point(place->dir, "copy", "/d/.a.lullcp"),
			 -EEXIST);
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &c), -ENOTUNIQ);
	assert_int_equal(lull_checkpoint_save(place->dir, "file", &c), 0);
	assert_int_equal(lull_checkpoint_pointed(place->dir, "file", &path), -ENOENT);
	assert_int_equal(lull_checkpoint_point(place->dir, "file", "/d/.a.lullcp"),
			 -EEXIST);
	/* A save takes the place of the pointer, and does not follow it. */
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	assert_int_equal(lull_checkpoint_pointed(place->dir, NAME, &path), -ENOENT);
}

/* A file that may have been planted is refused, and neither overwritten nor removed. */
static void test_refused(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };
	struct stat before, st;
	static const struct {
		const char *name, *file;
		int wanted;
	} cases[] = {
		{ "a copy", "copy", -ESTALE },
		{ "a second name", "second", -EMLINK },
		{ "a link", "link", -ELOOP },
	};

	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	unit_copy(place->dir, NAME, "copy");
	assert_int_equal(lull_checkpoint_save(place->dir, "first", &c), 0);
	assert_int_equal(linkat(place->dir, "first", place->dir, "second", 0), 0);
	assert_int_equal(symlinkat(NAME, place->dir, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *file = cases[i].file;

		assert_int_equal(fstatat(place->dir, file, &before, AT_SYMLINK_NOFOLLOW),
				 0);
		check_int(cases[i].name, lull_checkpoint_load(place->dir, file, &back),
			  cases[i].wanted);
		check_int(cases[i].name, lull_checkpoint_save(place->dir, file, &c),
			  -EEXIST);
		check_int(cases[i].name, lull_checkpoint_remove(place->dir, file, true),
			  cases[i].wanted);
		assert_int_equal(fstatat(place->dir, file, &st, AT_SYMLINK_NOFOLLOW), 0);
		check(cases[i].name,
		      st.st_ino == before.st_ino && st.st_size == before.st_size);
	}
	/* A rename by its owner is none of these. */
	assert_int_equal(renameat(place->dir, NAME, place->dir, "moved"), 0);
	assert_int_equal(lull_checkpoint_load(place->dir, "moved", &back), 0);
	lull_checkpoint_done(&back);
}

/* Who else may write to the directory. */
static void test_directories(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		uid_t owner;
		int wanted;
	} cases[] = {
		{ "nobody else", 0755, 0, 0 },
		{ "the group", 0775, 0, -EUSERS },
		{ "all", 0757, 0, -EUSERS },
		{ "all, sticky", 01777, 0, 0 },
		{ "another owner", 0755, 12345, -EUSERS },
		{ "another owner, sticky", 01777, 12345, -EUSERS },
	};
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };

	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		if (cases[i].owner && geteuid() != 0)
			continue;
		assert_int_equal(fchmod(place->dir, cases[i].mode), 0);
		if (geteuid() == 0)
			assert_int_equal(fchown(place->dir, cases[i].owner, (gid_t)-1),
					 0);
		assert_int_equal(fchmod(place->dir, cases[i].mode), 0);
		r = lull_checkpoint_load(place->dir, NAME, &back);
		check_int(cases[i].name, r, cases[i].wanted);
		if (r == 0)
			lull_checkpoint_done(&back);
		check_int(cases[i].name, lull_checkpoint_save(place->dir, NAME, &c),
			  cases[i].wanted);
		check_int(cases[i].name, faccessat(place->dir, NAME, F_OK, 0), 0);
	}
	if (geteuid() == 0)
		assert_int_equal(fchown(place->dir, 0, (gid_t)-1), 0);
	assert_int_equal(fchmod(place->dir, 0700), 0);
}

/* What somebody put in place of the temporary file is not written through. */
static void test_planted(void **state)
{
	const struct place *place = *state;
	struct lull_checkpoint c = least(), back = { 0 };
	struct stat st;
	int fd = openat(place->dir, "victim", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(close(fd), 0);
	assert_int_equal(symlinkat("victim", place->dir, NAME "~"), 0);
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &c), 0);
	assert_int_equal(fstatat(place->dir, "victim", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fstatat(place->dir, NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(lull_checkpoint_load(place->dir, NAME, &back), 0);
	lull_checkpoint_done(&back);
}

/* ---- a save that does not come to its end ---- */

static unsigned int calls_of_a_save(const struct place *place,
				    const struct lull_checkpoint *c)
{
	plot.fate = FAIL;
	plot.at = 0;
	plot.count = 0;
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, c), 0);
	plot.fate = PASS;
	return plot.count;
}

/* The file loads as one of the two; true: the new one. */
static bool is_new(const char *name, const struct place *place,
		   const struct lull_checkpoint *old, const struct lull_checkpoint *new)
{
	struct lull_checkpoint back = { 0 };
	bool newer;

	check_int(name, lull_checkpoint_load(place->dir, NAME, &back), 0);
	newer = back.offset == new->offset;
	check_same(name, &back, newer ? new : old);
	lull_checkpoint_done(&back);
	return newer;
}

static void test_crash(void **state)
{
	static const struct {
		const char *name;
		enum fate fate;
	} fates[] = {
		{ "fails", FAIL },
		{ "dies before", DIE_BEFORE },
		{ "dies after", DIE_AFTER },
		{ "writes a part", SHORT },
	};
	const struct place *place = *state;
	struct lull_checkpoint old = full(), new = full();
	unsigned int calls, last_old = 0, first_new = 0;

	old.offset = 4096;
	new.offset = 8192;
	assert_int_equal(lull_checkpoint_save(place->dir, NAME, &old), 0);
	calls = calls_of_a_save(place, &new);
	/* openat, unlinkat, openat, write, fsync, renameat, fsync. */
	assert_true(calls >= 7);

	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		for (unsigned int n = 1; n <= calls; n++) {
			char name[64];
			bool newer;
			int status = 0;

			(void)snprintf(name, sizeof(name), "call %u %s", n,
				       fates[i].name);
			assert_int_equal(lull_checkpoint_save(place->dir, NAME, &old), 0);

			pid_t pid = fork();

			assert_true(pid >= 0);
			if (pid == 0) {
				plot.fate = fates[i].fate;
				plot.at = n;
				plot.count = 0;
				_exit(lull_checkpoint_save(place->dir, NAME, &new) == 0
					      ? 0
					      : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			check(name, WIFEXITED(status));
			newer = is_new(name, place, &old, &new);
			if (fates[i].fate == DIE_BEFORE || fates[i].fate == DIE_AFTER) {
				check_int(name, WEXITSTATUS(status), 9);
				if (newer && !first_new)
					first_new = n;
				if (!newer)
					last_old = MAX(last_old, n);
			}
			/* A save that succeeded is there; one that failed may be, if only
			   the directory could not be synced. */
			if (WEXITSTATUS(status) == 0)
				check(name, newer);
			if (fates[i].fate == SHORT)
				check_int(name, WEXITSTATUS(status), 0);
		}
		/* What a dead save left does not stand in the way of the next. */
		assert_int_equal(lull_checkpoint_save(place->dir, NAME, &new), 0);
		assert_true(is_new("afterwards", place, &old, &new));
	}
	/* The new one was there only from the rename on. */
	assert_true(first_new > 0 && last_old > 0);
	assert_true(first_new >= 5);
}

/*
 * The order that makes a save durable: the data before the name, the name before the
 * return. Seen by what fails when the calls do.
 */
static void test_errors_are_told(void **state)
{
	static const struct {
		const char *name;
		unsigned int at;
		int wanted;
	} cases[] = {
		{ "look at what is there", 1, -EIO },
		{ "look for a leftover", 2, -EIO },
		{ "open", 3, -EIO },
		{ "write", 4, -ENOSPC },
		{ "fsync of the file", 5, -EIO },
		{ "rename", 6, -EIO },
		{ "fsync of the directory", 7, -EIO },
	};
	const struct place *place = *state;
	struct lull_checkpoint c = full();
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		plot.fate = FAIL;
		plot.at = cases[i].at;
		plot.count = 0;
		r = lull_checkpoint_save(place->dir, NAME, &c);
		plot.fate = PASS;
		check_int(cases[i].name, r, cases[i].wanted);
		check_int(cases[i].name, fstatat(place->dir, NAME "~", &st, 0), -1);
		/* What is said to have failed is not there. */
		check_int(cases[i].name, fstatat(place->dir, NAME, &st, 0), -1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_wrong_type),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_no_checkpoint),
		cmocka_unit_test(test_set_round_trip),
		cmocka_unit_test(test_set_bad),
		cmocka_unit_test(test_set_too_many),
		cmocka_unit_test(test_set_truncated),
		cmocka_unit_test_setup_teardown(test_set_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pointer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_save, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_longer_than_a_block, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_long_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_untrusted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_oversized, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_planted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directories, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors_are_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
