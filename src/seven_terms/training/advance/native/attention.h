// What the heads of a block do with queries, keys and values (`seven_terms.models.transformer`, `Attention`), and back.
//
// A head of a small network fills no vector, so examples lie side by side, LANES of them: a number of a token is a vector. Every sum
// is one chain of fused multiply-adds over the numbers of a head or over tokens, whatever the width and the heads.
#pragma once

#include "dense.h"

#if defined(__AVX512F__)
constexpr int SIDE = 4;  // of a tile: 16 sums, 4 vectors of B and one of A are in 32 registers
#else
constexpr int SIDE = 2;
#endif

// A matrix whose entries are vectors; `row` and `column` are the distances of neighbours.
struct Laned {
    Real *data;
    long row, column;
    Real *at(int i, int j) const { return data + i * row + j * column; }
    Laned from(int i, int j) const { return {at(i, j), row, column}; }
    Laned transposed() const { return {data, column, row}; }
};

template <int M, int N>
static inline __attribute__((always_inline)) void tile_of_lanes(Laned c, Laned a, Laned b, int depth) {
    V sum[M][N] = {};
    for (int k = 0; k < depth; k++) {
        V right[N];
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) right[j] = load(b.at(k, j));
#pragma GCC unroll 4
        for (int i = 0; i < M; i++) {
            V left = load(a.at(i, k));
#pragma GCC unroll 4
            for (int j = 0; j < N; j++) sum[i][j] += left * right[j];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) store(c.at(i, j), sum[i][j]);
}

template <int M, int N = SIDE>
static inline void row_of_tiles(Laned c, Laned a, Laned b, int columns, int depth) {
    int j = 0;
    for (; j + N <= columns; j += N) tile_of_lanes<M, N>(c.from(0, j), a, b.from(0, j), depth);
    if constexpr (N > 1)
        if (j < columns) row_of_tiles<M, N - 1>(c.from(0, j), a, b.from(0, j), columns - j, depth);
}

// C [rows, columns] = A B, in every lane.
template <int M = SIDE>
static void product_of_lanes(Laned c, Laned a, Laned b, int rows, int columns, int depth) {
    int i = 0;
    for (; i + M <= rows; i += M) row_of_tiles<M>(c.from(i, 0), a.from(i, 0), b, columns, depth);
    if constexpr (M > 1)
        if (i < rows) product_of_lanes<M - 1>(c.from(i, 0), a.from(i, 0), b, rows - i, columns, depth);
}

struct Attention {
    const Program &p;
    int tokens, ld, of_head;  // numbers of a head
    int groups;               // of LANES examples
    long size;                // of one number for each unit and token of a group
    long size_of_weights;     // of a head
    Real scale;
    Memory mixed, weights;                // of all blocks, for the way back: [groups, 3, T, D, LANES], [groups, heads, T, T, LANES]
    Memory tokens_mixed, of_mixed, of_weights;  // of a group

    explicit Attention(const Program &p)
        : p(p),
          tokens(p.length),
          ld(padded(p.width)),
          of_head(p.width / p.heads),
          groups((p.batch + LANES - 1) / LANES),
          size((long)tokens * p.width * LANES),
          size_of_weights((long)tokens * tokens * LANES),
          scale(1.0 / std::sqrt((double)of_head)),
          mixed(p.depth * groups * 3 * size),
          weights(p.depth * groups * p.heads * size_of_weights),
          tokens_mixed(size),
          of_mixed(3 * size),
          of_weights(size_of_weights) {}

    // Queries, keys and values of a group's head are parts 0, 1 and 2: [T, numbers].
    Laned part(Real *of_group, int number, int head) const {
        return {of_group + number * size + (long)head * of_head * LANES, (long)p.width * LANES, LANES};
    }
    Laned square(Real *at) const { return {at, (long)tokens * LANES, LANES}; }
    Real *mixed_of(int block, int group) { return mixed.data() + ((long)block * groups + group) * 3 * size; }
    Real *weights_of(int block, int group, int head) {
        return weights.data() + (((long)block * groups + group) * p.heads + head) * size_of_weights;
    }

