// SPDX-License-Identifier: MIT
/* lull_copy(): goes through the operands and determines where each is copied to. */
#include "engine/base/events.h"
#include "engine/clone/generation_name.h"
#include "engine/file/backup.h"
#include "engine/file/copy_run.h"
#include "engine/file/durable.h"
#include "engine/file/queue.h"
#include "engine/set/set.h"
#include "engine/tree/caution.h"
#include "engine/tree/entry.h"
#include "engine/tree/parents.h"
#include "sys/identity.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct run {
	struct lull_copy_run tree;
	struct lull_dirref *here; /* the working directory */
	struct lull_idmap *names; /* of dests that may still be queued */
	/* a directory has been copied since the queue was last drained */
	bool directory;
	const char *target;
};

/* Waits if an earlier operand has the same name: this one must see the result. */
static void wait_for_namesake(struct run *run, const char *name)
{
	if (!run->tree.queue)
		return;
	if (lull_idmap_find(run->names, lull_text_hash(name), 0, NULL) ||
	    !lull_idmap_add(run->names, lull_text_hash(name), 0, ""))
		lull_queue_drain(&run->tree);
}

/* Waits if two operands may make files in the same directory ("a/." and "d", or
   --parents): the later one must find what the earlier one has made. A list of files need
   not wait. */
static void wait_for_overlap(struct run *run, const char *path)
{
	const struct lull_cp *cp = run->tree.cp;
	struct stat st;
	bool directory;

	if (!cp->recursive)
		return;
	directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (directory || run->directory)
		lull_queue_drain(&run->tree);
	run->directory = directory;
}

/* Returns true, after a message, if two operands have the same name: the generations of
   several sources would be mixed up. */
static bool is_named_twice(struct run *run, const char *name, const char *path,
			   const char *dst_path)
{
	struct lull_named *seen = NULL;

	while ((seen = lull_idmap_find(run->names, lull_text_hash(name), 1, seen))) {
		if (strcmp(seen->name, name) != 0)
			continue;
		lull_run_note(&run->tree, LULL_NOTE_JUST_CREATED, 0, dst_path, path);
		return true;
	}
	if (!lull_idmap_add(run->names, lull_text_hash(name), 1, name))
		lull_run_note(&run->tree, LULL_NOTE_MEMORY, ENOMEM, path, NULL);
	return false;
}

/* Returns the name in the target, to be freed: the last part of path, or with --parents
   all of it. */
static char *name_in_target(const struct run *run, const char *path)
{
	char *name = strdup(run->tree.cp->parents ? path : lull_path_last(path));

	if (!name)
		return NULL;
	(void)lull_path_strip(name);
	/* The contents of "dir/.." go into the target itself, not above it. */
	if (!run->tree.cp->parents && strcmp(name, "..") == 0)
		name[1] = '\0';
	return name;
}

static char *join(char *target, const char *name)
{
	(void)lull_path_strip(target);
	return lull_text("%s%s%s", target,
			 strcmp(target, "/") == 0 || *name == '/' || !*target ? "" : "/",
			 name);
}

/* Sets the parts of the names. The caller frees *ret_head. Returns false without
   memory. */
static bool split_names(struct lull_entry *e, char **ret_head)
{
	e->src_last = lull_path_last(e->src_name);
	e->dst_last = lull_path_last(e->dst_name);
	e->dst_head = *ret_head = lull_path_head(e->dst_name);
	return *ret_head != NULL;
}

