"""The picture of attributions: graphs, their nodes coloured by each attribution beside the truth."""

import networkx as nx
import numpy as np

import draw
import plancherel_io as pio

METHODS = ["cam", "gradinput", "ig", "sensitivity"]
ATOMS = "C N O S F P Cl Br Na Ca I B H *".split()
SHOWN = 4


def bounds(ds):
    start = ds["graph_start"].values
    return np.append(start, ds.sizes["node"])


def explained(ds, first, last):
    """The alternative of a graph with most nodes; all of them would overlap."""
    truth = ds["attribution"].values[first:last]
    inside = truth.sum(axis=0)
    return truth[:, inside.argmax()].astype(float)


def interesting(ds, bound):
    """Graphs with a truth that some nodes have and some not, first those predicted right."""
    right = np.ones(ds.sizes["graph"], dtype=bool)
    if "label" in ds:
        right = ds["prediction"].values == ds["label"].values
    inside = [explained(ds, *bound[g:g + 2]).mean() if "attribution" in ds else 0.5
              for g in range(ds.sizes["graph"])]
    able = [g for g, share in enumerate(inside) if 0 < share < 1]
    return sorted(able, key=lambda g: not right[g])[:SHOWN]


def place(edges, nodes):
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    return graph, nx.kamada_kawai_layout(graph)


def names(ds, first, last):
    kinds = ds["node_type"].values[first:last]
    molecule = 5 <= int(ds["node_type"].max()) < len(ATOMS)  # motifs have five types
    return {i: ATOMS[k] if molecule else str(k) for i, k in enumerate(kinds)}


def draw_graph(ax, graph, where, colour, label, signed):
    most = np.abs(colour).max() or 1
    nx.draw_networkx_edges(graph, where, ax=ax, edge_color="0.6", width=0.8)
    nx.draw_networkx_nodes(graph, where, ax=ax, node_color=colour, node_size=75, linewidths=0.5,
                           edgecolors="0.4", cmap="RdBu_r" if signed else "Greens",
                           vmin=-most if signed else 0, vmax=most)
    nx.draw_networkx_labels(graph, where, label, ax=ax, font_size=5)
    ax.set_axis_off()


def plot(ds, args):
    for name in ["graph_start", "edge", "node_type", *(f"attribution_{m}" for m in METHODS)]:
        if name not in ds:
            raise pio.InputError(f"no variable {name}: --kind attribution draws what `plancherel "
                                 "apply` writes of model.kind gcn")
    bound, edge = bounds(ds), ds["edge"].values
    chosen = interesting(ds, bound)
    if not chosen:
        raise pio.InputError("no graph in which some nodes explain the class and some do not")
    columns = (["truth"] if "attribution" in ds else []) + METHODS
    size = 1.9 * len(columns), 1.9 * len(chosen)
    figure, axes = draw.grid(len(chosen), len(columns), args, size)
    for k, (row, g) in enumerate(zip(axes, chosen)):
        first, last = bound[g], bound[g + 1]
        own = edge[(edge[:, 0] >= first) & (edge[:, 0] < last)] - first
        graph, where = place(own, last - first)
        for ax, column in zip(row, columns):
            truth = column == "truth"
            colour = (explained(ds, first, last) if truth
                      else ds[f"attribution_{column}"].values[first:last])
            draw_graph(ax, graph, where, colour, names(ds, first, last),
                 not truth and column != "sensitivity")
            if k == 0:
                score = f"auroc_{column}"
                ax.set_title(column + (f" ({float(ds[score]):.3f})" if score in ds else ""))
        row[0].text(0, 1, f"graph {g}", transform=row[0].transAxes, fontsize=6, color="0.4")
    draw.finish(figure, args, "", "red speaks for the class, blue against it; above: AUROC of all graphs"
           if "attribution" in ds else "red speaks for the class, blue against it")
