// The updates of a point, or of eight points side by side: pass, clipping and rule.
//
// x is the point, h are eigenvalues, g the gradient, each [n] vectors: `along` of D numbers, padded with zeros to whole fours of vectors,
// `across` n = D, which may be `fixed`. Vectors called after a setting hold the same in every lane `along`, and that of each run `across`.
#pragma once

#include "exponential.h"
#include "point_call.h"
#include "powers.h"

constexpr double POINT_NORM_EPS = 1e-6, SMALLEST_POINT = 1e-3;  // those of rules.h
constexpr long MOST_SIDE_BY_SIDE = 16;                           // numbers of a run

template <Form form, long fixed = 0>
class PointRuns {
public:
    // `across` up to eight runs; the places that are left hold the last one again.
    PointRuns(const Point *points, const PointCall &call, const long *runs, long num_runs)
        : p(points[runs[0]]), call(call), num_runs(num_runs), d(p.dimension), vectors(form == Form::along ? (d + 31) / 32 * 4 : d) {
        for (long l = 0; l < 8; l++) {
            run[l] = runs[l < num_runs ? l : num_runs - 1];
            noise[l] = call.noise ? call.noise + call.seed_of_run[run[l]] * call.num_updates * d : nullptr;
#define TAKE(name) of.name[l] = points[run[l]].name;
            POINT_DOUBLES(TAKE)
#undef TAKE
        }
        is_row = num_runs == 8 && run[7] == run[0] + 7;
        is_own = p.function == (int)Function::power ? is_whole_power_of_library(p.exponent - 1) : is_exponential_of_library();
        memory.reset(new W[6 * vectors + p.length + 1]());
        W *next = memory.get();
        for (W **one : {&x, &g, &h, &velocity, &square, &average}) *one = next, next += vectors;
        passed = next;
        take(call.x, x), take(call.velocity, velocity), take(call.square, square), take(call.average, average);
        if (call.h)
            for (long i = 0; i < vectors; i++) h[i] = form == Form::along ? row_of(call.h, i) : every(call.h[i]);
    }

    void advance() {
        for (long u = 0; u < call.num_updates; u++) {
            const double *rates = call.rates + u * call.num_rows;
            W rate;
            if (is_row) rate = load_eight(rates + run[0]);
            else
                for (int l = 0; l < 8; l++) rate[l] = rates[run[l]];
            tell(LOSS, u, pass(u));
            clip(u);
            tell(UPDATE_NORM, u, step(rate, call.first_update + u));
        }
        give(x, call.x), give(velocity, call.velocity), give(square, call.square), give(average, call.average);
    }

private:
    typedef Sum<form, 2> Two;
    typedef Sum<form, 4> Four;

    const Point &p;  // of the first run: all take its turns
    const PointCall &call;
    long num_runs, d, vectors, run[8];
    const double *noise[8];
    EightPoints of;
    bool is_row, is_own;  // eight runs that follow each other; no need to ask the C library
    std::unique_ptr<W[]> memory;
    W *x, *g, *h, *velocity, *square, *average, *passed;
    W size_of_g;  // its norm

    long n() const { return fixed ? fixed : vectors; }

    INLINED W row_of(const double *from, long i) const {
        if (8 * i + 8 <= d) return load_eight(from + 8 * i);
        W v = {};
        for (long k = 8 * i; k < d; k++) v[k - 8 * i] = from[k];
        return v;
    }
    void take(const double *from, W *to) const {
        if (!from) return;
        if (form == Form::along) std::memcpy(to, from + run[0] * d, d * sizeof(double));
        else
            for (long i = 0; i < d; i++)
                for (int l = 0; l < 8; l++) to[i][l] = from[run[l] * d + i];
    }
    void give(const W *from, double *to) const {
        if (!to) return;
        if (form == Form::along) std::memcpy(to + run[0] * d, from, d * sizeof(double));
        else
            for (long i = 0; i < d; i++)
                for (int l = 0; l < num_runs; l++) to[run[l] * d + i] = from[i][l];
    }
    void tell(int what, long u, W v) const {
        double *to = call.measured + what * call.apart + u * call.num_rows;
        if (is_row) return store_eight(to + run[0], v);
        for (int l = 0; l < num_runs; l++) to[run[l]] = v[l];
    }
    template <class Body>
    void each(Body body) const {
        ::each<form>(n(), body);
    }
    template <class Total>
    W norm(const Total &sum) const {
        return form == Form::along ? every(std::sqrt(sum.total(n())[0])) : root(sum.total(n()));
    }
    W norm_of(const W *v) const {
        Four sum;
        each([&](long i, long j) INLINED { sum.add(j, v[i], v[i]); });
        return norm(sum);
    }

    // Return the loss; fill `g` and `size_of_g`.
    W pass(long u) {
        switch ((Function)p.function) {
            case Function::quadratic: return noise[0] ? quadratic<true>(u * d) : quadratic<false>(0);
            case Function::moments: return moments();
            case Function::power: return power();
            case Function::recurrence: return recurrence();
        }
        return every(NAN);
    }

    template <bool is_noisy>
    W quadratic(long first) {
        Two bowl, tilt;
        Four squares;
        each([&](long i, long j) INLINED {
            W v = x[i], slope = h[i] * v;
            bowl.add(j, slope, v);
            if (is_noisy) {
                W pushed;
                if (form == Form::along) pushed = row_of(noise[0] + first, i);
                else
                    for (int l = 0; l < 8; l++) pushed[l] = noise[l][first + i];
                tilt.add(j, pushed, v);
                slope += pushed;
            }
            squares.add(j, slope, slope);
            g[i] = slope;
        });
        size_of_g = norm(squares);
        W loss = bowl.total(n()) / 2;
        return is_noisy && p.counts_noise ? loss + tilt.total(n()) : loss;
    }

