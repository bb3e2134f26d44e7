// Products of the Hessian of a fully connected network's loss with vectors, and Lanczos iteration on them.
//
// The product is the derivative of the gradient along a vector (Pearlmutter 1994, "Fast exact multiplication by the Hessian"): a
// tangent, written d_..., goes forward and backward with every number. What does not depend on the vector is kept for all products.
// Multipliers are taken into the parameters, and out of the products: what is differentiated has none.
#pragma once

#include "dense.h"

template <Activation A>
static inline V slope_at(V y) { return times_slope_at<A>(all(1.0f), y); }

// f'' / f' from y = f(x); at a kink zero.
template <Activation A>
static inline V bend_at(V y) {
    if constexpr (A == Activation::sigmoid) return 1.0f - 2.0f * y;
    if constexpr (A == Activation::tanh) return -2.0f * y;
    if constexpr (A == Activation::softsign) return choose(y < 0.0f, all(2.0f), all(-2.0f)) * (1.0f - absolute(y));
    return V{};
}

// Sums of at most so many numbers in the precision of the network, then in double precision.
static double dot(const Real *a, const Real *b, long size) {
    double total = 0;
    for (long from = 0; from < size; from += 4096) {
        V sum = {};
        for (long i = from; i < std::min(size, from + 4096); i += LANES) sum += load(a + i) * load(b + i);
        total += sum_of_lanes(sum);
    }
    return total;
}
static void add_multiple(Real *a, Real factor, const Real *b, long size) {
    for (long i = 0; i < size; i += LANES) store(a + i, load(a + i) + factor * load(b + i));
}
static void multiply(Real *a, const Real *b, long size) {
    for (long i = 0; i < size; i += LANES) store(a + i, load(a + i) * load(b + i));
}

class Curvature {
public:
    const Program &p;  // its batch are all examples of the loss
    Layout layout;
    Packing packing;

    Curvature(const Program &p, Real *const *parameters, const Real *inputs, const int64_t *labels, const Real *targets)
        : p(p), layout(layout_of(p)), packing(layout), inputs(inputs), w(layout.size), multipliers(layout.size) {
        packing.pack(parameters, w.data());
        bool has_multipliers = p.input_multiplier != 1 || p.bias_multiplier != 1 || p.readout_multiplier != 1;
        for (int l = 0; l <= p.depth; l++) {
            const Matrix &m = matrix(l);
            Real own = l == p.depth ? p.readout_multiplier : l ? 1 : p.input_multiplier;
            std::fill_n(multipliers.data() + m.at, (long)m.in * m.ld(), own);
            if (m.bias >= 0) std::fill_n(multipliers.data() + m.bias, m.ld(), l == p.depth ? 1 : p.bias_multiplier);
            w_transposed.emplace_back((long)m.ld() * padded(m.in)), v_transposed.emplace_back((long)m.ld() * padded(m.in));
        }
        if (has_multipliers) multiply(w.data(), multipliers.data(), layout.size);
        for (int l = 1; l <= p.depth; l++) transposed(l, w.data(), w_transposed[l].data());
        Real total = 0;
        for (int from = 0; from < p.batch; from += EXAMPLES_AT_ONCE) {
            parts.emplace_back(*this, from);
            Part &part = parts.back();
            forward(part);
            std::memcpy(part.chances.data(), part.of_sums.back().data(), part.rows * ld(p.depth) * sizeof(Real));
            if (p.loss == (int)Loss::cross_entropy) to_chances(part);
            const Real *own_targets = targets ? targets + (long)from * p.num_outputs : nullptr;
            add_losses(p, part.rows, part.of_sums.back().data(), ld(p.depth), labels ? labels + from : nullptr, own_targets, total);
            backward(part);
        }
        long most = 0;
        for (int l = 0; l <= p.depth; l++) most = std::max(most, (long)EXAMPLES_AT_ONCE * ld(l));
        for (int l = 0; l < p.depth; l++) d_outputs.emplace_back((long)EXAMPLES_AT_ONCE * ld(l));
        of_d = Memory(most), below = Memory(most);
    }
    Curvature(const Curvature &) = delete;
    Curvature &operator=(const Curvature &) = delete;

    // The gradient of the mean loss; all rows here are as long as `layout` says.
    void gradient(Real *found) {
        std::fill_n(found, layout.size, 0);
        for (Part &part : parts)
            for (int l = 0; l <= p.depth; l++) add_parameters(l, found, input(part, l), part.of_sums[l].data(), part.rows, true);
        multiply(found, multipliers.data(), layout.size);
    }

    // found = H v.
    void product_with(const Real *v, Real *found) {
        Memory scaled(layout.size);
        std::memcpy(scaled.data(), v, layout.size * sizeof(Real));
        multiply(scaled.data(), multipliers.data(), layout.size);
        for (int l = 1; l <= p.depth; l++) transposed(l, scaled.data(), v_transposed[l].data());
        std::fill_n(found, layout.size, 0);
        for (Part &part : parts) add_product(part, scaled.data(), found);
        multiply(found, multipliers.data(), layout.size);
    }

