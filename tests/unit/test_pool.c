// SPDX-License-Identifier: MIT
/* Threads that take work in its order: each piece is done once, and whoever waits is
   woken. */
#include "engine/base/pool.h"
#include "sys/clock.h"
#include "unit.h"

#define ITEMS 500

struct piece {
	struct lull_workitem item;
	unsigned int number, *order, *next;
	unsigned int worked, done;
	struct lull_pool *pool;
};

static void work(struct lull_workitem *item)
{
	struct piece *p = container_of(item, struct piece, item);

	p->worked++;
	(void)pthread_mutex_lock(&p->pool->lock);
	p->order[(*p->next)++] = p->number;
	(void)pthread_mutex_unlock(&p->pool->lock);
}

static void done(struct lull_workitem *item)
{
	struct piece *p = container_of(item, struct piece, item);

	/* With the lock, and after the work. */
	assert_int_equal(pthread_mutex_trylock(&p->pool->lock), EBUSY);
	assert_int_equal(p->worked, 1);
	p->done++;
}

static void give(struct lull_pool *pool, struct piece *pieces, unsigned int *order,
		 unsigned int *next)
{
	(void)pthread_mutex_lock(&pool->lock);
	for (unsigned int i = 0; i < ITEMS; i++) {
		pieces[i] = (struct piece){ .item = { .work = work, .done = done },
					    .number = i,
					    .order = order,
					    .next = next,
					    .pool = pool };
		lull_pool_give(pool, &pieces[i].item);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

static void test_all_is_done_once(void **state UNUSED)
{
	static struct piece pieces[ITEMS];
	static unsigned int order[ITEMS];

	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		struct lull_pool pool;
		unsigned int next = 0;

		assert_int_equal(lull_pool_open(&pool, threads), 0);
		assert_int_equal(pool.n_threads, threads);
		give(&pool, pieces, order, &next);
		/* The pool is closed at once: the given work is still done. */
		lull_pool_close(&pool);
		assert_int_equal(next, ITEMS);
		for (unsigned int i = 0; i < ITEMS; i++) {
			assert_int_equal(pieces[i].worked, 1);
			assert_int_equal(pieces[i].done, 1);
			assert_true(pieces[i].item.is_done);
			if (threads == 1)
				assert_int_equal(order[i], i);
		}
	}
}

static void slow(struct lull_workitem *item UNUSED)
{
	lull_clock_sleep(30 * NSEC_PER_MSEC);
}

static bool wait_for(struct lull_pool *pool, struct lull_workitem *item)
{
	uint64_t before = lull_clock_now();

	(void)pthread_mutex_lock(&pool->lock);
	while (!__atomic_load_n(&item->is_done, __ATOMIC_RELAXED) &&
	       lull_clock_now() - before < 20 * NSEC_PER_SEC)
		lull_pool_wait(pool, 20 * NSEC_PER_SEC);
	(void)pthread_mutex_unlock(&pool->lock);
	return lull_clock_now() - before < 15 * NSEC_PER_SEC;
}

static void test_waiting_ends(void **state UNUSED)
{
	struct lull_pool waiter, other;
	struct lull_workitem item = { .work = slow };

	assert_int_equal(lull_pool_open(&waiter, 0), 0);
	assert_int_equal(lull_pool_open(&other, 1), 0);
	(void)pthread_mutex_lock(&other.lock);
	lull_pool_give(&other, &item);
	assert_int_equal(other.n_waiting, 1);
	(void)pthread_mutex_unlock(&other.lock);
	assert_true(wait_for(&other, &item));
	/* And in another pool, if it is said so. */
	other.wakes = &waiter;
	(void)pthread_mutex_lock(&other.lock);
	lull_pool_give(&other, &item);
	(void)pthread_mutex_unlock(&other.lock);
	assert_true(wait_for(&waiter, &item));
	lull_pool_close(&other);
	lull_pool_close(&waiter);
}

static void test_stop(void **state UNUSED)
{
	struct lull_pool pool;

	assert_int_equal(lull_pool_open(&pool, 2), 0);
	assert_false(lull_pool_is_stopped(&pool));
	lull_pool_stop(&pool);
	assert_true(lull_pool_is_stopped(&pool));
	lull_pool_close(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_done_once),
		cmocka_unit_test(test_waiting_ends),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
