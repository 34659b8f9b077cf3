/* The pointwise part of an LSTM step, over one row of a sequence.  Gates stand side by side in the
 * order i, f, g, o, width H each; c' = f c + i g, h = o tanh c'.  Local, pure. */
#ifndef PL_NETS_SEQUENCE_CELL_H
#define PL_NETS_SEQUENCE_CELL_H

#include <stdint.h>

/* gate: [4 H], before their functions, overwritten by i, f, g, o; before: c [H]; c: c'; turned:
 * tanh c' (may be h itself where it is not needed any more). */
void cell_forward(int64_t width, double *gate, const double *before, double *c, double *turned,
                  double *h);

/* One step of one row as cell_forward left it. */
typedef struct cell_step {
  const double *gate, *before, *turned;
} cell_step;

/* Its movement along a direction. */
typedef struct cell_motion {
  const double *gate;   /* [4 H]: of i, f, g, o */
  const double *before; /* of c; NULL: it stands still */
  const double *c;      /* of c' */
} cell_motion;

/* gate: the movement of the gates before their functions, overwritten by that of i, f, g, o; before
 * may be NULL: c stands still; c, h: movements of c' and h. */
void cell_tangent(int64_t width, const cell_step *s, double *gate, const double *before, double *c,
                  double *h);

/* dh: the adjoint of h; dc: of c', overwritten by that of c; dgate: of the gates before their
 * functions. */
void cell_backward(int64_t width, const cell_step *s, const double *dh, double *dc, double *dgate);

/* The same, and how it moves: moved_dh, moved_dc, moved_dgate are the movements of dh, dc, dgate.
 */
void cell_bend(int64_t width, const cell_step *s, const cell_motion *m, const double *dh,
               double *dc, double *dgate, const double *moved_dh, double *moved_dc,
               double *moved_dgate);

#endif
