// What a run's program looks like, and its parameters as one row of numbers. (Headers here are parts of kernels.cpp.)
//
// Letters and shapes, here and in all files: B examples of a batch, T time steps, D inputs, H units of a layer, C outputs;
// ld is the length of a padded row, so [B, ld] are B rows of which H numbers count and the rest are zero. g is always dL/d(what
// stands there); x_hat, gamma, beta and inv_std = 1 / sqrt(var + eps) are those of Ioffe and Szegedy 2015.
//
// A weight matrix [out, in] of PyTorch is kept as [in, ld(out)], so that a layer's outputs lie side by side in vectors. The gates
// of a recurrent cell are blocks of one matrix: [in, gates, padded(H)]; so are queries, keys and values of attention.
#pragma once

#include <algorithm>
#include <limits>
#include <cstddef>
#include <vector>

#include "vectors.h"

// Each list makes an enum here and a list of words that `border.py` compares with its own.
#define KINDS(X) X(dense) X(simple) X(lstm) X(gru) X(convolution) X(transformer)
#define ACTIVATIONS(X) X(sigmoid) X(tanh) X(relu) X(identity) X(softsign)
#define LOSSES(X) X(cross_entropy) X(half_squared_error) X(squared_error) X(bernoulli)
#define NORMS(X) X(none) X(batch) X(group)
#define RULES(X) X(sgd) X(adam) X(schedule_free)
#define TRAINED(X) X(all) X(normalization) X(readout) X(hidden)
#define AS_ENUM(word) word,
enum class Kind { KINDS(AS_ENUM) };
enum class Activation { ACTIVATIONS(AS_ENUM) };
enum class Loss { LOSSES(AS_ENUM) };
enum class Norm { NORMS(AS_ENUM) };
enum class RuleKind { RULES(AS_ENUM) };
enum class Trained { TRAINED(AS_ENUM) };
#undef AS_ENUM

#define PROGRAM_INTEGERS(X) \
    X(kind) X(depth) X(num_inputs) X(width) X(num_outputs) X(batch) X(length) X(activation) X(loss) X(bias) X(residual) \
    X(norm) X(normalized_after) X(center) X(scale) X(affine) X(num_groups) X(ghost) X(rule) X(nesterov) X(decoupled) X(side) \
    X(read_all) X(heads) X(trained)
#define PROGRAM_REALS(X) \
    X(eps) X(statistics_momentum) X(regularization) X(input_multiplier) X(bias_multiplier) X(readout_multiplier)
#define PROGRAM_ARRAYS(X) X(channels) X(strides)
constexpr int MOST_CONVOLUTIONS = 64;
struct Program {
#define AS_FIELD(name) int32_t name;
    PROGRAM_INTEGERS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) Real name;
    PROGRAM_REALS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) int32_t name[MOST_CONVOLUTIONS];
    PROGRAM_ARRAYS(AS_FIELD)  // of convolutions; num_inputs are those of a whole image of `side` by `side`
#undef AS_FIELD

    bool is(Kind k) const { return kind == (int)k; }
    bool has(Norm n) const { return norm == (int)n; }
    bool normalized() const { return !has(Norm::none); }
    bool trains(Trained t) const { return trained == (int)t; }
    int num_read() const { return read_all ? length : 1; }  // outputs of an example: one, or one for every step
    int gates() const { return is(Kind::lstm) ? 4 : is(Kind::gru) ? 3 : 1; }
};

struct Matrix {
    int in, out;  // `out` of each block
    int blocks;
    long at;    // of [in, ld] in the row of parameters
    long bias;  // of [ld]; negative where there is none
    bool is_vector;   // gamma or beta [out]: one row, no bias
    bool is_readout;  // not clipped adaptively
    int taps;         // PyTorch's [out, in / taps, taps] is kept as [taps, in / taps, ld]
    bool is_frozen = false;  // its gradient stays zero
    int ld() const { return blocks * padded(out); }
};

struct Layout {
    std::vector<Matrix> matrices = {};  // in the order of PyTorch's parameters, a bias behind its matrix
    long size = 0;

    void add(int in, int out, bool has_bias, int blocks = 1, int taps = 1) {
        Matrix matrix = {in, out, blocks, size, -1, false, false, taps};
        size += (long)in * matrix.ld();
        if (has_bias) matrix.bias = size, size += matrix.ld();
        matrices.push_back(matrix);
    }
    void add_vector(int out) {
        matrices.push_back({1, out, 1, size, -1, true, false, 1});
        size += padded(out);
    }
};

