// Many updates of one run in one call: forward, backward, clipping and the rule, all inside the caches of one core.
//
// `seven_terms.training.advance.native` compiles and calls this file; the numbers of a run depend on its arguments alone.
#include <memory>
#include <new>

// It is compiled in three parts, each a library that is made when a stack first needs it: -DIMAGES, -DPOINTS, or neither.
#include "point_call.h"
#include "rules.h"
#if defined(IMAGES)
#include "convolution_net.h"
#include "transformer.h"
#elif defined(POINTS)
#include "normals.h"
#include "points.h"
#else
#include "curvature.h"
#include "gated.h"
#endif

// What a call works on. Tensors are PyTorch's, contiguous and in the order of the module's parameters; `first_state` is the
// velocity or the mean, `second_state` the square, null without. inputs [updates, B, ...], labels int64 [updates, B], targets
// [updates, B, C], or [updates, B, T, C] with weights [updates, B, T] where every step is read, noise
// [updates, depth, 2, H] or null, rates [updates], measured [updates, NUM_MEASURED]. `distance` is 1, or 0 where every update sees
// the same batch.
#define CALL_POINTERS(X) \
    X(Real *const *, parameters) X(Real *const *, first_state) X(Real *const *, second_state) X(Real *const *, statistics) \
    X(const Real *, inputs) X(const int64_t *, labels) X(const Real *, targets) X(const Real *, weights) \
    X(const Real *, noise) X(const double *, rates) X(Real *, measured)
#define CALL_INTEGERS(X) X(first_update) X(num_updates) X(distance)
struct Call {
#define AS_FIELD(type, name) type name;
    CALL_POINTERS(AS_FIELD)
#undef AS_FIELD
#define AS_FIELD(name) int64_t name;
    CALL_INTEGERS(AS_FIELD)
#undef AS_FIELD
};

#ifndef POINTS
// What a run needs besides its own numbers. Kept for the next run of the same program: fresh memory costs more than an update.
template <class Net>
struct Workspace {
    Program program;
    Layout layout;
    Packing packing;
    Memory w, g, state[2];
    Net net;

    explicit Workspace(const Program &p)
        : program(p),
          layout(layout_of(p)),
          packing(layout),
          w(layout.size),
          g(layout.size),
          state{Memory(layout.size), Memory(layout.size)},
          net(program, layout) {}
    Workspace(const Workspace &) = delete;  // parts hold references to each other
    Workspace &operator=(const Workspace &) = delete;

    // One is kept for each purpose, by its number.
    template <int PURPOSE = 0>
    static Workspace &of(const Program &p) {
        static thread_local std::unique_ptr<Workspace> kept;
        if (!kept || std::memcmp(&kept->program, &p, sizeof p)) kept = std::make_unique<Workspace>(p);
        return *kept;
    }
};

template <class Net>
static void advance(const Program &p, const Rule &rule, const Call &call) {
    Workspace<Net> &space = Workspace<Net>::of(p);
    Real *const *states[2] = {call.first_state, call.second_state};
    Rows rows = {space.w.data(), space.g.data(), {nullptr, nullptr}, space.layout.size};
    space.packing.pack(call.parameters, rows.w);
    for (int i = 0; i < 2; i++)
        if (states[i]) space.packing.pack(states[i], rows.state[i] = space.state[i].data());
    for (int64_t u = 0; u < call.num_updates; u++) {
        long first = u * p.batch * call.distance;
        Batch batch = {call.inputs + first * p.length * p.num_inputs, call.labels ? call.labels + first : nullptr,
                       call.targets ? call.targets + first * p.num_read() * p.num_outputs : nullptr,
                       call.weights ? call.weights + first * p.num_read() : nullptr,
                       call.noise ? call.noise + u * p.depth * 2 * p.width : nullptr,
                       u == 0 || call.distance != 0};
        Real *measured = call.measured + u * NUM_MEASURED;
        measured[LOSS] = space.net.pass(rows.w, rows.g, batch, call.statistics);
        update(p, space.layout, rule, call.rates[u], call.first_update + u, rows, measured);
    }
    space.packing.unpack(rows.w, call.parameters);
    for (int i = 0; i < 2; i++)
        if (states[i]) space.packing.unpack(rows.state[i], states[i]);
}

