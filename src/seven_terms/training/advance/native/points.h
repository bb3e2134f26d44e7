// Updates of a point: functions that are given by a formula (`seven_terms.tasks.quadratic`, `point_functions`), in double precision.
//
// h are eigenvalues, x the point, g the gradient; vectors of eight numbers, padded with zeros, whatever the processor's width.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>

typedef double W __attribute__((vector_size(64)));
typedef double Unaligned __attribute__((vector_size(64), aligned(8), may_alias));

#define FUNCTIONS(X) X(quadratic) X(moments) X(power) X(recurrence)
#define POINT_RULES(X) X(descent) X(adaptive_moments) X(expected)
#define AS_ENUM(word) word,
enum class Function { FUNCTIONS(AS_ENUM) };
enum class PointRule { POINT_RULES(AS_ENUM) };
#undef AS_ENUM

// Of each run: its function and its rule. Infinity and zero are off. `counts_noise`: the noise is part of the loss.
#define POINT_INTEGERS(X) X(function) X(rule) X(nesterov) X(decoupled) X(counts_noise) X(dimension) X(length)
#define POINT_DOUBLES(X) \
    X(exponent) X(start) X(target) X(momentum) X(weight_decay) X(eps) X(beta1) X(beta2) X(noise) \
    X(clip_value) X(clip_norm) X(clip_adaptive)
struct Point {
#define AS_FIELD(name) int32_t name;
    POINT_INTEGERS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) double name;
    POINT_DOUBLES(AS_FIELD)
#undef AS_FIELD
};

// What a call works on: x [D]; `velocity` is the mean of Adam too, `square` is null without; `average` of the iterates, or null;
// h [D]; noise [updates, D] or null; rates [updates]; measured [updates, NUM_MEASURED].
#define POINT_POINTERS(X) \
    X(double *, x) X(double *, velocity) X(double *, square) X(double *, average) X(const double *, h) X(const double *, noise) \
    X(const double *, rates) X(double *, measured)
#define POINT_COUNTS(X) X(first_update) X(num_updates)
struct PointCall {
#define AS_FIELD(type, name) type name;
    POINT_POINTERS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) int64_t name;
    POINT_COUNTS(AS_FIELD)
#undef AS_FIELD
};

constexpr double POINT_NORM_EPS = 1e-6, SMALLEST_POINT = 1e-3;  // those of rules.h

static inline double sum_of(W v) {
    double sum = 0;
    for (int i = 0; i < 8; i++) sum += v[i];
    return sum;
}

static inline W root(W v) {
    for (int i = 0; i < 8; i++) v[i] = std::sqrt(v[i]);
    return v;
}

// Numbers of a run, padded with zeros and aligned; a null pointer gives none.
struct Padded {
    long size;  // in vectors
    std::unique_ptr<W[]> kept;
    double *from;
    long count;

    Padded(double *from, long count) : size((count + 7) / 8), kept(from ? new W[size]() : nullptr), from(from), count(count) {
        if (from) std::memcpy(kept.get(), from, count * sizeof(double));
    }
    void write_back() const {
        if (from) std::memcpy(from, kept.get(), count * sizeof(double));
    }
    W *data() const { return kept.get(); }
};

static inline W row_of(const double *x, long vector, long count) {
    if (8 * vector + 8 <= count) return *reinterpret_cast<const Unaligned *>(x + 8 * vector);
    W v = {};
    for (long i = 8 * vector; i < count; i++) v[i - 8 * vector] = x[i];
    return v;
}

static double norm_of(const W *x, long size) {
    W sum[4] = {};
    for (long i = 0; i < size; i++) sum[i % 4] += x[i] * x[i];
    return std::sqrt(sum_of((sum[0] + sum[1]) + (sum[2] + sum[3])));
}

struct PointRun {
    const Point &p;
    const PointCall &call;
    Padded x, velocity, square, average, h;
    std::unique_ptr<W[]> g;
    long size;

    PointRun(const Point &p, const PointCall &call)
        : p(p),
          call(call),
          x(call.x, p.dimension),
          velocity(call.velocity, p.dimension),
          square(call.square, p.dimension),
          average(call.average, p.dimension),
          h(const_cast<double *>(call.h), p.dimension),
          g(new W[x.size]()),
          size(x.size) {}

    // Return the loss and fill `g`.
    double pass(const double *noise) {
        switch ((Function)p.function) {
            case Function::quadratic: return quadratic(noise);
            case Function::moments: return moments();
            case Function::power: return power();
            case Function::recurrence: return recurrence();
        }
        return NAN;
    }

    double quadratic(const double *noise) {
        W bowl[2] = {}, tilt[2] = {};
        for (long i = 0; i < size; i++) {
            W v = x.data()[i], slope = h.data()[i] * v;
            bowl[i % 2] += slope * v;
            if (noise) {
                W pushed = row_of(noise, i, p.dimension);
                tilt[i % 2] += pushed * v;
                slope += pushed;
            }
            g[i] = slope;
        }
        double loss = sum_of(bowl[0] + bowl[1]) / 2;
        return noise && p.counts_noise ? loss + sum_of(tilt[0] + tilt[1]) : loss;
    }

    double moments() {
        W sum[2] = {};
        for (long i = 0; i < size; i++) {
            sum[i % 2] += h.data()[i] * x.data()[i];
            g[i] = h.data()[i] / 2;
        }
        return sum_of(sum[0] + sum[1]) / 2;
    }

