"""The pointer network and its baselines in PyTorch, as a user would write them, with weights as our
files have them: y = x W + b with W (in, out), gates in the order i, f, g, o."""

import torch


def lstm(w, name):
    inputs, gates = w[f"{name}_input_weight"].shape
    layer = torch.nn.LSTM(inputs, gates // 4, batch_first=True, dtype=w[f"{name}_bias"].dtype)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(w[f"{name}_input_weight"].T)
        layer.weight_hh_l0.copy_(w[f"{name}_state_weight"].T)
        layer.bias_ih_l0.copy_(w[f"{name}_bias"][0])
        layer.bias_hh_l0.zero_()  # one bias is enough
    layer.bias_hh_l0.requires_grad_(False)
    return layer


def weights_of_lstm(layer, name):
    return {f"{name}_input_weight": layer.weight_ih_l0.T,
            f"{name}_state_weight": layer.weight_hh_l0.T, f"{name}_bias": layer.bias_ih_l0[None]}


class Pointer(torch.nn.Module):
    def __init__(self, w, encoder="lstm", attention="pointer"):
        super().__init__()
        self.attention = attention
        self.encoder = lstm(w, "encoder") if encoder == "lstm" else None
        self.decoder = lstm(w, "decoder")
        self.w = torch.nn.ParameterDict({
            k: torch.nn.Parameter(v.clone()) for k, v in w.items()
            if not k.startswith("decoder") and not (self.encoder and k.startswith("encoder"))})

    def encode(self, x):
        """States of the points, [batch, n, width], and the decoder's first (h, c)."""
        if self.encoder:
            e, (h, c) = self.encoder(x)
            return e, (h, c)
        w = self.w
        e = x @ w["encoder_input_weight"] + w["encoder_bias"]
        layer = 0
        while f"layer{layer}_weight" in w:
            mean = e.mean(1, keepdim=True) @ w[f"layer{layer}_mean_weight"]
            e = e + torch.relu(e @ w[f"layer{layer}_weight"] + w[f"layer{layer}_bias"] + mean)
            layer += 1
        h, c = torch.tanh(e.mean(1) @ w["state_weight"] + w["state_bias"]).chunk(2, 1)
        return e, (h[None].contiguous(), c[None].contiguous())

    def logits(self, x, output):
        """x: [batch, n, coordinates]; output: [batch, length], symbols 1..n; one step more for the
        end: [batch, length + 1, symbols]."""
        w, batch = self.w, len(x)
        e, state = self.encode(x)
        chosen = torch.gather(x, 1, (output - 1)[..., None].expand(-1, -1, x.shape[2]))
        d, _ = self.decoder(torch.cat([w["start_input"].expand(batch, 1, -1), chosen], 1), state)
        if self.attention != "none":
            e = torch.cat([w["end_state"].expand(batch, 1, -1), e], 1)
            keys, queries = e @ w["key_weight"], d @ w["query_weight"]
            u = torch.tanh(keys[:, None] + queries[:, :, None]) @ w["score_weight"]
            u = u.squeeze(-1)
            if self.attention == "pointer":
                return u
            d = torch.cat([d, torch.softmax(u, 2) @ e], 2)
        f = d @ w["output_weight"] + w["output_bias"]
        return f[:, :, : x.shape[1] + 1]

    def log_p(self, x, output):
        """log p(output, end | x), [batch]."""
        end = torch.zeros(len(x), 1, dtype=torch.long)
        p = torch.log_softmax(self.logits(x, output), 2)
        return torch.gather(p, 2, torch.cat([output, end], 1)[..., None]).sum((1, 2))

    def trained(self):
        return [p for p in self.parameters() if p.requires_grad]

    def weights(self):
        """Back under our names."""
        out = dict(self.w.items()) | weights_of_lstm(self.decoder, "decoder")
        return out | (weights_of_lstm(self.encoder, "encoder") if self.encoder else {})


def shapes(width, coordinates=2):
    """Of the pointer network with an LSTM encoder."""
    out = {"end_state": (1, width), "start_input": (1, coordinates), "key_weight": (width, width),
           "query_weight": (width, width), "score_weight": (width, 1)}
    for name in ("encoder", "decoder"):
        out |= {f"{name}_input_weight": (coordinates, 4 * width),
                f"{name}_state_weight": (width, 4 * width), f"{name}_bias": (1, 4 * width)}
    return out
