#include "output.h"

bool graph_wants_classes(const pl_spec *spec, const void *context) {
  (void)context;
  return graph_classes(spec);
}

static bool validation_classes(const pl_spec *spec, const void *context) {
  return graph_classes(spec) && pl_net_wants_validation(spec, context);
}
static bool test_classes(const pl_spec *spec, const void *context) {
  return graph_classes(spec) && pl_net_wants_test(spec, context);
}

static const pl_measure rows[] = {
    PL_NET_METRIC_WHERE(METRIC_ACCURACY, "accuracy", PL_ACCURACY, 1, graph_wants_classes,
                        validation_classes, test_classes),
    PL_NET_METRIC(METRIC_MSE, "mse", PL_MSE, -1),
    PL_NET_METRIC_WHERE(METRIC_CROSS_ENTROPY, "cross_entropy", "mean cross-entropy", -1,
                        graph_wants_classes, validation_classes, test_classes),
};
const pl_measures graph_output_measures = PL_MEASURES(rows);
