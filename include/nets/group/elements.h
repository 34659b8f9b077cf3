/* Networks over the elements of a group: layers (nets/group/layer.h) one after the other, the last
 * one the read-out.
 *
 *   cnn   linear, convolutions over the cyclic group of the same order and element order
 *   fc    linear, full |G| x |G| matrices, up to order 10^4
 *   gcnn-relu, cnn-relu, fc-relu   with ReLU between layers; no biases, so f(c x) = c f(x), c > 0
 *
 * A linear network sees only sums over samples: sum_i c_i f(x_i) = f(sum_i c_i x_i), so a step is
 * one sample forward and back.  Nonlinear ones are observed through their linearisations: beta_i =
 * df/dx at sample i, for which f(x_i) = <x_i, beta_i>; a record holds the mean over the samples at
 * which beta_i is not zero.
 *
 * Schatten values of beta are measured in the Fourier space of the spec's group, whatever the
 * network.  Initial weights have variance scale^2/|G| each; a pooling read-out is one weight of
 * variance scale^2.  In a team every rank holds the weights and part of the samples.
 *
 * Nonlinear ones take minibatches (train.batch): a step's gradient is that of the mean loss over
 * its batch, at the weights before it.  How the run stands is then the loss of the last batch;
 * records are over the whole training part. */
#ifndef PL_NETS_GROUP_ELEMENTS_H
#define PL_NETS_GROUP_ELEMENTS_H

#include "model/model.h"

extern const pl_model_kind pl_cnn, pl_fc, pl_gcnn_relu, pl_cnn_relu, pl_fc_relu;

#endif
