// SPDX-License-Identifier: MIT
/* Quoted names, as people see them and as bash reads them back. */
#include "unit.h"

#include "quote.h"
#include "util/macros.h"

#include <locale.h>

static void test_table(void **state UNUSED)
{
	static const struct {
		const char *name, *plain, *utf8;
	} cases[] = {
		{ "plain", "'plain'", "'plain'" },
		{ "", "''", "''" },
		{ "with space", "'with space'", "'with space'" },
		{ "it's", "\"it's\"", "\"it's\"" },
		{ "'", "\"'\"", "\"'\"" },
		{ "it's $HOME", "'it'\\''s $HOME'", "'it'\\''s $HOME'" },
		{ "it's !", "'it'\\''s !'", "'it'\\''s !'" },
		{ "$(rm)`rm`\\\"", "'$(rm)`rm`\\\"'", "'$(rm)`rm`\\\"'" },
		{ "-n", "'-n'", "'-n'" },
		{ "with\nnewline", "'with'$'\\n''newline'", "'with'$'\\n''newline'" },
		{ "\n", "''$'\\n'", "''$'\\n'" },
		{ "a\n", "'a'$'\\n'", "'a'$'\\n'" },
		{ "\033[31m", "''$'\\033''[31m'", "''$'\\033''[31m'" },
		{ "\a\b\t\v\f\r", "''$'\\a\\b\\t\\v\\f\\r'", "''$'\\a\\b\\t\\v\\f\\r'" },
		{ "\177", "''$'\\177'", "''$'\\177'" },
		{ "\0011", "''$'\\001''1'", "''$'\\001''1'" },
		{ "'\n'", "''\\'''$'\\n'\\'''", "''\\'''$'\\n'\\'''" },
		{ "gr\xc3\xbc\xc3\x9f", "'gr'$'\\303\\274\\303\\237'",
		  "'gr\xc3\xbc\xc3\x9f'" },
		{ "\xe9t\xe9", "''$'\\351''t'$'\\351'", "''$'\\351''t'$'\\351'" },
		{ "cut \xe2\x82", "'cut '$'\\342\\202'", "'cut '$'\\342\\202'" },
		{ "\xc2\x9b", "''$'\\302\\233'", "''$'\\302\\233'" },
		{ "\xed\xa0\x80", "''$'\\355\\240\\200'", "''$'\\355\\240\\200'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_non_null(setlocale(LC_CTYPE, "C"));
		check_str(cases[i].name, quote(cases[i].name), cases[i].plain);
		assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
		check_str(cases[i].name, quote(cases[i].name), cases[i].utf8);
	}
}

/* Four stay valid at a time. */
static void test_four(void **state UNUSED)
{
	const char *a = quote("a"), *b = quote("b"), *c = quote("c"), *d = quote("d");

	assert_string_equal(a, "'a'");
	assert_string_equal(b, "'b'");
	assert_string_equal(c, "'c'");
	assert_string_equal(d, "'d'");
}

/* Nothing that a terminal acts on is in the quoted name. */
static void check_harmless(const char *text)
{
	for (; *text; text++)
		assert_false((unsigned char)*text < ' ' || *text == 127);
}

#define NAMES 200

static void make_name(char *name, size_t size)
{
	static const char sharp[] =
		"'\"\\$`!\n\t\033 *?[]{}#~;&|<>()=-0123\xc3\xa9\xe2\x82\xac";
	size_t n = 1 + unit_below(size - 1);

	for (size_t i = 0; i < n; i++)
		name[i] = unit_below(2) ? sharp[unit_below(sizeof(sharp) - 1)]
					: (char)(1 + unit_below(255));
	name[n] = '\0';
}

/*
 * One bash for all names: printf writes each and a NUL. bash itself runs in both locales,
 * for what it reads must not depend on ours.
 */
static void read_back(const char *locale, const char *shell_locale)
{
	static char name[NAMES][64];
	char *dir = unit_directory(), *script = NULL, *command = NULL;
	FILE *out, *in;

	assert_non_null(setlocale(LC_CTYPE, locale));
	assert_true(asprintf(&script, "%s/script", dir) > 0);
	out = fopen(script, "w");
	assert_non_null(out);
	for (size_t i = 0; i < NAMES; i++) {
		const char *quoted;

		if (i < 255 && i % 2)
			(void)snprintf(name[i], sizeof(name[i]), "a%cb", (int)(1 + i));
		else
			make_name(name[i], sizeof(name[i]));
		quoted = quote(name[i]);
		check_harmless(quoted);
		assert_true(fprintf(out, "printf '%%s\\0' %s\n", quoted) > 0);
	}
	assert_int_equal(fclose(out), 0);
	assert_true(asprintf(&command, "LC_ALL=%s bash -c \"$(cat '%s')\"", shell_locale,
			     script) > 0);
	in = popen(command, "r");
	assert_non_null(in);
	for (size_t i = 0; i < NAMES; i++) {
		char *got = NULL;
		size_t room = 0;

		check(quote(name[i]), getdelim(&got, &room, '\0', in) > 0);
		check_str(quote(name[i]), got, name[i]);
		free(got);
	}
	assert_int_equal(fgetc(in), EOF);
	assert_int_equal(pclose(in), 0);
	free(command);
	free(script);
	unit_remove(dir);
}

static void test_bash(void **state UNUSED)
{
	static const char *const locales[] = { "C", "C.UTF-8" };

	unit_seed("quote", 0);
	for (size_t i = 0; i < ARRAY_SIZE(locales); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(locales); j++)
			read_back(locales[i], locales[j]);
	}
}

/* As a shell needs it, and the sentence, which goes on with a colon. */
static void only_where_needed(void **state UNUSED)
{
	static const char *const bare[] = { "a",  "a/b", "a#b", "a~", "a]b", "{a", "a}b",
					    "]a", "a,b", "a@b", "+a", "%",   "-a", "_" };
	static const char *const quoted[] = { "",    "#a",  "~",   "~a",  "{",   "}",
					      "a b", "a:b", "a?b", "a*b", "a[b", "a!b",
					      "a$b", "a=b", "a|b", "a^b", "a;b" };

	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++)
		check_str(bare[i], quote_if_needed(bare[i]), bare[i]);
	for (size_t i = 0; i < sizeof(quoted) / sizeof(*quoted); i++)
		check_str(quoted[i], quote_if_needed(quoted[i]), quote(quoted[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_where_needed),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_four),
		cmocka_unit_test(test_bash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
