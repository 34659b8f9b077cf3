#include "gcn.h"

pl_status gcn_observe(pl_net *net, void *state) {
  const gcn_values *v = gcn_values_of(&net->spec);
  gcn_record *r = state;
  bool wanted = v->record_attribution && gcn_own_of(net)->data.truth;
  for (int p = PL_VALIDATION; p < PL_NUM_PARTS && wanted; p++)
    if (net->count[p] > 0) gcn_attribution_scores(net, (pl_part)p, v->record_graphs, r->auroc[p]);
  return PL_OK;
}

static bool two_classes(const pl_spec *spec, const void *context) {
  graph_shape s;
  (void)context;
  return !graph_set_shape(spec, &s) && s.classes == 2;
}
static bool two_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && two_classes(spec, context);
}
static bool two_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && two_classes(spec, context);
}
static bool attributed(const pl_spec *spec) {
  graph_shape s;
  return gcn_values_of(spec)->record_attribution && !graph_set_shape(spec, &s) && s.explained > 0;
}
static bool attributed_validation(const pl_spec *spec, const void *context) {
  return pl_net_wants_validation(spec, context) && attributed(spec);
}
static bool attributed_test(const pl_spec *spec, const void *context) {
  return pl_net_wants_test(spec, context) && attributed(spec);
}

#define NODES(method, name, words)                                                                 \
  {"validation_auroc_" name,                                                                       \
   NULL,                                                                                           \
   "1",                                                                                            \
   "AUROC of node attributions, " words ", in graphs of the validation part",                      \
   .wanted = attributed_validation,                                                                \
   .better = 1,                                                                                    \
   .from = offsetof(gcn_record, auroc[PL_VALIDATION][method])},                                    \
  {                                                                                                \
    "test_auroc_" name, NULL, "1",                                                                 \
        "AUROC of node attributions, " words ", in graphs of the test part",                       \
        .wanted = attributed_test, .better = 1,                                                    \
        .from = offsetof(gcn_record, auroc[PL_TEST][method])                                       \
  }

static const pl_measure rows[] = {
    PL_NET_METRIC(GCN_ACCURACY, "accuracy", PL_ACCURACY, 1),
    PL_NET_METRIC_WHERE(GCN_AUROC, "auroc", "area under the ROC curve of class 1", 1, two_classes,
                        two_validation, two_test),
    NODES(METHOD_CAM, "cam", "class activation maps"),
    NODES(METHOD_GRADINPUT, "gradinput", "gradient times input"),
    NODES(METHOD_IG, "ig", "integrated gradients"),
    NODES(METHOD_SENSITIVITY, "sensitivity", "norm of the gradient"),
};
const pl_measures gcn_measures = PL_MEASURES(rows);
