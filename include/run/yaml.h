/* YAML text to a small tree, through libyaml.  Local; safe on any bytes. */
#ifndef PL_RUN_YAML_H
#define PL_RUN_YAML_H

#include "base/status.h"
#include "run/arena.h"

#include <stdbool.h>

typedef enum { PL_YAML_TEXT, PL_YAML_LIST, PL_YAML_MAP } pl_yaml_kind;

/* One value.  All of it lives in the arena. */
typedef struct pl_yaml {
  pl_yaml_kind kind;
  int line;                    /* where it starts, from 1 */
  int weight;                  /* nodes in this tree, shared ones (aliases) counted each time */
  bool plain;                  /* text without quotes */
  const char *text;            /* UTF-8, free of zero bytes */
  const struct pl_yaml *first; /* entries of a list; key, value, key, value .. of a mapping */
  const struct pl_yaml *next;  /* the entry after this one */
} pl_yaml;

/* Parse exactly one document of len bytes.  Aliases copy what they name.  A mark
 * of UTF-8 (BOM) before all else is skipped; lines end in LF, CR LF or CR.  PL_EINPUT: not YAML,
 * no document or several, over 10^6 nodes, nested over 32 deep; the message has no place, *line
 * has the line it speaks of (0: the whole text). */
pl_status pl_yaml_parse(const char *text, size_t len, pl_arena *arena, const pl_yaml **out,
                        int *line);

/* text for use in a message: one line, printable, clipped to n - 1 bytes.  Returns buf. */
const char *pl_yaml_clip(const char *text, char *buf, size_t n);
/* The same for any node: lists and mappings in words. */
const char *pl_yaml_show(const pl_yaml *node, char *buf, size_t n);

#endif
