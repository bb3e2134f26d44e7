// What an update does with a gradient: clipping and the rule (`seven_terms.optimizers`).
#pragma once

#include "layout.h"

// Infinity and zero are off.
#define RULE_REALS(X) X(momentum) X(weight_decay) X(clip_value) X(clip_norm) X(clip_adaptive) X(eps) X(beta) X(power)
#define RULE_DOUBLES(X) X(beta1) X(beta2)
struct Rule {
#define AS_FIELD(name) Real name;
    RULE_REALS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) double name;
    RULE_DOUBLES(AS_FIELD)
#undef AS_FIELD
};

enum Measured { LOSS, GRADIENT_NORM, CLIPPED_NORM, UPDATE_NORM, NUM_MEASURED };  // what is told of an update
constexpr Real NORM_EPS = 1e-6;       // torch.nn.utils.clip_grad_norm_
constexpr Real SMALLEST_UNIT = 1e-3;  // Brock et al. 2021, section 4.1: max(||W_i||, eps)

// A run's numbers as rows of [size]: its parameters, their gradient, and the rule's state (velocity; mean and square; average and
// what it is ahead of the descent).
struct Rows {
    Real *w, *g, *state[2];
    long size;
};

// Call body(i, j, k) for the place i of every vector: sums that alternate have each a chain of their own. j counts to four and
// begins again, k counts so in whole groups of four and is zero after them; the compiler knows both.
template <class Body>
static inline __attribute__((always_inline)) void each_vector(long size, Body body) {
    long i = 0;
    for (; i + 4 * LANES <= size; i += 4 * LANES) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) body(i + j * LANES, j, j);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 3; j++)
        if (i + j * LANES < size) body(i + j * LANES, j, 0);
}

static Real root_of_four(const V *sum) { return std::sqrt(sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]))); }

static Real norm(const Real *x, long size) {
    V sum[4] = {};
    each_vector(size, [&](long i, int, int k) { sum[k] += load(x + i) * load(x + i); });
    return root_of_four(sum);
}

static void clip_entries(Real *g, long size, Real bound) {
    for (long i = 0; i < size; i += LANES) {
        V v = load(g + i);
        store(g + i, choose(v > bound, all(bound), choose(v < -bound, all(-bound), v)));
    }
}

static void scale(Real *g, long size, Real factor) {
    for (long i = 0; i < size; i += LANES) store(g + i, load(g + i) * factor);
}

static void clip_vector(const Real *w, Real *g, int size, Real bound) {
    Real limit = bound * std::max(norm(w, size), SMALLEST_UNIT), length = norm(g, size);
    if (length > limit) scale(g, size, limit / length);
}

// Brock et al. 2021: each unit's incoming weights on their own, a bias as one unit, the readout not at all.
static void clip_units(const Layout &layout, const Real *w, Real *g, Real bound) {
    for (const Matrix &m : layout.matrices) {
        if (m.is_readout) continue;
        int ld = m.ld();
        if (m.is_vector) {
            clip_vector(w + m.at, g + m.at, ld, bound);
            continue;
        }
        for (int j = 0; j < ld; j += LANES) {
            V of_w = {}, of_g = {}, factor = all(1.0f);
            for (long k = m.at + j; k < m.at + j + (long)m.in * ld; k += ld)
                of_w += load(w + k) * load(w + k), of_g += load(g + k) * load(g + k);
            for (int l = 0; l < LANES; l++) {
                Real limit = bound * std::max(std::sqrt(of_w[l]), SMALLEST_UNIT), length = std::sqrt(of_g[l]);
                if (length > limit) factor[l] = limit / length;
            }
            for (long k = m.at + j; k < m.at + j + (long)m.in * ld; k += ld) store(g + k, load(g + k) * factor);
        }
        if (m.bias >= 0) clip_vector(w + m.bias, g + m.bias, ld, bound);
    }
}

struct Norms {
    Real gradient, update;
};

// SGD; the gradient is multiplied by `factor`. Return the norms of the gradient as it was, and of the update.
static Norms sgd(const Program &p, const Rule &rule, Real rate, Real factor, Rows rows) {
    V squares[4] = {}, sum[2] = {};
    Real *velocity = rows.state[0];
    each_vector(rows.size, [&](long i, int j, int k) {
        V w = load(rows.w + i), d = load(rows.g + i);
        squares[k] += d * d;
        if (factor != 1.0f) d = d * factor;
        if (rule.weight_decay != 0.0f) d = d + rule.weight_decay * w;
        if (velocity) {
            V v = rule.momentum * load(velocity + i) + d;
            store(velocity + i, v);
            d = p.nesterov ? d + rule.momentum * v : v;
        }
        V next = w - rate * d, moved = next - w;
        store(rows.w + i, next);
        sum[j % 2] += moved * moved;
    });
    return {root_of_four(squares), std::sqrt(sum_of_lanes(sum[0] + sum[1]))};
}

