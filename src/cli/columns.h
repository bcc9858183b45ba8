/* SPDX-License-Identifier: MIT */
/* How wide text is on a terminal, and how wide the terminal is. */
#pragma once

/* Of a whole text, in the characters of the locale. */
int columns_of(const char *text);

/* The bytes of so many whole characters from the beginning of text on as fit into width
   columns. */
int columns_fit(const char *text, int width);

/* Those of the terminal that fd is; 0 if it is none, or nobody knows. */
int columns_of_terminal(int fd);

/* The columns that a bar may have behind before others, so that a line of the terminal on
   standard output holds both; at most most. Without a terminal a line has 80. */
unsigned int columns_of_bar(unsigned int before, unsigned int most);
