// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * These nodes are above a file:
 *
 *     device or export -- [filters] -- [our overlay] -- image -- [filters] -- protocol
 *
 * image is the lowest node that is not a filter (raw, qcow2, ...), or the protocol node
 * itself if nothing is above it. An overlay is put directly on top of image, and all that
 * is above moves with it.
 *
 * QEMU has neither cycles nor endless chains, but a guest may control it: every walk is
 * bounded by the number of nodes.
 *
 * Names of files prove little (symbolic links, relative names, json: names); the caller
 * compares device and inode. Whether anybody writes to a node is told by the permissions
 * on the edges, and not by the read-only flags of nodes: a node that was opened by itself
 * stays writable while nobody writes to it.
 */
#include "graph.h"

#include <errno.h>
#include <string.h>

/* Hundreds of disks make a few thousand nodes. */
#define MOST_NODES 8192
#define MOST_EDGES 16384

static bool is_filter(const struct graph_node *node)
{
	static const char *const filters[] = {
		"blkdebug",          "blklogwrites",    "commit_top", "compress",
		"copy-before-write", "copy-on-read",    "mirror_top", "preallocate",
		"replication",       "snapshot-access", "throttle",
	};

	for (size_t i = 0; node->driver && i < ARRAY_SIZE(filters); i++) {
		if (strcmp(node->driver, filters[i]) == 0)
			return true;
	}
	return false;
}

static const char *string_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Returns the file in a json: name, or any other name itself. */
static const char *plain_name(struct graph *graph, const char *name)
{
	json_t *parsed;

	if (!name || strncmp(name, "json:", 5) != 0)
		return name;
	parsed = json_loads(name + 5, 0, NULL);
	if (!json_is_object(parsed) || json_array_append_new(graph->owner, parsed) < 0)
		return name;

	const char *inner = string_of(parsed, "filename");

	if (!inner)
		inner = string_of(json_object_get(parsed, "file"), "filename");
	return inner ? inner : string_of(parsed, "file.filename");
}

/* Returns the member of the first object in list, or, if is_kept is not NULL, of the
   first whose member is_kept is true. */
static const char *first_of(json_t *list, const char *member, const char *is_kept)
{
	size_t i;
	json_t *each;

	json_array_foreach(list, i, each)
	{
		if (!is_kept || json_is_true(json_object_get(each, is_kept)))
			return string_of(each, member);
	}
	return NULL;
}

static void describe(struct graph *graph, json_t *named, struct graph_node *node)
{
	size_t i;
	json_t *info;

	node->driver = "";
	json_array_foreach(named, i, info)
	{
		const char *name = string_of(info, "node-name");

		if (!name || strcmp(name, node->name) != 0)
			continue;
		if (string_of(info, "drv"))
			node->driver = string_of(info, "drv");
		node->file = plain_name(graph, string_of(info, "file"));
		node->size = json_integer_value(
			json_object_get(json_object_get(info, "image"), "virtual-size"));
		node->snapshot = first_of(json_object_get(json_object_get(info, "image"),
							  "snapshots"),
					  "name", NULL);
		node->bitmap = first_of(json_object_get(info, "dirty-bitmaps"), "name",
					"persistent");
		node->read_only = json_is_true(json_object_get(info, "ro"));
		node->encrypted = json_is_true(json_object_get(info, "encrypted"));
	}
}

/* Returns the index of the node with that number, or n_nodes if there is none. */
static size_t numbered(const struct graph *graph, json_int_t number)
{
	size_t i = 0;

	while (i < graph->n_nodes && graph->nodes[i].number != number)
		i++;
	return i;
}

static bool may_write(json_t *edge)
{
	size_t i;
	json_t *permission;

	json_array_foreach(json_object_get(edge, "perm"), i, permission)
	{
		const char *name = json_string_value(permission);

		if (name &&
		    (strncmp(name, "write", 5) == 0 || strcmp(name, "resize") == 0))
			return true;
	}
	return false;
}

static int take_nodes(struct graph *graph, json_t *named, json_t *nodes)
{
	size_t i;
	json_t *each;

	json_array_foreach(nodes, i, each)
	{
		struct graph_node *node = &graph->nodes[i];
		const char *type = string_of(each, "type");

		node->number = json_integer_value(json_object_get(each, "id"));
		node->name = string_of(each, "name");
		if (!node->name || !type)
			return -EBADMSG;
		node->is_job = strcmp(type, "block-job") == 0;
		if (strcmp(type, "block-driver") == 0)
			describe(graph, named, node);
	}
	return 0;
}

static int take_edges(struct graph *graph, json_t *edges)
{
	size_t i;
	json_t *each;

	json_array_foreach(edges, i, each)
	{
		struct graph_edge *edge = &graph->edges[i];

		edge->role = string_of(each, "name");
		edge->parent = numbered(graph, json_integer_value(
						       json_object_get(each, "parent")));
		edge->child = numbered(graph, json_integer_value(
						      json_object_get(each, "child")));
		edge->writes = may_write(each);
		if (!edge->role || edge->parent >= graph->n_nodes ||
		    edge->child >= graph->n_nodes)
			return -EBADMSG;
	}
	return 0;
}

