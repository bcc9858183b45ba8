// SPDX-License-Identifier: MIT
/* Option values, good and bad. */
#include "unit.h"

#include "util/macros.h"
#include "util/values.h"

static void test_times(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "1", 1000000000 },
		{ "10", 10000000000ULL },
		{ "007", 7000000000ULL },
		{ "1ns", 1 },
		{ "999ns", 999 },
		{ "1us", 1000 },
		{ "1.5us", 1500 },
		{ "10ms", 10000000 },
		{ "0.5ms", 500000 },
		{ "0.25", 250000000 },
		{ "2.5s", 2500000000ULL },
		{ "1m", 60000000000ULL },
		{ "1.5m", 90000000000ULL },
		{ "1h", 3600000000000ULL },
		{ "0.1h", 360000000000ULL },
		{ "0.0ms", 0 },
		{ "0.9ns", 0 },
		{ "1.999999999ns", 1 },
		{ "0.0000000009s", 0 },
		{ "0.0000000019s", 1 },
		{ "0.123456789", 123456789 },
		{ "0.12345678999", 123456789 },
		{ "0.000000000000000000000000000001h", 0 },
		{ "1.00000000000000000000000000000000", 1000000000 },
		{ "0000000000000000000000000000000001", 1000000000 },
		{ "1000000000", LULL_VALUE_LONGEST_NS },
		{ "1000000000.000", LULL_VALUE_LONGEST_NS },
		{ "1000000000000000000ns", LULL_VALUE_LONGEST_NS },
		{ "277777h", 277777ULL * 3600000000000ULL },
	};
	static const char *const bad[] = {
		"",
		" ",
		" 1",
		"1 ",
		"1 s",
		"-1",
		"+1",
		"-0",
		"0x10",
		"1e3",
		".5",
		"5.",
		"5.s",
		"1..5",
		"1.5.5",
		"1,5",
		"s",
		"ms",
		"1S",
		"1MS",
		"1msec",
		"1sec",
		"1min",
		"1d",
		"1w",
		"1y",
		"1sms",
		"1ss",
		"1h30m",
		"1:30",
		"inf",
		"nan",
		"infinity",
		"1\n",
		"1\t",
		"1s\n",
		"1k",
		"1%",
		"\xc2\xb5s",
		"1\xc2\xb5s",
		"1.-5",
		"1.+5",
		"1000000001",
		"1000000000.000000001",
		"277778h",
		"1000000000000000001ns",
		"1000000000000000001us",
		"18446744073709551616ns",
		"18446744073709551616",
		"99999999999999999999999999999999999999999999h",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t ns = 42;

		check(good[i].text, lull_value_time(good[i].text, &ns));
		check_int(good[i].text, ns, good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t ns = 42;

		check(bad[i], !lull_value_time(bad[i], &ns));
		check_int(bad[i], ns, 42);
	}
}

/* Random times of up to nine digits after the point, against plain arithmetic. */
static void test_random_times(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "", 1000000000 },
		{ "m", 60000000000ULL },
		{ "h", 3600000000000ULL },
	};

	unit_seed("times", 0);
	for (unsigned int round = 0; round < 50000; round++) {
		size_t unit = unit_below(ARRAY_SIZE(units));
		uint64_t whole = unit_random() >> (4 + unit_below(60));
		uint64_t fraction = unit_below(1000000000);
		/* a second and more is a multiple of 10^9 */
		uint64_t part = units[unit].ns >= 1000000000
					? units[unit].ns / 1000000000 * fraction
					: units[unit].ns * fraction / 1000000000;
		uint64_t wanted = 0, ns = 42;
		bool fits = !__builtin_mul_overflow(whole, units[unit].ns, &wanted) &&
			    !__builtin_add_overflow(wanted, part, &wanted) &&
			    wanted <= LULL_VALUE_LONGEST_NS;
		char text[80];

		(void)snprintf(text, sizeof(text), "%llu.%09llu%s",
			       (unsigned long long)whole, (unsigned long long)fraction,
			       units[unit].name);
		check(text, lull_value_time(text, &ns) == fits);
		check(text, ns == (fits ? wanted : 42));
	}
}

