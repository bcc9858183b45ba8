/* SPDX-License-Identifier: MIT */
/*
 * The latency controller: how much the next clone call may do within the budget, and how
 * long the locks must rest after it.
 *
 * Use: advise, make a call of at most that weight, observe what it took, and rest for as
 * long as rest says. The unit of weight is lull_extent.weight. Makes no system call: the
 * caller measures.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Enough for a second of the cheapest extents ever measured (0.4 us). The limit keeps a
   wrong measurement from advising the whole file. */
#define LULL_PACE_MAX_WEIGHT (1u << 20)

struct lull_pace {
	uint64_t budget_ns;
	unsigned int duty_cycle; /* percent */
	double cost;             /* expected ns for a unit of weight, 0: not known */
	double trust;            /* the part of the target that is used, (0, 1] */
	double suspect;          /* a much higher cost that is not confirmed yet, or 0 */
	/* ns for a unit of weight in the best of the last calls, 0: not known */
	double cheapest;
	/* calls are as large as cheapest allows, whatever trust is */
	bool bold;
	unsigned int bold_calls; /* recent calls while bold */
	unsigned int bold_overs; /* those of them that went over the budget */
	double timid_overs;      /* the part of other calls that went over */
	unsigned int timid_left; /* calls until bold is tried again */
	unsigned int timid_next; /* calls until the attempt after that, if that fails */
	uint32_t weight;         /* the present advice */
	/* weight below which a call is no shorter, initially 1 */
	uint32_t least;
	/* ns for a call of that weight, if it is above 1 */
	double typical_ns;
	bool on_trial;      /* calls of four times that weight are being tried */
	unsigned int round; /* calls of this round so far */
	double round_ns;    /* ns that they took */
	/* ns for a round of the least weight, to compare with */
	double compare_ns;
	unsigned int pause;      /* rounds until the next trial */
	unsigned int next_pause; /* rounds until the trial after that, if that fails */
	uint64_t debt_ns;        /* rest that is still due */
};

/* Initializes *pace. budget_ns must be at least 1, duty_cycle 1..100. The first advice is
   1. */
void lull_pace_init(struct lull_pace *pace, uint64_t budget_ns, unsigned int duty_cycle);

/* Returns the largest weight for the next call, at least 1. */
uint32_t lull_pace_advise(const struct lull_pace *pace);

/* Reports that a call of this weight (at least 1) took ns. */
void lull_pace_observe(struct lull_pace *pace, uint32_t weight, uint64_t ns);

/*
 * lull_pace_rest() returns how long to leave the locks alone now, in ns, or 0. Short
 * rests are added up until they are worth a sleep. lull_pace_rested() reports how long
 * the rest really was.
 */
uint64_t lull_pace_rest(const struct lull_pace *pace);
void lull_pace_rested(struct lull_pace *pace, uint64_t ns);
