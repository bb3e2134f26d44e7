// Standard normal numbers from uniform ones in double precision, as PyTorch makes them (Box and Muller 1958), eight at a time.
//
// Logarithm, sine and cosine are the polynomials of fdlibm (Sun Microsystems 1993), off by less than one unit in the last place; the
// angle is reduced before it is multiplied by 2 pi, so that less is lost than by PyTorch. `fused` and `rounded` say what is one
// operation, so that every processor gives the same bits.
#pragma once

#include "eights.h"

static inline W polynomial(W x, std::initializer_list<double> from_the_last) {
    W sum = {};
    for (double one : from_the_last) sum = fused(sum, x, every(one));
    return sum;
}

// log x for x in (0, 1], a normal number.
static inline W logarithm(W x) {
    M bits = (M)x, shifted = bits - (int64_t)0x3fe6a09e667f3bcd;  // from sqrt(1/2) on
    M exponent = shifted >> 52;
    W fraction = (W)(bits - (exponent << 52)) - 1, k = __builtin_convertvector(exponent, W);
    W s = fraction / (2 + fraction), z = s * s, half = rounded(0.5 * (fraction * fraction));
    W rest = z * polynomial(z, {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                6.666666666666735130e-01});
    W low = fused(k, every(1.90821492927058770002e-10), rounded(s * (half + rest)));
    return fused(k, every(6.93147180369123816490e-01), fraction - (half - low));
}

// The sine and the cosine of 2 pi u for u in [0, 1).
static inline void sine_and_cosine(W u, W &sine, W &cosine) {
    W rounder = every(0x1.8p52), shifted = 4 * u + rounder, quarters = shifted - rounder;
    M turn = (M)shifted & 3;
    W t = 6.283185307179586477 * fused(every(-0.25), quarters, u), z = t * t;
    W of_sine = polynomial(z, {1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
                               -1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01});
    W of_cosine = polynomial(z, {-1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
                                 2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02});
    W s = fused(rounded(t * z), of_sine, t), c = fused(rounded(z * z), of_cosine, fused(every(-0.5), z, every(1)));
    M is_odd = -(turn & 1);
    M sign_of_sine = (turn & 2) << 62, sign_of_cosine = ((turn + 1) & 2) << 62;
    sine = (W)((M)select(is_odd, c, s) ^ sign_of_sine);
    cosine = (W)((M)select(is_odd, s, c) ^ sign_of_cosine);
}

// values [16 * blocks], uniform in [0, 1), become normal: of each block the first eight give radii, the others angles.
static void normals_from_uniforms(double *values, long blocks) {
    for (long i = 0; i < blocks; i++, values += 16) {
        W sine, cosine, radius = root(-2 * logarithm(1 - load_eight(values)));
        sine_and_cosine(load_eight(values + 8), sine, cosine);
        store_eight(values, radius * cosine), store_eight(values + 8, radius * sine);
    }
}