static void test_numbers(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool good;
		uint64_t number;
	} cases[] = {
		{ "1", 1, 100, true, 1 },
		{ "100", 1, 100, true, 100 },
		{ "50", 1, 100, true, 50 },
		{ "0050", 1, 100, true, 50 },
		{ "0", 0, 0, true, 0 },
		{ "18446744073709551609", 0, UINT64_MAX, true, 18446744073709551609ULL },
		{ "0", 1, 100, false, 0 },
		{ "101", 1, 100, false, 0 },
		{ "", 0, 100, false, 0 },
		{ " 1", 0, 100, false, 0 },
		{ "1 ", 0, 100, false, 0 },
		{ "+1", 0, 100, false, 0 },
		{ "-1", 0, UINT64_MAX, false, 0 },
		{ "1.0", 0, 100, false, 0 },
		{ "1e1", 0, 100, false, 0 },
		{ "0x1", 0, 100, false, 0 },
		{ "1%", 0, 100, false, 0 },
		{ "1\n", 0, 100, false, 0 },
		{ "a", 0, 100, false, 0 },
		{ "18446744073709551616", 0, UINT64_MAX, false, 0 },
		{ "18446744073709551617", 0, UINT64_MAX, false, 0 },
		{ "18446744073709551626", 0, UINT64_MAX, false, 0 },
		{ "99999999999999999999999999", 0, UINT64_MAX, false, 0 },
		{ "\xd9\xa1", 0, 100, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t number = 42;

		check(cases[i].text,
		      lull_value_number(cases[i].text, cases[i].min, cases[i].max,
					&number) == cases[i].good);
		check(cases[i].text, number == (cases[i].good ? cases[i].number : 42));
	}
}

static void test_bytes(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} cases[] = {
		{ "1", 1 },
		{ "1000", 1000 },
		{ "1K", 1024 },
		{ "1KiB", 1024 },
		{ "1KB", 1000 },
		{ "50M", 50ULL << 20 },
		{ "3MB", 3000000 },
		{ "2GiB", 2ULL << 30 },
		{ "7T", 7ULL << 40 },
		{ "7TB", 7000000000000ULL },
		{ "16777215T", 16777215ULL << 40 },
		{ "16777216T", 0 },
		{ "18446744073709551616", 0 },
		{ "", 0 },
		{ "0", 0 },
		{ "0M", 0 },
		{ "-1", 0 },
		{ "1.5M", 0 },
		{ "1k", 0 },
		{ "1B", 0 },
		{ "1Ki", 0 },
		{ "1KIB", 0 },
		{ "1KiBs", 0 },
		{ "1P", 0 },
		{ "M", 0 },
		{ " 1", 0 },
		{ "1 M", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 42;

		check(cases[i].text,
		      lull_value_bytes(cases[i].text, &bytes) == (cases[i].bytes > 0));
		check(cases[i].text, bytes == (cases[i].bytes ? cases[i].bytes : 42));
	}
}

static void test_choices(void **state UNUSED)
{
	static const char *const choices[] = { "auto", "always", "never", "newer",
					       "new" };
	static const struct {
		const char *text;
		int index; /* -1: none */
	} cases[] = {
		{ "auto", 0 },   { "au", 0 },     { "always", 1 },  { "al", 1 },
		{ "never", 2 },  { "nev", 2 },    { "newer", 3 },   { "newe", 3 },
		{ "new", 4 },    { "a", -1 },     { "n", -1 },      { "ne", -1 },
		{ "", -1 },      { "autos", -1 }, { "Auto", -1 },   { "auto ", -1 },
		{ " auto", -1 }, { "x", -1 },     { "newest", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int index = 42;
		bool good = lull_value_choice(cases[i].text, choices, ARRAY_SIZE(choices),
					      &index);

		check(cases[i].text, good == (cases[i].index >= 0));
		if (good)
			check_int(cases[i].text, index, cases[i].index);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),   cmocka_unit_test(test_random_times),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
