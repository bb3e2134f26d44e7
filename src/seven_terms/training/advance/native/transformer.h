// Forward and backward pass of a small transformer whose tokens are rows of an image (`seven_terms.models.transformer`).
//
// Tokens are rows, [B T, ld]. A block has two halves, attention and network, and each the same form: the stream is normalized, goes
// through a first matrix (queries, keys and values; the wide layer), something in between, a second matrix, and is added to itself.
#pragma once

#include "attention.h"

enum Which { FIRST, SECOND };

struct TransformerNet {
    const Program &p;
    const Layout &layout;
    int ld, ld_hidden, vectors;  // gamma and beta of a half, where there are
    int rows;                    // tokens of all examples
    long size, size_of_inv_std;
    Program own;  // what a normalization sees: tokens in place of examples
    Attention attention;
    Memory pixels;                                       // tokens of images of several channels
    Memory inputs, x_hats, inv_stds, attended, hidden;  // of all halves or blocks, for the way back
    Memory stream, mixed, pooled, logits, gradient, below, of_hidden, w_transposed;

    TransformerNet(const Program &p, const Layout &layout)
        : p(p),
          layout(layout),
          ld(padded(p.width)),
          ld_hidden(padded(4 * p.width)),
          vectors(p.normalized() ? 2 : 0),
          rows(p.batch * p.length),
          size((long)rows * ld),
          size_of_inv_std(padded(rows * p.num_groups)),
          own(p),
          attention(p),
          pixels(channels() > 1 ? (long)rows * p.num_inputs : 0),
          inputs(2 * p.depth * size),
          x_hats(p.normalized() ? 2 * p.depth * size : 0),
          inv_stds(p.normalized() ? 2 * p.depth * size_of_inv_std : 0),
          attended(p.depth * size),
          hidden((long)p.depth * rows * ld_hidden),
          stream(size),
          mixed(3 * size),
          pooled((long)p.batch * ld),
          logits((long)p.batch * padded(p.num_outputs)),
          gradient(size),
          below(size),
          of_hidden((long)rows * ld_hidden),
          w_transposed((long)std::max({4 * ld, ld_hidden, padded(p.num_outputs)}) * ld) {
        own.batch = rows;
    }

    int channels() const { return p.num_inputs / p.side; }
    const Matrix &embedding() const { return layout.matrices[0]; }
    const Matrix &position() const { return layout.matrices[1]; }
    const Matrix &readout() const { return layout.matrices.back(); }
    int index(int half) const { return 2 + half * (vectors + 2); }
    const Matrix &matrix(int half, Which which) const { return layout.matrices[index(half) + vectors + which]; }
    long gamma(int half) const { return layout.matrices[index(half)].at; }
    long beta(int half) const { return layout.matrices[index(half) + 1].at; }
    Real *input(int half) { return inputs.data() + half * size; }
    Real *attended_of(int block) { return attended.data() + block * size; }
    Real *hidden_of(int block) { return hidden.data() + (long)block * rows * ld_hidden; }
    Left features() { return {pooled.data(), ld, 1}; }

    // Images [B, channels, T, pixels] as tokens [B T, channels * pixels].
    Left tokens(const Real *images) {
        if (channels() == 1) return {images, p.num_inputs, 1};
        for (int b = 0; b < p.batch; b++)
            for (int c = 0; c < channels(); c++)
                copy_rows(images + ((long)b * channels() + c) * p.length * p.side, p.side,
                          pixels.data() + (long)b * p.length * p.num_inputs + c * p.side, p.num_inputs, p.length, p.side);
        return {pixels.data(), p.num_inputs, 1};
    }

