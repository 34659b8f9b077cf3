/* Regularisers of the linear G-CNN (model/regularizer.h), in Fourier space:
 *
 *     BRO  = sum over layers of || sum_k W_k W_k^T - 1 ||_F^2, W_k the operator on functions over G
 *          = sum over layers and irreps of m d || sum_k W_k,rho W_k,rho^H - I ||_F^2
 *     Gini : of the read-outs' values w_L,k(g) over G, the mean over k
 *
 * regularizer.layer says whether of the first layer or of all.  In a band BRO is that of its
 * irreps; there are no values over G. */
#ifndef PL_NETS_GROUP_GCNN_REGULAR_H
#define PL_NETS_GROUP_GCNN_REGULAR_H

#include "gcnn_net.h"

typedef struct gcnn_regular gcnn_regular;

/* m->regular and m->net.terms, where the spec asks for them; before the samples are there.  Local.
 */
void gcnn_regular_new(gcnn *m);
void gcnn_regular_free(gcnn_regular *r);

/* One stack's part of BRO, added to the sums of the step.  Collective over the stack's grid. */
void gcnn_regular_forward(gcnn *m, const pl_stack *b);
/* Before a filter of the stack moves: what the gradients below need.  Likewise. */
void gcnn_regular_begin(gcnn *m, const pl_stack *b);
/* g += the regularisers' part of the gradient by W_l,k, which has not moved yet.  Likewise. */
void gcnn_regular_add(gcnn *m, int l, int k, const pl_stack *b, double *g);

/* Do the keys fit each other?  As pl_model_kind. */
const char *gcnn_regular_fits(const pl_spec *spec);

/* At the present weights; gini NaN: not computed. */
double gcnn_regular_bro(const gcnn_regular *r);
double gcnn_regular_gini(const gcnn_regular *r);

#endif
