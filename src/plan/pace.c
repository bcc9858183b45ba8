// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The goal is at most one call in a hundred over the budget, whatever an extent costs and
 * however that changes, without loss of throughput. Two facts help. A call has almost no
 * fixed cost (2-4 us on XFS), so small calls are nearly as good as large ones. And a call
 * that is too short is corrected after a few microseconds, but one that is too long has
 * done its harm. So the weight grows by doubling, and shrinks at once.
 *
 *     weight = trust * TARGET * budget / cost
 *
 * cost is a moving average of the time for a unit of weight. TARGET leaves room for its
 * noise.
 *
 * trust handles what an average cannot: costs that are usually low and sometimes high (a
 * full log, a cold leaf). It is multiplied by CUT when a call goes over the budget, and
 * grows by GAIN with each other call. So it settles where one call in 1 + ln(1/CUT)/GAIN
 * (about 350) goes over.
 *
 * suspect distinguishes a spike from a step. If a call took SUSPICION times what was
 * expected, it is first taken for a step: the next call is small enough to fit the budget
 * at that cost. If that one is as expensive, it was a step. If not, it was a spike, and
 * the old cost remains.
 *
 * bold is for waits that do not depend on the size of a call: it cannot begin before the
 * direct reads and writes of others have ended. They make small calls look expensive, and
 * some calls go over the budget however small they are, so that trust shrinks in vain. On
 * XFS, with three jobs of direct, random 4 KiB I/O, that led to 10 extents a call, and
 * took ten times as long as one call over the whole file. So when trust has fallen,
 * larger calls are tried: of a quarter of the budget, at the cost of the best of the last
 * calls, which hardly had to wait. If not many more of these go over the budget, they
 * stay. If it is the extents that are sometimes expensive, bold calls are given up after
 * a few, and tried again more and more rarely. After a call over the budget, cheapest is
 * raised so that the next call fits.
 *
 * least is for such waits that are long by themselves: for a lock that a writer takes
 * whenever it is free, or for space that a transaction makes (Btrfs). If calls of a
 * single unit exceed the target, a round of calls is tried with four times the weight. If
 * it takes as long, smaller calls gain nothing, and the next trial has four times that,
 * as long as the work itself is short beside the wait. On Btrfs, with a program that
 * writes through the page cache without a pause, calls of one extent took 20 ms each, 18
 * calls a second.
 *
 * INVARIANTS
 *  1. advise never returns 0, nor more than LULL_PACE_MAX_WEIGHT.
 *  2. The weight at most doubles from one call to the next, except back to where it was
 *     before a spike, on trial, and when it is bold.
 *  3. After a call over the budget, the next call fits the budget at the cost just seen,
 *     or has the least weight, or is on trial.
 */
#include "plan/pace.h"

#include "util/macros.h"

/* Half the budget: calls of twice the mean were rare in measurements on XFS and Btrfs. */
#define TARGET 0.5
#define CUT    0.5
#define GAIN   0.002
/* Stalls that do not depend on the size of a call (a full log) must not shrink calls to
   single extents. With TARGET, this still leaves room for costs that are 20 times
   higher. */
#define LOWEST_TRUST 0.05
#define SUSPICION    8.0
/* The part of the budget for a bold call, at the cost of the cheapest. */
#define BOLD 0.25
/* TIMID: trust below which bold calls are tried. The others: how many calls to wait
   between two such attempts. */
#define TIMID         0.25
#define FIRST_TIMID   256u
#define LONGEST_TIMID 16384u
/* LUCK: how many bold calls may go over the budget by chance. BOLD_OVERS: the part of all
   bold calls that may too, in addition to twice the part of the other calls. */
#define LUCK       3
#define BOLD_OVERS (1.0 / 64)
#define BOLD_CALLS 512u
/* How fast the best of the last calls is forgotten: after 14 calls it counts half. */
#define FORGET 1.05
/* Calls in a round: enough for an average over what some of them happen to meet. */
#define ROUND 8
#define TRIAL 4
/* How much longer a round on trial may take. At that ratio, the units take a fifth of the
   wait. */
#define AS_LONG 1.5
/* With the cheapest and the most expensive extents, MOST_LEAST takes 0.1 to 20 ms. */
#define MOST_LEAST    256u
#define LONGEST_PAUSE 256u
/* A call of the least weight that takes this many times its typical time has met
   something else. */
#define OUT_OF_LINE 4
/* A sleep takes 50 us or more, however short it should be. */
#define WORTH_A_SLEEP_NS (200 * NSEC_PER_USEC)
/* The longest rest that is due: a call that took a minute must not be followed by a
   minute's rest. */
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

/* Returns the weight that the next call may have, if a unit costs cost. */
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

/* Looks for the least weight. Called after a call that was as large as advised, when no
   more than the least weight fits. */
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
		/* This is the call after an expensive one: it was a step only if this one
		   confirms it. */
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
	 * Higher costs count faster than lower ones. A call that is much smaller than
	 * allowed shows little, because it pays mostly the fixed cost.
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
