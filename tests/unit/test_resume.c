// SPDX-License-Identifier: MIT
/*
 * What a run makes of what an earlier one has left (resume.c), without a file system: all
 * that it asks is answered here in every combination, and what it does is looked at.
 */
#include "engine/clone/claim.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/record.h"
#include "engine/clone/resume.h"
#include "engine/clone/set_record.h"
#include "engine/clone/shrink.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/swap.h"
#include "engine/clone/untouched.h"
#include "store/checkpoint_file.h"
#include "unit.h"

enum load { NONE, THERE, DAMAGED, PLANTED, OF_A_SET, LOADS };

/* Each is 0 or 1, but for the first. */
struct answers {
	unsigned int load, resume, restart, in_place, rotation, lock_empty, same_source,
		same_path, same_file, same_name, names_dest, frozen, kept, snapshot,
		refresh, was_in_place, dated, complete, has_reference, refresh_wanted;
};

static struct world {
	struct answers a;
	struct lull_job job;
	struct lull_result result;
	struct lull_options options;
	struct lull_freeze freeze;
	unsigned int refused, discarded, removed, undone, snapshots_undone, judged,
		opened, saved;
	bool frozen_on_disk, locked;
} w;

enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *path UNUSED)
{
	w.refused++;
	job->result->failure =
		(struct lull_failure){ .stage = stage, .cause = cause, .err = abs(err) };
	return LULL_FAILED;
}

void lull_warn(struct lull_job *job UNUSED, enum lull_warning warning UNUSED,
	       int err UNUSED, const char *path UNUSED)
{
}

static char text_source[] = "/s", text_other[] = "/o", text_dest[] = "/d/d",
	    text_temporary[] = ".d", text_elsewhere[] = "/d/e", text_snapshot[] = ".snap";

int lull_checkpoint_load(int dir UNUSED, const char *name UNUSED,
			 struct lull_checkpoint *c)
{
	const struct answers *a = &w.a;

	if (a->load == NONE)
		return -ENOENT;
	if (a->load == DAMAGED)
		return -EBADMSG;
	if (a->load == PLANTED)
		return -ESTALE;
	if (a->load == OF_A_SET)
		return -ENOTUNIQ;
	*c = (struct lull_checkpoint){
		.source = a->same_path ? text_source : text_other,
		.dest = a->names_dest ? text_dest : text_elsewhere,
		.temporary = a->was_in_place ? NULL : text_temporary,
		.snapshot = a->snapshot ? text_snapshot : NULL,
		.frozen = a->frozen,
		.kept_frozen = a->frozen && a->kept,
		.refresh = a->refresh,
		.dated = a->dated,
		.has_reference = a->has_reference,
		.phase = a->complete ? LULL_PHASE_COMPLETE : LULL_PHASE_CLONING,
	};
	w.frozen_on_disk = a->frozen;
	return 0;
}

int lull_set_record_judge_pointer(const struct lull_job *job UNUSED, int r)
{
	return r;
}

void lull_checkpoint_move_freeze(struct lull_checkpoint *from, struct lull_checkpoint *to)
{
	to->frozen = from->frozen;
	to->kept_frozen = from->kept_frozen;
	to->hook = from->hook;
	from->hook = NULL;
}

void lull_checkpoint_done(struct lull_checkpoint *c)
{
	*c = (struct lull_checkpoint){ 0 };
}

enum lull_cause lull_record_cause(int err UNUSED)
{
	return LULL_CAUSE_CHECKPOINT_DAMAGED;
}

bool lull_record_same_source(const struct lull_job *job UNUSED)
{
	return w.a.same_source;
}

bool lull_record_same_file(const struct lull_job *job)
{
	/* What is open: DEST itself, or the temporary file. */
	if (job->dest.in_place != (bool)w.a.was_in_place)
		return false;
	return job->dest.in_place ? w.a.same_name : w.a.same_file;
}

bool lull_record_is_file(const struct lull_checkpoint *c UNUSED, int dir UNUSED,
			 const char *name UNUSED)
{
	return w.a.same_name;
}

enum lull_outcome lull_record_begin(struct lull_job *job)
{
	job->checkpoint = (struct lull_checkpoint){ .source = text_source,
						    .dest = text_dest };
	return LULL_OK;
}

