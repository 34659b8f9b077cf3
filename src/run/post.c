#include "post.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { HEAD = (sizeof(pl_news) + 7) / 8, BLOCK = 1 << 16 }; /* doubles */

void pl_post_init(pl_post *p, const pl_comm *world, int tag, int64_t longest) {
  bool fits = HEAD + longest <= BLOCK;
  *p = (pl_post){.world = world,
                 .tag = tag,
                 .slots = fits ? PL_POST_SLOTS : 2,
                 .room = fits ? BLOCK : HEAD + longest,
                 .since = INFINITY};
  for (int k = 0; k < p->slots; k++) {
    p->message[k] = pl_alloc((size_t)p->room, sizeof(double), "messages");
    p->sending[k] = MPI_REQUEST_NULL;
  }
}

void pl_post_fini(pl_post *p) {
  for (int k = 0; k < p->slots; k++) pl_free(p->message[k]);
}

void pl_post_send(pl_post *p) {
  if (!p->gathered) return;
  MPI_Isend(p->message[p->slot], pl_int(p->gathered), MPI_DOUBLE, 0, p->tag, p->world->mpi,
            &p->sending[p->slot]);
  p->slot = (p->slot + 1) % p->slots;
  p->gathered = 0;
  p->since = INFINITY;
}

void pl_post_tell(pl_post *p, pl_news news, const double *values) {
  if (p->gathered + HEAD + news.n > p->room) pl_post_send(p);
  if (!p->gathered) {
    MPI_Wait(&p->sending[p->slot], MPI_STATUS_IGNORE);
    p->since = pl_clock();
  }
  double *m = p->message[p->slot] + p->gathered;
  memcpy(m, &news, sizeof news);
  if (news.n) memcpy(m + HEAD, values, (size_t)news.n * sizeof *m);
  p->gathered += HEAD + news.n;
}

void pl_post_before(pl_post *p, double seconds) {
  if (p->since + PL_POST_CARRY < pl_clock() + seconds) pl_post_send(p);
}

void pl_post_finish(pl_post *p) {
  pl_post_send(p);
  MPI_Waitall(p->slots, p->sending, MPI_STATUSES_IGNORE);
}

void pl_post_serve(pl_post *p,
                   void (*on_news)(void *context, const pl_news *news, const double *values,
                                   int from),
                   void *context) {
  double *buffer = p->message[0]; /* rank 0 tells itself nothing */
  for (;;) {
    int there, n;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, p->tag, p->world->mpi, &there, &status);
    if (!there) return;
    MPI_Get_count(&status, MPI_DOUBLE, &n);
    MPI_Recv(buffer, n, MPI_DOUBLE, status.MPI_SOURCE, p->tag, p->world->mpi, MPI_STATUS_IGNORE);
    for (const double *at = buffer; at < buffer + n;) {
      pl_news news;
      memcpy(&news, at, sizeof news);
      on_news(context, &news, at + HEAD, status.MPI_SOURCE);
      at += HEAD + news.n;
    }
  }
}
