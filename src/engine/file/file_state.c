// SPDX-License-Identifier: MIT
/* The state of a file: see file_state.h. */
#include "engine/file/file_state.h"

#include "engine/base/events.h"

#include <string.h>

bool lull_file_own(struct lull_file *f)
{
	struct lull_entry *e = &f->entry;
	const char **text[] = { &e->src_name, &e->src_path, &e->dst_name, &e->dst_path,
				&e->dst_head };
	char **own[] = { &e->backup, &e->backup_path };
	size_t rel = (size_t)(e->dst_rel - e->dst_path);
	size_t src_last = (size_t)(e->src_last - e->src_name);
	size_t dst_last = (size_t)(e->dst_last - e->dst_name);

	lull_dirref_hold(e->src_dir);
	lull_dirref_hold(e->dst_dir);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		*own[i] = *own[i] ? strdup(*own[i]) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		f->text[i] = strdup(*text[i]);
		if (!f->text[i])
			return false;
		*text[i] = f->text[i];
	}
	e->dst_rel = e->dst_path + rel;
	e->src_last = e->src_name + src_last;
	e->dst_last = e->dst_name + dst_last;
	return true;
}

void lull_file_disown(struct lull_file *f)
{
	lull_dirref_drop(f->entry.src_dir);
	lull_dirref_drop(f->entry.dst_dir);
	for (size_t i = 0; i < ARRAY_SIZE(f->text); i++)
		free(f->text[i]);
	free(f->entry.backup);
	free(f->entry.backup_path);
	lull_close(&f->done_fd);
	lull_close(&f->name_dir);
}

enum lull_outcome lull_file_fail(const struct lull_file *f, enum lull_note_kind kind,
				 int err, const char *path)
{
	if (!f->lone)
		lull_events_say(f->observer, .kind = kind, .err = abs(err), .path = path);
	return LULL_FAILED;
}

void lull_file_begin(struct lull_file *f)
{
	f->result.progress.source = f->entry.src_path;
	f->result.progress.dest = f->entry.dst_path;
	f->result.progress.size = (uint64_t)f->entry.src.st_size;
	f->result.progress.budget_ns = f->entry.tree->options->latency_budget_ns;
	memcpy(f->result.run_id, f->entry.tree->run_id, sizeof(f->result.run_id));
}

void lull_file_again(struct lull_file *f)
{
	lull_result_done(&f->result);
	f->made = (struct stat){ 0 };
	f->reported = f->due = f->unwritten = false;
}
