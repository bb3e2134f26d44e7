// Matrix products of small matrices that lie in the caches: C [M, N] = start + A [M, K] B [K, N].
//
// Every entry of C is one chain of fused multiply-adds over k = 0 ... K - 1, whatever the tiles: numbers do not depend on the
// processor's width. A is read one number at a time, so either of its axes may be the contiguous one.
#pragma once

#include "vectors.h"

#if defined(__FMA__)
#include <immintrin.h>
#endif

// What a register holds. Compilers keep a wider vector in memory; the lanes of a tile have nothing to do with each other.
#if defined(__AVX512F__)
typedef V Register;
constexpr int VECTORS = 4;  // of a tile: 24 sums, 4 vectors of B and a number of A are in 32 registers
constexpr int ROWS = 6, ROWS_OF_THREE = 8, ROWS_OF_TWO = 12, ROWS_OF_ONE = 12, WIDEST_ROW = 10;
#elif defined(__AVX__)
typedef Real Register __attribute__((vector_size(32)));
constexpr int VECTORS = 1, ROWS = 6, ROWS_OF_THREE = 0, ROWS_OF_TWO = 0, ROWS_OF_ONE = 6, WIDEST_ROW = 6;  // two of 16 a vector
#else
typedef Real Register __attribute__((vector_size(16)));
constexpr int VECTORS = 1, ROWS = 4, ROWS_OF_THREE = 0, ROWS_OF_TWO = 0, ROWS_OF_ONE = 4, WIDEST_ROW = 4;  // four of 32 a vector
#endif
constexpr int WIDTH = sizeof(Register) / sizeof(Real);

// What a tile of N vectors holds a row of; N = 0 is half a vector, whose other half is zero.
typedef Real HalfVector __attribute__((vector_size(sizeof(V) / 2)));
template <int N>
using RegisterOf = std::conditional_t<N == 0 && WIDTH == LANES, HalfVector, Register>;
template <int N>
constexpr int REGISTERS_OF = N ? N * LANES / WIDTH : WIDTH == LANES ? 1 : LANES / WIDTH / 2;
constexpr int DEPTH_AT_ONCE = 64;  // rows of B that stay in the nearest cache while all rows of A pass

struct Left {
    const Real *data;
    long row, column;  // distance of neighbours
    Left from(long i, long k) const { return {data + i * row + k * column, row, column}; }
    const Real &at(long i, long k) const { return data[i * row + k * column]; }
    template <int M>
    Left of_tile() const {
        return *this;
    }
    bool is_padded() const { return column == 1 && row % LANES == 0 && reinterpret_cast<uintptr_t>(data) % sizeof(V) == 0; }
};

// a b + c, rounded once. Written out where GCC, tuned for some processors, makes two operations of it.
template <class R>
static inline __attribute__((always_inline)) R fused_sum(R a, R b, R c) {
#if defined(__FMA__)
    if constexpr (sizeof(R) == 32 && sizeof(Real) == 4) return (R)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
    if constexpr (sizeof(R) == 32 && sizeof(Real) == 8) return (R)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#endif
    return a * b + c;
}

// A matrix whose numbers lie anywhere, each at a place of its row and one of its column.
struct Scattered {
    const Real *data;
    const int *row, *column;
    Scattered from(long i, long k) const { return {data, row + i, column + k}; }
    Scattered turned() const { return {data, column, row}; }
    template <int M>
    struct Tile {
        const Real *row[M];
        const int *column;
        const Real &at(long i, long k) const { return row[i][column[k]]; }
    };
    template <int M>
    Tile<M> of_tile() const {
        Tile<M> found = {{}, column};
        for (int i = 0; i < M; i++) found.row[i] = data + row[i];
        return found;
    }
};

// Where the sums of C begin: at what C holds, at a row of numbers for every row of C, or at zero.
struct Start {
    bool kept;
    const Real *row;
    Start right(long columns) const { return {kept, row ? row + columns : nullptr}; }
};
constexpr Start ZERO = {false, nullptr}, KEPT = {true, nullptr};

