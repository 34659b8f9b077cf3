/* The post between team leaders and rank 0, who keeps the list of runs and the output.  Most runs
 * are short: news of them wait a moment and travel together.  Beside sweep.c only. */
#ifndef PL_RUN_POST_H
#define PL_RUN_POST_H

#include "base/comm.h"
#include "run/train.h"

typedef enum {
  PL_NEWS_WANT,   /* a team asks for runs */
  PL_NEWS_START,  /* of a run: index is the number of its ranks */
  PL_NEWS_RECORD, /* index is its number, n the values of it */
  PL_NEWS_SAVED,  /* there is a checkpoint */
  PL_NEWS_END,    /* with outcome */
  PL_NEWS_BACK    /* run, and more of them up to index in all: not begun, or not set up */
} pl_news_kind;

/* A piece of news; n values follow. */
typedef struct pl_news {
  int64_t kind, run, index, n;
  pl_outcome outcome;
} pl_news;

/* So many messages are on their way at once, and one is filled: a leader need not wait while rank 0
 * writes. */
enum { PL_POST_SLOTS = 8 };

/* Messages hold pieces of news one behind the other, in the order in which they were told. */
typedef struct pl_post {
  const pl_comm *world; /* borrowed */
  int tag;
  double *message[PL_POST_SLOTS]; /* a leader's: news on their way, those gathered in [slot] */
  MPI_Request sending[PL_POST_SLOTS];
  int slots, slot;  /* those in use: two of long ones are memory enough */
  int64_t room;     /* doubles of a message */
  int64_t gathered; /* .. of it used */
  double since;     /* pl_clock of the oldest; infinity: there is none */
} pl_post;

/* News wait at most so long (seconds); by prediction, as PL_KEEPER_GATHER. */
#define PL_POST_CARRY 0.1

/* longest: doubles of the longest record, the same on every rank.  Local. */
void pl_post_init(pl_post *p, const pl_comm *world, int tag, int64_t longest);
void pl_post_fini(pl_post *p);

/* For rank 0, to be sent with those that follow.  Local; values are copied. */
void pl_post_tell(pl_post *p, pl_news news, const double *values);
/* What has been told goes out now, */
void pl_post_send(pl_post *p);
/* .. if it would have waited too long at the end of something that takes so long and comes next, */
void pl_post_before(pl_post *p, double seconds);
/* .. and has left when this returns. */
void pl_post_finish(pl_post *p);

/* On rank 0: take all letters out of the mailbox. */
void pl_post_serve(pl_post *p,
                   void (*on_news)(void *context, const pl_news *news, const double *values,
                                   int from),
                   void *context);

#endif
