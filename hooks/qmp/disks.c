// SPDX-License-Identifier: MIT
/*
 * The hook keeps nothing in memory between its calls. It reads the state of a disk from
 * QEMU's graph, its jobs and the sidecar file, so that any call can finish what an
 * earlier one began.
 */
#include "disks.h"

#include "graph.h"
#include "peer.h"
#include "pointer.h"
#include "say.h"
#include "search.h"
#include "sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Finds an existing sidecar that has another name than a new one would have. */
static void find_sidecar(struct disk *disk, const char *directory)
{
	_cleanup_free_ char *beside =
		strndup(disk->source,
			(size_t)(strrchr(disk->source, '/') - disk->source));
	struct stat st;
	char *found;

	if (!beside || (lstat(disk->sidecar, &st) == 0 && !S_ISLNK(st.st_mode)))
		return;
	found = search_sidecar(*beside ? beside : "/", &disk->st);
	if (!found && directory)
		found = search_sidecar(directory, &disk->st);
	/* Take a pointer whose sidecar is missing: nothing can be right before somebody
	   has looked into that. */
	if (!found)
		found = pointer_of_lost(disk->source);
	if (!found)
		return;
	free(disk->sidecar);
	disk->sidecar = found;
}

/*
 * Since the freeze, the name on the command line may have become a symbolic link to
 * another file. The sidecar is then beside the link.
 */
static void find_by_given(struct disk *disk, const char *given)
{
	char *there = given[0] == '/' ? sidecar_path(given, NULL) : NULL;
	struct stat st;

	if (there && lstat(disk->sidecar, &st) < 0 && lstat(there, &st) == 0 &&
	    S_ISREG(st.st_mode) && mark_read(there).known &&
	    (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == disk->st.st_uid)) {
		free(disk->sidecar);
		disk->sidecar = there;
		return;
	}
	free(there);
}

static bool disk_init(struct disk *disk, const char *source, const char *directory)
{
	disk->source = realpath(source, NULL);
	if (!disk->source || stat(disk->source, &disk->st) < 0) {
		say("cannot stat '%s': %s", source, strerror(errno));
		return false;
	}
	if (!S_ISREG(disk->st.st_mode)) {
		say("'%s' is not a regular file: only image files can be redirected",
		    source);
		return false;
	}
	disk->sidecar = sidecar_path(disk->source, directory);
	if (!disk->sidecar) {
		say("out of memory");
		return false;
	}
	find_sidecar(disk, directory);
	find_by_given(disk, source);
	return true;
}

/* A thaw keeps other names of a file that was given before: its sidecar may be found only
   by one of them. */
static bool is_given_before(const struct disks *disks, const struct disk *disk,
			    bool thaws)
{
	for (const struct disk *each = disks->disk; each < disk; each++) {
		if (strcmp(each->source, disk->source) == 0 ||
		    (!thaws && peer_same_file(&each->st, &disk->st)))
			return true;
	}
	return false;
}

static void drop_last(struct disks *disks)
{
	disks->n--;
	free(disks->disk[disks->n].source);
	free(disks->disk[disks->n].sidecar);
}

bool disks_init(struct disks *disks, char *const *sources, size_t n,
		const struct settings *settings)
{
	_cleanup_free_ char *directory = NULL;

	if (settings->sidecar_dir) {
		directory = realpath(settings->sidecar_dir, NULL);
		if (!directory) {
			say("--sidecar-dir: cannot use '%s': %s", settings->sidecar_dir,
			    strerror(errno));
			return false;
		}
	}
	disks->disk = calloc(n, sizeof(*disks->disk));
	for (size_t i = 0; disks->disk && i < n; i++) {
		struct disk *disk = &disks->disk[disks->n];
		bool is_fine;

		*disk = (struct disk){
			.made = -1,
			.run = settings->run,
			.thaws = settings->thaws,
		};
		disks->n++;
		is_fine = disk_init(disk, sources[i], directory);
		if (is_fine && !is_given_before(disks, disk, settings->thaws))
			continue;
		if (is_fine && !settings->thaws)
			say("'%s' is given twice", sources[i]);
		if (!settings->thaws)
			return false;
		disks->lacks |= !is_fine;
		drop_last(disks);
	}
	return disks->disk != NULL;
}

static void forget(struct disk_state *state)
{
	free(state->job_error);
	free(state->stale_job);
	free(state->image);
	free(state->overlay);
	free(state->top);
	free(state->blocker);
	free(state->extra);
	free(state->within);
	free(state->renamed);
	free(state->backing);
	free(state->format);
	*state = (struct disk_state){ 0 };
}