int graph_parse(json_t *named, json_t *debug, struct graph **ret_graph)
{
	json_t *nodes = json_object_get(debug, "nodes");
	json_t *edges = json_object_get(debug, "edges");
	struct graph *graph;
	int r;

	if (!json_is_array(named) || !json_is_array(nodes) || !json_is_array(edges))
		return -EBADMSG;
	if (json_array_size(nodes) > MOST_NODES || json_array_size(edges) > MOST_EDGES ||
	    json_array_size(named) > MOST_NODES)
		return -EBADMSG;
	graph = calloc(1, sizeof(*graph));
	if (!graph)
		return -ENOMEM;
	graph->owner = json_pack("[O, O]", named, debug);
	graph->n_nodes = json_array_size(nodes);
	graph->n_edges = json_array_size(edges);
	graph->nodes = calloc(graph->n_nodes + 1, sizeof(*graph->nodes));
	graph->edges = calloc(graph->n_edges + 1, sizeof(*graph->edges));
	graph->seen = calloc(graph->n_nodes + 1, sizeof(*graph->seen));
	r = graph->owner && graph->nodes && graph->edges && graph->seen ? 0 : -ENOMEM;
	if (r == 0)
		r = take_nodes(graph, named, nodes);
	if (r == 0)
		r = take_edges(graph, edges);
	if (r < 0) {
		graph_free(graph);
		return r;
	}
	*ret_graph = graph;
	return 0;
}

void graph_free(struct graph *graph)
{
	if (!graph)
		return;
	json_decref(graph->owner);
	free(graph->nodes);
	free(graph->edges);
	free(graph->seen);
	free(graph);
}

const struct graph_node *graph_named(const struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_nodes; i++) {
		if (graph->nodes[i].driver && strcmp(graph->nodes[i].name, name) == 0)
			return &graph->nodes[i];
	}
	return NULL;
}

static size_t index_of(const struct graph *graph, const struct graph_node *node)
{
	return (size_t)(node - graph->nodes);
}

static bool is_leaf(const struct graph *graph, size_t node)
{
	for (size_t i = 0; i < graph->n_edges; i++) {
		if (graph->edges[i].parent == node)
			return false;
	}
	return true;
}

static bool is_written(const struct graph *graph, size_t node)
{
	for (size_t i = 0; i < graph->n_edges; i++) {
		if (graph->edges[i].child == node && graph->edges[i].writes)
			return true;
	}
	return false;
}

/* Finds the protocol node of the file; if there are several, one that is written to. */
static int find_protocol(const struct graph *graph, bool (*is_it)(void *, const char *),
			 void *ctx, size_t *ret_node)
{
	size_t found = graph->n_nodes;
	size_t n_written = 0;

	for (size_t i = 0; i < graph->n_nodes; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (!node->driver || !node->file || !is_leaf(graph, i) ||
		    !is_it(ctx, node->file))
			continue;
		if (is_written(graph, i)) {
			n_written++;
			found = i;
		} else if (found == graph->n_nodes) {
			found = i;
		}
	}
	if (found == graph->n_nodes)
		return -ENOENT;
	*ret_node = found;
	return n_written > 1 ? -EMLINK : 0;
}

/* Finds the only node directly above. *ret_above is n_nodes if there is none; returns
   -EMLINK if there are several. */
static int node_above(const struct graph *graph, size_t node, size_t *ret_above,
		      const char **ret_role)
{
	size_t found = graph->n_nodes;

	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		if (edge->child != node || !graph->nodes[edge->parent].driver ||
		    strcmp(edge->role, "backing") == 0)
			continue;
		if (found != graph->n_nodes)
			return -EMLINK;
		found = edge->parent;
		*ret_role = edge->role;
	}
	*ret_above = found;
	return 0;
}

/* Returns true for an overlay that has no users any more because it was merged below
   another snapshot. */
static bool is_passed(const struct graph *graph, size_t image, size_t overlay)
{
	bool is_used = false, has_other = false;

	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		const struct graph_node *above = &graph->nodes[edge->parent];

		is_used |= edge->child == overlay && !above->is_job;
		has_other |= edge->child == image && edge->parent != overlay &&
			     above->driver && strcmp(edge->role, "backing") == 0;
	}
	return !is_used && has_other;
}

static const struct graph_node *find_overlay(const struct graph *graph, size_t image,
					     const char *ours)
{
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		const struct graph_node *above = &graph->nodes[edge->parent];

		if (edge->child == image && above->driver &&
		    strcmp(edge->role, "backing") == 0 &&
		    strncmp(above->name, ours, strlen(ours)) == 0 &&
		    !is_passed(graph, image, edge->parent))
			return above;
	}
	return NULL;
}

/* Finds the node above of which the image is only a part, and whether its data is in
   another file. */
static void look_within(const struct graph *graph, size_t image,
			struct graph_place *place)
{
	size_t at = image, above;

