/* Text of files that users wrote, on any system.  Local, pure. */
#ifndef PL_BASE_TEXT_H
#define PL_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Behind the mark of UTF-8 (byte order mark) that some editors put before all else. */
char *pl_text_start(char *text);
/* The line that begins at *at, its end replaced by a zero; *at moves behind it.  Lines end in LF,
 * CR LF or CR alone.  NULL where the text ends. */
char *pl_text_line(char **at);
/* The first byte that is not UTF-8 as Unicode has it (no surrogates, nothing longer than need be);
 * -1 if all is. */
int64_t pl_text_not_utf8(const char *text, size_t n);

#endif