[[maybe_unused]] static Layout layout_of(const Program &p) {
    Layout layout;
    if (p.is(Kind::convolution)) {
        int before = p.num_inputs / (p.side * p.side);
        for (int i = 0; i < p.depth; i++) {
            layout.add(9 * before, p.channels[i], !p.normalized(), 1, 9);
            if (p.normalized() && p.affine) layout.add_vector(p.channels[i]), layout.add_vector(p.channels[i]);
            before = p.channels[i];
        }
    } else if (p.is(Kind::transformer)) {
        layout.add(p.num_inputs, p.width, true);
        layout.add(p.length, p.width, false);  // positions
        for (int half = 0; half < 2 * p.depth; half++) {
            if (p.normalized()) layout.add_vector(p.width), layout.add_vector(p.width);
            bool is_network = half % 2;
            layout.add(p.width, is_network ? 4 * p.width : p.width, true, is_network ? 1 : 3);
            layout.add(is_network ? 4 * p.width : p.width, p.width, true);
        }
    } else if (!p.is(Kind::dense)) {
        layout.add(p.num_inputs, p.width, true, p.gates());
        layout.add(p.width, p.width, false, p.gates());
    } else {
        for (int i = 0; i < p.depth; i++) {
            layout.add(i ? p.width : p.num_inputs, p.width, p.bias);
            if (p.normalized() && p.affine) layout.add_vector(p.width), layout.add_vector(p.width);
        }
    }
    int last = p.is(Kind::dense) && p.depth == 0 ? p.num_inputs : p.width;  // of convolutions the last layer's channels
    layout.add(last, p.num_outputs, !p.is(Kind::dense) || p.bias);
    layout.matrices.back().is_readout = true;
    for (Matrix &m : layout.matrices)
        m.is_frozen = p.trains(Trained::normalization) ? !m.is_vector : p.trains(Trained::hidden) && m.is_readout;
    return layout;
}

// Numbers in rows that start at multiples of 64 bytes, all zero at first.
struct Memory {
    std::vector<V> values;
    explicit Memory(long size = 0) : values((size + LANES - 1) / LANES) {}
    Real *data() { return reinterpret_cast<Real *>(values.data()); }
};

static void copy_rows(const Real *from, long ld_from, Real *to, long ld_to, int rows, int columns) {
    for (int i = 0; i < rows; i++) std::memcpy(to + i * ld_to, from + i * ld_from, columns * sizeof(Real));
}

// Copies PyTorch's tensors into a row, or back. What a row holds in the places that pad it is always zero.
struct Packing {
    const Layout &layout;
    Memory rows_of_out, rows_of_in;  // a block as [padded(out), padded(in)], and transposed

    explicit Packing(const Layout &layout) : layout(layout), rows_of_out(largest(layout)), rows_of_in(largest(layout)) {}

    static long largest(const Layout &layout) {
        long most = 0;
        for (const Matrix &m : layout.matrices) most = std::max(most, (long)padded(m.out) * padded(m.in));
        return most;
    }

    void pack(Real *const *tensors, Real *row) {
        for (const Matrix &m : layout.matrices) {
            if (m.is_vector) {
                copy_in(*tensors++, m, row + m.at);
                continue;
            }
            for (int block = 0; block < m.blocks; block++) {
                const Real *from = *tensors + (long)block * m.out * m.in;
                if (m.taps > 1)
                    each_weight(m, [&](long torchs, long ours) { rows_of_out.data()[ours] = from[torchs]; });
                else
                    copy_rows(from, m.in, rows_of_out.data(), padded(m.in), m.out, m.in);
                transpose(rows_of_out.data(), padded(m.in), row + m.at + block * padded(m.out), m.ld(), m.out, m.in);
            }
            tensors++;
            if (m.bias >= 0) copy_in(*tensors++, m, row + m.bias);
        }
    }

    void unpack(const Real *row, Real *const *tensors) {
        for (const Matrix &m : layout.matrices) {
            if (m.is_vector) {
                copy_out(row + m.at, m, *tensors++);
                continue;
            }
            for (int block = 0; block < m.blocks; block++) {
                transpose(row + m.at + block * padded(m.out), m.ld(), rows_of_in.data(), padded(m.in), m.in, m.out);
                Real *to = *tensors + (long)block * m.out * m.in;
                if (m.taps > 1)
                    each_weight(m, [&](long torchs, long ours) { to[torchs] = rows_of_in.data()[ours]; });
                else
                    copy_rows(rows_of_in.data(), padded(m.in), to, m.in, m.out, m.in);
            }
            tensors++;
            if (m.bias >= 0) copy_out(row + m.bias, m, *tensors++);
        }
    }

    // Call body(place in PyTorch's tensor, place in padded rows) for every weight of a convolution.
    template <class Body>
    static void each_weight(const Matrix &m, Body body) {
        int inputs = m.in / m.taps;
        for (int o = 0; o < m.out; o++)
            for (int c = 0; c < inputs; c++)
                for (int tap = 0; tap < m.taps; tap++)
                    body((long)o * m.in + c * m.taps + tap, (long)o * padded(m.in) + tap * inputs + c);
    }

    static void copy_in(const Real *from, const Matrix &m, Real *to) {
        std::memset(to, 0, m.ld() * sizeof(Real));
        copy_rows(from, m.out, to, padded(m.out), m.blocks, m.out);
    }
    static void copy_out(const Real *from, const Matrix &m, Real *to) {
        copy_rows(from, padded(m.out), to, m.out, m.blocks, m.out);
    }
};
