#include "tape/ops.h"

#include "table.h"

const pl_tape_op *pl_tape_builtin(int i) {
  static const pl_tape_op *const tables[] = {
      pl_unary_ops, pl_binary_ops, pl_product_ops, pl_reduce_ops,  pl_softmax_ops,
      pl_move_ops,  pl_max_ops,    pl_image_ops,   pl_dropout_ops, pl_solve_ops};
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
    for (const pl_tape_op *op = tables[k]; op->name; op++)
      if (i-- == 0) return op;
  return NULL;
}
