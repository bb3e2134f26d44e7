// Forward and backward pass of a fully connected network (`seven_terms.models.mlp`) on one batch.
#pragma once

#include <utility>

#include "norms.h"
#include "products.h"

// What an update reads. Labels or targets, as the loss asks; `noise` is that of noisy batch norm, [depth, 2, H].
struct Batch {
    const Real *inputs;    // [B, D], [B, T, D]
    const int64_t *labels;  // [B]
    const Real *targets;   // [B, C], or [B, T, C] where every step is read
    const Real *weights;   // [B, T] of the steps that are read, 0 for those that only pad a sequence
    const Real *noise;
    bool is_new;  // not the inputs of the update before
};

// dL/dW and dL/db of y = multiplier x W + bias_multiplier b, from g = dL/dy [rows, ld], which becomes multiplier g. Without multipliers
// the sums may go on from those of rows before.
static void parameters_backward(
    const Matrix &m, Real *found, Left x, Real *g, int rows, Real multiplier = 1, Real bias_multiplier = 1, bool is_kept = false) {
    int ld = m.ld();
    bool has_bias = m.bias >= 0 && !m.is_frozen;
    if (has_bias) sum_rows(g, ld, rows, ld, found + m.bias, is_kept);
    if (has_bias && bias_multiplier != 1)
        for (int j = 0; j < ld; j += LANES) store(found + m.bias + j, bias_multiplier * load(found + m.bias + j));
    if (multiplier != 1)
        for (long i = 0; i < (long)rows * ld; i += LANES) store(g + i, multiplier * load(g + i));
    if (m.is_frozen) return;
    if (m.out == 1 && m.blocks == 1 && x.is_padded() && !is_kept)
        product_of_one(found + m.at, ld, x, g, ld, m.in, rows);
    else
        product(found + m.at, ld, is_kept ? KEPT : ZERO, {x.data, x.column, x.row}, g, ld, m.in, ld, rows);
}

// dL/dx [rows, ld_x] of y = x W from g = dL/dy; `w_transposed` is room for W^T.
static void input_backward(
    const Matrix &m, const Real *row, const Real *g, Real *of_x, Start start, Real *w_transposed, int rows) {
    int ld_x = padded(m.in), used = m.ld() - padded(m.out) + m.out;  // without what pads the last block
    transpose(row + m.at, m.ld(), w_transposed, ld_x, m.in, used);
    product(of_x, ld_x, start, {g, m.ld(), 1}, w_transposed, ld_x, rows, m.in, used);
}

struct Dense {
    const Program &p;
    const Layout &layout;
    int ld;     // of a hidden layer's rows
    long size;  // of a hidden layer's numbers for a batch
    long size_of_inv_std;
    Memory activations, outputs, x_hats, inv_stds;  // of all layers, for the way back
    Memory logits, gradient, below, w_transposed;
    bool is_evaluating = false;

    Dense(const Program &p, const Layout &layout)
        : p(p),
          layout(layout),
          ld(padded(p.width)),
          size((long)p.batch * ld),
          size_of_inv_std(std::max(size, (long)padded(p.batch * p.num_groups))),
          activations(p.depth * size),
          outputs(has_own_outputs() ? p.depth * size : 0),
          x_hats(p.normalized() ? p.depth * size : 0),
          inv_stds(p.normalized() ? p.depth * size_of_inv_std : 0),
          logits((long)p.batch * padded(p.num_outputs)),
          gradient(size),
          below(size),
          w_transposed((long)padded(p.num_outputs > p.width ? p.num_outputs : p.width) * ld) {}

    bool has_own_outputs() const { return p.residual || (p.normalized() && p.normalized_after); }
    Real *activation(int layer) { return activations.data() + layer * size; }
    Real *output(int layer) { return (has_own_outputs() ? outputs : activations).data() + layer * size; }
    int index(int layer) const { return layer * (p.normalized() && p.affine ? 3 : 1); }
    const Matrix &matrix(int layer) const { return layout.matrices[index(layer)]; }
    long gamma(int layer) const { return p.affine ? layout.matrices[index(layer) + 1].at : 0; }
    long beta(int layer) const { return p.affine ? layout.matrices[index(layer) + 2].at : 0; }
    bool skips(int layer) const { return p.residual && matrix(layer).in == p.width; }
    Left input(int layer, const Real *inputs) {
        return layer ? Left{output(layer - 1), ld, 1} : Left{inputs, p.num_inputs, 1};
    }
    // muP, see `seven_terms.models.mlp`.
    Real multiplier(int layer) const { return layer == p.depth ? p.readout_multiplier : layer ? 1 : p.input_multiplier; }
    Real bias_multiplier(int layer) const { return layer == p.depth ? 1 : p.bias_multiplier; }

    // Return outputs [B, padded(C)] by the batch's own statistics, and move no running ones.
    const Real *evaluate_by_batch(const Real *row, const Real *inputs) {
        Memory room(2l * p.depth * ld);
        std::vector<Real *> nobodys;
        for (int i = 0; i < 2 * p.depth; i++) nobodys.push_back(room.data() + (long)i * ld);
        for (int i = 0; i < p.depth; i++) forward(i, row, inputs, nobodys.data(), nullptr);
        apply(p.depth, row, input(p.depth, inputs), logits.data());
        return logits.data();
    }

