// SPDX-License-Identifier: MIT
/*
 * The latency controller against simulated file systems: how many calls exceed the
 * budget, and how much longer all takes than with the best batch size. The figures are
 * asserted as they were found, with a little room, so that a change of them is seen.
 */
#include "unit.h"

#include "plan/pace.h"
#include "util/macros.h"

#include <math.h>

#define BUDGET (10 * NSEC_PER_MSEC)
/* What the controller aims at, and so what the ideal call takes. */
#define TARGET (BUDGET / 2)
#define FIXED  3000.0 /* ns that a call costs whatever it does */
#define CALLS  20000u
#define WARM   200u

struct model {
	const char *name;
	double cost;        /* ns for a unit of weight at first */
	double factor;      /* of the cost from half of the calls on */
	double slope;       /* of the cost over all calls, as a factor */
	double noise;       /* +- share of the cost of each call */
	unsigned int spike; /* one call in so many takes 200 ms longer */
	unsigned int dear;  /* one call in so many is 20 times as dear */
	double first;       /* ns that the first call takes longer */
	double most_over;   /* permitted: percent of calls over budget after warm-up */
	unsigned int most_after; /* permitted: calls over budget after the step */
	double most_lost;        /* permitted: percent of time lost */
};

struct figures {
	unsigned int over; /* after warm-up */
	unsigned int step; /* among the 100 calls after the step */
	unsigned int warm; /* in the warm-up */
	double spent;
	double ideal;
	uint32_t highest;
};

static double cost_at(const struct model *m, unsigned int call)
{
	double cost = m->cost;

	if (m->factor > 0 && call >= CALLS / 2)
		cost *= m->factor;
	if (m->slope > 0)
		cost *= pow(m->slope, (double)call / CALLS);
	if (m->noise > 0)
		cost *= 1 + m->noise * (2 * unit_share() - 1);
	if (m->dear && unit_below(m->dear) == 0)
		cost *= 20;
	return cost;
}

static struct figures simulate(const struct model *m)
{
	struct figures f = { 0 };
	struct lull_pace pace;
	double variable = 0;

	lull_pace_init(&pace, BUDGET, 100);
	for (unsigned int i = 0; i < CALLS; i++) {
		uint32_t weight = lull_pace_advise(&pace);
		double part = cost_at(m, i) * weight;
		double extra = i == 0 ? m->first : 0;
		bool over;

		check(m->name, weight >= 1 && weight <= LULL_PACE_MAX_WEIGHT);
		check(m->name, i > 0 || weight == 1);
		/* A spike is lost for all sizes of calls: it is in neither of the sums.
		 */
		if (m->spike && unit_below(m->spike) == 0)
			extra += 200.0 * NSEC_PER_MSEC;
		over = FIXED + part + extra > BUDGET;
		if (i < WARM)
			f.warm += over;
		else
			f.over += over;
		if (i >= CALLS / 2 && i < CALLS / 2 + 100)
			f.step += over;
		lull_pace_observe(&pace, weight, (uint64_t)(FIXED + part + extra));
		variable += part;
		f.spent += FIXED + part;
		f.highest = MAX(f.highest, weight);
	}
	f.ideal = variable + FIXED * ceil(variable / (double)TARGET);
	return f;
}

