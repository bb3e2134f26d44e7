// Whole vectors of 64 bytes, and the elementary functions on them.
//
// The width is fixed, whatever the processor's registers hold: sums over lanes have the same order everywhere, and with fused
// multiply-add so do all others. Rows are padded to whole vectors with zeros, and start at multiples of 64 bytes.
//
// The same source is compiled for each precision: -DREAL=double makes a library of its own. So numbers are of type Real, and
// literals such as 1.0f are exact in both; other constants are converted, (Real)1e-20.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#ifndef REAL
#define REAL float
#endif
typedef REAL Real;

// What depends on the precision: the integers that hold its bits, and the constants of e^x.
template <class Number>
struct Precision;

template <>
struct Precision<float> {
    typedef int32_t Bits;
    static constexpr Bits NO_SIGN = 0x7fffffff, ONE = 0x3f800000;
    static constexpr int FRACTION = 23;
    static constexpr int LAST_OF_LOG = 15;  // power of the series of log(1 + y)
    static constexpr float LARGEST = 3e38f;
    static constexpr float ROUNDED = 12582912.0f;  // 1.5 * 2^23: a sum with it is rounded to an integer
    static constexpr float LOG2_E = 1.44269504f, LN2 = 0.693359375f, LN2_REST = -2.12194440e-4f;
    static constexpr float TAYLOR[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f};
    // e^x is 2^n (1 + rest) between the first two, infinite above the third, zero below the last; tanh is 1 from ONE_FROM on.
    static constexpr float HIGHEST = 88.0f, LOWEST = -87.0f, INFINITE = 88.72f, ZERO = -87.33f, ONE_FROM = 10.0f;
};