// Kingma and Ba 2015, algorithm 1; decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2. `number` counts from 0.
static Real adam(const Program &p, const Rule &rule, double rate, Real factor, Rows rows, long number) {
    Real size = rate / (1.0 - std::pow(rule.beta1, (double)(number + 1)));
    Real root = std::sqrt(1.0 - std::pow(rule.beta2, (double)(number + 1)));
    Real new_in_mean = 1.0 - rule.beta1, old_in_square = rule.beta2, new_in_square = 1.0 - rule.beta2;
    Real kept = 1.0 - rate * rule.weight_decay;
    V sum[2] = {};
    each_vector(rows.size, [&](long i, int j, int) {
        V w = load(rows.w + i), g = load(rows.g + i);
        if (factor != 1.0f) g = g * factor;
        if (rule.weight_decay != 0.0f && !p.decoupled) g = g + rule.weight_decay * w;
        V m = load(rows.state[0] + i), v = load(rows.state[1] + i);
        m = m + new_in_mean * (g - m), v = old_in_square * v + new_in_square * (g * g);
        store(rows.state[0] + i, m), store(rows.state[1] + i, v);
        V start = rule.weight_decay != 0.0f && p.decoupled ? w * kept : w;
        V next = start - size * m / (square_root(v) / root + rule.eps), moved = next - w;
        store(rows.w + i, next);
        sum[j % 2] += moved * moved;
    });
    return std::sqrt(sum_of_lanes(sum[0] + sum[1]));
}

// Defazio et al. 2024, `seven_terms.spec.ScheduleFree`: w is y = z + beta (x - z), kept are x and x - z.
static Real schedule_free(const Rule &rule, Real rate, Real factor, Rows rows, long number) {
    Real share = ((double)rule.power + 1.0) / (number + 1.0 + rule.power);
    V sum[2] = {};
    each_vector(rows.size, [&](long i, int j, int) {
        V w = load(rows.w + i), d = load(rows.g + i), ahead = load(rows.state[1] + i);
        if (factor != 1.0f) d = d * factor;
        if (rule.weight_decay != 0.0f) d = d + rule.weight_decay * w;
        V z = w - rule.beta * ahead, x = z + ahead;
        z = z - rate * d, x = x + (z - x) * share;
        V next = z + rule.beta * (x - z), moved = next - w;
        store(rows.state[0] + i, x), store(rows.state[1] + i, x - z), store(rows.w + i, next);
        sum[j % 2] += moved * moved;
    });
    return std::sqrt(sum_of_lanes(sum[0] + sum[1]));
}

// The part that is trained, where it is one: all before the readout, or the readout. Rules without a state know parts alone.
static Rows trained_part(const Program &p, const Layout &layout, Rows rows) {
    long readout = layout.matrices.back().at;
    long first = p.trains(Trained::readout) ? readout : 0, stop = p.trains(Trained::hidden) ? readout : rows.size;
    return {rows.w + first, rows.g + first, {rows.state[0], rows.state[1]}, stop - first};
}

// Clip the gradient and make one update; fill what is measured of it.
[[maybe_unused]] static void update(
    const Program &p, const Layout &layout, const Rule &rule, double rate, long number, Rows whole, Real *measured) {
    Rows rows = trained_part(p, layout, whole);
    bool is_cut = rule.clip_value < INFINITY || rule.clip_adaptive < INFINITY, is_scaled = rule.clip_norm < INFINITY;
    bool is_sgd = p.rule == (int)RuleKind::sgd, is_alone = !is_cut && !is_scaled && is_sgd;
    Real before = is_alone ? 0 : norm(rows.g, rows.size), after = before, factor = 1.0f;
    if (rule.clip_adaptive < INFINITY) clip_units(layout, rows.w, rows.g, rule.clip_adaptive);
    if (rule.clip_value < INFINITY) clip_entries(rows.g, rows.size, rule.clip_value);
    if (is_cut && (is_scaled || !is_sgd)) after = norm(rows.g, rows.size);
    if (is_scaled) {
        factor = rule.clip_norm / (after + NORM_EPS);
        factor = factor > 1.0f ? 1.0f : factor;
        after = factor * after;
    }
    if (p.rule == (int)RuleKind::adam) {
        measured[UPDATE_NORM] = adam(p, rule, rate, factor, rows, number);
    } else if (!is_sgd) {
        measured[UPDATE_NORM] = schedule_free(rule, rate, factor, rows, number);
    } else {
        Norms found = sgd(p, rule, rate, factor, rows);
        if (is_alone) before = found.gradient;
        if (!is_scaled) after = found.gradient;
        measured[UPDATE_NORM] = found.update;
    }
    measured[GRADIENT_NORM] = before, measured[CLIPPED_NORM] = after;
}