// Call body(outputs [examples, ld], its program, the first example) for each block of examples, in evaluation mode; the last block
// holds fewer. Without running statistics batch norm takes those of the block, which then must be the whole batch.
template <class Net, class Body>
static void each_block(
    Program p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs, Body body) {
    Real *row = nullptr;
    for (int first = 0; first < num_examples; first += p.batch) {
        bool is_whole = first + p.batch <= num_examples;
        if (!is_whole) p.batch = num_examples - first;
        Workspace<Net> &space = is_whole ? Workspace<Net>::template of<1>(p) : Workspace<Net>::template of<2>(p);
        if (!row) space.packing.pack(parameters, row = space.w.data());
        const Real *own = inputs + (long)first * p.length * p.num_inputs;
        if constexpr (std::is_same_v<Net, Dense>)
            if (!statistics && p.has(Norm::batch)) return body(space.net.evaluate_by_batch(row, own), p, first);
        body(space.net.evaluate(row, own, statistics), p, first);
    }
}

template <class Net>
static void evaluate(
    const Program &p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs, Real *outputs) {
    each_block<Net>(p, num_examples, parameters, statistics, inputs, [outputs](const Real *found, const Program &p, int first) {
        int ld = padded(p.num_outputs);
        for (int i = 0; i < p.batch; i++)
            copy_rows(found + (long)i * ld, (long)p.batch * ld, outputs + (long)(first + i) * p.num_read() * p.num_outputs,
                      p.num_outputs, p.num_read(), p.num_outputs);
    });
}

// found: the mean loss, and the share of examples whose largest output is that of their label; NaN where an output is not finite.
template <class Net>
static void grade(
    const Program &p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs, const int64_t *labels,
    double *found) {
    double loss = 0;
    long num_right = 0;
    bool is_finite = true;
    auto body = [&](const Real *outputs, Program p, int first) {
        Memory room(padded(p.num_outputs));
        Real *row = room.data();
        for (int i = 0; i < p.batch; i++) {
            std::memcpy(row, outputs + (long)i * padded(p.num_outputs), padded(p.num_outputs) * sizeof(Real));
            int largest = 0;
            for (int j = 0; j < p.num_outputs; j++) {
                is_finite &= row[j] - row[j] == 0;
                largest = row[j] > row[largest] ? j : largest;
            }
            num_right += largest == labels[first + i];
            Real total = 0;
            add_losses(p, 1, row, padded(p.num_outputs), labels + first + i, nullptr, total);
            loss += total;
        }
    };
    each_block<Net>(p, num_examples, parameters, statistics, inputs, body);
    found[0] = loss / num_examples;
    found[1] = is_finite ? (double)num_right / num_examples : NAN;
}
#endif

// Return 0, or 1 where memory does not suffice: no exception leaves this library.
template <class Body>
static int guarded(Body body) noexcept {
    try {
        body();
        return 0;
    } catch (const std::bad_alloc &) {
        return 1;
    }
}

// All else is hidden: both precisions are loaded side by side, and a name of one must not stand for the other's.
#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED const char *seven_terms_compiler() noexcept {
#ifdef __clang__
    return "Clang " __clang_version__;
#else
    return "GCC " __VERSION__;
#endif
}

#define AS_WORD(word) #word " "
#define AS_SECOND_WORD(type, word) #word " "

// Every list that border.py keeps too, in its order.
EXPORTED const char *seven_terms_words() noexcept {
    return KINDS(AS_WORD) "| " ACTIVATIONS(AS_WORD) "| " LOSSES(AS_WORD) "| " NORMS(AS_WORD) "| " RULES(AS_WORD) "| " TRAINED(AS_WORD) "| "
        PROGRAM_INTEGERS(AS_WORD) PROGRAM_REALS(AS_WORD) PROGRAM_ARRAYS(AS_WORD) "| " RULE_REALS(AS_WORD) RULE_DOUBLES(AS_WORD) "| "
        CALL_POINTERS(AS_SECOND_WORD) CALL_INTEGERS(AS_WORD) "| " FUNCTIONS(AS_WORD) "| " POINT_RULES(AS_WORD) "| "
        POINT_INTEGERS(AS_WORD) POINT_DOUBLES(AS_WORD) "| " POINT_POINTERS(AS_SECOND_WORD) POINT_COUNTS(AS_WORD);
}

