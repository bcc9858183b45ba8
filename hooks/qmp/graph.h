/* SPDX-License-Identifier: MIT */
/* QEMU's block graph: who writes to which file through which nodes. Does no I/O. */
#pragma once

#include "util/macros.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Prefix of the names of our overlays' nodes. Others may use it, too. */
#define GRAPH_OUR_PREFIX "lull-"

struct graph_node {
	json_int_t number; /* by which edges refer to it */
	const char *name;  /* empty if it is not a block node */
	const char
		/* NULL if it is not a block node, but a device, an export or a job */
		*driver;
	const char *file;     /* name that QEMU gives; NULL if unknown */
	json_int_t size;      /* bytes of its disk; 0 if unknown */
	const char *snapshot; /* an internal snapshot, or NULL */
	const char *bitmap;   /* a bitmap that is stored in the file, or NULL */
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
	bool *seen;    /* one per node, for the walk that is running */
	json_t *owner; /* owner of all the strings */
};

/* The place of a file in the graph. */
struct graph_place {
	const struct graph_node *protocol; /* node that has the file open */
	/* node that gives the file its format; this one is redirected */
	const struct graph_node *image;
	const struct graph_node
		*overlay; /* overlay on top of image whose name has the prefix; or NULL */
	bool is_written;  /* somebody may write to the file */
	/* a node that uses the image as the file of a further format; or NULL */
	const struct graph_node *within;
	/* the image's data is in another file than its metadata */
	bool has_data_file;
};

/* What is above a node. */
struct graph_above {
	const struct graph_node
		*top; /* the highest block node; the node itself if there is none above */
	/* a job that works on one of them, or a filter below which nothing can be merged;
	   or NULL */
	const struct graph_node *blocker;
};

/*
 * Builds the graph from the answers to query-named-block-nodes and
 * x-debug-query-block-graph. A node that came or went between the two has an empty
 * driver. Returns 0; -EBADMSG if they are not such answers or far too large; or -ENOMEM.
 */
int graph_parse(json_t *named, json_t *debug, struct graph **ret_graph) _must_check_;

/* Accepts NULL. */
void graph_free(struct graph *graph);

/*
 * Finds the node that has the file open, and the nodes above it. Calls is_it with the
 * file name of each node once; it returns true for the file. An overlay counts if its
 * name begins with ours. Returns 0; -ENOENT if there is no such node; -EMLINK if several
 * nodes write to the file; -ENOTSUP if the file is a part of a node other than an image
 * (*ret_place has protocol, and that node as image); or -ELOOP if the nodes above it form
 * a cycle.
 */
int graph_find(const struct graph *graph, bool (*is_it)(void *ctx, const char *path),
	       void *ctx, const char *ours, struct graph_place *ret_place) _must_check_;

/*
 * As graph_find(), but by the overlay alone, for a file whose name in QEMU no longer
 * leads to it. Returns 0 or -ENOENT.
 */
int graph_find_overlay(const struct graph *graph, const char *ours,
		       struct graph_place *ret_place) _must_check_;

/* Returns the node with that name, or NULL. */
const struct graph_node *graph_named(const struct graph *graph, const char *name);

/*
 * Returns the number of devices, exports and nodes that use node from above, each counted
 * once. It leaves out jobs, and counts the users of a filter instead of the filter. Not
 * thread-safe.
 */
size_t graph_users(const struct graph *graph, const struct graph_node *node);

/*
 * Walks up to the highest block node, above which there are only devices, exports and
 * jobs. If there are several ways, takes any. Skips jobs whose name begins with ours.
 */
void graph_above(const struct graph *graph, const struct graph_node *node,
		 const char *ours, struct graph_above *ret_above);

/* Returns the name that QEMU has for the file in which node, which has a format, is
   stored; NULL if unknown. */
const char *graph_storage(const struct graph *graph, const struct graph_node *node);