    W moments() {
        Two sum;
        Four squares;
        each([&](long i, long j) INLINED {
            W slope = h[i] / 2;
            sum.add(j, h[i], x[i]), squares.add(j, slope, slope);
            g[i] = slope;
        });
        size_of_g = norm(squares);
        return sum.total(n()) / 2;
    }

    W power() {
        W sum = {};
        for (long i = 0; i < n(); i++) {
            W v = x[i], size = magnitude(v), below = ::power(size, p.exponent - 1, is_own, num_runs);
            sum += rounded(below * size);
            g[i] = select(v > 0, below, select(v < 0, -below, v * below));  // 0 at 0, NaN at NaN
        }
        size_of_g = norm_of(g);
        return sum / of.exponent;
    }

    // x_t = w sigmoid(x_{t-1}) + b for every pair (w, b), and its loss (sigmoid(x_T) - target)^2.
    W recurrence() {
        W sum = {};
        for (long i = 0; i + 1 < n(); i += 2) {
            W w = x[i], b = x[i + 1], state = of.start, of_w = {}, of_b = {};
            for (int t = 0; t < p.length; t++) passed[t] = squashed(state), state = fused(w, passed[t], b);
            W end = passed[p.length] = squashed(state), error = end - of.target;
            W slope = 2 * error;
            for (int t = p.length; t-- > 0;) {
                slope = slope * (passed[t + 1] * (1 - passed[t + 1]));  // dL/dx_{t+1}
                of_w += rounded(slope * passed[t]), of_b += slope;
                slope *= w;
            }
            sum += rounded(error * error);
            g[i] = of_w, g[i + 1] = of_b;
        }
        size_of_g = norm_of(g);
        return sum;
    }
    W squashed(W v) const { return 1 / (1 + exponential(-v, is_own)); }

    void scale(W factor) {
        for (long i = 0; i < n(); i++) g[i] = factor * g[i];
    }

    // Clip the gradient; tell its norms.
    void clip(long u) {
        W before = size_of_g, after = before;
        if (p.clip_adaptive < INFINITY) {
            W size = norm_of(x), limit = of.clip_adaptive * select(size < SMALLEST_POINT, every(SMALLEST_POINT), size);
            for (long i = 0; i < n(); i++) g[i] = select(before > limit, limit / before * g[i], g[i]);
        }
        if (p.clip_value < INFINITY)
            for (long i = 0; i < n(); i++)
                g[i] = select(g[i] > of.clip_value, of.clip_value, select(g[i] < -of.clip_value, -of.clip_value, g[i]));
        if (p.clip_value < INFINITY || p.clip_adaptive < INFINITY) after = norm_of(g);
        if (p.clip_norm < INFINITY) {
            W factor = of.clip_norm / (after + POINT_NORM_EPS);
            factor = select(factor > 1, every(1), factor);
            scale(factor);
            after = factor * after;
        }
        tell(GRADIENT_NORM, u, before), tell(CLIPPED_NORM, u, after);
    }

    // Make one update with the gradient `g`, `number` counted from 0; return its norm.
    W step(W rate, long number) {
        switch ((PointRule)p.rule) {
            case PointRule::descent:
                return moved(number, [&](long i, W v) INLINED { return fused(-rate, direction(i, v), v); });
            case PointRule::adaptive_moments: {
                W mean_rate = rate / (1 - power_of(of.beta1, number + 1));
                W scale_of_square = root(1 - power_of(of.beta2, number + 1));
                return moved(number, [&](long i, W v) INLINED { return adam(i, v, rate, mean_rate, scale_of_square); });
            }
            case PointRule::expected: {
                W gain = rate * rate * of.noise;
                return moved(number, [&](long i, W v) INLINED {
                    W curvature = 2 * g[i], kept = fused(-rate, curvature, every(1));
                    return fused(kept * kept, v, gain * curvature);
                });
            }
        }
        return every(NAN);
    }

    // Put `next` of every number in its place, average it if asked; return the norm of the update.
    template <class Next>
    W moved(long number, Next next) {
        Two sum;
        each([&](long i, long j) INLINED {
            W v = x[i], now = next(i, v), change = now - v;
            sum.add(j, change, change);
            x[i] = now;
            if (call.average) average[i] += (now - average[i]) / (double)(number + 1);
        });
        return norm(sum);
    }

    W power_of(W base, double exponent) const {
        W found;
        for (int l = 0; l < 8; l++) found[l] = l && base[l] == base[l - 1] ? found[l - 1] : std::pow(base[l], exponent);
        return found;
    }

    INLINED W decayed(long i, W v) const { return p.weight_decay != 0 ? fused(of.weight_decay, v, g[i]) : g[i]; }

    INLINED W direction(long i, W v) {
        W now = decayed(i, v);
        if (!call.velocity) return now;
        velocity[i] = fused(of.momentum, velocity[i], now);
        return p.nesterov ? fused(of.momentum, velocity[i], now) : velocity[i];
    }

    INLINED W adam(long i, W v, W rate, W mean_rate, W scale_of_square) {
        W now = p.decoupled ? g[i] : decayed(i, v);
        W &m = velocity[i], &s = square[i];
        m = fused(1 - of.beta1, now - m, m), s = fused(of.beta2, s, (1 - of.beta2) * (now * now));
        W start = p.decoupled && p.weight_decay != 0 ? v * fused(-rate, of.weight_decay, every(1)) : v;
        return start - mean_rate * m / (root(s) / scale_of_square + of.eps);
    }
};
