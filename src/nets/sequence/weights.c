#include "network.h"

#include <stdio.h>

static int add(pl_net *net, const char *name, const char *what, int layer, int64_t rows,
               int64_t cols) {
  pl_net_weight w = {.group = rows == 1 ? "bias" : "weight",
                     .layer = layer,
                     .rows = rows,
                     .cols = cols,
                     .init = PL_INIT_SPREAD,
                     .scale = pointer_values_of(&net->spec)->init_scale};
  snprintf(w.name, sizeof w.name, "%s", name);
  snprintf(w.what, sizeof w.what, "%s", what);
  return pl_net_add(net, w);
}

/* Gates side by side in the order i, f, g, o. */
static void add_lstm(pl_net *net, const char *name, int layer, int64_t inputs, int64_t width,
                     int *input, int *state, int *bias) {
  char weight[48], what[96];
  snprintf(weight, sizeof weight, "%s_input_weight", name);
  snprintf(what, sizeof what, "gates i, f, g, o of the %s from its input", name);
  *input = add(net, weight, what, layer, inputs, 4 * width);
  snprintf(weight, sizeof weight, "%s_state_weight", name);
  snprintf(what, sizeof what, "gates of the %s from its state", name);
  *state = add(net, weight, what, layer, width, 4 * width);
  snprintf(weight, sizeof weight, "%s_bias", name);
  snprintf(what, sizeof what, "bias of the gates of the %s", name);
  *bias = add(net, weight, what, layer, 1, 4 * width);
}

static void add_set(pl_net *net, int64_t inputs, int64_t width, int64_t depth, places *at) {
  at->encoder_input = add(net, "encoder_input_weight", "states of single points", 0, inputs, width);
  at->encoder_bias = add(net, "encoder_bias", "bias of the states of single points", 0, 1, width);
  at->layer = net->num_weights;
  for (int l = 0; l < depth; l++) {
    char name[48];
    snprintf(name, sizeof name, "layer%d_weight", l);
    add(net, name, "a layer of the set, from a point itself", l, width, width);
    snprintf(name, sizeof name, "layer%d_mean_weight", l);
    add(net, name, "a layer of the set, from the mean of all points", l, width, width);
    snprintf(name, sizeof name, "layer%d_bias", l);
    add(net, name, "bias of a layer of the set", l, 1, width);
  }
  int last = (int)depth;
  at->state = add(net, "state_weight", "the decoder's first h and c from the mean of all points",
                  last, width, 2 * width);
  at->state_bias =
      add(net, "state_bias", "bias of the decoder's first h and c", last, 1, 2 * width);
}

void network_add(pl_net *net, int coordinates, int symbols, places *at) {
  const pointer_values *v = pointer_values_of(&net->spec);
  int64_t width = v->width;
  *at = (places){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  if (v->encoder == ENCODER_LSTM)
    add_lstm(net, "encoder", 0, coordinates, width, &at->encoder_input, &at->encoder_state,
             &at->encoder_bias);
  else
    add_set(net, coordinates, width, v->depth, at);
  if (v->attention != ATTENTION_NONE)
    at->end = add(net, "end_state", "state e_0 of the end symbol", 1, 1, width);
  at->start = add(net, "start_input", "the decoder's first input", 1, 1, coordinates);
  add_lstm(net, "decoder", 1, coordinates, width, &at->decoder_input, &at->decoder_state,
           &at->decoder_bias);
  if (v->attention != ATTENTION_NONE) {
    at->key = add(net, "key_weight", "W_1, of the encoder's states", 2, width, width);
    at->query = add(net, "query_weight", "W_2, of the decoder's states", 2, width, width);
    at->score = add(net, "score_weight", "v, of the scores", 2, width, 1);
  }
  if (v->attention == ATTENTION_POINTER) return;
  at->output = add(net, "output_weight", "symbols from the decoder's state and what it looks at", 3,
                   v->attention == ATTENTION_NONE ? width : 2 * width, symbols);
  at->output_bias = add(net, "output_bias", "bias of the symbols", 3, 1, symbols);
}

bool network_reaches(const pl_net *net, int points) {
  return pointer_values_of(&net->spec)->attention == ATTENTION_POINTER ||
         points < own_of(net)->symbols;
}