enum lull_outcome lull_record_save(struct lull_job *job)
{
	w.saved++;
	w.frozen_on_disk = job->checkpoint.frozen;
	return LULL_OK;
}

void lull_record_remove(struct lull_job *job UNUSED)
{
	w.removed++;
	/* Writers that are frozen would be forgotten. */
	assert_false(w.frozen_on_disk);
}

void lull_swap_forgo(struct lull_dest *dest)
{
	dest->in_place = true;
}

int lull_dest_open(struct lull_dest *dest)
{
	/* Only the file that was begun is opened to go on in it. */
	assert_true(dest->in_place && w.a.same_name && w.a.was_in_place);
	w.opened++;
	return w.locked ? -EWOULDBLOCK : 0;
}

enum lull_outcome lull_claim_busy(struct lull_job *job UNUSED)
{
	return LULL_BUSY;
}

enum lull_outcome lull_shrink(struct lull_job *job, int fd, uint64_t size)
{
	assert_int_equal(fd, job->dest.lock);
	assert_int_equal(size, 0);
	assert_int_equal(job->state, LULL_JOB_DISCARDING);
	w.discarded++;
	return LULL_OK;
}

enum lull_outcome lull_freeze_undo(struct lull_job *job)
{
	assert_true(job->checkpoint.frozen);
	w.undone++;
	job->checkpoint.frozen = job->checkpoint.kept_frozen = false;
	w.frozen_on_disk = false;
	return LULL_OK;
}

enum lull_outcome lull_snapshot_undo(struct lull_job *job)
{
	w.snapshots_undone++;
	job->checkpoint.snapshot = NULL;
	return LULL_OK;
}

void lull_untouched_judge(struct lull_job *job UNUSED)
{
	w.judged++;
}

static void begin(const struct answers *a)
{
	w = (struct world){ .a = *a };
	w.options = (struct lull_options){ .resume = a->resume,
					   .restart = a->restart,
					   .in_place = a->in_place,
					   .refresh = a->refresh_wanted };
	w.job.options = &w.options;
	w.job.result = &w.result;
	w.job.progress = &w.result.progress;
	w.job.freeze = &w.freeze;
	w.job.source = w.job.source_path = text_source;
	w.job.rotation = a->rotation ? (void *)text_dest : NULL;
	w.job.dest = (struct lull_dest){ .path = text_dest,
					 .name = text_dest + 3,
					 .temporary = text_temporary,
					 .lock = 7,
					 .fd = 7,
					 .dir = 5,
					 .checkpoint_dir = 6,
					 .target = -1,
					 .in_place = a->in_place,
					 .lock_was_empty = a->lock_empty };
}

static void look(const struct answers *a, enum lull_outcome outcome)
{
	const struct lull_job *job = &w.job;
	bool asked = a->resume || a->restart;
	bool published = a->load == THERE && a->complete && !a->frozen &&
			 !a->was_in_place && a->names_dest && a->same_name;

	/* What is refused is left as it is. */
	if (outcome != LULL_OK) {
		assert_int_equal(job->state, LULL_JOB_LOOKING);
		assert_int_equal(w.discarded + w.undone + w.snapshots_undone + w.saved,
				 0);
		assert_int_equal(w.refused, 1);
		assert_true(w.removed == 0 || published);
		return;
	}
	assert_int_equal(w.refused, 0);
	assert_true(job->state == LULL_JOB_EMPTY || job->state == LULL_JOB_FOUND);
	/* Nothing goes without a word from the user. */
	if (!asked)
		assert_int_equal(w.discarded + w.undone + w.snapshots_undone, 0);
	if (!asked && !a->lock_empty)
		fail_msg("a leftover is taken that nobody gave away");
	assert_true(a->load == NONE || a->load == THERE);
	if (a->load == NONE) {
		assert_false(job->resumed);
		assert_int_equal(w.discarded, !a->lock_empty);
		return;
	}
	if (published) {
		assert_int_equal(w.removed, 1);
		assert_false(job->resumed);
		return;
	}
	assert_int_equal(w.removed, 0);
	assert_true(asked);
	/* It is about this DEST, by its name or by the file that was found. */
	assert_true(a->names_dest || (a->was_in_place ? job->dest.in_place && a->same_name
						      : a->same_file));
	if (job->resumed && job->state == LULL_JOB_EMPTY && !job->dest.in_place)
		assert_int_equal(w.discarded, !a->lock_empty);
	/* A clone goes on only in its own file and of its own source. */
	if (job->resumed) {
		assert_true(a->resume && !a->restart && a->same_source);
		assert_true(a->was_in_place ? job->dest.in_place && a->same_name
					    : a->same_file);
		assert_int_equal(w.judged, 1);
	} else {
		/* Of one that does not go on nothing is left in the temporary file, but
		   an older clone. */
		assert_true(job->state == LULL_JOB_EMPTY);
		assert_true(a->lock_empty || job->dest.in_place || w.discarded == 1 ||
			    (a->refresh && a->refresh_wanted));
	}
	/* A freeze is ended once, or goes on with its clone. */
	if (a->frozen) {
		bool goes_on = job->checkpoint.frozen;

		assert_int_equal(w.undone, !goes_on);
		assert_true(!goes_on || (a->resume && a->kept));
		assert_true(!goes_on || job->resumed ||
			    (a->refresh && a->refresh_wanted));
	} else {
		assert_int_equal(w.undone, 0);
	}
	assert_int_equal(w.snapshots_undone, a->snapshot);
	/* In place only if it was so, or is asked for. */
	assert_true(!job->dest.in_place || a->in_place || a->was_in_place);
}