// The size of each struct, then where each of its fields lies; ended by -1.
EXPORTED const int64_t *seven_terms_layout() noexcept {
#define OF(name) offsetof(STRUCT, name),
#define OF_SECOND(type, name) offsetof(STRUCT, name),
    static const int64_t numbers[] = {
#define STRUCT Program
        sizeof(Program), PROGRAM_INTEGERS(OF) PROGRAM_REALS(OF) PROGRAM_ARRAYS(OF)
#undef STRUCT
#define STRUCT Rule
        sizeof(Rule), RULE_REALS(OF) RULE_DOUBLES(OF)
#undef STRUCT
#define STRUCT Call
        sizeof(Call), CALL_POINTERS(OF_SECOND) CALL_INTEGERS(OF)
#undef STRUCT
#define STRUCT Point
        sizeof(Point), POINT_INTEGERS(OF) POINT_DOUBLES(OF)
#undef STRUCT
#define STRUCT PointCall
        sizeof(PointCall), POINT_POINTERS(OF_SECOND) POINT_COUNTS(OF)
#undef STRUCT
        -1};
    return numbers;
}

#if defined(POINTS)

// Make updates of all points of a stack in place.
EXPORTED int seven_terms_advance_points(const Point *points, const PointCall *call) noexcept {
    return guarded([&] { advance_points(points, *call); });
}

// Turn blocks of sixteen uniform numbers into normal ones, in place.
EXPORTED int seven_terms_normals(double *values, int64_t blocks) noexcept {
    normals_from_uniforms(values, blocks);
    return 0;
}

#else

// What of a template is meant for a program's kind of network.
#if defined(IMAGES)
#define FOR_KIND(p, body) (p->is(Kind::convolution) ? body<ConvolutionNet> : body<TransformerNet>)
#else
#define FOR_KIND(p, body) \
    (p->is(Kind::simple)     ? body<SimpleNet> \
         : p->is(Kind::lstm) ? body<LstmNet> \
         : p->is(Kind::gru)  ? body<GruNet> \
                             : body<Dense>)
#endif

// Make updates of one run in place.
EXPORTED int seven_terms_advance(const Program *p, const Rule *rule, const Call *call) noexcept {
    return guarded([&] { FOR_KIND(p, advance)(*p, *rule, *call); });
}

// Write the outputs [num_examples, C], or [num_examples, T, C] where every step is read, of one run in evaluation mode.
EXPORTED int seven_terms_evaluate(
    const Program *p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs,
    Real *outputs) noexcept {
    return guarded([&] { FOR_KIND(p, evaluate)(*p, num_examples, parameters, statistics, inputs, outputs); });
}

// Write the mean loss and the accuracy [2] of one run in evaluation mode on `num_examples` labelled examples; `statistics` may be null
// as in `each_block`.
EXPORTED int seven_terms_grade(
    const Program *p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs,
    const int64_t *labels, double *found) noexcept {
    return guarded([&] { FOR_KIND(p, grade)(*p, num_examples, parameters, statistics, inputs, labels, found); });
}

#if !defined(IMAGES)

// What the loss of one run is taken over: num_examples of it, labels or targets as in `Call`.
#define EXAMPLES const Program *p, Real *const *parameters, const Real *inputs, const int64_t *labels, const Real *targets

// Write the basis and the matrix of `lanczos`, for a fully connected network whose program has all examples in its batch.
EXPORTED int seven_terms_lanczos(
    EXAMPLES, const Real *start, const Real *scale, int iterations, Real *basis, double *tridiagonal) noexcept {
    return guarded([&] {
        Curvature curvature(*p, parameters, inputs, labels, targets);
        lanczos(curvature, start, scale, iterations, basis, tridiagonal);
    });
}

// Write the curvature of the loss along its own gradient.
EXPORTED int seven_terms_curvature_along_gradient(EXAMPLES, double *found) noexcept {
    return guarded([&] {
        Curvature curvature(*p, parameters, inputs, labels, targets);
        *found = curvature_along_gradient(curvature);
    });
}

#endif
#endif
