import { attentionWidth, carriedWidth, headWidth, logitsOf } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import { type Attend, Builder, cacheNames, NEW_ROWS, NEXT_CARRIED, type Source, type Stream } from "./builder.ts"
import { appendByte, byteFeatures, carriedPast, fitInputs, type Past } from "./byte-features.ts"
import { type DataType, float, type Graph, type Value } from "./onnx.ts"
import { alignedLocal, type LocalTrace, localRotary } from "./parallel.ts"
import { drawInputs, guidedLogits, perturbedLogits, statistics } from "./sampling.ts"

/**
 * One patch for a batch of B sequences.
 *
 * Inputs: previous int64 [B, P] the last patch's bytes (256 + p where there is none); k_i, v_i fp32
 * [B * kv heads, places, d] the rows before, in any order; mask fp32 [places], 0 where a place is seen and -1e30 where not;
 * places int64 [2], 1 and their number; cos, sin fp32 [1, d/2] of this position, or position int64 [1] where positions are learned;
 * recent fp32 [B, longest look back] newest first, with n-grams or lookback; samples fp64 [B, longest order, 1] newest
 * first, coefficients fp64 [B, fits, longest order], levels fp32 [B, fits] and spread fp64 [B, fits, 1] with linear prediction; past_bytes fp32
 * [B, longest window] newest first (-1 before the beginning) and runs_i fp32 [B, distances] with matches; noise fp32
 * [P, B, 1, 256] Gumbel noise a byte times the temperature (Gumbel-max: the largest sum of logit and noise is a draw from
 * the tempered softmax), so much for a known byte that no other can win; with top-p top_p and inverse_temperature fp32
 * [1], with top-k last_rank int64 [1], with min-p below_top fp32 [1], the farthest that a logit may be below the largest.
 * `guided`: after the B sequences come as many with their style left open, which get the same bytes (noise stays [P, B, ..]),
 * and guidance fp32 [1] says how far to lead away from them.
 * Outputs: result fp32 [P, B, 1, 3], bytes, log-probabilities and entropies in nats (of the untempered model); new_rows
 * fp32 [2 * layers * B * kv heads, 1, d].
 */
