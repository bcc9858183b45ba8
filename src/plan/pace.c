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
 * INVARIANTS
 *  1. advise never gives 0, nor more than LULL_PACE_MAX_WEIGHT.
 *  2. The weight at most doubles from one call to the next, except back to where it was
 *     before a spike.
 *  3. After a call over the budget the next one fits it at the cost just seen.
 */
#include "plan/pace.h"

#include "util/macros.h"

/* Half the budget: doubles of the mean are rare in what was measured on XFS and Btrfs. */
#define TARGET 0.5
#define CUT 0.5
#define GAIN 0.002
/* Stalls that do not depend on a call's size (a full log) must not grind calls down to
   single extents; with TARGET it still leaves room for costs that are 20 times dearer. */
#define LOWEST_TRUST 0.05
#define SUSPICION 8.0
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

static void owe(struct lull_pace *pace, uint64_t ns)
{
	double share = (100.0 - pace->duty_cycle) / pace->duty_cycle;
	double debt = (double)pace->debt_ns + (double)ns * share;

	pace->debt_ns = debt < LONGEST_DEBT_NS ? (uint64_t)debt : LONGEST_DEBT_NS;
}

void lull_pace_observe(struct lull_pace *pace, uint32_t weight, uint64_t ns)
{
	double target = TARGET * (double)pace->budget_ns;
	double seen = (double)(ns ? ns : 1) / weight;
	uint32_t doubled = MAX(pace->weight, MIN(weight, LULL_PACE_MAX_WEIGHT)) * 2;

	owe(pace, ns);

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
		pace->weight = fit(target * pace->trust, seen);
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

	uint32_t fitting = fit(target * pace->trust, pace->cost);

	pace->weight = MIN(fitting, doubled);
}

uint64_t lull_pace_rest(const struct lull_pace *pace)
{
	return pace->debt_ns >= WORTH_A_SLEEP_NS ? pace->debt_ns : 0;
}

void lull_pace_rested(struct lull_pace *pace, uint64_t ns)
{
	pace->debt_ns = ns < pace->debt_ns ? pace->debt_ns - ns : 0;
}
