/* SPDX-License-Identifier: MIT */
/* QEMU's block graph: who writes to which file through what. No input or output. */
#pragma once

#include "util/macros.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What the names of our overlays' nodes begin with; others may use it, too. */
#define GRAPH_OUR_PREFIX "lull-"

struct graph_node {
	json_int_t number; /* as edges name it */
	const char *name;  /* empty for what is no block node */
	const char
		*driver;  /* NULL for what is no block node: a device, an export, a job */
	const char *file; /* as QEMU names it; NULL if unknown */
	json_int_t size;  /* of the disk that it shows; 0 if unknown */
	const char *snapshot; /* an internal one, or NULL */
	const char *bitmap;   /* one that is kept in the file, or NULL */
	bool is_job;
	bool read_only;
	bool encrypted;
};

struct graph_edge {
	size_t parent, child; /* indices of nodes */
	const char *role;     /* file, backing, root, ... */
	bool writes;          /* the parent may write to the child or resize it */
};

struct graph {
	struct graph_node *nodes;
	size_t n_nodes;
	struct graph_edge *edges;
	size_t n_edges;
	bool *seen;    /* one for each node, for the walk at work */
	json_t *owner; /* of all the strings */
};

/* Where a file stands in the graph. */
struct graph_place {
	const struct graph_node *protocol; /* has the file open */
	const struct graph_node *image;    /* gives it its format; to be redirected */
	const struct graph_node
		*overlay; /* the one asked for, on top of image, or NULL */
	bool is_written;  /* somebody may write to the file */
	/* a node that takes the image for the file of a format of its own; or NULL */
	const struct graph_node *within;
	/* the image keeps its data in another file than what is about it */
	bool has_data_file;
};

/* What is above a node. */
struct graph_above {
	const struct graph_node
		*top; /* of the block nodes; itself if there is none above */
	/* a job at work on one of them, or a filter below which nothing can be merged;
	   or NULL */
	const struct graph_node *blocker;
};

/*
 * From the answers to query-named-block-nodes and x-debug-query-block-graph. A node that
 * came or went between the two has an empty driver. 0, -EBADMSG if they are not such
 * answers or beyond all measure, -ENOMEM.
 */
int graph_parse(json_t *named, json_t *debug, struct graph **ret_graph) _must_check_;

/* NULL is fine. */
void graph_free(struct graph *graph);

/*
 * The node that has the file open for which is_it says true, and what is above; an
 * overlay counts if its name begins with ours. is_it is asked for each node once. 0 or
 * -ENOENT: no node; -EMLINK: several nodes write to it; -ENOTSUP: it is a part of a node
 * of another kind than an image (*ret_place has protocol and, as image, that node);
 * -ELOOP: the nodes above it go round in a circle.
 */
int graph_find(const struct graph *graph, bool (*is_it)(void *ctx, const char *path),
	       void *ctx, const char *ours, struct graph_place *ret_place) _must_check_;

/*
 * The same by the overlay alone, for a file that QEMU knows by a name which leads nowhere
 * now. 0 or -ENOENT.
 */
int graph_find_overlay(const struct graph *graph, const char *ours,
		       struct graph_place *ret_place) _must_check_;

/* The node of that name, or NULL. */
const struct graph_node *graph_named(const struct graph *graph, const char *name);

/*
 * How many use node from above, jobs left out, filters looked through, each once:
 * devices, exports and nodes. Not for two threads at once.
 */
size_t graph_users(const struct graph *graph, const struct graph_node *node);

/*
 * Up to where only devices, exports and jobs follow; of several ways any. Jobs whose name
 * begins with ours are passed over.
 */
void graph_above(const struct graph *graph, const struct graph_node *node,
		 const char *ours, struct graph_above *ret_above);

/* The file that a node of a format stores itself in, as QEMU names it; NULL if unknown.
 */
const char *graph_storage(const struct graph *graph, const struct graph_node *node);
