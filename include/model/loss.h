/* Losses over margins m_i = y_i f(x_i), in log space: margins pass 700 in long runs. */
#ifndef PL_MODEL_LOSS_H
#define PL_MODEL_LOSS_H

#include <stdint.h>

enum { PL_LOSS_EXPONENTIAL, PL_LOSS_LOGISTIC };
/* Word i of them as a key has it; NULL past the last. */
const char *pl_margin_loss_name(int i);

/* log of (1/n) sum_i l(m_i), l = exp(-m) (PL_LOSS_EXPONENTIAL) or log(1 + exp(-m))
 * (PL_LOSS_LOGISTIC).  Local, pure.  Not finite if some margin is not. */
double pl_log_loss(int64_t loss, int64_t n, const double *m);

/* Minus the derivative by the margins: -dLoss/dm_i = exp(*log_scale) a[i], max a = 1.  Returns
 * nothing useful when some margin is not finite.  Local, pure. */
void pl_loss_weights(int64_t loss, int64_t n, const double *m, double *log_scale, double *a);

#endif
