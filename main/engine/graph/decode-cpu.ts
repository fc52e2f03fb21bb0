import { attentionWidth, carriedWidth, headWidth } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import { type Attend, Builder, type Rotary, type Source, type Stream } from "./builder.ts"
import { appendByte, byteFeatures, carriedPast, fitInputs, type LpcFit, type Past } from "./byte-features.ts"
import { head } from "./head.ts"
import { cacheNames, NEW_ROWS, NEXT_CARRIED } from "./names.ts"
import { type DataType, type Dim, float, type Graph, type Value } from "./onnx.ts"
import { alignedLocal, type LocalTrace, localRotary } from "./parallel.ts"
import { globalInput, isPadding, toLocal } from "./patches.ts"
import { ByteSampler, statistics } from "./sampling.ts"

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
  const { patch: P } = m
  const { previous, local, before } = globalStep(b)
  // [P, B, 1, D_L]: a turn's share in one node.
  const fromGlobal = g.node("Unsqueeze", [g.node("Transpose", [local], { perm: [1, 0, 2] }), g.ints([2])])
  const sampler = new ByteSampler(b, masks, guided)
  const batch = g.node("Shape", [previous], { start: 0, end: 1 })
  const blank = blankPatch(b, batch)
  const led = before && leadingPlace(b, previous, before)
  const first =
    led && drawByte(g, sampler, led.logits, () => g.node("Gather", [sampler.noise, g.ints([0], [])], { axis: 0 }))

  // An aligned model's first byte is of the patch before, and its places begin with the start.
  const lead = led ? 1 : 0
  const turns = Array.from({ length: P - lead }, (_, p) => p + lead)
  const attention = attentionLengths(g, turns, batch)
  const start = first ? sampler.forAllRows(g, first.byte) : blank.last
  const cache = led?.cache ?? Array<Value>(2 * m.local.layers).fill(blank.cache)
  const states = turnStates(b, start, cache, led?.halves ?? [])
  const fits = fitInputs(b)
  const noise = lead ? g.node("Slice", [sampler.noise, g.ints([1]), g.ints([P]), g.ints([0])]) : sampler.noise
  const rotary = localRotary(b, P + 1)
  const angles = rotary && { ...rotary, ids: g.ints(turns, [turns.length, 1]) }
  const stacks = [
    { type: "float32" as const, shape: [sampler.rows, 1] },
    { type: "float32" as const, shape: [sampler.rows, 1, sampler.count] },
  ]
  const given: TurnInputs = { fromGlobal, noise, ...attention, angles, fits }
  const loop = g.loop(turns.length, states, stacks, (body, turn, state) =>
    localTurn(b.within(body), sampler, turn, state, given),
  )

  const [written, logits] = loop.stacks.map((stack, i) => {
    const before = first && g.node("Unsqueeze", [i ? first.own : first.real, g.ints([0])])
    return before ? g.node("Concat", [before, stack], { axis: 0 }) : stack
  }) as [Value, Value]
  const apart = g.node("Unsqueeze", [written, g.ints([-1])]) // [P, B, 1, 1]
  const { logprob, entropy } = statistics(b, logits, b.toIndex(apart))
  g.output("result", g.concat([apart, logprob, entropy], 3), "float32", [P, sampler.rows, 1, 3])
  return g
}

/** What a patch begins with: no local keys and values yet [B, kv heads, 0, d], and no byte [B, 1]. */
function blankPatch({ g, m }: Builder, batch: Value): { cache: Value; last: Value } {
  const { local: L } = m
  const shape = g.node("Concat", [batch, g.ints([L.kv_heads, 0, headWidth(L)])], { axis: 0 })
  const cache = g.node("Expand", [g.floats([0], [1, 1, 1, 1]), shape])
  const last = g.node("Expand", [g.ints([256], [1, 1]), g.node("Concat", [batch, g.ints([1])], { axis: 0 })])
  return { cache, last }
}

/** What attention is told at each turn: the places before, [turns, B], and with the new one [turns]. */
function attentionLengths(g: Graph, turns: number[], batch: Value): { places: Value; lengths: Value } {
  const places = g.node("Expand", [
    g.int32s(turns, [turns.length, 1]),
    g.node("Concat", [g.ints([turns.length]), batch], { axis: 0 }),
  ])
  return { places, lengths: g.int32s(turns.map((p) => p + 1)) }
}

/** Draws from logits [B, 1, count]: bytes as indices and in fp32 [B, 1], and the logits of what drew. */
function drawByte(g: Graph, sampler: ByteSampler, logits: Value, noise: () => Value) {
  const { own, sums } = sampler.perturbed(g, logits, noise)
  const byte = g.node("ArgMax", [sums], { axis: 2, keepdims: 0 })
  return { own, byte, real: g.node("Cast", [byte], { to: 1 }) }
}