export function decodeGraph(source: Source, masks: readonly Mask[], guided = false): Graph {
  const b = Builder.of("decode", source, "few")
  const { g, m } = b
  const { local: L, patch: P } = m
  const count = logitsOf(m)
  const { previous, local, before } = globalStep(b)
  // [P, B, 1, D_L]: a turn's share in one node.
  const fromGlobal = g.node("Unsqueeze", [g.node("Transpose", [local], { perm: [1, 0, 2] }), g.ints([2])])

  const drawn = guided ? "drawn" : "batch"
  const noise = g.input("noise", "float32", [P, drawn, 1, count])
  const draw = drawInputs(g, "int64", masks)
  const guidance = guided ? g.input("guidance", "float32", [1]) : undefined

  // Local keys and values of the patch so far, empty at first: [B, kv heads, bytes, d].
  const dl = headWidth(L)
  const batch = g.node("Shape", [previous], { start: 0, end: 1 })
  const emptyShape = g.node("Concat", [batch, g.ints([L.kv_heads, 0, dl])], { axis: 0 })
  const empty = g.node("Expand", [g.floats([0], [1, 1, 1, 1]), emptyShape])
  const start = g.node("Expand", [g.ints([256], [1, 1]), g.node("Concat", [batch, g.ints([1])], { axis: 0 })])

  /** Draws from logits [B, 1, count] with `gumbel`: bytes as indices and in fp32 [B, 1], and the logits of what drew. */
  const drawByte = (g: Graph, logits: Value, gumbel: () => Value) => {
    const { own, steered } = guidance ? guidedLogits(g, logits, guidance) : { own: logits, steered: logits }
    const byte = g.node("ArgMax", [perturbedLogits(g, steered, gumbel(), draw, count)], { axis: 2, keepdims: 0 })
    return { own, byte, real: g.node("Cast", [byte], { to: 1 }) }
  }
  const twice = (g: Graph, value: Value) => (guidance ? g.node("Concat", [value, value], { axis: 0 }) : value)
  // An aligned model's first byte is of the patch before, and its places begin with the start.
  const lead = before ? 1 : 0
  const led = before && leadingPlace(b, previous, before)
  const first = led && drawByte(g, led.logits, () => g.node("Gather", [noise, g.ints([0], [])], { axis: 0 }))

  // What attention is told at each turn: the places before, [P, B], and with the new one [P].
  const turns = Array.from({ length: P - lead }, (_, p) => p + lead)
  const everyPlace = g.node("Expand", [
    g.int32s(turns, [turns.length, 1]),
    g.node("Concat", [g.ints([turns.length]), batch], { axis: 0 }),
  ])
  const lengths = g.int32s(turns.map((p) => p + 1))
  const states: { value: Value; type: DataType; shape: (number | string)[] }[] = [
    { value: first ? twice(g, first.byte) : start, type: "int64", shape: ["batch", 1] },
  ]
  for (let i = 0; i < 2 * L.layers; i++)
    states.push({ value: led?.cache[i] ?? empty, type: "float32", shape: ["batch", L.kv_heads, "bytes", dl] })
  const carried = carriedPast(m, false)
  for (const { name, type, shape } of carried) states.push({ value: g.input(name, type, shape), type, shape })
  const halves = led?.halves ?? []
  for (const value of halves) states.push({ value, type: "float32", shape: ["batch", 1, L.width / 2] })
  const fits = fitInputs(b)
  const stacks = [
    { type: "float32" as const, shape: [drawn, 1] },
    { type: "float32" as const, shape: [drawn, 1, count] },
  ]
  const drawnNoise = lead ? g.node("Slice", [noise, g.ints([1]), g.ints([P]), g.ints([0])]) : noise
  const rotary = localRotary(b, P + 1)
  const angles = rotary && { ...rotary, ids: g.ints(turns, [turns.length, 1]) }

  const loop = g.loop(turns.length, states, stacks, (body, turn, [last = "", ...rest]) => {
    const lb = b.within(body)
    const cache = rest.slice(0, 2 * L.layers)
    const past: Past = Object.fromEntries(carried.map(({ name }, i) => [name, rest[2 * L.layers + i] as Value]))
    const moved = rest.slice(2 * L.layers + carried.length)
    const { inputs, guesses, sound, earlier } = byteFeatures(lb, past, fits)
    const ofTurn = (values: Value) => body.node("Gather", [values, turn], { axis: 0 })
    let inside = lb.sum([ofTurn(fromGlobal), body.node("Gather", [body.weight("local_embed.weight"), last]), ...inputs])
    const [places, length] = [ofTurn(everyPlace), ofTurn(lengths)]
    const attendLocal: Attend = (qkv, layer) => {
      // One node for all of attention: on 1 x P scores the cost is nodes, not numbers.
      const [k, v] = cache.slice(2 * layer, 2 * layer + 2) as [Value, Value]
      const given = angles ? lb.queryKeyValue(qkv, L, { ...angles, ids: ofTurn(angles.ids) }) : [qkv, "", ""]
      const [mixed, nextK, nextV] = body.nodesOut(3, "GroupQueryAttention", [...given, k, v, places, length], {
        num_heads: L.heads,
        kv_num_heads: L.kv_heads,
        scale: float(1),
      }) as [Value, Value, Value]
      cache.splice(2 * layer, 2, nextK, nextV)
      return mixed
    }
    const shift = lb.shift((half, i) => {
      const earlier = moved[i] as Value
      moved[i] = half
      return earlier
    })
    for (let i = 0; i < L.layers; i++) inside = lb.block(inside, "local", i, attendLocal, shift)
    const logits = lb.head(inside, 1, guesses, sound)
    const { own, byte, real } = drawByte(body, logits, () => ofTurn(drawnNoise))
    const [written, writtenReal] = [twice(body, byte), twice(body, real)]
    const next = appendByte(lb, past, earlier, writtenReal, written)
    // In fp32: what is carried and stacked at once would be copied.
    const states = [written, ...cache, ...carried.map(({ name }) => next[name] as Value), ...moved]
    return { states, stacks: [real, own] }
  })

  const [written, logits] = loop.stacks.map((stack, i) => {
    const before = first && g.node("Unsqueeze", [i ? first.own : first.real, g.ints([0])])
    return before ? g.node("Concat", [before, stack], { axis: 0 }) : stack
  }) as [Value, Value]
  const apart = g.node("Unsqueeze", [written, g.ints([-1])]) // [P, B, 1, 1]
  const { logprob, entropy } = statistics(b, logits, b.toIndex(apart))
  g.output("result", g.concat([apart, logprob, entropy], 3), "float32", [P, drawn, 1, 3])
  return g
}