    // Return outputs [B, padded(C)] in evaluation mode.
    const Real *evaluate(const Real *row, const Real *inputs, Real *const *statistics) {
        is_evaluating = true;
        for (int i = 0; i < p.depth; i++) forward(i, row, inputs, statistics, nullptr);
        apply(p.depth, row, input(p.depth, inputs), logits.data());
        return logits.data();
    }

    // Return the loss of the parameters in `row`, and fill `found` with its gradient; running statistics move.
    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *statistics) {
        for (int i = 0; i < p.depth; i++) forward(i, row, batch.inputs, statistics, batch.noise);
        apply(p.depth, row, input(p.depth, batch.inputs), logits.data());
        Real loss = loss_backward(p, logits.data(), padded(p.num_outputs), batch.labels, batch.targets);
        weights_backward(p.depth, found, batch.inputs, logits.data());
        if (p.trains(Trained::readout)) return loss;
        if (p.depth) input_backward(matrix(p.depth), row, logits.data(), gradient.data(), ZERO, w_transposed.data(), p.batch);
        for (int i = p.depth - 1; i >= 0; i--) backward(i, row, found, batch, statistics);
        return loss;
    }

    void apply(int layer, const Real *row, Left x, Real *y) {
        const Matrix &m = matrix(layer);
        Real a = multiplier(layer), b = bias_multiplier(layer);
        bool is_plain = a == 1 && b == 1;
        Start start = is_plain && m.bias >= 0 ? Start{false, row + m.bias} : ZERO;
        product(y, m.ld(), start, x, row + m.at, m.ld(), p.batch, m.out, m.in);
        if (is_plain) return;
        for (int i = 0; i < p.batch; i++)
            for (int j = 0; j < m.ld(); j += LANES) {
                V scaled = a * load(y + i * m.ld() + j);
                store(y + i * m.ld() + j, m.bias >= 0 ? scaled + b * load(row + m.bias + j) : scaled);
            }
    }

    void forward(int layer, const Real *row, const Real *inputs, Real *const *statistics, const Real *noise) {
        Real *y = activation(layer), *out = output(layer);
        apply(layer, row, input(layer, inputs), y);
        if (p.normalized() && !p.normalized_after) normalize(normalized(layer, row, statistics, noise), y);
        activate(p.activation, y, y, size);
        if (out != y) std::memcpy(out, y, size * sizeof(Real));
        if (p.normalized() && p.normalized_after) normalize(normalized(layer, row, statistics, noise), out);
        if (!skips(layer)) return;
        Left x = input(layer, inputs);
        for (int i = 0; i < p.batch; i++)
            for (int j = 0; j < p.width; j++) out[i * ld + j] += x.data[i * x.row + j];
    }

    Normalized normalized(int layer, const Real *row, Real *const *statistics, const Real *noise) {
        bool has_running = p.has(Norm::batch);
        return {p,
                ld,
                row + gamma(layer),
                row + beta(layer),
                x_hats.data() + layer * size,
                inv_stds.data() + layer * size_of_inv_std,
                has_running ? statistics[2 * layer] : nullptr,
                has_running ? statistics[2 * layer + 1] : nullptr,
                noise ? noise + 2l * layer * p.width : nullptr,
                noise ? noise + (2l * layer + 1) * p.width : nullptr};
    }

    void normalize(const Normalized &n, Real *x) {
        if (p.has(Norm::group)) return group_norm(n, x);
        is_evaluating ? batch_norm_by_running(n, x) : batch_norm(n, x);
    }

    void normalized_backward(int layer, const Real *row, Real *found, const Batch &batch, Real *const *statistics) {
        auto *back = p.has(Norm::group) ? group_norm_backward : batch_norm_backward;
        back(normalized(layer, row, statistics, batch.noise), gradient.data(), found + gamma(layer), found + beta(layer));
    }

    void weights_backward(int layer, Real *found, const Real *inputs, Real *g) {
        parameters_backward(matrix(layer), found, input(layer, inputs), g, p.batch, multiplier(layer), bias_multiplier(layer));
    }

    // `gradient` holds dL/d(output of the layer), and afterwards that of the layer below.
    void backward(int layer, const Real *row, Real *found, const Batch &batch, Real *const *statistics) {
        Real *g = gradient.data();
        if (layer && skips(layer)) std::memcpy(below.data(), g, size * sizeof(Real));
        if (p.normalized() && p.normalized_after) normalized_backward(layer, row, found, batch, statistics);
        times_slope(p.activation, g, activation(layer), size);
        if (p.normalized() && !p.normalized_after) normalized_backward(layer, row, found, batch, statistics);
        weights_backward(layer, found, batch.inputs, g);
        if (!layer) return;
        input_backward(matrix(layer), row, g, below.data(), skips(layer) ? KEPT : ZERO, w_transposed.data(), p.batch);
        std::swap(gradient, below);
    }
};