void disks_done(struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		forget(&disks->disk[i].state);
		lull_close(&disks->disk[i].made);
		free(disks->disk[i].source);
		free(disks->disk[i].sidecar);
	}
	free(disks->disk);
}

/*
 * Makes the prefix of the names of SOURCE's overlays and jobs. It depends on the inode,
 * so that every path of the file gives the same. It is short, because DISKS_NAME_LEN
 * bytes have to hold two inodes.
 */
static void start_name(const struct disk *disk, char name[static DISKS_NAME_LEN])
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%llx:%llx",
		       (unsigned long long)disk->st.st_dev,
		       (unsigned long long)disk->st.st_ino);
	(void)snprintf(name, DISKS_NAME_LEN, GRAPH_OUR_PREFIX "%08x-",
		       (unsigned int)sidecar_hash(text));
}

static void make_name(const struct disk *disk, unsigned long long sidecar,
		      char name[static DISKS_NAME_LEN])
{
	char start[DISKS_NAME_LEN];

	start_name(disk, start);
	(void)snprintf(name, DISKS_NAME_LEN, "%.14s%llx", start, sidecar);
}

bool disks_name(struct disk *disk)
{
	struct stat st;

	disk->state.has_sidecar = lstat(disk->sidecar, &st) == 0;
	if (!disk->state.has_sidecar) {
		/* a running job keeps the name with which it was started */
		if (!disk->started)
			disk->name[0] = '\0';
		return false;
	}
	disk->state.is_marked = (st.st_mode & S_ISVTX) != 0;
	disk->state.mark = mark_read(disk->sidecar);
	disk->state.is_anothers = mark_is_of_another(&disk->state.mark, disk->run);
	make_name(disk, st.st_ino, disk->name);
	return true;
}

bool disks_is_left(const struct disk *disk)
{
	return disk->run && disk->state.has_sidecar && disk->state.is_anothers;
}

int disks_sync(const struct disk *disk)
{
	_cleanup_close_ int fd = open(disk->source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!peer_same_file(&st, &disk->st))
		return -ESTALE;
	return fsync(fd) < 0 ? -errno : 0;
}

char *disks_owner(const struct disk *disk)
{
	char *text = NULL;

	if (!disk->state.mark.run[0])
		return strdup("by hand");
	return asprintf(&text, "by another run of lullcp (%s)", disk->state.mark.run) < 0
		       ? NULL
		       : text;
}

bool disks_have_sidecar(struct disks *disks, bool only_marked)
{
	bool any = false;

	for (size_t i = 0; i < disks->n; i++) {
		if (disks_name(&disks->disk[i]) && !disks_is_left(&disks->disk[i]))
			any |= !only_marked || disks->disk[i].state.is_marked;
	}
	return any;
}

bool disks_are_between(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (disk->state.has_sidecar && disk->state.is_marked &&
		    !disks_is_left(disk) &&
		    (!disk->state.mark.known || disk->state.mark.state == MARK_BETWEEN))
			return true;
	}
	return false;
}

/* ---- looking ---- */

struct wanted {
	const struct stat *st;
	pid_t qemu;
	json_t *sets; /* sets of descriptors that QEMU was given */
	int n;        /* nodes that have the file open */
};

/* Stats the file of /dev/fdset/N, a name that only QEMU can resolve. */
static int stat_set(const struct wanted *wanted, json_int_t number, struct stat *ret_st)
{
	size_t i;
	json_t *set;

	json_array_foreach(wanted->sets, i, set)
	{
		json_t *fd =
			json_object_get(json_array_get(json_object_get(set, "fds"), 0),
					"fd");
		char name[64];

		if (!fd || json_integer_value(json_object_get(set, "fdset-id")) != number)
			continue;
		(void)snprintf(name, sizeof(name), "/dev/fd/%lld",
			       (long long)json_integer_value(fd));
		return peer_stat(wanted->qemu, name, ret_st);
	}
	return -ENOENT;
}

/*
 * Compares device and inode of what the name means to QEMU. QEMU may know the file by
 * another name or by a relative one, and may see other files than the hook does.
 */
static bool is_source(void *ctx, const char *path)
{
	struct wanted *wanted = ctx;
	long long set;
	struct stat st;
	int r = sscanf(path, "/dev/fdset/%lld", &set) == 1
			? stat_set(wanted, set, &st)
			: peer_stat(wanted->qemu, path, &st);

	if (r == -ESRCH && path[0] == '/' && stat(path, &st) == 0)
		r = 0;
	if (r < 0 || !peer_same_file(&st, wanted->st))
		return false;
	wanted->n++;
	return true;
}

