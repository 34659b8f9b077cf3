/* The room's rows for the tape, and what their files share. */
#ifndef PL_NETS_SEQUENCE_OPS_TABLE_H
#define PL_NETS_SEQUENCE_OPS_TABLE_H

#include "base/status.h"
#include "ops.h"

extern const pl_tape_op sequence_lstm_op, sequence_scores_op, sequence_mix_op;

#endif
