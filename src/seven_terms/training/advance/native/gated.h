// LSTM and GRU whose last state is read, or every one (`seven_terms.models.recurrent`).
//
// The gates of an example lie side by side, [T, B, gates, padded(H)]: those of the LSTM are i, f, g, o, those of the GRU r, z, n.
// What pads a row stays zero in every state and gradient, though a padding gate is sigmoid(0).
#pragma once

#include "recurrent.h"

struct Gated : Sequence {
    Memory gates;  // after their functions; of every step
    Memory of_h;   // dL/dh_t, of every step that is read and of the one at work

    Gated(const Program &p, const Layout &layout)
        : Sequence(p, layout), gates(p.length * size_gates), of_h(p.num_read() * size) {}

    Real *of_state(int t) { return of_h.data() + (p.read_all ? t * size : 0); }
};

struct LstmNet : Gated {
    Memory c, tanh_c;       // of every step
    Memory of_gates, of_c;  // dL/d(sums of the gates) of every step, dL/dc_t of one

    LstmNet(const Program &p, const Layout &layout)
        : Gated(p, layout),
          c(p.length * size),
          tanh_c(p.length * size),
          of_gates(p.length * size_gates),
          of_c(size) {}

    const Real *evaluate(const Real *row, const Real *inputs, Real *const *) {
        drive(row, inputs, gates.data());
        for (int t = 0; t < steps; t++) {
            if (t) recur(row, state(t - 1), gates.data() + t * size_gates, KEPT);
            for (int b = 0; b < p.batch; b++) step(t, b);
        }
        return read(row);
    }

    void step(int t, int b) {
        Real *gate = gates.data() + t * size_gates + (long)b * ld_gates;
        long at = t * size + (long)b * ld;
        for (int j = 0; j < ld; j += LANES) {
            V i = sigmoid(load(gate + j)), f = sigmoid(load(gate + ld + j));
            V g = hyperbolic_tangent(load(gate + 2 * ld + j)), o = sigmoid(load(gate + 3 * ld + j));
            V next = i * g;
            if (t) next = f * load(c.data() + at - size + j) + next;
            V bounded = hyperbolic_tangent(next);
            store(gate + j, i), store(gate + ld + j, f), store(gate + 2 * ld + j, g), store(gate + 3 * ld + j, o);
            store(c.data() + at + j, next), store(tanh_c.data() + at + j, bounded), store(h.data() + at + j, o * bounded);
        }
    }

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *) {
        begin(batch);
        evaluate(row, batch.inputs, nullptr);
        Real loss = read_backward(row, found, batch, of_h.data());
        std::memset(of_c.data(), 0, size * sizeof(Real));
        for (int t = steps - 1; t >= 0; t--) {
            for (int b = 0; b < p.batch; b++) step_backward(t, b);
            if (t) recur_backward(of_gates.data() + t * size_gates, of_state(t - 1), of_readout());
        }
        weights_backward(found, of_gates.data(), of_gates.data());
        return loss;
    }

    void step_backward(int t, int b) {
        const Real *gate = gates.data() + t * size_gates + (long)b * ld_gates;
        Real *of_gate = of_gates.data() + t * size_gates + (long)b * ld_gates;
        long at = t * size + (long)b * ld, of_example = (long)b * ld;
        for (int j = 0; j < ld; j += LANES) {
            V i = load(gate + j), f = load(gate + ld + j), g = load(gate + 2 * ld + j), o = load(gate + 3 * ld + j);
            V bounded = load(tanh_c.data() + at + j), dh = load(of_state(t) + of_example + j);
            V before = t ? load(c.data() + at - size + j) : V{};
            V dc = load(of_c.data() + of_example + j) + dh * o * (1.0f - bounded * bounded);
            store(of_gate + j, dc * g * (i * (1.0f - i)));
            store(of_gate + ld + j, dc * before * (f * (1.0f - f)));
            store(of_gate + 2 * ld + j, dc * i * (1.0f - g * g));
            store(of_gate + 3 * ld + j, dh * bounded * (o * (1.0f - o)));
            store(of_c.data() + of_example + j, dc * f);
        }
    }
};

struct GruNet : Gated {
    Memory added;                    // what h_{t-1} adds to the sums of every step
    Memory of_driven, of_recurrent;  // dL/d(what inputs drive) and dL/d(what states add) of every step

    GruNet(const Program &p, const Layout &layout)
        : Gated(p, layout),
          added(p.length * size_gates),
          of_driven(p.length * size_gates),
          of_recurrent(p.length * size_gates) {}

    const Real *evaluate(const Real *row, const Real *inputs, Real *const *) {
        drive(row, inputs, gates.data());
        for (int t = 0; t < steps; t++) {
            if (t) recur(row, state(t - 1), added.data() + t * size_gates, ZERO);
            for (int b = 0; b < p.batch; b++) step(t, b);
        }
        return read(row);
    }

    void step(int t, int b) {
        Real *gate = gates.data() + t * size_gates + (long)b * ld_gates;
        const Real *sum = added.data() + t * size_gates + (long)b * ld_gates;  // zero at the first step, as h_0 is
        Real *now = h.data() + t * size + (long)b * ld;
        for (int j = 0; j < ld; j += LANES) {
            V r = sigmoid(load(gate + j) + load(sum + j)), z = sigmoid(load(gate + ld + j) + load(sum + ld + j));
            V n = hyperbolic_tangent(load(gate + 2 * ld + j) + r * load(sum + 2 * ld + j));
            V before = t ? load(now - size + j) : V{};
            store(gate + j, r), store(gate + ld + j, z), store(gate + 2 * ld + j, n);
            store(now + j, before + z * (n - before));
        }
    }

    Real pass(const Real *row, Real *found, const Batch &batch, Real *const *) {
        begin(batch);
        evaluate(row, batch.inputs, nullptr);
        Real loss = read_backward(row, found, batch, of_h.data());
        for (int t = steps - 1; t >= 0; t--) {
            for (int b = 0; b < p.batch; b++) step_backward(t, b);
            if (t) recur_backward(of_recurrent.data() + t * size_gates, of_state(t - 1), KEPT);
        }
        weights_backward(found, of_driven.data(), of_recurrent.data());
        return loss;
    }

    void step_backward(int t, int b) {
        long of_gate = t * size_gates + (long)b * ld_gates;
        const Real *gate = gates.data() + of_gate, *sum = added.data() + of_gate;
        const Real *now = h.data() + t * size + (long)b * ld;
        Real *driven = of_driven.data() + of_gate, *states = of_recurrent.data() + of_gate, *g = of_state(t) + (long)b * ld;
        Real *below = of_state(std::max(t - 1, 0)) + (long)b * ld;  // with what its own readout gives, where there is one
        for (int j = 0; j < ld; j += LANES) {
            V r = load(gate + j), z = load(gate + ld + j), n = load(gate + 2 * ld + j), dh = load(g + j);
            V before = t ? load(now - size + j) : V{};
            V dn = dh * z * (1.0f - n * n), dz = dh * (n - before) * (z * (1.0f - z));
            V dr = dn * load(sum + 2 * ld + j) * (r * (1.0f - r));
            store(driven + j, dr), store(driven + ld + j, dz), store(driven + 2 * ld + j, dn);
            store(states + j, dr), store(states + ld + j, dz), store(states + 2 * ld + j, dn * r);
            V read = p.read_all ? load(below + j) : V{};
            store(below + j, dh * (1.0f - z) + read);
        }
    }
};