    // From rows [B T, ld_rows] to lanes [T, D, LANES], and back; what pads a row becomes zero.
    void gather(const Real *rows, long ld_rows, int group, Real *lanes) const {
        long first = (long)group * LANES;
        for (int t = 0; t < tokens; t++)
            for (int j = 0; j < p.width; j += LANES)
                transpose_block(rows + (first * tokens + t) * ld_rows + j, tokens * ld_rows,
                                lanes + ((long)t * p.width + j) * LANES, LANES, p.batch - first, p.width - j);
    }
    void scatter(const Real *lanes, Real *rows, long ld_rows, int group) const {
        long first = (long)group * LANES;
        for (int t = 0; t < tokens; t++)
            for (int j = 0; j < p.width; j += LANES)
                transpose_block(lanes + ((long)t * p.width + j) * LANES, LANES, rows + (first * tokens + t) * ld_rows + j,
                                tokens * ld_rows, p.width - j, p.batch - first);
    }

    // From queries, keys and values [B T, 3 ld] to what each token takes from all, [B T, ld].
    void forward(int block, const Real *rows, Real *out) {
        for (int group = 0; group < groups; group++) {
            Real *own = mixed_of(block, group);
            for (int i = 0; i < 3; i++) gather(rows + i * ld, 3 * ld, group, own + i * size);
            for (int head = 0; head < p.heads; head++) {
                Laned w = square(weights_of(block, group, head)), taken = part(tokens_mixed.data(), 0, head);
                product_of_lanes(w, part(own, 0, head), part(own, 1, head).transposed(), tokens, tokens, of_head);
                for (int t = 0; t < tokens; t++) soften(w.at(t, 0));
                product_of_lanes(taken, w, part(own, 2, head), tokens, of_head, tokens);
            }
            scatter(tokens_mixed.data(), out, ld, group);
        }
    }

    // From dL/d(out) to dL/d(rows).
    void backward(int block, const Real *of_out, Real *of_rows) {
        for (int group = 0; group < groups; group++) {
            Real *own = mixed_of(block, group), *of_own = of_mixed.data();
            gather(of_out, ld, group, tokens_mixed.data());
            for (int head = 0; head < p.heads; head++) {
                Laned w = square(weights_of(block, group, head)), g = square(of_weights.data());
                Laned of_taken = part(tokens_mixed.data(), 0, head);
                product_of_lanes(part(of_own, 2, head), w.transposed(), of_taken, tokens, of_head, tokens);
                product_of_lanes(g, of_taken, part(own, 2, head).transposed(), tokens, tokens, of_head);
                for (int t = 0; t < tokens; t++) soften_backward(w.at(t, 0), g.at(t, 0));
                product_of_lanes(part(of_own, 0, head), g, part(own, 1, head), tokens, of_head, tokens);
                product_of_lanes(part(of_own, 1, head), g.transposed(), part(own, 0, head), tokens, of_head, tokens);
            }
            for (int i = 0; i < 3; i++) scatter(of_own + i * size, of_rows + i * ld, 3 * ld, group);
        }
    }

    // Products of one query with all keys become its weights; NaN stays NaN.
    void soften(Real *products) const {
        V largest = load(products), sum = {};
        for (long s = LANES; s < (long)tokens * LANES; s += LANES) {
            V x = load(products + s);
            largest = choose(x > largest, x, largest);
        }
        for (long s = 0; s < (long)tokens * LANES; s += LANES) {
            V e = exponential(scale * (load(products + s) - largest));
            sum += e;
            store(products + s, e);
        }
        V share = 1.0f / sum;
        for (long s = 0; s < (long)tokens * LANES; s += LANES) store(products + s, load(products + s) * share);
    }

    // dL/d(weights) in g becomes dL/d(products).
    void soften_backward(const Real *w, Real *g) const {
        V sum = {};
        for (long s = 0; s < (long)tokens * LANES; s += LANES) sum += load(w + s) * load(g + s);
        for (long s = 0; s < (long)tokens * LANES; s += LANES) store(g + s, scale * (load(w + s) * (load(g + s) - sum)));
    }
};
