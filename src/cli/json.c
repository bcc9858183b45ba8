// SPDX-License-Identifier: MIT
/* JSON Lines: see json.h. */
#include "json.h"

#include "obstacle.h"
#include "words.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA 1

/* Prints the line. Without memory there is no line, and none is printed. */
static void print(json_t *line)
{
	if (line && json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0)
		(void)fputc('\n', stdout);
	(void)fflush(stdout);
	json_decref(line);
}

static json_t *begin(const char *type)
{
	return json_pack("{s:s, s:i}", "type", type, "schema", SCHEMA);
}

static void set(json_t *line, const char *key, uint64_t value)
{
	(void)json_object_set_new(line, key, json_integer((json_int_t)value));
}

static void set_text(json_t *line, const char *key, const char *text)
{
	(void)lull_json_set_name(line, key, text);
}

static void set_hold(json_t *line, const struct lull_progress *p)
{
	struct lull_hold hold = lull_progress_hold(p);

	(void)json_object_set_new(line, "hold_ns",
				  json_pack("{s:I, s:I, s:I, s:I}", "p50",
					    (json_int_t)hold.p50, "p99",
					    (json_int_t)hold.p99, "p999",
					    (json_int_t)hold.p999, "max",
					    (json_int_t)hold.max));
}

static void set_counts(json_t *line, const struct lull_progress *p)
{
	set_text(line, "method", lull_method_name(p->method));
	set(line, "size", p->size);
	set(line, "extents", p->extents);
	set(line, "extents_cloned", p->extents_cloned);
	set(line, "bytes_cloned", p->bytes_cloned);
	set(line, "bytes_copied", p->bytes_copied);
	set(line, "calls", p->calls);
	set(line, "passes", p->passes);
	set(line, "budget_ns", p->budget_ns);
	set(line, "over_budget_calls", p->over_budget_calls);
	set_hold(line, p);
}

void json_status(const struct lull_progress *p)
{
	json_t *line = begin("status");

	set_text(line, "source", p->source);
	set_text(line, "dest", p->dest);
	set(line, "offset", p->offset);
	set_counts(line, p);
	set(line, "frozen_ns", p->frozen_ns);
	set(line, "elapsed_ns", p->elapsed_ns);
	set(line, "resumed_at", p->resumed_at);
	set(line, "discarding", p->discarding);
	print(line);
}

void json_warning(const char *message, const char *path)
{
	json_t *line = begin("warning");

	set_text(line, "message", message);
	set_text(line, "path", path);
	print(line);
}

void json_error(enum lull_outcome outcome, const struct lull_failure *f,
		const char *message)
{
	json_t *line = begin("error");

	set_text(line, "message", message);
	set_text(line, "result", words_result(outcome));
	set_text(line, "path", f->path);
	set(line, "errno", (uint64_t)f->err);
	print(line);
}

void json_note(const struct lull_note *note, const char *message)
{
	json_t *line = begin(note->kind < LULL_NOTE_FAILURES ? "warning" : "error");

	set_text(line, "message", message);
	set_text(line, "result", note->kind < LULL_NOTE_FAILURES ? NULL : "failed");
	set_text(line, "path", note->path);
	set(line, "errno", (uint64_t)note->err);
	print(line);
}

void json_summary(enum lull_outcome outcome, const struct lull_result *result,
		  bool applied)
{
	const struct lull_progress *p = &result->progress;
	json_t *line = begin("summary");

	set_text(line, "run_id", result->run_id);
	set_text(line, "source", p->source);
	set_text(line, "dest", p->dest);
	set_text(line, "result", words_result(outcome));
	set_counts(line, p);
	if (applied) {
		set(line, "bytes_written", p->bytes_written);
		set(line, "bytes_zeroed", p->bytes_zeroed);
	}
	set(line, "freeze_ns", p->freeze_ns);
	set(line, "elapsed_ns", p->elapsed_ns);
	set(line, "resumed_at", p->resumed_at);
	(void)json_object_set_new(line, "published", json_boolean(result->published));
	(void)json_object_set_new(line, "resumable", json_boolean(result->kept));
	print(line);
}

void json_announce(const char *source, enum lull_method method, uint64_t ns)
{
	json_t *line = begin("status");

	set_text(line, "source", source);
	set_text(line, "announced_method", lull_method_name(method));
	set(line, "estimate_ns", ns);
	print(line);
}