static void copy_into_target(struct run *run, const char *path)
{
	_cleanup_free_ char *name = name_in_target(run, path);
	_cleanup_free_ char *dst_path = NULL;
	_cleanup_free_ char *dst_head = NULL;
	_cleanup_free_ char *target_path = strdup(run->target);
	struct lull_parents *parents = NULL;
	struct lull_operand operand = { .src_path = path, .visit = lull_entry_copy };
	struct lull_entry entry = {
		.tree = &run->tree,
		.src_dir = run->here,
		.src_name = path,
		.src_path = path,
		.dst_dir = run->tree.dest_root,
		.operand = true,
	};
	const char *rel;

	if (!name || !target_path || (dst_path = join(target_path, name)) == NULL) {
		lull_run_note(&run->tree, LULL_NOTE_MEMORY, ENOMEM, path, NULL);
		return;
	}
	if (run->tree.dated && is_named_twice(run, name, path, dst_path))
		return;
	wait_for_namesake(run, name);
	wait_for_overlap(run, path);
	rel = dst_path + strlen(dst_path) - strlen(name);
	rel += strspn(rel, "/");
	entry.dst_path = operand.dst_path = dst_path;
	/* DEST is only the beginning of a name, which no file has. */
	entry.fresh = run->tree.dated;
	/* "/" without its slash is the target itself. */
	entry.dst_name = entry.dst_rel = *rel ? rel : ".";
	if (!split_names(&entry, &dst_head))
		lull_run_note(&run->tree, LULL_NOTE_MEMORY, ENOMEM, path, NULL);
	else if (!run->tree.cp->parents ||
		 lull_parents_make(&entry, name, target_path, &entry.fresh, &parents))
		(void)lull_entry_copy(&entry, NULL, &operand);
	lull_parents_end(&run->tree, parents);
}

/* For cp -f --backup a a: returns the backup's name, which the copy gets; otherwise
   NULL. */
static char *backup_of_itself(const struct run *run, const char *path, const char *dest)
{
	const struct lull_cp *cp = run->tree.cp;
	struct stat st;
	char *name;

	if (!cp->force || cp->backup == LULL_BACKUP_NONE || strcmp(path, dest) != 0 ||
	    stat(dest, &st) < 0 || !S_ISREG(st.st_mode) ||
	    lull_backup_name(AT_FDCWD, dest, cp->backup, cp->suffix, &name) < 0)
		return NULL;
	return name;
}

static void copy_to_dest(struct run *run, const char *path, const char *dest)
{
	_cleanup_free_ char *backup = backup_of_itself(run, path, dest);
	_cleanup_free_ char *dst_head = NULL;
	struct lull_cp without = *run->tree.cp;
	struct lull_operand operand = {
		.src_path = path,
		.dst_path = backup ? backup : dest,
		.visit = lull_entry_copy,
	};
	struct lull_entry entry = {
		.tree = &run->tree,
		.src_dir = run->here,
		.src_name = path,
		.src_path = path,
		.dst_dir = run->here,
		.dst_name = operand.dst_path,
		.dst_path = operand.dst_path,
		.dst_rel = operand.dst_path,
		.operand = true,
		.fresh = run->tree.dated,
	};

	if (backup) {
		without.backup = LULL_BACKUP_NONE;
		run->tree.cp = &without;
	}
	if (split_names(&entry, &dst_head))
		(void)lull_entry_copy(&entry, NULL, &operand);
	else
		lull_run_note(&run->tree, LULL_NOTE_MEMORY, ENOMEM, path, NULL);
	lull_queue_drain(&run->tree);
	run->tree.cp = &run->tree.options->cp;
}

static void tell_failure(struct run *run, const char *source, const char *dest,
			 struct lull_failure *failure)
{
	struct lull_copy_run *tree = &run->tree;
	struct lull_result result = {
		.failure = *failure,
		.progress = {
			.source = source,
			.dest = dest ? dest : run->target,
			.budget_ns = tree->options->latency_budget_ns,
		},
	};

	memcpy(result.run_id, tree->run_id, sizeof(result.run_id));
	lull_run_ended(tree, LULL_FAILED);
	tree->observer->file(tree->observer->ctx, LULL_FAILED, &result);
	lull_result_done(&result);
}

static void copy_operand(struct run *run, const char *source, const char *dest)
{
	_cleanup_free_ char *path = NULL;
	struct lull_failure failure = { 0 };

	if (lull_generation_path(run->tree.options, source, true, &path, &failure) !=
	    LULL_OK) {
		tell_failure(run, source, dest, &failure);
		return;
	}
	if (run->target && run->tree.cp->strip_slashes)
		(void)lull_path_strip(path);
	if (run->target)
		copy_into_target(run, path);
	else
		copy_to_dest(run, path, dest);
}