/**
 * What a turn takes over from the one before, as the loop's states: the last byte, keys and values of the places so far,
 * the bytes before in the forms that the features need, and with token shift halves of the stream.
 */
function turnStates({ g, m }: Builder, last: Value, cache: Value[], halves: Value[]) {
  const { local: L } = m
  const states: { value: Value; type: DataType; shape: Dim[] }[] = [{ value: last, type: "int64", shape: ["batch", 1] }]
  for (const value of cache)
    states.push({ value, type: "float32", shape: ["batch", L.kv_heads, "bytes", headWidth(L)] })
  for (const { name, type, shape } of carriedPast(m, false))
    states.push({ value: g.input(name, type, shape), type, shape })
  for (const value of halves) states.push({ value, type: "float32", shape: ["batch", 1, L.width / 2] })
  return states
}

/** What is there for every turn: of all but `fits` and the tables of `angles` a row each. */
type TurnInputs = {
  fromGlobal: Value
  noise: Value
  places: Value
  lengths: Value
  angles: Rotary | undefined
  fits: LpcFit | undefined
}

/** One turn of the loop: a step of the local model, a byte drawn, and the states (see `turnStates`) for the next turn. */
function localTurn(b: Builder, sampler: ByteSampler, turn: Value, states: Value[], given: TurnInputs) {
  const { g, m } = b
  const { local: L } = m
  const { angles } = given
  const [last = "", ...rest] = states
  const cache = rest.splice(0, 2 * L.layers)
  const carried = carriedPast(m, false)
  const past: Past = Object.fromEntries(carried.map(({ name }, i) => [name, rest[i] as Value]))
  const halves = rest.slice(carried.length)
  const { inputs, guesses, sound, earlier } = byteFeatures(b, past, given.fits)
  const ofTurn = (values: Value) => g.node("Gather", [values, turn], { axis: 0 })
  let inside = b.sum([ofTurn(given.fromGlobal), g.node("Gather", [g.weight("local_embed.weight"), last]), ...inputs])
  const [places, length] = [ofTurn(given.places), ofTurn(given.lengths)]
  const attend: Attend = (qkv, layer) => {
    // One node for all of attention: on 1 x P scores the cost is nodes, not numbers.
    const [k, v] = cache.slice(2 * layer, 2 * layer + 2) as [Value, Value]
    const heads = angles ? b.queryKeyValue(qkv, L, { ...angles, ids: ofTurn(angles.ids) }) : [qkv, "", ""]
    const attributes = { num_heads: L.heads, kv_num_heads: L.kv_heads, scale: float(1) }
    const out = g.nodesOut(3, "GroupQueryAttention", [...heads, k, v, places, length], attributes)
    const [mixed, nextK, nextV] = out as [Value, Value, Value]
    cache.splice(2 * layer, 2, nextK, nextV)
    return mixed
  }
  const shift = b.shift((half, i) => {
    const earlier = halves[i] as Value
    halves[i] = half
    return earlier
  })
  for (let i = 0; i < L.layers; i++) inside = b.block(inside, "local", i, attend, shift)
  const { own, byte, real } = drawByte(g, sampler, head(b, inside, 1, guesses, sound), () => ofTurn(given.noise))
  const [written, writtenReal] = [sampler.forAllRows(g, byte), sampler.forAllRows(g, real)]
  const next = appendByte(b, past, earlier, writtenReal, written)
  // In fp32: what is carried and stacked at once would be copied.
  return {
    states: [written, ...cache, ...carried.map(({ name }) => next[name] as Value), ...halves],
    stacks: [real, own],
  }
}

/** A step of the global model with the inputs of `decodeGraph`, and its output new_rows: `local` [B, P, D_L]. */
export function globalStep(b: Builder): { previous: Value; local: Value; before?: Value } {
  const { g, m } = b
  const { global: G, patch: P } = m
  const d = headWidth(G)
  const group = G.heads / G.kv_heads
  // Sequences of length 1, [B, 1, width], all the way: what rotary and attention nodes want, without reshaping.
  const { previous, h, rotary } = globalInput(b, ["batch", P], [-1, 1, G.width], 1)
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
  const local = toLocal(b, b.addNorm(stream, "global_norm").normed)
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
  const state = g.node("Where", [isPadding(b, previous, [-1, 1, 1]), place(all, 0, 1), place(all, P, 1)])
  return {
    logits: head(b, { x: state }, 1),
    cache: trace.keys.flatMap((keys, i) => [place(keys, 0, 2), place(trace.values[i] as Value, 0, 2)]),
    halves: trace.halves.map((half) => place(half, 0, 1)),
  }
}
