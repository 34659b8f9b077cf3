#include "status_table.h"

#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void json_text(const char *text, int n) {
  putchar('"');
  for (int i = 0; i < n && text[i]; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < ' ')
      printf("\\u%04x", c);
    else
      printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
  }
  putchar('"');
}

/* A number, true or false; null where there is none. */
static void json_cell(const column *c, int64_t run) {
  char *end;
  const char *text = status_cell(c, run);
  bool flag = !strcmp(c->name, "separated") || !strcmp(c->name, "converged");
  if (!*text)
    printf("null");
  else if (flag)
    printf("%s", !strcmp(text, "yes") ? "true" : "false");
  else if (c->text)
    json_text(text, c->size);
  else
    printf("%s", isfinite(strtod(text, &end)) ? text : "null");
}

/* The column "done/all" as two. */
static void json_steps(const char *text) {
  const char *all = strchr(text, '/') + 1;
  printf("\"steps_done\": %.*s, \"steps\": %s", (int)(all - 1 - text), text, *all ? all : "null");
}

static void json_run(const table *t, int64_t run) {
  for (int i = 0; i < t->num_columns; i++) {
    const column *c = &t->columns[i];
    printf(i ? ", " : "    {");
    if (!strcmp(c->name, "steps") && strchr(status_cell(c, run), '/')) {
      json_steps(status_cell(c, run));
      continue;
    }
    json_text(c->name, (int)strcspn(c->name, "/"));
    printf(": ");
    json_cell(c, run);
  }
  putchar('}');
}

void status_print_json(const table *t, const pl_lock_holder *holder, int state) {
  char who[600];
  counts c = status_count(t);
  char *title = pl_nc_get_att_string(t->nc, NULL, "title");
  printf("{\n  \"file\": ");
  json_text(pl_nc_path(t->nc), INT_MAX);
  printf(",\n  \"title\": ");
  json_text(title ? title : "", INT_MAX);
  printf(",\n  \"in_use\": ");
  if (t->written)
    json_text(pl_lock_describe(holder, who, sizeof who), INT_MAX);
  else
    printf("false");
  printf(",\n  \"counts\": {");
  for (int i = 0; i < PL_NUM_RUN_STATES; i++)
    printf("%s\"%s\": %lld", i ? ", " : "", status_state_name(t, status_told[i]),
           (long long)c.of[status_told[i]]);
  printf("},\n  \"runs\": [");
  const char *separator = "\n";
  for (int64_t r = 0; r < t->runs && !ferror(stdout); r++) {
    if (state >= 0 && t->state[r] != state) continue;
    fputs(separator, stdout);
    json_run(t, r);
    separator = ",\n";
  }
  printf("\n  ]\n}\n");
  pl_free(title);
}
