// Many updates of one run in one call: forward, backward, clipping and the rule, all inside the caches of one core.
//
// `seven_terms.training.advance.native` compiles and calls this file; the numbers of a run depend on its arguments alone.
#include <memory>

#include "recurrent.h"

struct Rule {  // updates.py holds the same fields in the same order; infinity and zero are off
    float momentum, weight_decay, clip_value, clip_norm;
};

constexpr int NUM_TOLD = 4;  // of an update: loss, gradient norm before and after clipping, norm of the update
constexpr float NORM_EPS = 1e-6f;  // torch.nn.utils.clip_grad_norm_

static float norm(const float *x, long size) {
    V sum[4] = {};
    long i = 0;
    for (; i + 4 * LANES <= size; i += 4 * LANES)
        for (int j = 0; j < 4; j++) sum[j] += load(x + i + j * LANES) * load(x + i + j * LANES);
    for (; i < size; i += LANES) sum[0] += load(x + i) * load(x + i);
    return std::sqrt(sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3])));
}

static void clip_entries(float *gradient, long size, float bound) {
    for (long i = 0; i < size; i += LANES) {
        V g = load(gradient + i);
        store(gradient + i, choose(g > bound, all(bound), choose(g < -bound, all(-bound), g)));
    }
}

// Return the norm of the update; SGD as in `seven_terms.optimizers.rules`, its gradient multiplied by `factor`.
static float step(
    const Program &p, const Rule &rule, float rate, float factor, float *row, const float *gradient, float *velocity,
    long size) {
    V sum[2] = {};
    for (long i = 0; i < size; i += LANES) {
        V w = load(row + i), d = load(gradient + i);
        if (factor != 1.0f) d = d * factor;
        if (rule.weight_decay != 0.0f) d = d + rule.weight_decay * w;
        if (velocity) {
            V v = rule.momentum * load(velocity + i) + d;
            store(velocity + i, v);
            d = p.nesterov ? d + rule.momentum * v : v;
        }
        V next = w - rate * d, moved = next - w;
        store(row + i, next);
        sum[i / LANES % 2] += moved * moved;
    }
    return std::sqrt(sum_of_lanes(sum[0] + sum[1]));
}

static void update(
    const Program &p, const Rule &rule, float rate, float *row, float *gradient, float *velocity, long size, float *told) {
    float before = norm(gradient, size), after = before, factor = 1.0f;
    if (rule.clip_value < INFINITY) {
        clip_entries(gradient, size, rule.clip_value);
        after = norm(gradient, size);
    }
    if (rule.clip_norm < INFINITY) {
        factor = rule.clip_norm / (after + NORM_EPS);
        factor = factor > 1.0f ? 1.0f : factor;
        after = factor * after;
    }
    told[1] = before, told[2] = after;
    told[3] = step(p, rule, rate, factor, row, gradient, velocity, size);
}

// What a run needs besides its own numbers. Kept for the next run of the same program: fresh memory costs more than an update.
template <class Net>
struct Workspace {
    Program program;
    Layout layout;
    Packing packing;
    Memory row, gradient, velocity;
    Net net;

    explicit Workspace(const Program &p)
        : program(p),
          layout(layout_of(p)),
          packing(layout),
          row(layout.size),
          gradient(layout.size),
          velocity(layout.size),
          net(program, layout) {}

    static Workspace &of(const Program &p) {
        static thread_local std::unique_ptr<Workspace> kept;
        if (!kept || std::memcmp(&kept->program, &p, sizeof p)) kept = std::make_unique<Workspace>(p);
        return *kept;
    }
};

template <class Net>
static void advance(
    const Program &p, const Rule &rule, int num_updates, float *const *parameters, float *const *velocities,
    float *const *statistics, const float *inputs, const void *labels, int distance, const float *rates, float *told) {
    Workspace<Net> &space = Workspace<Net>::of(p);
    float *row = space.row.data(), *gradient = space.gradient.data(), *velocity = velocities ? space.velocity.data() : nullptr;
    space.packing.pack(parameters, row);
    if (velocities) space.packing.pack(velocities, velocity);
    for (int u = 0; u < num_updates; u++) {
        long first = (long)u * p.batch * distance;
        const float *batch = inputs + first * p.length * p.num_inputs;
        const int64_t *classes = static_cast<const int64_t *>(labels) + first;
        const float *targets = static_cast<const float *>(labels) + first * p.num_outputs;
        told[u * NUM_TOLD] = space.net.pass(row, gradient, batch, classes, targets, statistics);
        update(p, rule, rates[u], row, gradient, velocity, space.layout.size, told + u * NUM_TOLD);
    }
    space.packing.unpack(row, parameters);
    if (velocities) space.packing.unpack(velocity, velocities);
}

// A block of examples at a time; the last one goes on with less.
template <class Net>
static void evaluate(
    Program p, int num_examples, float *const *parameters, float *const *statistics, const float *inputs, float *outputs) {
    Layout layout = layout_of(p);
    Memory row(layout.size);
    Packing(layout).pack(parameters, row.data());
    for (int first = 0; first < num_examples; first += p.batch) {
        if (first + p.batch > num_examples) p.batch = num_examples - first;
        Net net(p, layout);
        const float *found = net.evaluate(row.data(), inputs + (long)first * p.length * p.num_inputs, statistics);
        copy_rows(found, padded(p.num_outputs), outputs + (long)first * p.num_outputs, p.num_outputs, p.batch, p.num_outputs);
    }
}

extern "C" const char *seven_terms_compiler() {
#ifdef __clang__
    return "Clang " __clang_version__;
#else
    return "GCC " __VERSION__;
#endif
}

// Make updates of one run in place. Tensors are PyTorch's, contiguous and in the order of the module's parameters; without
// momentum `velocities` is null. inputs [updates, batch, ...], labels int64 [updates, batch] or targets float [updates, batch, out],
// rates [updates], told [updates, NUM_TOLD]. `distance` is 1, or 0 where every update sees the same batch.
extern "C" void seven_terms_advance(
    const Program *p, const Rule *rule, int num_updates, float *const *parameters, float *const *velocities,
    float *const *statistics, const float *inputs, const void *labels, int distance, const float *rates, float *told) {
    auto *of_kind = p->kind == RECURRENT ? advance<RecurrentNet> : advance<Dense>;
    of_kind(*p, *rule, num_updates, parameters, velocities, statistics, inputs, labels, distance, rates, told);
}

// Write the outputs [num_examples, num_outputs] of one run in evaluation mode.
extern "C" void seven_terms_evaluate(
    const Program *p, int num_examples, float *const *parameters, float *const *statistics, const float *inputs,
    float *outputs) {
    auto *of_kind = p->kind == RECURRENT ? evaluate<RecurrentNet> : evaluate<Dense>;
    of_kind(*p, num_examples, parameters, statistics, inputs, outputs);
}
