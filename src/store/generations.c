// SPDX-License-Identifier: MIT
/* The record of generations: see generations.h. Reading is strict, as it is for
   checkpoints. */
#include "store/generations.h"

#include "lullcp.h"
#include "store/state.h"
#include "sys/identity.h"
#include "util/json_name.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void free_item(struct lull_generation *g)
{
	free(g->name);
	*g = (struct lull_generation){ 0 };
}

void lull_generations_done(struct lull_generations *list)
{
	for (size_t i = 0; i < list->n; i++)
		free_item(&list->item[i]);
	free(list->item);
	*list = (struct lull_generations){ 0 };
}

int lull_generations_add(struct lull_generations *list, const struct lull_generation *g)
{
	struct lull_generation *grown;
	char *name;

	if (list->n >= LULL_GENERATIONS_MOST)
		return -E2BIG;
	grown = reallocarray(list->item, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->item = grown;
	name = strdup(g->name);
	if (!name)
		return -ENOMEM;
	grown[list->n] = *g;
	grown[list->n++].name = name;
	return 0;
}

void lull_generations_drop(struct lull_generations *list, size_t i)
{
	free_item(&list->item[i]);
	list->n--;
	memmove(&list->item[i], &list->item[i + 1],
		(list->n - i) * sizeof(list->item[0]));
}

static json_t *item_json(const struct lull_generation *g)
{
	json_t *item = json_pack("{s:I, s:I, s:I, s:b}", "inode", (json_int_t)g->inode,
				 "generation", (json_int_t)g->number, "created_ns",
				 (json_int_t)g->created, "pending", g->pending);

	if (!item || lull_json_set_name(item, "name", g->name) < 0 ||
	    json_object_set_new(item, "file_system_uuid",
				*g->fs ? json_string(g->fs) : json_null()) < 0) {
		json_decref(item);
		return NULL;
	}
	return item;
}

static json_t *rules_json(const struct lull_keep_rules *rules)
{
	json_t *object = json_object();

	for (unsigned int kind = 0; object && kind < LULL_KEEP_KINDS; kind++) {
		if (rules->n[kind] > 0 &&
		    json_object_set_new(object, lull_keep_name(kind),
					json_integer(rules->n[kind])) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

int lull_generations_format(const struct lull_generations *list, char **ret_text)
{
	json_t *items = json_array();
	json_t *root = json_pack("{s:s, s:s, s:i, s:o, s:o}", "self", LULL_STATE_BLANK,
				 "type", "generations", "schema", LULL_GENERATIONS_SCHEMA,
				 "keep", rules_json(&list->rules), "generations", items);
	char *text = NULL;
	bool good = root != NULL;

	for (size_t i = 0; good && i < list->n; i++)
		good = json_array_append_new(items, item_json(&list->item[i])) == 0;
	if (good)
		text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(root);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

static bool read_fs(const json_t *item, char ret_fs[37])
{
	const json_t *value = json_object_get(item, "file_system_uuid");
	const char *text = json_string_value(value);

	ret_fs[0] = '\0';
	if (json_is_null(value))
		return true;
	if (!text || json_string_length(value) != 36 || !lull_identity_is_uuid(text))
		return false;
	memcpy(ret_fs, text, 37);
	return true;
}

/* Returns true for the name of a file in the directory itself. */
static bool is_name(const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int read_item(json_t *item, struct lull_generations *list)
{
	struct lull_generation g = { 0 };
	json_int_t inode, number, created;
	int pending, r = -EBADMSG;

	if (json_unpack(item, "{s:I, s:I, s:I, s:b}", "inode", &inode, "generation",
			&number, "created_ns", &created, "pending", &pending) == 0 &&
	    inode >= 0 && number >= 0 && created >= 0 && read_fs(item, g.fs) &&
	    lull_json_get_name(item, "name", &g.name) == 0 && is_name(g.name)) {
		g.inode = (uint64_t)inode;
		g.number = (uint64_t)number;
		g.created = (uint64_t)created;
		g.pending = pending;
		r = lull_generations_add(list, &g);
	}
	free(g.name);
	return r == -E2BIG ? -EBADMSG : r;
}

/* Reads the rules, which are only shown. If they make no sense, they count as missing.
   Earlier versions recorded none. */
static void read_rules(const json_t *root, struct lull_keep_rules *ret_rules)
{
	const json_t *object = json_object_get(root, "keep");

	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++) {
		json_int_t n =
			json_integer_value(json_object_get(object, lull_keep_name(kind)));

		if (n > 0 && n <= LULL_KEEP_MOST)
			ret_rules->n[kind] = (unsigned int)n;
	}
}

int lull_generations_parse(const char *text, size_t len,
			   struct lull_generations *ret_list)
{
	struct lull_generations list = { 0 };
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *schema = json_object_get(root, "schema");
	const json_t *items = json_object_get(root, "generations");
	int r = 0;

	if (!type || strcmp(type, "generations") != 0 || !json_is_integer(schema))
		r = -EBADMSG;
	else if (json_integer_value(schema) != LULL_GENERATIONS_SCHEMA)
		r = -EPROTONOSUPPORT;
	else if (!json_is_array(items))
		r = -EBADMSG;
	for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
		r = read_item(json_array_get(items, i), &list);
	if (r == 0)
		read_rules(root, &list.rules);
	json_decref(root);
	if (r < 0)
		lull_generations_done(&list);
	else
		*ret_list = list;
	return r;
}

int lull_generations_load(int dir, const char *name, struct lull_generations *ret_list)
{
	char self[LULL_STATE_SELF_SIZE];
	_cleanup_free_ char *text = NULL;
	struct lull_generations list = { 0 };
	size_t len;
	int r = lull_state_read(dir, name, LULL_GENERATIONS_MAX_SIZE, &text, &len, self);

	if (r == 0)
		r = lull_generations_parse(text, len, &list);
	if (r == 0)
		r = lull_state_is_itself(text, len, self);
	if (r < 0 && r != -ENOENT) {
		lull_generations_done(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

int lull_generations_save(int dir, const char *name, const struct lull_generations *list)
{
	_cleanup_free_ char *text = NULL;
	int r = lull_generations_format(list, &text);

	return r < 0 ? r : lull_state_write(dir, name, text, true);
}
