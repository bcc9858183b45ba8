/* SPDX-License-Identifier: MIT */
/* The width of text on a terminal, and the width of the terminal. */
#pragma once

/* Returns the columns of the whole text, in characters of the locale. */
int columns_of(const char *text);

/* Returns the bytes of the longest beginning of text that consists of complete characters
   and fits into width columns. */
int columns_fit(const char *text, int width);

/* Returns the columns of the terminal fd; 0 if it is not a terminal or they are
   unknown. */
int columns_of_terminal(int fd);

/* Returns the columns that a bar may have after before others, at most most, so that both
   fit a line of the terminal on standard output. Without a terminal a line has 80. */
unsigned int columns_of_bar(unsigned int before, unsigned int most);