void json_comparison(const char *source, const char *dest, enum lull_outcome outcome,
		     const struct lull_comparison *f)
{
	json_t *line = begin("summary");

	set_text(line, "source", source);
	set_text(line, "dest", dest);
	set_text(line, "method", "verify");
	set_text(line, "result",
		 outcome == LULL_OK ? "identical" : words_result(outcome));
	set(line, "size", f->size);
	set(line, "dest_size", f->dest_size);
	set(line, "extents", f->extents);
	set(line, "bytes_proven", f->proven_bytes);
	set(line, "bytes_read", f->read_bytes);
	set(line, "bytes_unproven", f->unproven_bytes);
	set(line, "bytes_different", f->different_bytes);
	set(line, "ranges_different", f->different_ranges);
	if (f->different_bytes > 0)
		set(line, "first_difference", f->first_difference);
	set(line, "elapsed_ns", f->elapsed_ns);
	print(line);
}

void json_change(const struct lull_change *change)
{
	json_t *line = begin("range");

	set(line, "offset", change->off);
	set(line, "length", change->len);
	set_text(line, "kind", change->zero ? "zero" : "data");
	print(line);
}

void json_difference(const char *old_file, const char *new_file,
		     enum lull_outcome outcome, const struct lull_difference *f)
{
	json_t *line = begin("summary");

	set_text(line, "old", old_file);
	set_text(line, "new", new_file);
	set_text(line, "method", "diff");
	set_text(line, "result",
		 outcome == LULL_OK ? "identical" : words_result(outcome));
	set(line, "old_size", f->old_size);
	set(line, "new_size", f->new_size);
	set(line, "extents", f->extents);
	set(line, "ranges", f->ranges);
	set(line, "bytes_data", f->data_bytes);
	set(line, "bytes_zero", f->zero_bytes);
	set(line, "bytes_read", f->read_bytes);
	set(line, "elapsed_ns", f->elapsed_ns);
	print(line);
}

void json_forecast(const char *source, enum lull_outcome outcome,
		   const struct lull_forecast *f)
{
	static const char *const fixes[] = {
		[LULL_FIX_UNKNOWN] = "unknown",
		[LULL_FIX_PRESENT] = "fixed",
		[LULL_FIX_MISSING] = "not_fixed",
	};
	json_t *line = begin("summary"), *advice = json_array();
	char *no_snapshot = f->snapshot_ns > 0 ? NULL : obstacle_words(&f->no_snapshot);

	set_text(line, "source", source);
	set_text(line, "method", "probe");
	set_text(line, "result", words_result(outcome));
	set_text(line, "file_system", f->type);
	set_text(line, "mount_point", f->mount_point);
	set_text(line, "kernel", f->kernel);
	set(line, "block_size", f->block);
	(void)json_object_set_new(line, "reflink", json_boolean(outcome == LULL_OK));
	(void)json_object_set_new(line, "reverse_map", json_boolean(f->reverse_map));
	(void)json_object_set_new(line, "reads_wait", json_boolean(f->reads_wait));
	(void)json_object_set_new(line, "reads_measured",
				  json_boolean(f->reads_measured));
	(void)json_object_set_new(line, "reads_wait_for_writers",
				  json_boolean(f->reads_wait_for_writers));
	(void)json_object_set_new(line, "writes_wait", json_true());
	(void)json_object_set_new(line, "quotas", json_boolean(f->quotas));
	set_text(line, "cve_2026_64600", fixes[f->writer_race]);
	set(line, "size", f->size);
	set(line, "extents", f->extents);
	(void)json_object_set_new(line, "extents_exact", json_boolean(f->extents_exact));
	(void)json_object_set_new(line, "written", json_boolean(f->written));
	set(line, "clone_ns_per_extent", f->extent_ns);
	set(line, "repeat_ns_per_extent", f->again_ns);
	set(line, "predicted_cp_ns", f->cp_ns);
	set(line, "predicted_lullcp_ns", f->clone_ns);
	set(line, "stall_cp_ns", f->cp_ns);
	set(line, "stall_budget_ns", f->budget_ns);
	set(line, "stall_snapshot_ns", f->snapshot_ns);
	set_text(line, "no_snapshot", no_snapshot);
	set(line, "stall_atomic_ns", f->atomic_ns);
	set_text(line, "chosen_method", lull_method_name(f->method));
	set_text(line, "method_if_written", lull_method_name(f->if_written));
	for (unsigned int bit = 1; words_advice(bit); bit <<= 1) {
		if (f->advice & bit)
			(void)json_array_append_new(advice,
						    json_string(words_advice(bit)));
	}
	(void)json_object_set_new(line, "advice", advice);
	free(no_snapshot);
	print(line);
}

