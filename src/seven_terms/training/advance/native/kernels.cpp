// Many updates of one run in one call: forward, backward, clipping and the rule, all inside the caches of one core.
//
// `seven_terms.training.advance.native` compiles and calls this file; the numbers of a run depend on its arguments alone.
#include <memory>
#include <new>

#include "convolution_net.h"
#include "gated.h"
#include "rules.h"
#include "points.h"
#include "transformer.h"

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

// A block of examples at a time; the last one holds fewer.
template <class Net>
static void evaluate(
    Program p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs, Real *outputs) {
    Layout layout = layout_of(p);
    Memory row(layout.size);
    Packing(layout).pack(parameters, row.data());
    std::unique_ptr<Net> net;
    for (int first = 0; first < num_examples; first += p.batch) {
        bool is_last = first + p.batch > num_examples;
        if (is_last) p.batch = num_examples - first;
        if (is_last || !net) net = std::make_unique<Net>(p, layout);
        const Real *found = net->evaluate(row.data(), inputs + (long)first * p.length * p.num_inputs, statistics);
        int ld = padded(p.num_outputs);
        for (int i = 0; i < p.batch; i++)
            copy_rows(found + (long)i * ld, (long)p.batch * ld, outputs + (long)(first + i) * p.num_read() * p.num_outputs,
                      p.num_outputs, p.num_read(), p.num_outputs);
    }
}

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

// Make updates of one run in place.
EXPORTED int seven_terms_advance(const Program *p, const Rule *rule, const Call *call) noexcept {
    auto of_kind = p->is(Kind::simple) ? advance<SimpleNet>
        : p->is(Kind::lstm)            ? advance<LstmNet>
        : p->is(Kind::gru)             ? advance<GruNet>
        : p->is(Kind::convolution)     ? advance<ConvolutionNet>
        : p->is(Kind::transformer)     ? advance<TransformerNet>
                                       : advance<Dense>;
    return guarded([&] { of_kind(*p, *rule, *call); });
}

// Make updates of all points of a stack in place.
EXPORTED int seven_terms_advance_points(const Point *points, const PointCall *call) noexcept {
    return guarded([&] { advance_points(points, *call); });
}

// Write the outputs [num_examples, C], or [num_examples, T, C] where every step is read, of one run in evaluation mode.
EXPORTED int seven_terms_evaluate(
    const Program *p, int num_examples, Real *const *parameters, Real *const *statistics, const Real *inputs,
    Real *outputs) noexcept {
    auto of_kind = p->is(Kind::simple) ? evaluate<SimpleNet>
        : p->is(Kind::lstm)            ? evaluate<LstmNet>
        : p->is(Kind::gru)             ? evaluate<GruNet>
        : p->is(Kind::convolution)     ? evaluate<ConvolutionNet>
        : p->is(Kind::transformer)     ? evaluate<TransformerNet>
                                       : evaluate<Dense>;
    return guarded([&] { of_kind(*p, num_examples, parameters, statistics, inputs, outputs); });
}
