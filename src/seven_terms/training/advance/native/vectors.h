// Sixteen numbers at a time, and the elementary functions on them.
//
// The width is fixed, whatever the processor's registers hold: sums over lanes have the same order everywhere, and with fused
// multiply-add so do all others. Rows are padded to whole vectors with zeros, and start at multiples of 64 bytes.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

typedef float V __attribute__((vector_size(64)));
typedef int32_t I __attribute__((vector_size(64)));
typedef V InMemory __attribute__((may_alias));  // the same numbers are also read one by one

constexpr int LANES = 16;
constexpr I LANE = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static inline int padded(int n) { return (n + LANES - 1) / LANES * LANES; }
static inline V load(const float *p) { return *reinterpret_cast<const InMemory *>(p); }
static inline void store(float *p, V v) { *reinterpret_cast<InMemory *>(p) = v; }
static inline V all(float x) { return x - V{}; }

// The mask of a comparison chooses bits; a comparison with NaN is false.
static inline V choose(I mask, V yes, V no) { return (V)((mask & (I)yes) | (~mask & (I)no)); }
static inline V absolute(V x) { return (V)((I)x & 0x7fffffff); }

// The square root of every lane: correctly rounded, as that of a single number is.
static inline V square_root(V v) {
    for (int l = 0; l < LANES; l++) v[l] = std::sqrt(v[l]);
    return v;
}

// At most a vector of the numbers from `p` on, wherever they start.
static inline V load_some(const float *p, int number) {
    V v = {};
    if (number >= LANES)
        std::memcpy(&v, p, sizeof v);  // of a length that the compiler knows: no call
    else
        std::memcpy(&v, p, number * sizeof(float));
    return v;
}
static inline void store_some(float *p, V v, int number) {
    if (number >= LANES)
        std::memcpy(p, &v, sizeof v);
    else
        std::memcpy(p, &v, number * sizeof(float));
}

static inline float sum_of_lanes(V v) {
    float sum = 0;
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

struct Power {
    V two_n, rest;  // e^x = 2^n (1 + rest)
};

// Cody and Waite's reduction and a Taylor polynomial on [-ln 2 / 2, ln 2 / 2]; x must be in [-87, 88] or NaN.
static inline Power power(V x) {
    V shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the sum is rounded to an integer
    V n = shifted - 12582912.0f;
    V r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    V p = all(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = r + (r * r) * p;
    I bits = ((I)shifted << 23) + 0x3f800000;  // the low bits of `shifted` are n
    return {(V)bits, p};
}

// Between 88 and 88.72 the value at 88 stands for all.
static inline V exponential(V x) {
    V inside = choose(x > 88.0f, all(88.0f), choose(x < -87.0f, all(-87.0f), x));
    Power e = power(inside);
    V y = e.two_n + e.two_n * e.rest;
    y = choose(x > 88.72f, all(INFINITY), y);
    return choose(x < -87.33f, V{}, y);
}

static inline V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh x = (e^2x - 1) / (e^2x + 1), where e^2x - 1 = 2^n rest + (2^n - 1) loses no digits near zero.
static inline V hyperbolic_tangent(V x) {
    V inside = choose(x > 10.0f, all(10.0f), choose(x < -10.0f, all(-10.0f), x));
    Power e = power(2.0f * inside);
    V less_one = e.two_n * e.rest + (e.two_n - 1.0f);
    return less_one / (less_one + 2.0f);
}

// log(1 + y) for y in [0, 1], that is 2 artanh(y / (2 + y)): the series loses no digits near zero.
static inline V log_of_one_more(V y) {
    V s = y / (2.0f + y), square = s * s, p = {};
    for (int n = 15; n > 1; n -= 2) p = p * square + 1.0f / n;
    return 2.0f * (s + s * (square * p));
}

#ifdef __clang__
#define MERGE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define MERGE(x, y, ...) __builtin_shuffle(x, y, (I){__VA_ARGS__})
#endif

// As good an order as that of `sum_of_lanes`, another one, and shorter to wait for.
static inline float sum_by_halves(V v) {
    v += MERGE(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v += MERGE(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    v += MERGE(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    return v[0] + v[1];
}

// Sixteen rows of sixteen numbers, transposed; of `in` only the first `rows` rows are read, the others count as zero, and of `out`
// only the first `columns` rows are written.
static inline void transpose_block(const float *in, long ld_in, float *out, long ld_out, int rows, int columns) {
    V a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = i < rows ? load(in + i * ld_in) : V{};
    for (int i = 0; i < 16; i += 2) {
        b[i] = MERGE(a[i], a[i + 1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        b[i + 1] = MERGE(a[i], a[i + 1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = i; j < i + 2; j++) {
            a[j] = MERGE(b[j], b[j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            a[j + 2] = MERGE(b[j], b[j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    for (int i = 0; i < 16; i += 8)
        for (int j = i; j < i + 4; j++) {
            b[j] = MERGE(a[j], a[j + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
            b[j + 4] = MERGE(a[j], a[j + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
        }
    for (int j = 0; j < 8; j++) {
        V first = MERGE(b[j], b[j + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        V second = MERGE(b[j], b[j + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        if (j < columns) store(out + j * ld_out, first);
        if (j + 8 < columns) store(out + (j + 8) * ld_out, second);
    }
}
#undef MERGE

// out [columns, ld_out] = in [rows, ld_in] transposed, with zeros in the places of missing rows.
static inline void transpose(const float *in, long ld_in, float *out, long ld_out, int rows, int columns) {
    for (int i = 0; i < rows; i += LANES)
        for (int j = 0; j < columns; j += LANES)
            transpose_block(in + i * ld_in + j, ld_in, out + j * ld_out + i, ld_out, rows - i, columns - j);
}
