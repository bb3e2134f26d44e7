// x^k for whole k, the same bits as the C library's pow, which is wrong by less than 0.54 units of the last place (glibc since 2.28).
//
// The power is known to twice the digits. Where it is not near the middle of two doubles every good library returns the nearer one;
// elsewhere, one time in eleven, and near the ends of the range, the library is asked.
#pragma once

#include "eights.h"

constexpr double MOST_FACTORS = 8;

static inline bool is_whole_power(double k) { return k >= 0 && k <= MOST_FACTORS && k == std::floor(k); }

static inline W power_of_library(W x, double k, long num_asked = 8) {
    for (long l = 0; l < 8; l++) x[l] = l < num_asked ? std::pow(x[l], k) : x[0];
    return x;
}

// Set `doubtful` to -1 in lanes where the library must be asked; x >= 0 or NaN.
static inline W whole_power(W x, double k, M &doubtful) {
    W high = every(1), low = {};
    for (int i = 0; i < k; i++) {  // (high + low) x
        W product = high * x, rest = fused(low, x, fused(high, x, -product));
        high = product + rest, low = rest - (high - product);
    }
    W unit = (W)((M)high & 0x7ff0000000000000) * 0x1p-52;
    M is_inside = (high > 1e-250) & (high < 1e250), is_power_of_two = ((M)high & 0xfffffffffffff) == 0;
    doubtful = ~is_inside | (magnitude(low) > 0.455 * unit) | is_power_of_two;
    return high;
}

// Whether that holds of this library, at 4,096 numbers: of another's errors dozens would be seen.
static bool is_power_of_nearest(double k) {
    W x = {0.1, 0.3, 0.7, 1.1, 1.9, 3.1, 5.3, 8.7};
    for (int i = 0; i < 512; i++, x *= 1.00713) {
        M doubtful;
        W own = whole_power(x, k, doubtful), other = power_of_library(x, k);
        for (int l = 0; l < 8; l++)
            if (!doubtful[l] && own[l] != other[l]) return false;
    }
    return true;
}

static bool is_whole_power_of_library(double k) {
    static const unsigned found = [] {
        unsigned bits = 0;
        if (ASKS_LIBRARY) return bits;
        for (int i = 0; i <= MOST_FACTORS; i++) bits |= (unsigned)is_power_of_nearest(i) << i;
        return bits;
    }();
    return is_whole_power(k) && found >> (int)k & 1;
}

// Of the first `num_asked` lanes; the others hold what does not matter.
static inline W power(W x, double k, bool is_own, long num_asked) {
    if (!is_own) return power_of_library(x, k, num_asked);
    M doubtful;
    W found = whole_power(x, k, doubtful);
    int64_t any = 0;
    for (int l = 0; l < 8; l++) any |= doubtful[l];
    if (any)
        for (long l = 0; l < num_asked; l++)
            if (doubtful[l]) found[l] = std::pow(x[l], k);
    return found;
}