static void test_models(void **state UNUSED)
{
	static const struct model models[] = {
		{ .name = "0.5 us", .cost = 500, .most_lost = 0.02 },
		{ .name = "1 us", .cost = 1000, .most_lost = 0.02 },
		{ .name = "3 us", .cost = 3000, .most_lost = 0.02 },
		{ .name = "10 us", .cost = 10000, .most_lost = 0.02 },
		{ .name = "30 us", .cost = 30000, .most_lost = 0.02 },
		{ .name = "100 us", .cost = 100000, .most_lost = 0.02 },
		{ .name = "step up x100",
		  .cost = 1000,
		  .factor = 100,
		  .most_over = 0.011,
		  .most_after = 2,
		  .most_lost = 0.02 },
		{ .name = "step down x100",
		  .cost = 100000,
		  .factor = 0.01,
		  .most_lost = 0.02 },
		{ .name = "drift up x50", .cost = 1000, .slope = 50, .most_lost = 0.02 },
		{ .name = "drift down x50",
		  .cost = 50000,
		  .slope = 0.02,
		  .most_lost = 0.02 },
		{ .name = "spikes of 200 ms",
		  .cost = 1000,
		  .spike = 1000,
		  .most_over = 0.3,
		  .most_after = 3,
		  .most_lost = 0.05 },
		{ .name = "one in ten x20",
		  .cost = 1000,
		  .dear = 10,
		  .most_over = 0.5,
		  .most_after = 5,
		  .most_lost = 0.6 },
		{ .name = "noise 50 %", .cost = 3000, .noise = 0.5, .most_lost = 0.02 },
		{ .name = "noise 50 %, dear",
		  .cost = 100000,
		  .noise = 0.5,
		  .most_lost = 0.02 },
		{ .name = "cold first",
		  .cost = 1000,
		  .first = 5.0 * NSEC_PER_MSEC,
		  .most_lost = 0.02 },
	};

	unit_seed("models", 20240501);
	print_message("%-18s %8s %6s %6s %8s %8s\n", "model", "over %", "warm", "step",
		      "lost %", "highest");
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		const struct model *m = &models[i];
		struct figures f = simulate(m);
		double over = 100.0 * f.over / (CALLS - WARM);
		double lost = 100 * (f.spent / f.ideal - 1);

		print_message("%-18s %8.3f %6u %6u %8.3f %8u\n", m->name, over, f.warm,
			      f.step, lost, f.highest);
		check(m->name, over <= m->most_over);
		check(m->name, f.step <= m->most_after);
		check(m->name, lost <= m->most_lost);
		check(m->name, lost > -1);
	}
}

/* Calls of one cost until the weight has settled. */
static void settle(struct lull_pace *pace, uint64_t budget, double cost)
{
	lull_pace_init(pace, budget, 100);
	for (unsigned int i = 0; i < 500; i++) {
		uint32_t weight = lull_pace_advise(pace);

		lull_pace_observe(pace, weight, (uint64_t)(FIXED + cost * weight));
	}
}

/* Within how many calls work is at full size: doubling from 1, and after a step down. */
static void test_growth(void **state UNUSED)
{
	struct lull_pace pace;
	uint32_t before = 0;
	unsigned int calls = 0;

	lull_pace_init(&pace, BUDGET, 100);
	while (lull_pace_advise(&pace) * 1000.0 < 0.9 * TARGET) {
		uint32_t weight = lull_pace_advise(&pace);

		assert_true(weight <= MAX(2 * before, 1u));
		before = weight;
		lull_pace_observe(&pace, weight, (uint64_t)(FIXED + 1000.0 * weight));
		assert_true(++calls < 60);
	}
	print_message("from 1 to nine tenths of the target: %u calls\n", calls);
	assert_true(calls <= 30);

	settle(&pace, BUDGET, 100000);
	for (calls = 0; lull_pace_advise(&pace) * 1000.0 < 0.9 * TARGET; calls++) {
		uint32_t weight = lull_pace_advise(&pace);

		lull_pace_observe(&pace, weight, (uint64_t)(FIXED + 1000.0 * weight));
		assert_true(calls < 100);
	}
	print_message("after a step down x100: %u calls\n", calls);
	assert_true(calls <= 60);
}

