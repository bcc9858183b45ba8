// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * Goal: at most one call in a hundred over the budget, whatever extents cost here and
 * however that changes, at no loss of throughput. Two facts make it easy: a call has
 * almost no fixed cost (2-4 us on XFS), so small calls are nearly as good as large ones;
 * and a call that turns out too short is corrected after a few microseconds, one that
 * turns out too long has already done its harm. So: grow by doubling, shrink at once.
 *
 *     weight = trust * TARGET * budget / cost
 *
 * cost is a moving average of what a unit took. TARGET leaves room for its noise.
 *
 * trust answers what an average cannot: costs that are often fine and sometimes not
 * (a full log, a cold leaf). It is cut to CUT when a call goes over and grows by GAIN
 * with each that does not, and so settles where one call in 1 + ln(1/CUT)/GAIN
 * (about 350) goes over.
 *
 * suspect tells a spike from a step. A call that took SUSPICION times what it should
 * have is first taken for a step: the next call is small enough to fit the budget at that
 * cost. If it is as dear, the step is believed; if it is not, it was a spike, and the old
 * cost holds.
 *
 * bold is for waits that have nothing to do with the size of a call: direct reads and
 * writes of others must come to their end before it begins. They make small calls look
 * dear, and some go over the budget however small they are, so that trust grinds them
 * down in vain: seen on XFS beside three jobs of direct, random 4 KiB, 10 extents a call,
 * and ten times as long as one call over all. So where trust has fallen, calls are tried
 * that do what takes a quarter of the budget at the cost of the best of the last calls,
 * which met with little of that. If not many more of them go over, they stay; if it was
 * the extents that are dear now and then, they are given up after a few, and tried again
 * more and more rarely. After a call over the budget cheapest is raised so that the next
 * fits.
 *
 * least is for such waits where even they are long: for a lock that a writer has whenever
 * it is free, for room that a transaction makes (Btrfs). Where single units are over the
 * target, a round of calls is made with four times as many: if it takes as long, nothing
 * is gained by less, and so on, while what they do themselves is small beside the wait.
 * Seen on Btrfs beside a program that writes through the page cache without a pause, an
 * extent a call: 20 ms each, 18 calls a second.
 *
 * INVARIANTS
 *  1. advise never returns 0, nor more than LULL_PACE_MAX_WEIGHT.
 *  2. The weight at most doubles from one call to the next, except back to where it was
 *     before a spike, on trial, and when it is bold.
 *  3. After a call over the budget the next one fits it at the cost just seen, or has the
 *     least weight, or is on trial.
 */
#include "plan/pace.h"

#include "util/macros.h"

/* Half the budget: doubles of the mean are rare in what was measured on XFS and Btrfs. */
#define TARGET 0.5
#define CUT    0.5
#define GAIN   0.002
/* Stalls that do not depend on a call's size (a full log) must not grind calls down to
   single extents; with TARGET it still leaves room for costs that are 20 times dearer. */
#define LOWEST_TRUST 0.05
#define SUSPICION    8.0
/* What a bold call does of the budget, at the cost of the cheapest. */
#define BOLD 0.25
/* Trust below which it is tried, and how many calls to leave between tries. */
#define TIMID         0.25
#define FIRST_TIMID   256u
#define LONGEST_TIMID 16384u
/* So many over the budget are luck; of all bold calls one in 64 may be, beside twice the
   share of the others. */
#define LUCK       3
#define BOLD_OVERS (1.0 / 64)
#define BOLD_CALLS 512u
/* How fast the best of the last calls is forgotten: half as good after 14 calls. */
#define FORGET 1.05
/* Calls in a round: enough to see through what some of them happen to meet. */
#define ROUND 8
#define TRIAL 4
/* A round on trial may take this many times as long: then units take a fifth of the
   wait. */
#define AS_LONG 1.5
/* Of the cheapest and the dearest extents that is 0.1 to 20 ms. */
#define MOST_LEAST    256u
#define LONGEST_PAUSE 256u
/* A call of the least weight that takes this many times what it did has met something
   else. */
#define OUT_OF_LINE 4
/* Sleeping takes 50 us and more, whatever is asked for. */
#define WORTH_A_SLEEP_NS (200 * NSEC_PER_USEC)
/* A rest is never owed for more than a few calls: one that took a minute must not be
   followed by a minute of nothing. */
#define LONGEST_DEBT_NS NSEC_PER_SEC

void lull_pace_init(struct lull_pace *pace, uint64_t budget_ns, unsigned int duty_cycle)
{
	*pace = (struct lull_pace){
		.budget_ns = budget_ns,
		.duty_cycle = duty_cycle,
		.trust = 1,
		.weight = 1,
		.least = 1,
		.next_pause = 1,
		.timid_next = FIRST_TIMID,
	};
}

uint32_t lull_pace_advise(const struct lull_pace *pace)
{
	return pace->weight;
}

static uint32_t fit(double target_ns, double cost)
{
	double weight = target_ns / cost;

	if (weight < 1)
		return 1;
	if (weight > LULL_PACE_MAX_WEIGHT)
		return LULL_PACE_MAX_WEIGHT;
	return (uint32_t)weight;
}

static void note_cheapest(struct lull_pace *pace, double seen, bool over)
{
	if (pace->cheapest == 0 || seen < pace->cheapest)
		pace->cheapest = seen;
	else
		pace->cheapest *= FORGET;
	if (over)
		pace->cheapest = MAX(pace->cheapest, seen * BOLD);
}

static void be_timid(struct lull_pace *pace)
{
	pace->bold = false;
	pace->timid_left = pace->timid_next;
	pace->timid_next = MIN(pace->timid_next * 2, LONGEST_TIMID);
}

