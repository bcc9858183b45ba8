// SPDX-License-Identifier: MIT
/*
 * hooks/qmp/graph.c: which node stands for a file, with answers as QEMU 7.2 gives them;
 * nodes are written as "id name driver file [ro|enc]", edges as "parent role child [w]".
 */
#include "unit.h"

#include "graph.h"

#include <jansson.h>

static bool is_wanted(void *ctx, const char *path)
{
	return strcmp(path, ctx) == 0;
}

static void add_node(json_t *named, json_t *nodes, const char *text)
{
	char name[64] = "", driver[64] = "", file[256] = "", flag[8] = "";
	int id = 0;

	assert_true(sscanf(text, "%d %63s %63s %255s %7s", &id, name, driver, file,
			   flag) >= 3);
	if (strncmp(driver, "block-", 6) == 0) {
		assert_int_equal(json_array_append_new(
					 nodes,
					 json_pack("{s:i, s:s, s:s}", "id", id, "name",
						   strcmp(name, "-") == 0 ? "" : name,
						   "type", driver)),
				 0);
		return;
	}
	assert_int_equal(json_array_append_new(nodes, json_pack("{s:i, s:s, s:s}", "id",
								id, "name", name, "type",
								"block-driver")),
			 0);
	assert_int_equal(
		json_array_append_new(named,
				      json_pack("{s:s, s:s, s:s, s:b, s:b}", "node-name",
						name, "drv", driver, "file", file, "ro",
						strcmp(flag, "ro") == 0, "encrypted",
						strcmp(flag, "enc") == 0)),
		0);
}

static void add_edge(json_t *edges, const char *text)
{
	char role[32] = "", writes[8] = "";
	int parent = 0, child = 0;

	assert_true(sscanf(text, "%d %31s %d %7s", &parent, role, &child, writes) >= 3);
	assert_int_equal(
		json_array_append_new(
			edges,
			json_pack("{s:i, s:i, s:s, s:[s, s]}", "parent", parent, "child",
				  child, "name", role, "perm", "consistent-read",
				  strcmp(writes, "w") == 0 ? "write" : "graph-mod")),
		0);
}

static struct graph *make(const char *const *nodes, const char *const *edges)
{
	json_t *named = json_array();
	json_t *debug = json_pack("{s:[], s:[]}", "nodes", "edges");
	struct graph *graph = NULL;

	for (size_t i = 0; nodes[i]; i++)
		add_node(named, json_object_get(debug, "nodes"), nodes[i]);
	for (size_t i = 0; edges[i]; i++)
		add_edge(json_object_get(debug, "edges"), edges[i]);
	assert_int_equal(graph_parse(named, debug, &graph), 0);
	json_decref(named);
	json_decref(debug);
	return graph;
}