template <int M, int N, class A>
static inline __attribute__((always_inline)) void tile(
    Real *c, long ldc, Start start, A left, const Real *b, long ldb, int depth) {
    typedef RegisterOf<N> R;
    typedef R InMemory __attribute__((may_alias));
    constexpr int REGISTERS = REGISTERS_OF<N>, WIDTH = sizeof(R) / sizeof(Real);
    auto at = [](const Real *p, int j) { return *reinterpret_cast<const InMemory *>(p + j * WIDTH); };
    auto a = left.template of_tile<M>();
    R sum[M][REGISTERS];
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 16
        for (int j = 0; j < REGISTERS; j++)
            sum[i][j] = start.kept ? at(c + i * ldc, j) : start.row ? at(start.row, j) : R{};
    for (int k = 0; k < depth; k++) {
        R right[REGISTERS];
#pragma GCC unroll 16
        for (int j = 0; j < REGISTERS; j++) right[j] = at(b + k * ldb, j);
#pragma GCC unroll 16
        for (int i = 0; i < M; i++) {
            R number = a.at(i, k) - R{};
#pragma GCC unroll 16
            for (int j = 0; j < REGISTERS; j++) sum[i][j] = fused_sum(number, right[j], sum[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 16
        for (int j = 0; j < REGISTERS; j++) *reinterpret_cast<InMemory *>(c + i * ldc + j * WIDTH) = sum[i][j];
    if constexpr (N == 0)
#pragma GCC unroll 16
        for (int i = 0; i < M; i++) std::memset(c + i * ldc + LANES / 2, 0, sizeof(V) / 2);
}

template <int M, int N, class A>
static inline void rows_of_tiles(Real *c, long ldc, Start start, A a, const Real *b, long ldb, int rows, int depth) {
    int i = 0;
    for (; i + M <= rows; i += M) tile<M, N>(c + i * ldc, ldc, start, a.from(i, 0), b, ldb, depth);
    constexpr int FEWER = M == 12 && N < 2 ? 9 : M == 9 ? 6 : M == 3 ? 2 : M / 2;  // a row alone waits for itself at every step
    if constexpr (M > 1)
        if (i < rows) rows_of_tiles<FEWER, N>(c + i * ldc, ldc, start, a.from(i, 0), b, ldb, rows - i, depth);
}

template <int N, class A>
static inline void columns_of_tiles(
    Real *c, long ldc, Start start, A a, const Real *b, long ldb, int rows, int vectors, int depth) {
    constexpr int M = N == VECTORS ? ROWS : N == 1 ? ROWS_OF_ONE : N == 2 ? ROWS_OF_TWO : ROWS_OF_THREE;
    int j = 0;
    for (; j + N <= vectors; j += N) {
        long at = j * LANES;
        rows_of_tiles<M, N>(c + at, ldc, start.right(at), a, b + at, ldb, rows, depth);
    }
    if constexpr (N > 1)
        if (j < vectors) {
            long at = j * LANES;
            columns_of_tiles<N - 1>(c + at, ldc, start.right(at), a, b + at, ldb, rows, vectors - j, depth);
        }
}

// One row: all columns in as few equal parts as leave registers for their sums, which wait for each other at every k.
template <int N, class A>
static inline void row_of_tiles(Real *c, Start start, A a, const Real *b, long ldb, int vectors, int depth, int width) {
    if constexpr (N > 1)
        if (width < N) return row_of_tiles<N - 1>(c, start, a, b, ldb, vectors, depth, width);
    int j = 0;
    for (; j + N <= vectors; j += N) {
        long at = j * LANES;
        tile<1, N>(c + at, 0, start.right(at), a, b + at, ldb, depth);
    }
    if constexpr (N > 1)
        if (j < vectors) {
            long at = j * LANES;
            row_of_tiles<N - 1>(c + at, start.right(at), a, b + at, ldb, vectors - j, depth, vectors - j);
        }
}

// C [rows, columns] = start + A B; rows of C and B hold padded(columns) numbers, zeros behind those that count.
template <class A = Left>
static void product(Real *c, long ldc, Start start, A a, const Real *b, long ldb, int rows, int columns, int depth) {
    int vectors = padded(columns) / LANES, rest = columns % LANES;
    int whole = rest && rest <= LANES / 2 ? vectors - 1 : vectors;
    if (rows == 1) {
        int parts = (vectors + WIDEST_ROW - 1) / WIDEST_ROW;
        return row_of_tiles<WIDEST_ROW>(c, start, a, b, ldb, vectors, depth, (vectors + parts - 1) / parts);
    }
    for (int k = 0; k == 0 || k < depth; k += DEPTH_AT_ONCE) {
        int some = depth - k < DEPTH_AT_ONCE ? depth - k : DEPTH_AT_ONCE;
        Start from = k ? KEPT : start;
        columns_of_tiles<VECTORS>(c, ldc, from, a.from(0, k), b + k * ldb, ldb, rows, whole, some);
        long at = whole * LANES;
        if (whole < vectors)
            rows_of_tiles<ROWS_OF_ONE, 0>(c + at, ldc, from.right(at), a.from(0, k), b + k * ldb + at, ldb, rows, some);
    }
}

// The first column of C [columns, ldc] = A^T B, where B [depth, ldb] has one column that is not zero: lanes are columns of A
// [depth, columns], whose rows are padded.
static void product_of_one(Real *c, long ldc, Left a, const Real *b, long ldb, int columns, int depth) {
    for (int i = 0; i < columns; i += LANES) {
        V sum = {};
        for (int k = 0; k < depth; k++) sum += load(a.data + k * a.row + i) * all(b[k * ldb]);
        for (int l = 0; l < LANES && i + l < columns; l++) {
            V row = {};
            row[0] = sum[l];
            store(c + (i + l) * ldc, row);
        }
    }
}