static int begin(struct run *run, unsigned int n, int target_fd)
{
	struct lull_copy_run *tree = &run->tree;
	bool several = n > 1;
	int fd = AT_FDCWD;

	if (run->target) {
		fd = fcntl(target_fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
	}
	run->here = lull_dirref_new(AT_FDCWD);
	tree->dest_root = lull_dirref_new(fd);
	tree->links = lull_idmap_new();
	run->names = lull_idmap_new();
	if (several) {
		tree->operands = lull_idmap_new();
		tree->made = lull_idmap_new();
	}
	if (!run->here || !tree->dest_root || !tree->links || !run->names ||
	    (several && (!tree->operands || !tree->made)))
		return -ENOMEM;
	/* A set has its own threads, for single steps. */
	return tree->set ? 0
			 : lull_queue_open(tree, MAX(tree->options->jobs, 1u),
					   &lull_entry_work);
}

/* All sources have been examined. The set takes each step with all of them or with
   none. */
static void run_set(struct lull_copy_run *tree)
{
	if (tree->set && tree->worst == LULL_OK && !lull_run_should_stop(tree))
		lull_set_run(tree->set);
}

static void tell_left_out(struct lull_copy_run *tree)
{
	if (tree->left_out > 0)
		lull_events_say(&tree->walk, .kind = LULL_NOTE_LEFT_OUT,
				.path = tree->first_left_out, .count = tree->left_out);
}

static void finish(struct run *run)
{
	free(run->tree.first_left_out);
	lull_set_free(run->tree.set);
	lull_idmap_free(run->tree.links);
	lull_idmap_free(run->tree.operands);
	lull_idmap_free(run->tree.made);
	lull_idmap_free(run->names);
	lull_dirref_drop(run->tree.dest_root);
	lull_dirref_drop(run->here);
}

enum lull_outcome lull_copy(const struct lull_options *options,
			    const char *const *sources, unsigned int n_sources,
			    const char *dest, const char *target, int target_fd,
			    const struct lull_observer *observer,
			    struct lull_totals *ret_totals)
{
	struct run run = {
		.tree = {
			.options = options,
			.cp = &options->cp,
			.observer = observer,
			.walk = *observer,
			.totals = ret_totals,
			.sole = n_sources == 1,
			.dated = lull_keep_any(&options->keep),
			.single_syncs = LULL_DURABLE_FILES,
			.refused_lock = PTHREAD_MUTEX_INITIALIZER,
		},
		.target = target,
	};
	struct lull_copy_run *tree = &run.tree;
	int r = 0;

	*ret_totals = (struct lull_totals){ 0 };
	lull_identity_run_id(tree->run_id);
	memcpy(ret_totals->run_id, tree->run_id, sizeof(tree->run_id));
	lull_caution(options, sources, n_sources, observer);
	if (lull_set_is_wanted(options, sources, n_sources, target)) {
		tree->set = lull_set_new(tree);
		r = tree->set ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = begin(&run, n_sources, target_fd);
	if (r < 0)
		lull_run_note(tree, LULL_NOTE_MEMORY, r, dest ? dest : target, NULL);
	for (unsigned int i = 0; r == 0 && i < n_sources; i++) {
		if (lull_run_should_stop(tree))
			break;
		copy_operand(&run, sources[i], dest);
	}
	tell_left_out(tree);
	run_set(tree);
	lull_queue_close(tree);
	r = lull_durable_sync(tree);
	if (r < 0)
		lull_run_note(tree, LULL_NOTE_SYNC, r, dest ? dest : target, NULL);
	finish(&run);
	if (tree->worst == LULL_OK || tree->ended_alike ||
	    tree->worst == LULL_THAW_FAILED || tree->worst == LULL_INTERRUPTED)
		return tree->worst;
	return LULL_FAILED;
}