	for (size_t i = 0; i < graph->n_edges; i++)
		place->has_data_file |= graph->edges[i].parent == image &&
					strcmp(graph->edges[i].role, "data-file") == 0;
	for (size_t steps = 0; steps <= graph->n_nodes; steps++) {
		const char *role;

		if (node_above(graph, at, &above, &role) < 0 || above == graph->n_nodes)
			return;
		at = above;
		if (!is_filter(&graph->nodes[at])) {
			place->within = &graph->nodes[at];
			return;
		}
	}
}

int graph_find(const struct graph *graph, bool (*is_it)(void *ctx, const char *path),
	       void *ctx, const char *ours, struct graph_place *ret_place)
{
	size_t protocol, at, steps = 0;
	int r = find_protocol(graph, is_it, ctx, &protocol);

	if (r < 0)
		return r;
	for (at = protocol;; steps++) {
		const char *role = "";
		size_t above;

		if (steps > graph->n_nodes)
			return -ELOOP;
		r = node_above(graph, at, &above, &role);
		if (r < 0)
			return r;
		if (above == graph->n_nodes) {
			/* only filters: the redirect goes below them */
			at = protocol;
			break;
		}
		at = above;
		if (strcmp(role, "file") != 0 && strcmp(role, "data-file") != 0) {
			r = -ENOTSUP;
			break;
		}
		if (!is_filter(&graph->nodes[at]))
			break;
	}
	*ret_place = (struct graph_place){
		.protocol = &graph->nodes[protocol],
		.image = &graph->nodes[at],
		.overlay = find_overlay(graph, at, ours),
		.is_written = is_written(graph, protocol),
	};
	if (r == 0)
		look_within(graph, at, ret_place);
	return r;
}

int graph_find_overlay(const struct graph *graph, const char *ours,
		       struct graph_place *ret_place)
{
	const struct graph_node *overlay = NULL;
	size_t image = 0, at;

	for (size_t i = 0; i < graph->n_edges && !overlay; i++) {
		if (strcmp(graph->edges[i].role, "backing") != 0)
			continue;
		image = graph->edges[i].child;
		overlay = find_overlay(graph, image, ours);
	}
	if (!overlay)
		return -ENOENT;
	at = image;
	for (size_t steps = 0; steps <= graph->n_nodes; steps++) {
		size_t below = at;

		for (size_t i = 0; i < graph->n_edges; i++) {
			if (graph->edges[i].parent == at &&
			    strcmp(graph->edges[i].role, "file") == 0)
				below = graph->edges[i].child;
		}
		if (below == at)
			break;
		at = below;
	}
	*ret_place = (struct graph_place){
		.protocol = &graph->nodes[at],
		.image = &graph->nodes[image],
		.overlay = overlay,
		.is_written = is_written(graph, at),
	};
	return 0;
}

static size_t users_of(const struct graph *graph, size_t index)
{
	size_t n = 0;

	graph->seen[index] = true;
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		const struct graph_node *above = &graph->nodes[edge->parent];

		if (edge->child != index || above->is_job)
			continue;
		if (!is_filter(above))
			n++;
		else if (!graph->seen[edge->parent])
			n += users_of(graph, edge->parent);
	}
	return n;
}

size_t graph_users(const struct graph *graph, const struct graph_node *node)
{
	memset(graph->seen, 0, graph->n_nodes * sizeof(*graph->seen));
	return users_of(graph, index_of(graph, node));
}

/* Returns true for filters below which a merge was tested with QEMU. */
static bool is_harmless(const struct graph_node *node)
{
	static const char *const filters[] = { "blkdebug", "compress", "copy-on-read",
					       "preallocate", "throttle" };

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		if (strcmp(node->driver, filters[i]) == 0)
			return true;
	}
	return !is_filter(node);
}

void graph_above(const struct graph *graph, const struct graph_node *node,
		 const char *ours, struct graph_above *ret_above)
{
	size_t at = index_of(graph, node), next = at;

	*ret_above = (struct graph_above){ .top = node };
	for (size_t steps = 0; steps <= graph->n_nodes && next < graph->n_nodes;
	     steps++) {
		at = next;
		next = graph->n_nodes;
		ret_above->top = &graph->nodes[at];
		if (at != index_of(graph, node) && !is_harmless(&graph->nodes[at]))
			ret_above->blocker = &graph->nodes[at];
		for (size_t i = 0; i < graph->n_edges; i++) {
			const struct graph_edge *edge = &graph->edges[i];
			const struct graph_node *above = &graph->nodes[edge->parent];

			if (edge->child != at)
				continue;
			if (above->is_job &&
			    strncmp(above->name, ours, strlen(ours)) != 0)
				ret_above->blocker = above;
			else if (above->driver && next == graph->n_nodes)
				next = edge->parent;
		}
		if (ret_above->blocker && ret_above->blocker->is_job)
			return;
	}
}

const char *graph_storage(const struct graph *graph, const struct graph_node *node)
{
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		if (edge->parent == index_of(graph, node) &&
		    strcmp(edge->role, "file") == 0)
			return graph->nodes[edge->child].file;
	}
	return NULL;
}