static void set_if_known(json_t *line, const char *key, uint64_t value)
{
	(void)json_object_set_new(line, key,
				  value == UINT64_MAX ? json_null()
						      : json_integer((json_int_t)value));
}

void json_generation(const struct lull_row_entry *e, const char *fate)
{
	const char *slash = strrchr(e->path, '/');
	json_t *line = begin("generation"), *kept_by = json_array();

	set_text(line, "name", slash ? slash + 1 : e->path);
	set_text(line, "path", e->path);
	set(line, "time", e->time);
	set_if_known(line, "size", e->unreadable ? UINT64_MAX : e->size);
	set_if_known(line, "bytes_own", e->bytes_own);
	set_if_known(line, "bytes_changed", e->bytes_changed);
	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++) {
		if (e->kept_by & (1u << kind))
			(void)json_array_append_new(kept_by,
						    json_string(lull_keep_name(kind)));
	}
	if (e->kept_by & LULL_KEPT_NEWEST)
		(void)json_array_append_new(kept_by, json_string("newest"));
	(void)json_object_set_new(line, "kept_by", kept_by);
	if (fate)
		set_text(line, "fate", fate);
	print(line);
}

void json_discarded(const char *path, enum lull_outcome outcome)
{
	json_t *line = begin("summary");

	set_text(line, "path", path);
	set_text(line, "method", "discard");
	set_text(line, "result", words_result(outcome));
	print(line);
}

void json_step(const struct lull_step *s, const char *step, const char *how)
{
	json_t *line = begin("step");

	set_text(line, "step", step);
	(void)json_object_set_new(line, "kept", json_boolean(s->kept));
	set_text(line, "result", how);
	set_text(line, "path", s->path);
	set(line, "exit_status",
	    s->failed && s->cause == LULL_CAUSE_HOOK_STATUS ? (uint64_t)s->detail : 0);
	set(line, "signal", s->cause == LULL_CAUSE_HOOK_SIGNAL ? (uint64_t)s->detail : 0);
	set(line, "errno", (uint64_t)s->err);
	set(line, "elapsed_ns", s->elapsed_ns);
	set(line, "bytes_written", s->written);
	set_text(line, "output", s->output ? s->output : "");
	(void)json_object_set_new(line, "output_held", json_boolean(s->output_held));
	set(line, "processes_left", s->left);
	set_text(line, "process_left", s->left > 0 ? s->left_name : NULL);
	print(line);
}

void json_verdict(const char *hook, enum lull_outcome outcome,
		  const struct lull_verdict *v)
{
	json_t *line = begin("summary");

	set_text(line, "run_id", v->run_id);
	set_text(line, "method", "check_hook");
	set_text(line, "hook", hook);
	set_text(line, "result", words_result(outcome));
	set(line, "steps", v->steps);
	set(line, "steps_broken", v->broken);
	set(line, "elapsed_ns", v->elapsed_ns);
	print(line);
}

void json_report(const struct lull_report *r)
{
	json_t *line = begin("checkpoint");

	set_text(line, "run_id", r->run_id);
	set_text(line, "source", r->source);
	set_text(line, "dest", r->dest);
	set_text(line, "checkpoint", r->checkpoint);
	set_text(line, "temporary_name", r->temporary);
	set_text(line, "hook", r->hook);
	set_text(line, "method", lull_method_name(r->method));
	set(line, "size", r->size);
	set(line, "offset", r->offset);
	set(line, "pass", r->pass);
	set(line, "updated_ns", r->updated);
	set(line, "frozen_since_ns", r->frozen_since);
	(void)json_object_set_new(line, "complete", json_boolean(r->complete));
	(void)json_object_set_new(line, "published", json_boolean(r->published));
	(void)json_object_set_new(line, "frozen", json_boolean(r->frozen));
	(void)json_object_set_new(line, "kept_frozen", json_boolean(r->kept_frozen));
	(void)json_object_set_new(line, "running", json_boolean(r->running));
	print(line);
}