static void test_every_combination(void **state UNUSED)
{
	const unsigned int bits = sizeof(struct answers) / sizeof(unsigned int) - 1;
	unsigned int runs = 0, done = 0;

	for (unsigned int load = 0; load < LOADS; load++) {
		/* Only one that can be read has all the rest. */
		for (uint32_t i = 0; i < (load == THERE ? 1u << bits : 1u << 5); i++) {
			struct answers a = { .load = load };
			unsigned int *field = &a.load + 1;
			enum lull_outcome outcome;

			for (unsigned int b = 0; b < bits; b++)
				field[b] = i >> b & 1;
			/* An older clone is recorded with a file that is not in place;
			   what is kept is frozen. */
			if ((a.refresh && a.was_in_place) || (a.kept && !a.frozen) ||
			    (a.resume && a.restart))
				continue;
			begin(&a);
			outcome = lull_resume_find(&w.job);
			look(&a, outcome);
			runs++;
			done += outcome == LULL_OK;
		}
	}
	print_message("%u combinations, %u of them go on\n", runs, done);
	assert_true(runs > 100000 && done > 10000);
}

/* The same DEST, though it is now written in place for another reason. */
static void test_in_place_is_no_other_clone(void **state UNUSED)
{
	struct answers a = { .load = THERE,
			     .resume = 1,
			     .same_source = 1,
			     .same_path = 1,
			     .same_name = 1,
			     .names_dest = 1,
			     .was_in_place = 1,
			     .has_reference = 1,
			     .lock_empty = 1 };

	begin(&a);
	assert_int_equal(lull_resume_find(&w.job), LULL_OK);
	assert_true(w.job.resumed && w.job.dest.in_place);
	assert_int_equal(w.opened, 1);
	/* Another lullcp writes to it under another name. */
	begin(&a);
	w.locked = true;
	assert_int_equal(lull_resume_find(&w.job), LULL_BUSY);
	assert_int_equal(w.refused + w.discarded + w.removed + w.saved, 0);
	/* Another file has DEST's name: it is replaced, not written into. */
	a.same_name = 0;
	begin(&a);
	assert_int_equal(lull_resume_find(&w.job), LULL_OK);
	assert_false(w.job.resumed || w.job.dest.in_place);
}

/* The freeze of a set goes on although one clone begins again. */
static void test_starting_over_keeps_the_freeze(void **state UNUSED)
{
	struct answers a = { .load = THERE, .resume = 1, .frozen = 1, .kept = 1 };
	char hook[] = "hook";

	begin(&a);
	w.job.checkpoint = (struct lull_checkpoint){ .frozen = true,
						     .kept_frozen = true,
						     .hook = hook };
	assert_int_equal(lull_resume_start_over(&w.job), LULL_OK);
	assert_int_equal(w.saved, 1);
	assert_true(w.frozen_on_disk);
	assert_int_equal(w.discarded, 1);
	assert_int_equal(w.job.state, LULL_JOB_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_in_place_is_no_other_clone),
		cmocka_unit_test(test_starting_over_keeps_the_freeze),
	};

	return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
