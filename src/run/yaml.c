#include "run/yaml.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* Far above any sweep file; they bound time, memory and stack on hostile input. */
enum { MAX_NODES = 1000000, MAX_DEPTH = 32, MAX_ANCHORS = 100 };

typedef struct reader {
  yaml_parser_t parser;
  pl_arena *arena;
  const char *text;
  size_t mark; /* bytes of the mark of UTF-8 before it */
  int nodes, num_anchors;
  struct {
    const char *name;
    const pl_yaml *node;
  } anchors[MAX_ANCHORS];
  int line; /* of the trouble */
} reader;

static int line_of(yaml_mark_t mark) {
  return mark.line < INT_MAX ? (int)mark.line + 1 : INT_MAX;
}

static pl_status parser_error(reader *r) {
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) pl_die(PL_EENV, "out of memory: parsing YAML");
  const char *problem = p->problem ? p->problem : "not YAML";
  if (p->error == YAML_READER_ERROR) {
    r->line = 1;
    for (size_t i = 0; i < p->problem_offset; i++)
      r->line += r->text[i] == '\n' || (r->text[i] == '\r' && r->text[i + 1] != '\n');
    return pl_error(PL_EINPUT, "%s (byte %zu)", problem, r->mark + p->problem_offset);
  }
  r->line = line_of(p->problem_mark);
  pl_error(PL_EINPUT, "%s (column %zu)", problem, p->problem_mark.column + 1);
  /* An unclosed bracket shows only lines later; the reader needs to know where it opened. */
  if (p->context && p->context_mark.line != p->problem_mark.line)
    pl_error(PL_EINPUT, "%s, %s that began on line %d", pl_error_message(), p->context,
             line_of(p->context_mark));
  if (strstr(problem, "mapping values") || strstr(problem, "expected ','"))
    pl_error(PL_EINPUT, "%s; a value with a colon or a comma needs quotes", pl_error_message());
  return PL_EINPUT;
}

static pl_status next_event(reader *r, yaml_event_t *event) {
  return yaml_parser_parse(&r->parser, event) ? PL_OK : parser_error(r);
}

static pl_status trouble(reader *r, int line, const char *what) {
  r->line = line;
  return pl_error(PL_EINPUT, "%s", what);
}

static pl_status count(reader *r, int line, int nodes) {
  if (nodes > MAX_NODES - r->nodes) return trouble(r, line, "more than 1000000 values");
  r->nodes += nodes;
  return PL_OK;
}

static pl_status find_alias(reader *r, const char *name, pl_yaml *node) {
  /* Backwards: a name may be used again, and the latest holds.  An anchor counts once its node is
   * complete, so no node can contain itself. */
  int i = r->num_anchors - 1;
  while (i >= 0 && strcmp(r->anchors[i].name, name) != 0) i--;
  if (i < 0) return trouble(r, node->line, "alias of an anchor that does not stand before it");
  int line = node->line;
  *node = *r->anchors[i].node;
  node->line = line;
  node->next = NULL;
  return count(r, line, node->weight);
}

static pl_status keep_anchor(reader *r, const char *name, const pl_yaml *node) {
  if (r->num_anchors == MAX_ANCHORS) return trouble(r, node->line, "more than 100 anchors");
  r->anchors[r->num_anchors].name = name;
  r->anchors[r->num_anchors++].node = node;
  return PL_OK;
}

static const char core[] = "tag:yaml.org,2002:";

/* Tags say what a value is; we ask the key.  That of text makes a word text, as quotes do. */
static bool is_text(const yaml_char_t *tag) {
  const char *t = (const char *)tag;
  return t && (!strcmp(t, "!") ||
               (!strncmp(t, core, sizeof core - 1) && !strcmp(t + sizeof core - 1, "str")));
}

/* Others, such as !!binary, ask for a value other than what is written. */
static bool known(const yaml_char_t *tag) {
  static const char *const names[] = {"int", "float", "bool", "null", "seq", "map"};
  const char *t = (const char *)tag;
  if (!t || is_text(tag)) return true;
  if (strncmp(t, core, sizeof core - 1) != 0) return false;
  size_t i = 0;
  while (i < sizeof names / sizeof *names && strcmp(names[i], t + sizeof core - 1) != 0) i++;
  return i < sizeof names / sizeof *names;
}

static pl_status unknown_tag(reader *r, int line, const yaml_char_t *tag) {
  char text[64];
  r->line = line;
  return pl_error(PL_EINPUT, "tag \"%s\": expected a value without one",
                  pl_yaml_clip((const char *)tag, text, sizeof text));
}

