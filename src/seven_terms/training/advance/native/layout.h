// What a run's program looks like, and its parameters as one row of numbers.
//
// A weight matrix [out, in] of PyTorch is kept as [in, padded(out)], so that a layer's outputs lie side by side in vectors.
#pragma once

#include <algorithm>
#include <vector>

#include "vectors.h"

enum Kind { DENSE, RECURRENT };
enum Activation { SIGMOID, TANH, RELU, IDENTITY, SOFTSIGN };
enum Loss { CROSS_ENTROPY, HALF_SQUARED_ERROR, SQUARED_ERROR };

struct Program {  // updates.py holds the same fields in the same order
    int32_t kind, depth, num_inputs, width, num_outputs, batch, length, activation, loss;
    int32_t bias, residual, normalized, normalized_after, center, scale, affine, nesterov;
    float eps, statistics_momentum, regularization;
};

struct Matrix {
    int in, out;
    long at;    // of [in, padded(out)] in the row of parameters
    long bias;  // of [padded(out)]; negative where there is none
    bool is_vector = false;  // a gain or a shift [out]: one row, no bias
    long rows() const { return is_vector ? 1 : in; }
};

struct Layout {
    std::vector<Matrix> matrices;  // in the order of PyTorch's parameters, a bias behind its matrix
    long size = 0;

    void add(int in, int out, bool has_bias) {
        Matrix matrix = {in, out, size, -1};
        size += (long)in * padded(out);
        if (has_bias) matrix.bias = size, size += padded(out);
        matrices.push_back(matrix);
    }
    void add_vector(int out) {
        matrices.push_back({1, out, size, -1, true});
        size += padded(out);
    }
};

static Layout layout_of(const Program &p) {
    Layout layout;
    if (p.kind == RECURRENT) {
        layout.add(p.num_inputs, p.width, true);
        layout.add(p.width, p.width, false);
    } else {
        for (int i = 0; i < p.depth; i++) {
            layout.add(i ? p.width : p.num_inputs, p.width, p.bias);
            if (p.normalized && p.affine) layout.add_vector(p.width), layout.add_vector(p.width);
        }
    }
    int last = p.kind == DENSE && p.depth == 0 ? p.num_inputs : p.width;
    layout.add(last, p.num_outputs, p.kind == RECURRENT || p.bias);
    return layout;
}

// Numbers in rows that start at multiples of 64 bytes, all zero at first.
struct Memory {
    std::vector<V> values;
    explicit Memory(long size = 0) : values((size + LANES - 1) / LANES) {}
    float *data() { return reinterpret_cast<float *>(values.data()); }
};

static void copy_rows(const float *from, long ld_from, float *to, long ld_to, int rows, int columns) {
    for (int i = 0; i < rows; i++) std::memcpy(to + i * ld_to, from + i * ld_from, columns * sizeof(float));
}

// Copies PyTorch's tensors into a row, or back. What a row holds in the places that pad it is always zero.
struct Packing {
    const Layout &layout;
    Memory square, turned;

    explicit Packing(const Layout &layout) : layout(layout) {
        long largest = 0;
        for (const Matrix &m : layout.matrices) largest = std::max(largest, (long)padded(m.out) * padded(m.in));
        square = Memory(largest), turned = Memory(largest);
    }

    void pack(float *const *tensors, float *row) {
        for (const Matrix &m : layout.matrices) {
            if (m.is_vector) {
                copy_vector(*tensors++, m.out, row + m.at);
                continue;
            }
            copy_rows(*tensors++, m.in, square.data(), padded(m.in), m.out, m.in);
            transpose(square.data(), padded(m.in), row + m.at, padded(m.out), m.out, m.in);
            if (m.bias >= 0) copy_vector(*tensors++, m.out, row + m.bias);
        }
    }

    void unpack(const float *row, float *const *tensors) {
        for (const Matrix &m : layout.matrices) {
            if (m.is_vector) {
                std::memcpy(*tensors++, row + m.at, m.out * sizeof(float));
                continue;
            }
            transpose(row + m.at, padded(m.out), turned.data(), padded(m.in), m.in, m.out);
            copy_rows(turned.data(), padded(m.in), *tensors++, m.in, m.out, m.in);
            if (m.bias >= 0) std::memcpy(*tensors++, row + m.bias, m.out * sizeof(float));
        }
    }

    static void copy_vector(const float *from, int size, float *to) {
        std::memcpy(to, from, size * sizeof(float));
        std::memset(to + size, 0, (padded(size) - size) * sizeof(float));
    }
};