static int keep(char **ret_copy, const char *text)
{
	free(*ret_copy);
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int look_at_jobs(struct disk *disk, json_t *jobs)
{
	char ours[DISKS_NAME_LEN];
	size_t i;
	json_t *job;
	int r = 0;

	start_name(disk, ours);
	json_array_foreach(jobs, i, job)
	{
		const char *id = json_string_value(json_object_get(job, "id"));
		const char *status = json_string_value(json_object_get(job, "status"));
		const char *error = json_string_value(json_object_get(job, "error"));

		if (!id || !status || strncmp(id, ours, strlen(ours)) != 0)
			continue;
		if (strcmp(id, disk->name) != 0) {
			if (r == 0 && strcmp(status, "concluded") == 0)
				r = keep(&disk->state.stale_job, id);
			continue;
		}
		disk->state.job = strcmp(status, "ready") == 0       ? DISKS_JOB_READY
				  : strcmp(status, "concluded") == 0 ? DISKS_JOB_CONCLUDED
								     : DISKS_JOB_BUSY;
		disk->state.done = (uint64_t)json_integer_value(
			json_object_get(job, "current-progress"));
		disk->state.total = (uint64_t)json_integer_value(
			json_object_get(job, "total-progress"));
		if (r == 0 && error)
			r = keep(&disk->state.job_error, error);
	}
	return r;
}

static void refuse(struct disk *disk)
{
	disk->state.is_refused = true;
	disk->told = true;
}

/* Returns true if the file is the sidecar whose node or job has this name. */
static bool is_named(const struct disk *disk, const char *path, const char *name)
{
	char right[DISKS_NAME_LEN];
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return false;
	make_name(disk, st.st_ino, right);
	return strcmp(name, right) == 0;
}

/*
 * Takes over the overlay that QEMU has. It may be elsewhere than where this call would
 * put one, and its file may be deleted: QEMU knows. But the guest may control QEMU, and
 * the hook later writes to the sidecar and removes it. So the file must have the name
 * that a sidecar of SOURCE has there, must be the inode that the node is named after, and
 * must be open in QEMU.
 */
static int adopt(struct disk *disk, const struct graph *graph,
		 const struct graph_node *overlay, pid_t qemu)
{
	const char *file = graph_storage(graph, overlay);
	struct stat st;

	if (!is_named(disk, disk->sidecar, overlay->name) && file && file[0] == '/' &&
	    (lstat(file, &st) == 0 || errno != ENOENT)) {
		if ((!sidecar_is_of(file, disk->source, &disk->st) &&
		     !search_is_of(file, &disk->st)) ||
		    !is_named(disk, file, overlay->name) || peer_holds(qemu, &st) == 0) {
			if (!disk->told)
				say("QEMU says that writes to '%s' go to '%s', which "
				    "is not the sidecar of this image and of the "
				    "overlay '%s'. It is not merged, and not touched. "
				    "Look at it, and at this QEMU",
				    disk->source, file, overlay->name);
			refuse(disk);
			return 0;
		}

		char *copy = strdup(file);

		if (!copy)
			return -ENOMEM;
		free(disk->sidecar);
		disk->sidecar = copy;
	}
	(void)disks_name(disk);
	if (strcmp(disk->name, overlay->name) != 0)
		disk->state.has_sidecar = disk->state.is_marked = false;
	(void)snprintf(disk->name, sizeof(disk->name), "%s", overlay->name);
	return 0;
}

/*
 * A name leads to the file that has it now, so there must be a descriptor of SOURCE for
 * each node. Returns 1, 0, or -errno if the descriptors cannot be seen.
 */
static int is_really_open(const struct disk *disk, const struct wanted *wanted)
{
	int n = peer_holds(wanted->qemu, &disk->st);

	if (n < 0 && peer_locks(disk->source) > 0)
		return 1;
	return n < 0 ? n : n >= wanted->n;
}

/* QEMU's node has the name of SOURCE, but another file is open. */
static int place_replaced(struct disk *disk, const struct graph *graph,
			  struct wanted *wanted)
{
	_cleanup_free_ char *old = peer_replaced(wanted->qemu, disk->source, &disk->st);
	struct graph_place at;
	int r = graph_find(graph, is_source, wanted, GRAPH_OUR_PREFIX, &at);

	disk->state.is_replaced = true;
	if (r < 0 || !at.overlay)
		return 0;
	if (!disk->told)
		say("'%s' was replaced while its writes went to the overlay '%s': "
		    "QEMU goes on with the file that was there before%s%s. Nothing is "
		    "merged or removed. Only this QEMU has the whole disk: before it "
		    "ends, copy the disk out of it (blockdev-mirror)",
		    disk->source, at.overlay->name, old ? ", now " : "", old ? old : "");
	refuse(disk);
	return 0;
}

/* Returns a copy, or NULL if text is NULL. */
static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Collects what a new sidecar has to record about the image. */
static void describe_image(struct disk *disk, const struct graph *graph,
			   const struct graph_node *image, pid_t qemu)
{
	const char *storage = graph_storage(graph, image);
	bool is_plain = strcmp(image->driver, "file") == 0 ||
			strcmp(image->driver, "host_device") == 0;
	struct stat st;

	disk->state.size = (uint64_t)image->size;
	disk->state.format = strdup(is_plain ? "raw" : image->driver);
	/* SOURCE may be only the data file of the image */
	if (storage && (peer_stat(qemu, storage, &st) == 0) &&
	    !peer_same_file(&st, &disk->st))
		disk->state.backing = copy_of(storage[0] == '/' ? storage : NULL);
	else
		disk->state.backing = strdup(disk->source);
}

/* Looks for what a merge would lose: it copies only what the disk shows. */
static int describe_overlay(struct disk *disk, const struct graph_node *overlay)
{
	int r = 0;

	if (overlay->snapshot)
		r = asprintf(&disk->state.extra,
			     "the internal snapshot '%s' (delvm, or "
			     "blockdev-snapshot-delete-internal-sync, removes it)",
			     overlay->snapshot);
	else if (overlay->bitmap)
		r = asprintf(
			&disk->state.extra,
			"the persistent bitmap '%s' (block-dirty-bitmap-remove of the "
			"node '%s' removes it)",
			overlay->bitmap, overlay->name);
	if (r < 0)
		disk->state.extra = NULL;
	return r < 0 ? -ENOMEM : 0;
}

static int describe_above(struct disk *disk, const struct graph *graph,
			  const struct graph_place *at, const char *ours)
{
	struct graph_above above;

	graph_above(graph, at->overlay ? at->overlay : at->image, ours, &above);
	disk->state.top = strdup(above.top->name);
	if (!disk->state.top)
		return -ENOMEM;
	if (!above.blocker)
		return 0;
	if (asprintf(&disk->state.blocker, "the %s '%s'%s%s",
		     above.blocker->is_job ? "job" : "node", above.blocker->name,
		     above.blocker->is_job ? "" : " of driver ",
		     above.blocker->is_job ? "" : above.blocker->driver) < 0) {
		disk->state.blocker = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void say_unusable(const struct disk *disk, int r, const struct graph_place *at)
{
	switch (r) {
	case -EMLINK:
		say("'%s' is used by several block nodes at once, and a redirect of "
		    "one would not stop the others. Not redirected",
		    disk->source);
		break;
	case -ENOTSUP:
		say("'%s' is only a part of the block node '%s' of driver %s, and one "
		    "part cannot be redirected. Not redirected",
		    disk->source, at->image->name, at->image->driver);
		break;
	default:
		say("QEMU's description of its block graph makes no sense");
	}
}

/* Refuses this disk only: the others can still be thawed. */
static void refuse_unusable(struct disk *disk, const struct graph *graph,
			    const char *ours, int r, const struct graph_place *at)
{
	struct graph_place over;
	bool is_free = !disk->state.has_sidecar &&
		       graph_find_overlay(graph, ours, &over) == -ENOENT;

	if (!disk->told && !(is_free && disk->thaws))
		say_unusable(disk, r, at);
	refuse(disk);
	disk->state.is_free = is_free;
}

/* Copies how QEMU has the image open. */
static int describe_open(struct disk *disk, const struct graph_place *at)
{
	const char *file = at->protocol->file;

	disk->state.is_open = true;
	disk->state.is_written = at->is_written;
	disk->state.is_by_number = file && (strncmp(file, "/dev/fd", 7) == 0 ||
					    strncmp(file, "/proc/", 6) == 0);
	disk->state.is_part =
		strcmp(at->image->driver, "raw") == 0 && S_ISREG(disk->st.st_mode) &&
		llabs((long long)at->image->size - (long long)disk->st.st_size) >= 512;
	disk->state.within = at->within ? strdup(at->within->name) : NULL;
	disk->state.has_data_file = at->has_data_file;
	disk->state.is_read_only = at->image->read_only;
	disk->state.is_encrypted = at->image->encrypted;
	disk->state.is_redirected = at->overlay != NULL;
	disk->state.image = strdup(at->image->name);
	disk->state.overlay = at->overlay ? strdup(at->overlay->name) : NULL;
	return !disk->state.image || (at->overlay && !disk->state.overlay) ? -ENOMEM : 0;
}

static int place(struct disk *disk, const struct graph *graph, json_t *sets, pid_t qemu)
{
	struct wanted wanted = { .st = &disk->st, .qemu = qemu, .sets = sets };
	struct graph_place at;
	char ours[DISKS_NAME_LEN];
	int r;

	start_name(disk, ours);
	r = graph_find(graph, is_source, &wanted, ours, &at);
	/* The image was renamed since it was frozen; the names of overlays depend on its
	   inode only. */
	if (r == -ENOENT) {
		r = graph_find_overlay(graph, ours, &at);
		if (r == 0 && at.protocol->file)
			disk->state.renamed = strdup(at.protocol->file);
	}
	if (r == -ENOENT)
		return 0;
	if (r == -EMLINK || r == -ENOTSUP || r == -ELOOP) {
		refuse_unusable(disk, graph, ours, r, &at);
		return 0;
	}
	if (r < 0)
		return r;
	r = is_really_open(disk, &wanted);
	if (r <= 0) {
		disk->state.unseen = r;
		return place_replaced(disk, graph, &wanted);
	}
	r = describe_open(disk, &at);
	if (r == 0 && at.overlay)
		r = describe_overlay(disk, at.overlay);
	if (r == 0)
		r = describe_above(disk, graph, &at, ours);
	if (r < 0)
		return r;
	describe_image(disk, graph, at.image, qemu);
	disk->state.overlay_size = at.overlay ? (uint64_t)at.overlay->size : 0;
	return at.overlay ? adopt(disk, graph, at.overlay, qemu) : 0;
}

/* Looks at the descriptors that QEMU has open, and not at what it says. */
static void look_at_sidecar(struct disk *disk, pid_t qemu)
{
	struct stat st;

	if (!disk->state.has_sidecar || disk->state.is_redirected ||
	    lstat(disk->sidecar, &st) < 0)
		return;
	disk->state.is_its_disk = peer_holds(qemu, &st) > 0;
	disk->state.is_written_yet = peer_writes(qemu, &st);
}

static bool is_used(const struct disk *disk, const struct graph *graph)
{
	const struct graph_node *node = graph_named(graph, disk->name);

	return node && graph_users(graph, node) > 0;
}

static int look(struct disks *disks, json_t *jobs, json_t *named, json_t *debug,
		json_t *sets, pid_t qemu)
{
	struct graph *graph = NULL;
	int r = graph_parse(named, debug, &graph);

	if (r == -EBADMSG)
		say("QEMU's description of its block graph makes no sense");
	for (size_t i = 0; r == 0 && i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		forget(&disk->state);
		(void)disks_name(disk);
		r = place(disk, graph, sets, qemu);
		look_at_sidecar(disk, qemu);
		disk->state.is_used = is_used(disk, graph);
		if (r == 0)
			r = look_at_jobs(disk, jobs);
	}
	if (r == -ENOMEM)
		say("out of memory");
	graph_free(graph);
	return r;
}

/* Returns true if a node has its file from a set of descriptors. */
static bool names_sets(json_t *named)
{
	size_t i;
	json_t *info;

	json_array_foreach(named, i, info)
	{
		const char *file = json_string_value(json_object_get(info, "file"));

		if (file && strstr(file, "/dev/fdset/"))
			return true;
	}
	return false;
}

int disks_look(struct disks *disks, struct qmp *qmp)
{
	json_t *jobs = NULL, *named = NULL, *debug = NULL, *sets = NULL;
	int r;

	/* Ask for the jobs first: a job that ends in between is seen as busy, and is
	   looked at again. */
	r = qmp_run(qmp, "query-jobs", NULL, &jobs);
	if (r == 0)
		r = qmp_run(qmp, "query-named-block-nodes", json_pack("{s:b}", "flat", 1),
			    &named);
	if (r == 0)
		r = qmp_run(qmp, "x-debug-query-block-graph", NULL, &debug);
	if (r == 0 && names_sets(named))
		r = qmp_run(qmp, "query-fdsets", NULL, &sets);
	if (r < 0)
		say("cannot learn which disks are in use: %s", qmp_why(qmp));
	else
		r = look(disks, jobs, named, debug, sets, qmp_peer(qmp));
	json_decref(jobs);
	json_decref(named);
	json_decref(debug);
	json_decref(sets);
	return r;
}