/* The next node, or NULL where the list or mapping around it ends. */
static pl_status read_node(reader *r, int depth, pl_yaml **out) {
  yaml_event_t event;
  PL_TRY(next_event(r, &event));
  pl_yaml *node = pl_arena_alloc(r->arena, 1, sizeof *node);
  node->line = line_of(event.start_mark);
  node->weight = 1;
  const yaml_char_t *anchor = NULL, *tag = NULL;
  pl_status st = count(r, node->line, 1);
  bool end = false;
  switch (event.type) {
  case YAML_SCALAR_EVENT:
    anchor = event.data.scalar.anchor;
    tag = event.data.scalar.tag;
    node->plain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_text(tag);
    node->text =
        pl_arena_text(r->arena, (const char *)event.data.scalar.value, event.data.scalar.length);
    if (!st && strlen(node->text) != event.data.scalar.length)
      st = trouble(r, node->line, "text with a zero byte");
    break;
  case YAML_ALIAS_EVENT:
    if (!st) st = find_alias(r, (const char *)event.data.alias.anchor, node);
    break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = event.data.sequence_start.anchor;
    tag = event.data.sequence_start.tag;
    node->kind = PL_YAML_LIST;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = event.data.mapping_start.anchor;
    tag = event.data.mapping_start.tag;
    node->kind = PL_YAML_MAP;
    break;
  default:
    end = true;
  }
  if (!st && !known(tag)) st = unknown_tag(r, node->line, tag);
  const char *name =
      anchor ? pl_arena_text(r->arena, (const char *)anchor, strlen((const char *)anchor)) : NULL;
  bool nested = event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
  yaml_event_delete(&event);
  if (!st && nested && depth == MAX_DEPTH) st = trouble(r, node->line, "nested more than 32 deep");
  const pl_yaml **tail = &node->first;
  while (!st && nested) {
    pl_yaml *entry;
    st = read_node(r, depth + 1, &entry);
    if (st || !entry) break;
    *tail = entry;
    tail = &entry->next;
    node->weight += entry->weight;
  }
  if (!st && name) st = keep_anchor(r, name, node);
  *out = end ? NULL : node;
  return st;
}

/* libyaml compares each %TAG directive with all before it: a file full of them would take hours.
 * Counted anywhere, since lines can end in more ways than \n. */
static bool many_tags(const char *text, size_t len) {
  const char *c = text;
  int n = 0;
  for (; (c = memmem(c, (size_t)(text + len - c), "%TAG", 4)) && n <= MAX_ANCHORS; c += 4) n++;
  return n > MAX_ANCHORS;
}

static pl_status read_document(reader *r, const pl_yaml **out) {
  yaml_event_t event;
  PL_TRY(next_event(r, &event)); /* start of stream */
  yaml_event_delete(&event);
  PL_TRY(next_event(r, &event));
  bool empty = event.type == YAML_STREAM_END_EVENT;
  yaml_event_delete(&event);
  if (empty) return trouble(r, 0, "holds no value");
  pl_yaml *root;
  PL_TRY(read_node(r, 0, &root));
  PL_TRY(next_event(r, &event)); /* end of document */
  yaml_event_delete(&event);
  PL_TRY(next_event(r, &event));
  int line = line_of(event.start_mark);
  bool more = event.type != YAML_STREAM_END_EVENT;
  yaml_event_delete(&event);
  if (more) return trouble(r, line, "a second document begins; expected one");
  *out = root;
  return PL_OK;
}

pl_status pl_yaml_parse(const char *text, size_t len, pl_arena *arena, const pl_yaml **out,
                        int *line) {
  /* Editors may leave it; libyaml, told the encoding, takes it for text. */
  size_t mark = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
  text += mark;
  len -= mark;
  reader r = {.arena = arena, .text = text, .mark = mark};
  *line = 0;
  if (many_tags(text, len)) return pl_error(PL_EINPUT, "more than 100 %%TAG directives");
  if (!yaml_parser_initialize(&r.parser)) pl_die(PL_EENV, "out of memory: parsing YAML");
  /* Never guessed: UTF-16 would make the text kept with the output unreadable. */
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
  pl_status st = read_document(&r, out);
  yaml_parser_delete(&r.parser);
  *line = r.line;
  return st;
}

const char *pl_yaml_clip(const char *text, char *buf, size_t n) {
  size_t len = strlen(text), i = 0;
  for (; i < len && i + 1 < n; i++)
    buf[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
  buf[i] = 0;
  if (i < len && n > 3) {
    /* Cut between characters: continuation bytes of UTF-8 are 10xxxxxx. */
    for (i = n - 3; i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80;) i--;
    memcpy(buf + i, "..", 3);
  }
  return buf;
}

const char *pl_yaml_show(const pl_yaml *node, char *buf, size_t n) {
  if (node->kind == PL_YAML_LIST)
    snprintf(buf, n, "a list");
  else if (node->kind == PL_YAML_MAP)
    snprintf(buf, n, "a mapping");
  else if (node->plain)
    pl_yaml_clip(*node->text ? node->text : "nothing", buf, n);
  else {
    char part[64];
    snprintf(buf, n, "\"%s\"", pl_yaml_clip(node->text, part, sizeof part));
  }
  return buf;
}