    // The pointers that `Packing` takes, into one row [P] of PyTorch's parameters end to end.
    std::vector<Real *> in_row(Real *row) const {
        std::vector<Real *> found;
        for (const Matrix &m : layout.matrices) {
            found.push_back(row), row += (long)m.in * m.out;
            if (m.bias >= 0) found.push_back(row), row += m.out;
        }
        return found;
    }

private:
    static constexpr int EXAMPLES_AT_ONCE = 96;

    struct Part {
        int from, rows;
        std::vector<Memory> outputs;      // y of each hidden layer
        std::vector<Memory> of_outputs;   // g, dL/dy
        std::vector<Memory> of_sums;      // dL/d(what the layer's activation sees), and that of the network's outputs
        Memory chances;                   // softmax

        Part(const Curvature &own, int from) : from(from), rows(std::min(EXAMPLES_AT_ONCE, own.p.batch - from)) {
            for (int l = 0; l <= own.p.depth; l++) {
                long size = (long)rows * own.ld(l);
                if (l < own.p.depth) outputs.emplace_back(size), of_outputs.emplace_back(size);
                of_sums.emplace_back(size);
            }
            chances = Memory((long)rows * own.ld(own.p.depth));
        }
    };

    const Real *inputs;
    Memory w, multipliers;
    std::vector<Memory> w_transposed, v_transposed;  // [ld, padded(in)] of each matrix
    std::vector<Part> parts;
    std::vector<Memory> d_outputs;
    Memory of_d, below;

    const Matrix &matrix(int layer) const { return layout.matrices[layer]; }
    long ld(int layer) const { return matrix(layer).ld(); }
    Left input(Part &part, int layer) const {
        if (layer == 0) return {inputs + (long)part.from * p.num_inputs, p.num_inputs, 1};
        return {part.outputs[layer - 1].data(), ld(layer - 1), 1};
    }

    void transposed(int layer, const Real *row, Real *found) const {
        const Matrix &m = matrix(layer);
        transpose(row + m.at, m.ld(), found, padded(m.in), m.in, m.out);
    }

    // y [rows, ld] = start + x W, with the layer's matrix in `row`.
    void apply(int layer, const Real *row, Left x, Real *y, Start start, int rows) const {
        const Matrix &m = matrix(layer);
        product(y, m.ld(), start, x, row + m.at, m.ld(), rows, m.out, m.in);
    }
    Start bias(int layer, const Real *row) const {
        return matrix(layer).bias >= 0 ? Start{false, row + matrix(layer).bias} : ZERO;
    }
    // of_x [rows, padded(in)] = start + g W^T.
    void apply_back(int layer, const Memory &turned, const Real *g, Real *of_x, Start start, int rows) const {
        const Matrix &m = matrix(layer);
        const Real *data = const_cast<Memory &>(turned).data();
        product(of_x, padded(m.in), start, {g, m.ld(), 1}, data, padded(m.in), rows, m.in, m.out);
    }
    void add_parameters(int layer, Real *found, Left x, const Real *g, int rows, bool with_bias) const {
        const Matrix &m = matrix(layer);
        if (with_bias && m.bias >= 0) sum_rows(g, m.ld(), rows, m.ld(), found + m.bias, true);
        product(found + m.at, m.ld(), KEPT, {x.data, x.column, x.row}, g, m.ld(), m.in, m.out, rows);
    }

    void forward(Part &part) {
        for (int l = 0; l < p.depth; l++) {
            Real *y = part.outputs[l].data();
            apply(l, w.data(), input(part, l), y, bias(l, w.data()), part.rows);
            activate(p.activation, y, y, part.rows * ld(l));
        }
        apply(p.depth, w.data(), input(part, p.depth), part.of_sums.back().data(), bias(p.depth, w.data()), part.rows);
    }

    void backward(Part &part) {
        for (int l = p.depth - 1; l >= 0; l--) {
            Real *g = part.of_outputs[l].data(), *of_sums = part.of_sums[l].data();
            apply_back(l + 1, w_transposed[l + 1], part.of_sums[l + 1].data(), g, ZERO, part.rows);
            std::memcpy(of_sums, g, part.rows * ld(l) * sizeof(Real));
            times_slope(p.activation, of_sums, part.outputs[l].data(), part.rows * ld(l));
        }
    }

    void to_chances(Part &part) const {
        for (int i = 0; i < part.rows; i++) {
            Real *row = part.chances.data() + i * ld(p.depth), largest = row[0], sum = 0;
            for (int j = 1; j < p.num_outputs; j++) largest = row[j] > largest ? row[j] : largest;
            for (long j = 0; j < ld(p.depth); j += LANES) store(row + j, exponential(load(row + j) - largest));
            for (int j = 0; j < p.num_outputs; j++) sum += row[j];
            for (long j = 0; j < ld(p.depth); j += LANES)
                store(row + j, choose(LANE + (int)j < p.num_outputs, load(row + j) / sum, V{}));
        }
    }