/* The call after one over the budget fits it at the cost just seen. */
static void test_after_over(void **state UNUSED)
{
	unit_seed("after over", 0);
	for (unsigned int round = 0; round < 20000; round++) {
		struct lull_pace pace;
		uint64_t budget = NSEC_PER_MSEC + unit_below(50 * NSEC_PER_MSEC);
		uint32_t weight, next;
		double seen;

		settle(&pace, budget, 100 + (double)unit_below(100000));
		/* Some dear calls in a row: the first is suspected, others confirm it. */
		for (unsigned int i = 0; i < 4; i++) {
			uint64_t ns = budget + 1 + unit_below(100 * budget);

			weight = lull_pace_advise(&pace);
			lull_pace_observe(&pace, weight, ns);
			seen = (double)ns / weight;
			next = lull_pace_advise(&pace);
			assert_true(next == 1 || next * seen <= (double)budget);
		}
	}
}

static void test_spike(void **state UNUSED)
{
	/* The share of its weight that a call has at least, 3, 30 and 400 calls later. A
	   spike of four times a call is too small to be suspected: it counts as noise.
	   The call after one of a minute is of a single unit, and shows the fixed cost.
	 */
	static const struct {
		uint64_t ms;
		double least[3];
	} cases[] = {
		{ 20, { 0.32, 0.5, 0.95 } },
		{ 200, { 0.45, 0.5, 0.95 } },
		{ 2000, { 0.45, 0.5, 0.95 } },
		{ 60000, { 0.3, 0.5, 0.95 } },
	};
	static const unsigned int after[] = { 3, 30, 400 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_pace pace;
		unsigned int calls = 0;
		uint32_t before;

		settle(&pace, BUDGET, 1000);
		before = lull_pace_advise(&pace);
		lull_pace_observe(&pace, before, cases[i].ms * NSEC_PER_MSEC);
		for (size_t j = 0; j < ARRAY_SIZE(after); j++) {
			double share;

			for (; calls < after[j]; calls++) {
				uint32_t weight = lull_pace_advise(&pace);

				lull_pace_observe(&pace, weight,
						  (uint64_t)(FIXED + 1000.0 * weight));
			}
			share = (double)lull_pace_advise(&pace) / before;
			print_message(
				"spike of %llu ms: %.3f of the weight %u calls later\n",
				(unsigned long long)cases[i].ms, share, calls);
			assert_true(share >= cases[i].least[j]);
		}
	}
}

/*
 * One unit alone is over the budget: nothing is smaller than one, and it goes on, but for
 * trials of four that get rarer and rarer.
 */
static void test_dearest(void **state UNUSED)
{
	static const uint64_t costs[] = { 11 * NSEC_PER_MSEC, 500 * NSEC_PER_MSEC,
					  3600 * NSEC_PER_SEC, UINT64_MAX / 4 };

	for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
		struct lull_pace pace;
		unsigned int trials = 0, late = 0;

		lull_pace_init(&pace, BUDGET, 100);
		for (unsigned int calls = 0; calls < 10000; calls++) {
			uint32_t weight = lull_pace_advise(&pace);

			assert_true(weight == 1 || weight == 4);
			trials += weight > 1;
			late += weight > 1 && calls >= 5000;
			lull_pace_observe(&pace, weight, weight * costs[i]);
		}
		print_message(
			"unit of %.0f ms: %u calls of 10000 on trial, %u of the later "
			"half\n",
			(double)costs[i] / NSEC_PER_MSEC, trials, late);
		assert_in_range(trials, 1, 60);
		assert_in_range(late, 1, 10);
	}
}

/*
 * Others' direct reads and writes come to their end before a call begins: 1.2 ms in the
 * middle, and over the budget once in n calls, however small they are. Calls must
 * not become small of it.
 */