template <>
struct Precision<double> {
    typedef int64_t Bits;
    static constexpr Bits NO_SIGN = 0x7fffffffffffffff, ONE = 0x3ff0000000000000;
    static constexpr int FRACTION = 52;
    static constexpr int LAST_OF_LOG = 35;
    static constexpr double LARGEST = 1.7e308;
    static constexpr double ROUNDED = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double LOG2_E = 1.4426950408889634, LN2 = 0x1.62e42feep-1, LN2_REST = 0x1.a39ef35793c76p-33;
    static constexpr double TAYLOR[] = {
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
        1.0 / 5040,       1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
    static constexpr double HIGHEST = 709.0, LOWEST = -708.0, INFINITE = 709.78, ZERO = -708.39, ONE_FROM = 20.0;
};

typedef Precision<Real> Own;
typedef Real V __attribute__((vector_size(64)));
typedef Own::Bits I __attribute__((vector_size(64)));
typedef V InMemory __attribute__((may_alias));  // the same numbers are also read one by one

constexpr int LANES = sizeof(V) / sizeof(Real);
using Lanes = std::make_integer_sequence<int, LANES>;

template <int... L>
constexpr I counted(std::integer_sequence<int, L...>) {
    return I{L...};
}
constexpr I LANE = counted(Lanes());

static inline int padded(int n) { return (n + LANES - 1) / LANES * LANES; }
static inline V load(const Real *p) { return *reinterpret_cast<const InMemory *>(p); }
static inline void store(Real *p, V v) { *reinterpret_cast<InMemory *>(p) = v; }
static inline V all(Real x) { return x - V{}; }

// The mask of a comparison chooses bits; a comparison with NaN is false.
static inline V choose(I mask, V yes, V no) { return (V)((mask & (I)yes) | (~mask & (I)no)); }
static inline V absolute(V x) { return (V)((I)x & Own::NO_SIGN); }

// The square root of every lane: correctly rounded, as that of a single number is.
static inline V square_root(V v) {
    for (int l = 0; l < LANES; l++) v[l] = std::sqrt(v[l]);
    return v;
}

// At most a vector of the numbers from `p` on, wherever they start.
static inline V load_some(const Real *p, int number) {
    V v = {};
    if (number >= LANES)
        std::memcpy(&v, p, sizeof v);  // of a length that the compiler knows: no call
    else
        std::memcpy(&v, p, number * sizeof(Real));
    return v;
}
static inline void store_some(Real *p, V v, int number) {
    if (number >= LANES)
        std::memcpy(p, &v, sizeof v);
    else
        std::memcpy(p, &v, number * sizeof(Real));
}

static inline Real sum_of_lanes(V v) {
    Real sum = 0;
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

struct Power {
    V two_n, rest;  // e^x = 2^n (1 + rest)
};

// Cody and Waite's reduction and a Taylor polynomial on [-ln 2 / 2, ln 2 / 2]; x must be in [LOWEST, HIGHEST] or NaN.
static inline Power power(V x) {
    V shifted = x * Own::LOG2_E + Own::ROUNDED;
    V n = shifted - Own::ROUNDED;
    V r = x - n * Own::LN2;
    r = r - n * Own::LN2_REST;
    V p = all(Own::TAYLOR[0]);
#pragma GCC unroll 16
    for (size_t k = 1; k < sizeof Own::TAYLOR / sizeof(Real); k++) p = p * r + Own::TAYLOR[k];
    p = r + (r * r) * p;
    I bits = ((I)shifted << Own::FRACTION) + Own::ONE;  // the low bits of `shifted` are n
    return {(V)bits, p};
}

// Between HIGHEST and INFINITE the value at HIGHEST stands for all.
static inline V exponential(V x) {
    V inside = choose(x > Own::HIGHEST, all(Own::HIGHEST), choose(x < Own::LOWEST, all(Own::LOWEST), x));
    Power e = power(inside);
    V y = e.two_n + e.two_n * e.rest;
    y = choose(x > Own::INFINITE, all(INFINITY), y);
    return choose(x < Own::ZERO, V{}, y);
}

static inline V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh x = (e^2x - 1) / (e^2x + 1), where e^2x - 1 = 2^n rest + (2^n - 1) loses no digits near zero.
static inline V hyperbolic_tangent(V x) {
    V inside = choose(x > Own::ONE_FROM, all(Own::ONE_FROM), choose(x < -Own::ONE_FROM, all(-Own::ONE_FROM), x));
    Power e = power(2.0f * inside);
    V less_one = e.two_n * e.rest + (e.two_n - 1.0f);
    return less_one / (less_one + 2.0f);
}

// log(1 + y) for y in [0, 1], that is 2 artanh(y / (2 + y)): the series loses no digits near zero.
static inline V log_of_one_more(V y) {
    V s = y / (2.0f + y), square = s * s, p = {};
    for (int n = Own::LAST_OF_LOG; n > 1; n -= 2) p = p * square + (Real)1 / n;
    return 2.0f * (s + s * (square * p));
}

#ifdef __clang__
#define MERGE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define MERGE(x, y, ...) __builtin_shuffle(x, y, (I){__VA_ARGS__})
#endif

// Of each lane the one that is `S`, a power of two, away.
template <int S, int... L>
static inline V exchanged(V v, std::integer_sequence<int, L...>) {
    return MERGE(v, v, (L ^ S)...);
}

// The lanes of x without the bit S, each followed by its partner of y; and the lanes with it, of x before those of y.
template <int S, int... L>
static inline V without_bit(V x, V y, std::integer_sequence<int, L...>) {
    return MERGE(x, y, (L & S ? LANES + L - S : L)...);
}
template <int S, int... L>
static inline V with_bit(V x, V y, std::integer_sequence<int, L...>) {
    return MERGE(x, y, (L & S ? LANES + L : L + S)...);
}
#undef MERGE

// As good an order as that of `sum_of_lanes`, another one, and shorter to wait for.
static inline Real sum_by_halves(V v) {
    if constexpr (LANES == 16) v += exchanged<8>(v, Lanes());
    v += exchanged<4>(v, Lanes());
    v += exchanged<2>(v, Lanes());
    return v[0] + v[1];
}

// Rows i and i + S of a block exchange the lanes that lie on the wrong side.
template <int S>
static inline __attribute__((always_inline)) void exchange(V *rows) {
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        if (!(i & S)) {
            V first = without_bit<S>(rows[i], rows[i + S], Lanes()), second = with_bit<S>(rows[i], rows[i + S], Lanes());
            rows[i] = first, rows[i + S] = second;
        }
}

// As many rows as lanes, transposed; of `in` only the first `rows` rows are read, the others count as zero, and of `out` only
// the first `columns` rows are written.
static inline void transpose_block(const Real *in, long ld_in, Real *out, long ld_out, int rows, int columns) {
    V a[LANES];
    for (int i = 0; i < LANES; i++) a[i] = i < rows ? load(in + i * ld_in) : V{};
    exchange<1>(a), exchange<2>(a), exchange<4>(a);
    if constexpr (LANES == 16) exchange<8>(a);
    for (int i = 0; i < LANES; i++)
        if (i < columns) store(out + i * ld_out, a[i]);
}

// out [columns, ld_out] = in [rows, ld_in] transposed, with zeros in the places of missing rows.
static inline void transpose(const Real *in, long ld_in, Real *out, long ld_out, int rows, int columns) {
    for (int i = 0; i < rows; i += LANES)
        for (int j = 0; j < columns; j += LANES)
            transpose_block(in + i * ld_in + j, ld_in, out + j * ld_out + i, ld_out, rows - i, columns - j);
}