    // The tangent of the outputs becomes that of dL/d(outputs).
    void loss_tangent(Part &part, Real *d) const {
        Real size = p.batch, factor = p.loss == (int)Loss::squared_error ? (Real)2 / p.num_outputs : 1;
        for (int i = 0; i < part.rows; i++, d += ld(p.depth)) {
            const Real *chance = part.chances.data() + i * ld(p.depth);
            Real mean = 0;
            bool has_chances = p.loss == (int)Loss::cross_entropy;
            for (int j = 0; has_chances && j < p.num_outputs; j++) mean += chance[j] * d[j];
            for (long j = 0; j < ld(p.depth); j += LANES) {
                V moved = has_chances ? load(chance + j) * (load(d + j) - mean) : factor * load(d + j);
                store(d + j, moved / size);
            }
        }
    }

    void add_product(Part &part, const Real *v, Real *found) {
        int rows = part.rows;
        for (int l = 0; l <= p.depth; l++) {
            Real *d = l < p.depth ? d_outputs[l].data() : of_d.data();
            apply(l, v, input(part, l), d, bias(l, v), rows);
            if (l) apply(l, w.data(), {d_outputs[l - 1].data(), ld(l - 1), 1}, d, KEPT, rows);
            if (l < p.depth) times_slope(p.activation, d, part.outputs[l].data(), rows * ld(l));
        }
        loss_tangent(part, of_d.data());
        for (int l = p.depth; l >= 0; l--) {
            add_parameters(l, found, input(part, l), of_d.data(), rows, true);
            if (l == 0) return;
            const Real *g = part.of_sums[l].data();
            add_parameters(l, found, {d_outputs[l - 1].data(), ld(l - 1), 1}, g, rows, false);
            apply_back(l, w_transposed[l], of_d.data(), below.data(), ZERO, rows);
            apply_back(l, v_transposed[l], g, below.data(), KEPT, rows);
            bend(part, l - 1);
            std::swap(of_d, below);
        }
    }

    // d(g f'(x)) = dg f' + g f'' dx, where `below` holds dg and the layer's tangent is dy = f' dx.
    void bend(Part &part, int layer) {
        Real *d = below.data();
        const Real *y = part.outputs[layer].data(), *g = part.of_outputs[layer].data(), *d_y = d_outputs[layer].data();
        for_activation(p.activation, [&](auto constant) {
            for (long i = 0; i < part.rows * ld(layer); i += LANES) {
                V at = load(y + i);
                store(d + i, load(d + i) * slope_at<constant()>(at) + load(g + i) * bend_at<constant()>(at) * load(d_y + i));
            }
        });
    }
};

// basis [iterations, P] and the tridiagonal matrix [2, iterations], its diagonal and what stands beside it, of S H S for a diagonal
// S, the identity where `scale` is null; every vector is made orthogonal to all before, twice (Parlett).
static void lanczos(
    Curvature &curvature, const Real *start, const Real *scale, int iterations, Real *basis, double *tridiagonal) {
    long size = curvature.layout.size, number = 0;
    for (const Matrix &m : curvature.layout.matrices) number += (long)(m.in + (m.bias >= 0)) * m.out;
    auto packed = [&](const Real *flat, Real *row) {
        curvature.packing.pack(curvature.in_row(const_cast<Real *>(flat)).data(), row);
    };
    Memory found((iterations + 1) * size), scales(size), moved(size);
    if (scale) packed(scale, scales.data());
    auto vector = [&](int k) { return found.data() + k * size; };
    packed(start, vector(0));
    double length = std::sqrt(dot(vector(0), vector(0), size));
    for (int k = 0; k < iterations; k++) {
        Real *own = vector(k), *next = vector(k + 1);
        for (long i = 0; i < size; i += LANES) store(own + i, load(own + i) / (Real)length);
        curvature.packing.unpack(own, curvature.in_row(basis + k * number).data());
        std::memcpy(moved.data(), own, size * sizeof(Real));
        if (scale) multiply(moved.data(), scales.data(), size);
        curvature.product_with(moved.data(), next);
        if (scale) multiply(next, scales.data(), size);
        tridiagonal[k] = dot(next, own, size);
        for (int twice = 0; twice < 2; twice++)
            for (int j = 0; j <= k; j++) add_multiple(next, -dot(next, vector(j), size), vector(j), size);
        length = tridiagonal[iterations + k] = std::sqrt(dot(next, next, size));
        length = std::max(length, (double)std::numeric_limits<Real>::min());
    }
}

// g^T H g / g^T g for the gradient g.
static double curvature_along_gradient(Curvature &curvature) {
    long size = curvature.layout.size;
    Memory gradient(size), moved(size);
    curvature.gradient(gradient.data());
    curvature.product_with(gradient.data(), moved.data());
    return dot(gradient.data(), moved.data(), size) / dot(gradient.data(), gradient.data(), size);
}