static void test_busy(void **state UNUSED)
{
	static const struct {
		double cost;
		unsigned int over_one_in;
		uint32_t least; /* units a call, in the middle */
	} cases[] = {
		{ 20000, 60, 80 },
		{ 20000, 20, 60 },
		{ 1000, 60, 1500 },
	};

	unit_seed("busy", 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_pace pace;
		double done = 0;
		unsigned int over = 0;

		lull_pace_init(&pace, BUDGET, 100);
		for (unsigned int call = 0; call < 10000; call++) {
			uint32_t weight = lull_pace_advise(&pace);
			double wait = -1.2 * NSEC_PER_MSEC * log(1 - unit_share());
			double ns;

			if (unit_below(cases[i].over_one_in) == 0)
				wait += 15.0 * NSEC_PER_MSEC;
			ns = wait + FIXED + cases[i].cost * weight;
			if (call >= 1000) {
				done += weight;
				over += ns > BUDGET;
			}
			lull_pace_observe(&pace, weight, (uint64_t)ns);
		}
		print_message("busy, one in %u over: %.0f units a call, %u over\n",
			      cases[i].over_one_in, done / 9000, over);
		assert_true(done / 9000 >= cases[i].least);
		/* Those that wait for long anyway, and hardly more. */
		assert_true(over <= 9000 / cases[i].over_one_in * 1.3 + 30);
	}
}

/* Calls that all, or one in n, wait whatever their size: until they are as large as
   what they do themselves does not matter. */
static void test_waits(void **state UNUSED)
{
	static const struct {
		double wait; /* ns */
		unsigned int one_in;
		double cost;
		uint32_t least; /* weight that is reached */
		uint32_t most;
	} cases[] = {
		{ 20.0 * NSEC_PER_MSEC, 1, 5000, 256, 256 },
		{ 20.0 * NSEC_PER_MSEC, 2, 5000, 64, 256 },
		{ 20.0 * NSEC_PER_MSEC, 1, 84000, 64, 64 },
		{ 200.0 * NSEC_PER_MSEC, 1, 5000, 256, 256 },
		{ 6.0 * NSEC_PER_MSEC, 1, 500000, 4, 16 },
	};

	unit_seed("waits", 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_pace pace;
		double done = 0;
		uint32_t highest = 0;
		unsigned int calls;

		settle(&pace, BUDGET, cases[i].cost);
		for (calls = 0; calls < 2000; calls++) {
			uint32_t weight = lull_pace_advise(&pace);
			bool waits = unit_below(cases[i].one_in) == 0;

			if (calls >= 1000) {
				done += weight;
				highest = MAX(highest, weight);
			}
			lull_pace_observe(&pace, weight,
					  (uint64_t)((waits ? cases[i].wait : 0) + FIXED +
						     cases[i].cost * weight));
		}
		print_message(
			"waits of %.0f ms, one call in %u: %.0f units a call, at most "
			"%u\n",
			cases[i].wait / NSEC_PER_MSEC, cases[i].one_in, done / 1000,
			highest);
		assert_true(done / 1000 >= cases[i].least);
		assert_true(cases[i].one_in > 1 || highest <= 4 * cases[i].most);

		/* Each unit takes as long from now on: seen by the first call. */
		struct lull_pace then = pace;

		for (calls = 0; lull_pace_advise(&then) > 4; calls++) {
			uint32_t weight = lull_pace_advise(&then);

			assert_true(calls < 3);
			lull_pace_observe(&then, weight,
					  (uint64_t)(cases[i].wait * weight));
		}

		/* Nobody is in the way any more. */
		for (calls = 0; lull_pace_advise(&pace) * cases[i].cost < 0.8 * TARGET;
		     calls++) {
			uint32_t weight = lull_pace_advise(&pace);

			assert_true(calls < 1500);
			lull_pace_observe(&pace, weight,
					  (uint64_t)(FIXED + cases[i].cost * weight));
		}
		print_message("  %u calls until the weight is back\n", calls);
	}
}