/** A step of the global model with the inputs of `decodeGraph`, and its output new_rows: `local` [B, P, D_L]. */
export function globalStep(b: Builder): { previous: Value; local: Value; before?: Value } {
  const { g, m } = b
  const { global: G, patch: P } = m
  const d = headWidth(G)
  const group = G.heads / G.kv_heads
  // Sequences of length 1, [B, 1, width], all the way: what rotary and attention nodes want, without reshaping.
  const { previous, h, rotary } = b.globalInput(["batch", P], [-1, 1, G.width], 1)
  const mask = g.input("mask", "float32", ["places"])
  const places = g.input("places", "int64", [2])
  const rows: Value[] = []
  const attendGlobal: Attend = (qkv, layer) => {
    const names = cacheNames(layer)
    const shape = ["heads", "places", d]
    const k = g.input(names.k, "float32", shape)
    const v = g.input(names.v, "float32", shape)
    const [q, newK, newV] = b.queryKeyValue(qkv, G, rotary)
    const qh = g.node("Reshape", [q, g.ints([-1, group, d])])
    const kh = g.node("Reshape", [newK, g.ints([-1, 1, d])])
    const vh = g.node("Reshape", [newV, g.ints([-1, 1, d])])
    rows.push(kh, vh)
    const past = g.node("Add", [g.node("FusedMatMul", [qh, k], { transB: 1 }), mask])
    const own = g.node("FusedMatMul", [qh, kh], { transB: 1 })
    const p = g.node("Softmax", [g.node("Concat", [own, past], { axis: -1 })], { axis: -1 })
    const [pOwn, pPast] = g.nodesOut(2, "Split", [p, places], { axis: -1 }) as [Value, Value]
    const mixed = g.node("Add", [g.node("MatMul", [pPast, v]), g.node("Mul", [pOwn, vh])])
    return g.node("Reshape", [mixed, g.ints([-1, 1, attentionWidth(G)])])
  }
  const carried = b.carried("batch")
  const moved: Value[] = []
  const shift = b.shift((half, i) => {
    moved.push(half)
    return carried?.halves[i] as Value
  })
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) stream = b.block(stream, "global", i, attendGlobal, shift)
  g.output(NEW_ROWS, g.concat(rows, 0), "float32", ["rows", 1, d])
  const local = b.toLocal(b.addNorm(stream, "global_norm").normed)
  if (!carried) return { previous, local }
  const flat = [...moved, g.node("Reshape", [local, g.ints([-1, 1, P * m.local.width])])]
  const next = g.node("Squeeze", [g.concat(flat, 2), g.ints([1])])
  g.output(NEXT_CARRIED, next, "float32", ["batch", carriedWidth(m)])
  return { previous, local, before: carried.local }
}

/**
 * What an aligned local model makes of the patch before (`before` [B, P * D_L], its shares): logits of the next byte
 * [B, 1, count]; and what its start leaves for the places of the new patch.
 */
function leadingPlace(b: Builder, previous: Value, before: Value) {
  const { g, m } = b
  const { patch: P, local: L } = m
  const trace: LocalTrace = { keys: [], values: [], halves: [] }
  const shares = g.node("Reshape", [before, g.ints([-1, P, L.width])])
  const all = alignedLocal(b, previous, shares, trace)
  const place = (x: Value, at: number, axis: number) =>
    g.node("Slice", [x, g.ints([at]), g.ints([at + 1]), g.ints([axis])])
  const state = g.node("Where", [b.isPadding(previous, [-1, 1, 1]), place(all, 0, 1), place(all, P, 1)])
  return {
    logits: b.head({ x: state }, 1),
    cache: trace.keys.flatMap((keys, i) => [place(keys, 0, 2), place(trace.values[i] as Value, 0, 2)]),
    halves: trace.halves.map((half) => place(half, 0, 1)),
  }
}
