// Forward and backward pass of a fully connected network (`seven_terms.models.mlp`) on one batch.
#pragma once

#include <utility>

#include "layers.h"
#include "products.h"

// dL/dW and dL/db of y = x W + b, from the gradient of y.
static void parameters_backward(const Matrix &m, float *found, Left x, const float *gradient, int rows) {
    int ld = padded(m.out);
    product(found + m.at, ld, ZERO, {x.data, x.column, x.row}, gradient, ld, m.in, m.out, rows);
    if (m.bias >= 0) sum_rows(gradient, ld, rows, m.out, found + m.bias);
}

struct Dense {
    const Program &p;
    const Layout &layout;
    int ld;     // of a hidden layer's rows
    long size;  // of a hidden layer's numbers for a batch
    Memory activations, outputs, standards, rates;  // of all layers, for the way back
    Memory logits, gradient, below, turned;
    bool is_evaluating = false;

    Dense(const Program &p, const Layout &layout)
        : p(p),
          layout(layout),
          ld(padded(p.width)),
          size((long)p.batch * ld),
          activations(p.depth * size),
          outputs(has_own_outputs() ? p.depth * size : 0),
          standards(p.normalized ? p.depth * size : 0),
          rates((long)p.depth * ld),
          logits((long)p.batch * padded(p.num_outputs)),
          gradient(size),
          below(size),
          turned((long)padded(p.num_outputs > p.width ? p.num_outputs : p.width) * ld) {}

    bool has_own_outputs() const { return p.residual || (p.normalized && p.normalized_after); }
    float *activation(int layer) { return activations.data() + layer * size; }
    float *output(int layer) { return (has_own_outputs() ? outputs : activations).data() + layer * size; }
    float *standard(int layer) { return standards.data() + layer * size; }
    float *rate(int layer) { return rates.data() + layer * ld; }
    const Matrix &matrix(int layer) const { return layout.matrices[layer * (p.normalized && p.affine ? 3 : 1)]; }
    long gain(int layer) const { return p.affine ? (&matrix(layer) + 1)->at : 0; }
    long shift(int layer) const { return p.affine ? (&matrix(layer) + 2)->at : 0; }
    bool skips(int layer) const { return p.residual && matrix(layer).in == p.width; }
    Left input(int layer, const float *inputs) {
        return layer ? Left{output(layer - 1), ld, 1} : Left{inputs, p.num_inputs, 1};
    }

    // Return outputs [batch, padded(num_outputs)] in evaluation mode.
    const float *evaluate(const float *row, const float *inputs, float *const *statistics) {
        is_evaluating = true;
        for (int i = 0; i < p.depth; i++) forward(i, row, inputs, statistics + 2 * i);
        apply(p.depth, row, input(p.depth, inputs), logits.data());
        return logits.data();
    }

    // Return the loss of the parameters in `row` on inputs [batch, num_inputs], and fill `found` with its gradient.
    // `statistics` points to each layer's running mean and variance, which move.
    float pass(
        const float *row, float *found, const float *inputs, const int64_t *labels, const float *targets,
        float *const *statistics) {
        for (int i = 0; i < p.depth; i++) forward(i, row, inputs, statistics + 2 * i);
        apply(p.depth, row, input(p.depth, inputs), logits.data());
        float loss = loss_backward(p, logits.data(), padded(p.num_outputs), labels, targets);
        parameters_backward(matrix(p.depth), found, input(p.depth, inputs), logits.data(), p.batch);
        if (p.depth) input_backward(p.depth, row, logits.data(), gradient.data(), ZERO);
        for (int i = p.depth - 1; i >= 0; i--) backward(i, row, found, inputs);
        return loss;
    }

    void apply(int layer, const float *row, Left x, float *y) {
        const Matrix &m = matrix(layer);
        Start start = m.bias >= 0 ? Start{false, row + m.bias} : ZERO;
        product(y, padded(m.out), start, x, row + m.at, padded(m.out), p.batch, m.out, m.in);
    }

    void forward(int layer, const float *row, const float *inputs, float *const *statistics) {
        float *y = activation(layer), *out = output(layer);
        apply(layer, row, input(layer, inputs), y);
        if (p.normalized && !p.normalized_after) normalized(layer, y, row, statistics);
        activate(p.activation, y, y, size);
        if (out != y) std::memcpy(out, y, size * sizeof(float));
        if (p.normalized && p.normalized_after) normalized(layer, out, row, statistics);
        if (!skips(layer)) return;
        Left x = input(layer, inputs);
        for (int i = 0; i < p.batch; i++)
            for (int j = 0; j < p.width; j++) out[i * ld + j] += x.data[i * x.row + j];
    }

    void normalized(int layer, float *x, const float *row, float *const *statistics) {
        const float *a = row + gain(layer), *b = row + shift(layer);
        if (is_evaluating) return normalize_by_running(p, x, ld, p.batch, a, b, statistics[0], statistics[1]);
        normalize(p, x, ld, a, b, standard(layer), rate(layer), statistics[0], statistics[1]);
    }

    // `gradient` holds dL/d(output of the layer), and afterwards that of the layer below.
    void backward(int layer, const float *row, float *found, const float *inputs) {
        float *g = gradient.data();
        if (layer && skips(layer)) std::memcpy(below.data(), g, size * sizeof(float));
        if (p.normalized && p.normalized_after) normalized_backward(layer, row, found);
        times_slope(p.activation, g, activation(layer), size);
        if (p.normalized && !p.normalized_after) normalized_backward(layer, row, found);
        parameters_backward(matrix(layer), found, input(layer, inputs), g, p.batch);
        if (!layer) return;
        input_backward(layer, row, g, below.data(), skips(layer) ? KEPT : ZERO);
        std::swap(gradient, below);
    }

    void normalized_backward(int layer, const float *row, float *found) {
        normalize_backward(p, gradient.data(), ld, row + gain(layer), standard(layer), rate(layer), found + gain(layer),
                           found + shift(layer));
    }

    // dL/dx of y = x W + b.
    void input_backward(int layer, const float *row, const float *of_y, float *of_x, Start start) {
        const Matrix &m = matrix(layer);
        int ld_y = padded(m.out), ld_x = padded(m.in);
        transpose(row + m.at, ld_y, turned.data(), ld_x, m.in, m.out);
        product(of_x, ld_x, start, {of_y, ld_y, 1}, turned.data(), ld_x, p.batch, m.in, m.out);
    }
};
