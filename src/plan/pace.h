/* SPDX-License-Identifier: MIT */
/*
 * The latency controller: how much may the next clone call do so that it stays within
 * the budget, and how long must the locks rest after it.
 *
 * Use: advise, make a call of at most that weight, observe what it took, rest for what
 * rest says. The unit of weight is lull_extent.weight. Pure: the caller measures.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Enough for a second of the cheapest extents ever measured (0.4 us); a limit keeps one
   wrong measurement from ever asking for the whole file. */
#define LULL_PACE_MAX_WEIGHT (1u << 20)

struct lull_pace {
	uint64_t budget_ns;
	unsigned int duty_cycle; /* percent */
	double cost;             /* expected ns for a unit of weight, 0: not known yet */
	double trust;            /* share of the target that is used, (0, 1] */
	double suspect;          /* a far higher cost that awaits confirmation, or 0 */
	/* ns for a unit of weight in the best of the last calls, 0: not known */
	double cheapest;
	/* calls are as large as that allows, whatever trust says */
	bool bold;
	unsigned int bold_calls; /* lately, while bold, */
	unsigned int bold_overs; /* and how many of them went over the budget */
	double timid_overs;      /* the share that does while not bold */
	unsigned int timid_left; /* calls until it is tried again */
	unsigned int timid_next; /* and after the next time, if that fails */
	uint32_t weight;         /* what advise says */
	uint32_t least;          /* weight below which a call is no shorter, 1 at first */
	/* what a call of that weight takes, once it is above 1 */
	double typical_ns;
	bool on_trial;      /* four times of it are advised, to see what they take */
	unsigned int round; /* calls so far of the weight that is looked at */
	double round_ns;    /* what they took */
	/* what a round of the least weight took, for the trial */
	double compare_ns;
	unsigned int pause;      /* rounds until the next trial */
	unsigned int next_pause; /* and after that one, if it fails */
	uint64_t debt_ns;        /* rest that is still owed */
};

/* budget_ns at least 1, duty_cycle 1..100. The first advice is 1. */
void lull_pace_init(struct lull_pace *pace, uint64_t budget_ns, unsigned int duty_cycle);

/* The largest weight that the next call should have, at least 1. */
uint32_t lull_pace_advise(const struct lull_pace *pace);

/* A call of this weight (at least 1) took so long. */
void lull_pace_observe(struct lull_pace *pace, uint32_t weight, uint64_t ns);

/*
 * How long to leave the locks alone now, 0 for not at all: short rests are saved up
 * until they are worth a sleep. rested tells how long the rest really was.
 */
uint64_t lull_pace_rest(const struct lull_pace *pace);
void lull_pace_rested(struct lull_pace *pace, uint64_t ns);