/* Whatever is observed, the advice stays within its bounds. */
static void test_bounds(void **state UNUSED)
{
	unit_seed("bounds", 0);
	for (unsigned int round = 0; round < 2000; round++) {
		struct lull_pace pace;

		lull_pace_init(&pace, 1 + (unit_random() >> unit_below(64)),
			       1 + (unsigned int)unit_below(100));
		assert_int_equal(lull_pace_advise(&pace), 1);
		for (unsigned int calls = 0; calls < 200; calls++) {
			uint32_t weight = unit_below(2)
						  ? lull_pace_advise(&pace)
						  : 1 + (uint32_t)(unit_random() >> 33 >>
								   unit_below(31));

			lull_pace_observe(&pace, weight, unit_random() >> unit_below(64));
			assert_in_range(lull_pace_advise(&pace), 1, LULL_PACE_MAX_WEIGHT);
			if (unit_below(2))
				lull_pace_rested(&pace, unit_random() >> unit_below(64));
		}
	}
}

/* The locks rest for what the duty cycle says, also when sleeps come out a bit long. */
static void test_duty(void **state UNUSED)
{
	static const struct {
		unsigned int duty;
		uint64_t late; /* ns that a sleep lasts too long */
		double cost;
	} cases[] = {
		{ 100, 0, 1000 },    { 99, 0, 1000 },     { 90, 0, 1000 },
		{ 80, 0, 1000 },     { 50, 0, 1000 },     { 20, 0, 1000 },
		{ 5, 0, 1000 },      { 80, 0, 100000 },   { 95, 0, 10 },
		{ 80, 20000, 1000 }, { 50, 20000, 1000 }, { 90, 5000, 100 },
	};

	unit_seed("duty", 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_pace pace;
		double held = 0, rested = 0, share;

		lull_pace_init(&pace, BUDGET, cases[i].duty);
		for (unsigned int calls = 0; calls < 20000; calls++) {
			uint32_t weight = lull_pace_advise(&pace);
			uint64_t ns =
				(uint64_t)(FIXED + cases[i].cost * weight *
							   (0.8 + 0.4 * unit_share()));
			uint64_t rest;

			lull_pace_observe(&pace, weight, ns);
			held += (double)ns;
			rest = lull_pace_rest(&pace);
			if (rest == 0)
				continue;
			assert_true(rest >= 200 * NSEC_PER_USEC);
			rest += cases[i].late;
			lull_pace_rested(&pace, rest);
			rested += (double)rest;
		}
		share = 100 * rested / (rested + held);
		print_message("duty cycle %u, sleeps %llu us late: rested %.3f %%\n",
			      cases[i].duty, (unsigned long long)cases[i].late / 1000,
			      share);
		if (fabs(share - (100.0 - cases[i].duty)) > 1)
			fail_msg("duty cycle %u: rested %.3f %%", cases[i].duty, share);
	}
}

/* A sleep that was cut short leaves the rest owed; a call of an hour is not repaid. */
static void test_debt(void **state UNUSED)
{
	struct lull_pace pace;
	uint64_t rest;

	lull_pace_init(&pace, BUDGET, 50);
	lull_pace_observe(&pace, 1, 100 * NSEC_PER_USEC);
	assert_int_equal(lull_pace_rest(&pace), 0);
	lull_pace_observe(&pace, 1, 100 * NSEC_PER_USEC);
	assert_int_equal(lull_pace_rest(&pace), 200 * NSEC_PER_USEC);
	lull_pace_observe(&pace, 1, 4 * NSEC_PER_MSEC);
	lull_pace_rested(&pace, NSEC_PER_MSEC);
	assert_int_equal(lull_pace_rest(&pace), 3200 * NSEC_PER_USEC);
	lull_pace_rested(&pace, 10 * NSEC_PER_MSEC);
	assert_int_equal(lull_pace_rest(&pace), 0);
	lull_pace_observe(&pace, 1, 3600 * NSEC_PER_SEC);
	rest = lull_pace_rest(&pace);
	assert_in_range(rest, NSEC_PER_MSEC, NSEC_PER_SEC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),     cmocka_unit_test(test_growth),
		cmocka_unit_test(test_after_over), cmocka_unit_test(test_spike),
		cmocka_unit_test(test_dearest),    cmocka_unit_test(test_busy),
		cmocka_unit_test(test_waits),      cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_duty),       cmocka_unit_test(test_debt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
