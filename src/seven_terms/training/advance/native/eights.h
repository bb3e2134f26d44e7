// Eight numbers in double precision at a time, whatever the processor's width.
//
// Where a product and a sum are one operation is written out, `fused`: the numbers of one run and one number of eight runs go
// through the same lines and must round alike.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>

#if defined(__FMA__)
#include <immintrin.h>
#endif

typedef double W __attribute__((vector_size(64)));
typedef double Unaligned __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t M __attribute__((vector_size(64)));
#define INLINED __attribute__((always_inline))  // else four copies of a loop's body would be calls

#ifdef SEVEN_TERMS_ASKS_LIBRARY  // for a test: e^x and powers are left to the C library
constexpr bool ASKS_LIBRARY = true;
#else
constexpr bool ASKS_LIBRARY = false;
#endif

#if defined(__FMA__) && !defined(__AVX512F__)
union Halves {
    W whole;
    __m256d half[2];
};
#endif

static inline W every(double x) { return x - W{}; }
static inline W load_eight(const double *p) { return *reinterpret_cast<const Unaligned *>(p); }
static inline void store_eight(double *p, W v) { *reinterpret_cast<Unaligned *>(p) = v; }
static inline W select(M mask, W yes, W no) { return (W)((mask & (M)yes) | (~mask & (M)no)); }  // NaN compares as false
static inline W magnitude(W v) { return (W)((M)v & INT64_MAX); }

// a b + c, rounded once. Written out: where it stands in a longer expression, GCC makes eight operations of eight lanes.
static inline INLINED W fused(W a, W b, W c) {
#if defined(__AVX512F__)
    return (W)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
    Halves x = {a}, y = {b}, z = {c};
    for (int half = 0; half < 2; half++) z.half[half] = _mm256_fmadd_pd(x.half[half], y.half[half], z.half[half]);
    return z.whole;
#else
    W found = {};
    for (int l = 0; l < 8; l++) found[l] = __builtin_fma(a[l], b[l], c[l]);
    return found;
#endif
}

// A product that must not become one operation with the sum that follows.
static inline W rounded(W v) {
    __asm__("" : "+m"(v));
    return v;
}

// The square root of every lane: correctly rounded, as that of a single number is.
static inline W root(W v) {
    for (int l = 0; l < 8; l++) v[l] = std::sqrt(v[l]);
    return v;
}

static inline double sum_of(W v) {
    double sum = 0;
    for (int l = 0; l < 8; l++) sum += v[l];
    return sum;
}

// What a vector holds: eight numbers of one run, or one number of eight runs.
enum class Form { along, across };

// A sum over the numbers d of a run in one order, whatever the form: d belongs to part (d / 8) % ways and there to place d % 8;
// parts are added pair by pair, then the places in their order.
template <Form form, int ways>
struct Sum {
    static constexpr int PARTS = form == Form::along ? ways : 8 * ways;
    W part[PARTS] = {};

    // Add a b of vector i.
    INLINED void add(long i, W a, W b) { part[i % PARTS] = fused(a, b, part[i % PARTS]); }
    // Of n vectors: the sum, in every lane, or that of each run.
    W total(long n) const {
        if (form == Form::along) {
            W first = part[0] + part[1];
            return every(sum_of(ways == 2 ? first : first + (part[2 % PARTS] + part[3 % PARTS])));
        }
        W sum = {};
        for (long place = 0; place < 8 && place < n; place++) {
            W pair = pair_of(place, n);
            sum += ways == 4 && place + 16 < n ? pair + pair_of(place + 16, n) : pair;
        }
        return sum;
    }

private:
    W pair_of(long place, long n) const { return place + 8 < n ? part[place] + part[place + 8] : part[place]; }
};

// Call `body` with every vector's number below n and the same modulo four, a constant where numbers of one run are summed; n is then
// a multiple of four.
template <Form form, class Body>
static inline void each(long n, Body body) {
    if (form == Form::along)
        for (long i = 0; i < n; i += 4) body(i, 0), body(i + 1, 1), body(i + 2, 2), body(i + 3, 3);
    else
        for (long i = 0; i < n; i++) body(i, i);
}