    double power() {
        double sum = 0;
        for (long i = 0; i < p.dimension; i++) {
            double v = x.data()[i / 8][i % 8], below = std::pow(std::fabs(v), p.exponent - 1);
            sum += below * std::fabs(v);
            g[i / 8][i % 8] = v > 0 ? below : v < 0 ? -below : v * below;  // 0 at 0, NaN at NaN
        }
        return sum / p.exponent;
    }

    // x_t = w sigmoid(x_{t-1}) + b for every pair (w, b), and its loss (sigmoid(x_T) - target)^2.
    double recurrence() {
        double sum = 0;
        std::unique_ptr<double[]> passed(new double[p.length + 1]);
        for (long i = 0; i + 1 < p.dimension; i += 2) {
            double w = x.data()[i / 8][i % 8], b = x.data()[i / 8][i % 8 + 1], state = p.start, of_w = 0, of_b = 0;
            for (int t = 0; t < p.length; t++) passed[t] = squashed(state), state = w * passed[t] + b;
            double end = passed[p.length] = squashed(state), error = end - p.target;
            double slope = 2 * error;
            for (int t = p.length; t-- > 0;) {
                slope = slope * (passed[t + 1] * (1 - passed[t + 1]));  // dL/dx_{t+1}
                of_w += slope * passed[t], of_b += slope;
                slope *= w;
            }
            sum += error * error;
            g[i / 8][i % 8] = of_w, g[i / 8][i % 8 + 1] = of_b;
        }
        return sum;
    }
    static double squashed(double v) { return 1 / (1 + std::exp(-v)); }

    void scale(double factor) {
        for (long i = 0; i < size; i++) g[i] = factor * g[i];
    }

    // Clip the gradient; tell its norms.
    void clip(double *measured) {
        double before = norm_of(g.get(), size), after = before;
        if (p.clip_adaptive < INFINITY) {
            double norm = norm_of(x.data(), size), limit = p.clip_adaptive * (norm < SMALLEST_POINT ? SMALLEST_POINT : norm);
            if (before > limit) scale(limit / before);
        }
        if (p.clip_value < INFINITY)
            for (long i = 0; i < p.dimension; i++) {
                double v = g[i / 8][i % 8];
                g[i / 8][i % 8] = v > p.clip_value ? p.clip_value : v < -p.clip_value ? -p.clip_value : v;
            }
        if (p.clip_value < INFINITY || p.clip_adaptive < INFINITY) after = norm_of(g.get(), size);
        if (p.clip_norm < INFINITY) {
            double factor = p.clip_norm / (after + POINT_NORM_EPS);
            factor = factor > 1 ? 1 : factor;
            scale(factor);
            after = factor * after;
        }
        measured[GRADIENT_NORM] = before, measured[CLIPPED_NORM] = after;
    }

    // Make one update with the gradient `g`, `number` counted from 0; return its norm.
    double step(double rate, long number) {
        double mean_rate = rate / (1 - std::pow(p.beta1, (double)(number + 1)));
        double scale_of_square = std::sqrt(1 - std::pow(p.beta2, (double)(number + 1))), count = number + 1;
        W sum[2] = {};
        for (long i = 0; i < size; i++) {
            W v = x.data()[i], next = v;
            switch ((PointRule)p.rule) {
                case PointRule::descent: next = v - rate * direction(i, v); break;
                case PointRule::adaptive_moments: next = adam(i, v, rate, mean_rate, scale_of_square); break;
                case PointRule::expected: {
                    W curvature = 2 * g[i], kept = 1 - rate * curvature;
                    next = (kept * kept) * v + (rate * rate * p.noise) * curvature;
                }
            }
            W moved = next - v;
            sum[i % 2] += moved * moved;
            x.data()[i] = next;
            if (average.data()) average.data()[i] += (next - average.data()[i]) / count;
        }
        return std::sqrt(sum_of(sum[0] + sum[1]));
    }

    W decayed(long i, W v) const { return p.weight_decay != 0 ? g[i] + p.weight_decay * v : g[i]; }

    W direction(long i, W v) {
        W d = decayed(i, v);
        if (!velocity.data()) return d;
        W now = velocity.data()[i] = p.momentum * velocity.data()[i] + d;
        return p.nesterov ? d + p.momentum * now : now;
    }

    W adam(long i, W v, double rate, double mean_rate, double scale_of_square) {
        W d = p.decoupled ? g[i] : decayed(i, v);
        W &m = velocity.data()[i], &s = square.data()[i];
        m = m + (1 - p.beta1) * (d - m), s = p.beta2 * s + (1 - p.beta2) * (d * d);
        W start = p.decoupled && p.weight_decay != 0 ? v * (1 - rate * p.weight_decay) : v;
        return start - mean_rate * m / (root(s) / scale_of_square + p.eps);
    }

    void advance() {
        for (int64_t u = 0; u < call.num_updates; u++) {
            double *measured = call.measured + u * NUM_MEASURED;
            measured[LOSS] = pass(call.noise ? call.noise + u * p.dimension : nullptr);
            clip(measured);
            measured[UPDATE_NORM] = step(call.rates[u], call.first_update + u);
        }
        for (const Padded *one : {&x, &velocity, &square, &average}) one->write_back();
    }
};
