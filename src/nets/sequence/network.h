/* The pointer network from inside: weights, a batch of instances on a tape, log-probabilities.
 * Inside this room only. */
#ifndef PL_NETS_SEQUENCE_NETWORK_H
#define PL_NETS_SEQUENCE_NETWORK_H

#include "keys.h"
#include "ops.h"
#include "source.h"

/* Numbers of the weights in net->weight; -1: this network has none.  Shapes: README.md. */
typedef struct places {
  int encoder_input, encoder_state, encoder_bias; /* LSTM; of the set: first layer, -1, bias */
  int layer, state, state_bias;                   /* of the set: three a layer, from `layer` on */
  int end, start;
  int decoder_input, decoder_state, decoder_bias;
  int key, query, score;
  int output, output_bias;
} places;

/* net->own. */
typedef struct pointer_own {
  source source;
  places at;
  int symbols; /* symbols of seq2seq and none: 0 .. the largest training size */
  struct measures *measures;
} pointer_own;

static inline const pointer_own *own_of(const pl_net *net) {
  return net->own;
}

/* Adds all weights (pl_net_add) for points of so many coordinates; symbols as above. */
void network_add(pl_net *net, int coordinates, int symbols, places *at);

/* ---- instances on a tape ---- */

/* Instances side by side; [count] in the caller's order unless it says otherwise. */
typedef struct batch {
  int64_t count;
  const problem *p;
  int widest;     /* points of the largest */
  int64_t *first; /* [count + 1]: points before each, in order */
  int *rank;      /* place among the longest first */
  packed enc;     /* the encoder's steps; unused for sets */
  int64_t keys;   /* rows of keys: one for the end symbol and one a point, instance by instance */
  int64_t *key_start; /* [count + 1] */
} batch;

/* Instances of a take, drawn onto the tape; without outputs: of length 0. */
batch batch_of_take(pl_tape *t, const source *s, const pl_take *take);
batch batch_of(pl_tape *t, int64_t count, const problem *p);

/* What the encoder makes of them. */
typedef struct encoded {
  pl_node *states; /* e_j: [keys][width], the end symbol before the points of each */
  pl_node *keys;   /* W_1 e_j, likewise; NULL without attention */
  pl_node *h, *c;  /* what the decoder starts from: [count][width] */
  pl_node *points; /* [1 + all points][coordinates]: the start input, then the points in order */
} encoded;
encoded network_encode(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b);

/* log p(output, end | points) of each instance, [count][1].  masked: over the symbols that keep the
 * output valid alone. */
pl_node *network_log_probabilities(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                                   bool masked);

/* Can the network say anything about an instance of n points? */
bool network_reaches(const pl_net *net, int points);

/* ---- decoding ---- */

enum { PICK_BEST, PICK_BEAM, PICK_RANDOM };

typedef struct decoding {
  int pick;
  int beam;
  bool mask;
  int begin;             /* the first symbol, which then is no choice; 0: it is one */
  uint64_t seed, stream; /* PICK_RANDOM: of sequence `first` + i */
  int64_t first;
} decoding;

/* The keys' decoding. */
decoding network_decoding(const pl_spec *spec);
/* An output of each instance into output + i * room (room: most(n) + 1 of the largest) and its
 * length; log_p, where not NULL, the logarithm of the probability of the output with its end.  A
 * sequence that does not end within most(n) symbols is cut behind one more; where scores are no
 * numbers the length is 0 and log_p is NaN.  Local; allocates. */
void network_decode(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                    const decoding *d, int room, int *output, int *length, double *log_p);

/* ---- measures ---- */

extern const pl_measures pointer_measures;
enum { METRIC_NLL, METRIC_EXACT, NUM_METRICS };
void pointer_metrics(pl_net *net, pl_part part, double *metric);
pl_status pointer_observe(pl_net *net, void *state);
pl_status pointer_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                       void (**free_context)(void *));

#endif