static void judge_boldness(struct lull_pace *pace, bool over)
{
	if (!pace->bold) {
		pace->timid_overs += (over - pace->timid_overs) / FIRST_TIMID;
		if (pace->timid_left > 0)
			pace->timid_left--;
		else if (pace->trust < TIMID)
			pace->bold = true;
		pace->bold_calls = pace->bold_overs = 0;
		return;
	}
	pace->bold_calls++;
	pace->bold_overs += over;
	if (pace->bold_overs >
	    LUCK + pace->bold_calls * (BOLD_OVERS + 2 * pace->timid_overs)) {
		be_timid(pace);
	} else if (pace->bold_calls == BOLD_CALLS) {
		pace->bold_calls /= 2;
		pace->bold_overs /= 2;
		pace->timid_next = FIRST_TIMID;
	}
}

/* What a call may do, at a cost of so much for a unit. */
static uint32_t fit_now(const struct lull_pace *pace, double cost)
{
	double budget = (double)pace->budget_ns;
	uint32_t fitting = fit(TARGET * budget * pace->trust, cost);

	return pace->bold ? MAX(fitting, fit(BOLD * budget, pace->cheapest)) : fitting;
}

static void owe(struct lull_pace *pace, uint64_t ns)
{
	double share = (100.0 - pace->duty_cycle) / pace->duty_cycle;
	double debt = (double)pace->debt_ns + (double)ns * share;

	pace->debt_ns = debt < LONGEST_DEBT_NS ? (uint64_t)debt : LONGEST_DEBT_NS;
}

static void begin_round(struct lull_pace *pace)
{
	pace->round = 0;
	pace->round_ns = 0;
}

static void forget_least(struct lull_pace *pace)
{
	pace->least = 1;
	pace->on_trial = false;
	begin_round(pace);
}

static void end_trial(struct lull_pace *pace, bool as_long)
{
	pace->on_trial = false;
	if (as_long) {
		pace->least *= TRIAL;
		pace->typical_ns = pace->round_ns / ROUND;
		pace->pause = 0;
		pace->next_pause = 1;
	} else {
		pace->pause = pace->next_pause;
		pace->next_pause = MIN(pace->next_pause * 2, LONGEST_PAUSE);
	}
}

/* Of a call as large as it was to be, where no more than the least weight fits. */
static void look_for_least(struct lull_pace *pace, double ns, double target)
{
	if (!pace->on_trial && pace->least > 1 && ns > OUT_OF_LINE * pace->typical_ns) {
		forget_least(pace);
		return;
	}
	pace->round++;
	pace->round_ns += ns;
	if (pace->on_trial && pace->round_ns > AS_LONG * pace->compare_ns) {
		end_trial(pace, false);
		begin_round(pace);
	}
	if (pace->round < ROUND)
		return;
	if (pace->on_trial)
		end_trial(pace, true);
	if (pace->round_ns > ROUND * target && pace->least < MOST_LEAST) {
		if (pace->pause == 0) {
			pace->on_trial = true;
			pace->compare_ns = pace->round_ns;
		} else {
			pace->pause--;
		}
	}
	begin_round(pace);
}

void lull_pace_observe(struct lull_pace *pace, uint32_t weight, uint64_t ns)
{
	double target = TARGET * (double)pace->budget_ns;
	double seen = (double)(ns ? ns : 1) / weight;
	uint32_t doubled = MAX(pace->weight, MIN(weight, LULL_PACE_MAX_WEIGHT)) * 2;

	owe(pace, ns);
	note_cheapest(pace, seen, ns > pace->budget_ns);
	judge_boldness(pace, ns > pace->budget_ns);
	if (pace->bold)
		doubled = LULL_PACE_MAX_WEIGHT;

	if (ns > pace->budget_ns)
		pace->trust = MAX(pace->trust * CUT, LOWEST_TRUST);
	else
		pace->trust = MIN(pace->trust * (1 + GAIN), 1.0);

	if (pace->suspect > 0) {
		/* The call after a dear one: a step only if this one confirms it. */
		if (seen * 2 > pace->suspect)
			pace->cost = seen;
		else
			doubled = LULL_PACE_MAX_WEIGHT;
		pace->suspect = 0;
	} else if (pace->cost > 0 && seen > pace->cost * SUSPICION && ns > target) {
		pace->suspect = seen;
		pace->weight = MIN(fit_now(pace, seen), doubled);
		return;
	}

	/*
	 * Dearer is believed faster than cheaper. A call much smaller than allowed says
	 * little: it pays the fixed cost nearly alone.
	 */
	if (pace->cost == 0)
		pace->cost = seen;
	else if (seen > pace->cost)
		pace->cost += (seen - pace->cost) / 4;
	else if (weight * 4 >= pace->weight)
		pace->cost += (seen - pace->cost) / 8;

	uint32_t fitting = fit_now(pace, pace->cost);

	if (fitting > pace->least)
		forget_least(pace);
	else if (weight >= pace->weight)
		look_for_least(pace, (double)ns, target);
	pace->weight = fitting > pace->least ? MIN(fitting, doubled)
		       : pace->on_trial      ? pace->least * TRIAL
					     : pace->least;
}

uint64_t lull_pace_rest(const struct lull_pace *pace)
{
	return pace->debt_ns >= WORTH_A_SLEEP_NS ? pace->debt_ns : 0;
}

void lull_pace_rested(struct lull_pace *pace, uint64_t ns)
{
	pace->debt_ns = ns < pace->debt_ns ? pace->debt_ns - ns : 0;
}