static const struct {
	const char *name;
	const char *nodes[8];
	const char *edges[10];
	const char *file;
	int result;
	const char *protocol, *image, *overlay;
	bool is_written;
	size_t users; /* of the overlay, else of the image */
} places[] = {
	{ "raw",
	  { "1 f file /d/a", "2 a raw /d/a", "3 - block-backend" },
	  { "2 file 1 w", "3 root 2 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  1 },
	{ "another file",
	  { "1 f file /d/a", "2 a raw /d/a" },
	  { "2 file 1 w" },
	  "/d/b",
	  -ENOENT,
	  NULL,
	  NULL,
	  NULL,
	  false,
	  0 },
	{ "qcow2 whose format node has the name, too",
	  { "1 f file /d/a", "2 a qcow2 /d/a", "3 - block-backend", "4 - block-backend" },
	  { "2 file 1 w", "3 root 2 w", "4 root 2" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  2 },
	{ "filters below and above the format",
	  { "1 f file /d/a", "2 t throttle /d/a", "3 a qcow2 /d/a",
	    "4 c copy-on-read /d/a", "5 - block-backend" },
	  { "2 file 1 w", "3 file 2 w", "4 file 3 w", "5 root 4 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  1 },
	{ "filters alone",
	  { "1 f file /d/a", "2 t throttle /d/a", "5 - block-backend" },
	  { "2 file 1 w", "5 root 2 w" },
	  "/d/a",
	  0,
	  "f",
	  "f",
	  NULL,
	  true,
	  1 },
	{ "no format",
	  { "1 f file /d/a", "5 - block-backend" },
	  { "5 root 1 w" },
	  "/d/a",
	  0,
	  "f",
	  "f",
	  NULL,
	  true,
	  1 },
	{ "raw within raw",
	  { "1 f file /d/a", "2 a raw /d/a", "3 part raw /d/a", "5 - block-backend" },
	  { "2 file 1 w", "3 file 2 w", "5 root 3 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  1 },
	{ "redirected",
	  { "1 f file /d/a", "2 a raw /d/a ro", "3 lull-1 qcow2 /d/s", "4 sf file /d/s",
	    "5 - block-backend" },
	  { "2 file 1", "3 backing 2", "3 file 4 w", "5 root 3 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  "lull-1",
	  false,
	  1 },
	{ "its sidecar",
	  { "1 f file /d/a", "2 a raw /d/a ro", "3 lull-1 qcow2 /d/s", "4 sf file /d/s",
	    "5 - block-backend" },
	  { "2 file 1", "3 backing 2", "3 file 4 w", "5 root 3 w" },
	  "/d/s",
	  0,
	  "sf",
	  "lull-1",
	  NULL,
	  true,
	  1 },
	{ "being merged",
	  { "1 f file /d/a", "2 a raw /d/a", "3 lull-1 qcow2 /d/s", "4 sf file /d/s",
	    "5 top mirror_top /d/s", "6 - block-backend", "7 lull-1 block-job" },
	  { "2 file 1 w", "3 backing 2", "3 file 4 w", "5 backing 3 w", "6 root 5 w",
	    "7 source 3", "7 target 2" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  "lull-1",
	  true,
	  1 },
	{ "below somebody else's snapshot",
	  { "1 f file /d/a", "2 a raw /d/a ro", "3 snap qcow2 /d/s", "4 sf file /d/s",
	    "5 - block-backend" },
	  { "2 file 1", "3 backing 2", "3 file 4 w", "5 root 3 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  false,
	  1 },
	{ "two images in one file",
	  { "1 f file /d/a", "2 a raw /d/a", "3 b raw /d/a" },
	  { "2 file 1 w", "3 file 1 w" },
	  "/d/a",
	  -EMLINK,
	  NULL,
	  NULL,
	  NULL,
	  false,
	  0 },
	{ "opened twice, written to once",
	  { "1 f file /d/a", "2 a raw /d/a ro", "3 g file /d/a", "4 b raw /d/a" },
	  { "2 file 1", "4 file 3 w" },
	  "/d/a",
	  0,
	  "g",
	  "b",
	  NULL,
	  true,
	  0 },
	{ "opened twice, written to twice",
	  { "1 f file /d/a", "2 a raw /d/a", "3 g file /d/a", "4 b raw /d/a" },
	  { "2 file 1 w", "4 file 3 w" },
	  "/d/a",
	  -EMLINK,
	  NULL,
	  NULL,
	  NULL,
	  false,
	  0 },
	{ "a part of a quorum",
	  { "1 f file /d/a", "2 q quorum x" },
	  { "2 children.0 1 w" },
	  "/d/a",
	  -ENOTSUP,
	  NULL,
	  NULL,
	  NULL,
	  false,
	  0 },
	{ "the data of a qcow2",
	  { "1 f file /d/a", "2 m file /d/m", "3 a qcow2 /d/m" },
	  { "3 file 2 w", "3 data-file 1 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  0 },
	{ "a json: name",
	  { "1 f file json:{\"driver\":\"file\",\"filename\":\"/d/a\"}", "2 a raw x" },
	  { "2 file 1 w" },
	  "/d/a",
	  0,
	  "f",
	  "a",
	  NULL,
	  true,
	  0 },
	{ "no json after json:",
	  { "1 f file json:{", "2 a raw x" },
	  { "2 file 1 w" },
	  "/d/a",
	  -ENOENT,
	  NULL,
	  NULL,
	  NULL,
	  false,
	  0 },
};

static void finds_places(void **state UNUSED)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *name = places[i].name;
		struct graph *graph = make(places[i].nodes, places[i].edges);
		struct graph_place at = { 0 };
		int r = graph_find(graph, is_wanted, (void *)(uintptr_t)places[i].file,
				   GRAPH_OUR_PREFIX, &at);

		check_int(name, r, places[i].result);
		if (r == 0) {
			check_str(name, at.protocol->name, places[i].protocol);
			check_str(name, at.image->name, places[i].image);
			check(name, (at.overlay != NULL) == (places[i].overlay != NULL));
			if (at.overlay)
				check_str(name, at.overlay->name, places[i].overlay);
			check_int(name, at.is_written, places[i].is_written);
			check_int(name,
				  graph_users(graph, at.overlay ? at.overlay : at.image),
				  places[i].users);
		}
		graph_free(graph);
	}
}

static void looks_above(void **state UNUSED)
{
	static const struct {
		const char *name;
		const char *nodes[8];
		const char *edges[10];
		const char *node, *top, *blocker;
	} cases[] = {
		{ "nothing",
		  { "1 f file /d/a", "2 a raw /d/a", "3 - block-backend" },
		  { "2 file 1 w", "3 root 2 w" },
		  "a",
		  "a",
		  NULL },
		{ "filters",
		  { "2 a raw /d/a", "3 t throttle /d/a", "4 c copy-on-read /d/a",
		    "5 - block-backend" },
		  { "3 file 2 w", "4 file 3 w", "5 root 4 w" },
		  "a",
		  "c",
		  NULL },
		{ "a snapshot of somebody else",
		  { "2 a raw /d/a", "3 lull-1 qcow2 /d/s", "4 snap qcow2 /d/t",
		    "5 - block-backend" },
		  { "3 backing 2", "4 backing 3", "5 root 4 w" },
		  "lull-1",
		  "snap",
		  NULL },
		{ "a filter that copies",
		  { "2 a raw /d/a", "3 c copy-before-write /d/a", "4 - block-backend" },
		  { "3 file 2 w", "4 root 3 w" },
		  "a",
		  "c",
		  "c" },
		{ "a job above",
		  { "2 a raw /d/a", "3 c copy-before-write /d/a", "4 nightly block-job" },
		  { "3 file 2 w", "4 node 3 w" },
		  "a",
		  "c",
		  "nightly" },
		{ "a job on it",
		  { "2 a raw /d/a", "4 nightly block-job" },
		  { "4 node 2" },
		  "a",
		  "a",
		  "nightly" },
		{ "a job of ours",
		  { "2 a raw /d/a", "4 lull-1 block-job" },
		  { "4 node 2" },
		  "a",
		  "a",
		  NULL },
		{ "a circle",
		  { "2 a raw /d/a", "3 t throttle /d/a" },
		  { "3 file 2 w", "2 file 3 w" },
		  "a",
		  NULL,
		  NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct graph *graph = make(cases[i].nodes, cases[i].edges);
		struct graph_above above;

		graph_above(graph, graph_named(graph, cases[i].node), "lull-", &above);
		if (cases[i].top)
			check_str(cases[i].name, above.top->name, cases[i].top);
		check(cases[i].name, !above.blocker == !cases[i].blocker);
		if (above.blocker)
			check_str(cases[i].name, above.blocker->name, cases[i].blocker);
		graph_free(graph);
	}
}

static void knows_flags_and_storage(void **state UNUSED)
{
	const char *nodes[] = { "1 f file /d/a", "2 a raw /d/a ro", "3 e luks /d/e enc",
				NULL };
	const char *edges[] = { "2 file 1", NULL };
	struct graph *graph = make(nodes, edges);

	assert_true(graph_named(graph, "a")->read_only);
	assert_false(graph_named(graph, "f")->read_only);
	assert_true(graph_named(graph, "e")->encrypted);
	assert_null(graph_named(graph, "nosuch"));
	assert_string_equal(graph_storage(graph, graph_named(graph, "a")), "/d/a");
	assert_null(graph_storage(graph, graph_named(graph, "f")));
	graph_free(graph);
}

/* Anything but such an answer is refused; a node that is gone meanwhile is not. */
static void refuses_nonsense(void **state UNUSED)
{
	static const struct {
		const char *name, *named, *debug;
		int result;
	} cases[] = {
		{ "empty", "[]", "{\"nodes\":[],\"edges\":[]}", 0 },
		{ "no list", "{}", "{\"nodes\":[],\"edges\":[]}", -EBADMSG },
		{ "no edges", "[]", "{\"nodes\":[]}", -EBADMSG },
		{ "no object", "[]", "[]", -EBADMSG },
		{ "node without a type", "[]",
		  "{\"nodes\":[{\"id\":1,\"name\":\"a\"}],"
		  "\"edges\":[]}",
		  -EBADMSG },
		{ "node of another kind", "[1]", "{\"nodes\":[7],\"edges\":[]}",
		  -EBADMSG },
		{ "edge to nowhere", "[]",
		  "{\"nodes\":[{\"id\":1,\"name\":\"a\",\"type\":"
		  "\"block-driver\"}],\"edges\":[{\"parent\":1,\"child\":9,"
		  "\"name\":\"file\","
		  "\"perm\":[]}]}",
		  -EBADMSG },
		{ "a node that is gone", "[]",
		  "{\"nodes\":[{\"id\":1,\"name\":\"a\",\"type\":"
		  "\"block-driver\"}],\"edges\":[]}",
		  0 },
		{ "odd members", "[{\"node-name\":7},{},null]",
		  "{\"nodes\":[{\"id\":1,\"name\":"
		  "\"a\",\"type\":\"block-driver\"}],\"edges\":[]}",
		  0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *named = json_loads(cases[i].named, 0, NULL);
		json_t *debug = json_loads(cases[i].debug, 0, NULL);
		struct graph *graph = NULL;

		check(cases[i].name, named && debug);
		check_int(cases[i].name, graph_parse(named, debug, &graph),
			  cases[i].result);
		graph_free(graph);
		json_decref(named);
		json_decref(debug);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_places),
		cmocka_unit_test(looks_above),
		cmocka_unit_test(knows_flags_and_storage),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