    const Real *evaluate(const Real *row, const Real *images, Real *const *) {
        forward(row, tokens(images));
        return logits.data();
    }

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *) {
        Left x = tokens(batch.inputs);
        forward(row, x);
        Real loss = loss_backward(p, logits.data(), padded(p.num_outputs), batch.labels, batch.targets);
        parameters_backward(readout(), found, features(), logits.data(), p.batch);
        input_backward(readout(), row, logits.data(), pooled.data(), ZERO, w_transposed.data(), p.batch);
        spread_to_rows(pooled.data(), ld, p.batch, p.length, gradient.data());
        for (int i = p.depth - 1; i >= 0; i--) {
            network_backward(i, row, found);
            attention_backward(i, row, found);
        }
        parameters_backward(embedding(), found, x, gradient.data(), rows);
        for (int t = 0; t < p.length; t++)
            sum_rows(gradient.data() + t * ld, (long)p.length * ld, p.batch, ld, found + position().at + t * ld);
        return loss;
    }

    void forward(const Real *row, Left x) {
        embed(row, x);
        for (int i = 0; i < p.depth; i++) {
            enter(2 * i, row, mixed.data());
            attention.forward(i, mixed.data(), attended_of(i));
            leave(2 * i, row, attended_of(i), ld);
            enter(2 * i + 1, row, hidden_of(i));
            activate(p.activation, hidden_of(i), hidden_of(i), (long)rows * ld_hidden);
            leave(2 * i + 1, row, hidden_of(i), ld_hidden);
        }
        mean_of_rows(stream.data(), ld, p.batch, p.length, pooled.data());
        apply(readout(), row, features(), logits.data(), {false, row + readout().bias}, p.batch);
    }

    static void apply(const Matrix &m, const Real *row, Left x, Real *y, Start start, int rows) {
        product(y, m.ld(), start, x, row + m.at, m.ld(), rows, m.ld(), m.in);
    }

    // The stream starts as bias and position, to which the pixels' part is added.
    void embed(const Real *row, Left x) {
        const Real *bias = row + embedding().bias, *place = row + position().at;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < ld; j += LANES)
                store(stream.data() + (long)i * ld + j, load(bias + j) + load(place + i % p.length * ld + j));
        apply(embedding(), row, x, stream.data(), KEPT, rows);
    }

    // From the stream to y = the first matrix of what it is normalized to; the second matrix's bias is added to the stream already.
    void enter(int half, const Real *row, Real *y) {
        const Real *bias = row + matrix(half, SECOND).bias;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < ld; j += LANES) {
                long at = (long)i * ld + j;
                V x = load(stream.data() + at);
                store(input(half) + at, x), store(stream.data() + at, x + load(bias + j));
            }
        if (p.normalized()) group_norm(normalized(half, row), input(half));
        const Matrix &m = matrix(half, FIRST);
        apply(m, row, {input(half), ld, 1}, y, {false, row + m.bias}, rows);
    }

    void leave(int half, const Real *row, const Real *x, int ld_x) {
        apply(matrix(half, SECOND), row, {x, ld_x, 1}, stream.data(), KEPT, rows);
    }

    Normalized normalized(int half, const Real *row) {
        return {own, ld, row + gamma(half), row + beta(half), x_hats.data() + half * size, inv_stds.data() + half * size_of_inv_std,
                nullptr, nullptr, nullptr, nullptr};
    }

    // `gradient` holds dL/d(stream) behind a half, and afterwards that before it.
    void network_backward(int block, const Real *row, Real *found) {
        leave_backward(2 * block + 1, row, found, {hidden_of(block), ld_hidden, 1}, of_hidden.data());
        times_slope(p.activation, of_hidden.data(), hidden_of(block), (long)rows * ld_hidden);
        enter_backward(2 * block + 1, row, found, of_hidden.data());
    }

    void attention_backward(int block, const Real *row, Real *found) {
        leave_backward(2 * block, row, found, {attended_of(block), ld, 1}, below.data());
        attention.backward(block, below.data(), mixed.data());
        enter_backward(2 * block, row, found, mixed.data());
    }

    void leave_backward(int half, const Real *row, Real *found, Left x, Real *of_x) {
        const Matrix &m = matrix(half, SECOND);
        parameters_backward(m, found, x, gradient.data(), rows);
        input_backward(m, row, gradient.data(), of_x, ZERO, w_transposed.data(), rows);
    }

    void enter_backward(int half, const Real *row, Real *found, Real *g) {
        const Matrix &m = matrix(half, FIRST);
        parameters_backward(m, found, {input(half), ld, 1}, g, rows);
        if (!p.normalized()) return input_backward(m, row, g, gradient.data(), KEPT, w_transposed.data(), rows);
        input_backward(m, row, g, below.data(), ZERO, w_transposed.data(), rows);
        group_norm_backward(normalized(half, row), below.data(), found + gamma(half), found + beta(half));
        for (long i = 0; i < size; i += LANES) store(gradient.data() + i, load(gradient.data() + i) + load(below.data() + i));
    }
};
