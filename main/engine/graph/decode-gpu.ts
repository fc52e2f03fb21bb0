import { attentionWidth, attentionWindow, headWidth, logitsOf, type ModelConfig } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import { type Attend, Builder, cacheNames, type Source, type Stream } from "./builder.ts"
import { appendByte, begin, byteFeatures, carriedPast, fitInputs, type Past } from "./byte-features.ts"
import { float, type Graph, type Value } from "./onnx.ts"
import { drawInputs, guidedLogits, perturbedLogits, statistics } from "./sampling.ts"

/** What a run leaves on the device for the next, by the name of the input that it is there. */
export const nextName = (name: string) => `next_${name}`

/** Inputs that stay on the device from patch to patch: the cache and the bytes before. */
export const deviceNames = (m: ModelConfig): string[] => [
  ...Array.from({ length: m.global.layers }, (_, i) => Object.values(cacheNames(i))).flat(),
  ...carriedPast(m, true).map(({ name }) => name),
]

/**
 * One patch for a batch of B sequences on a GPU: the same numbers as `decodeGraph`, in one submission. The P steps of the
 * local model are written out, as a Loop would go back to the CPU for every byte; no node is left to the CPU.
 *
 * Inputs: previous int32 [B, P]; k_i fp32 (fp16 in fp16) [B * kv heads, d, reach] and v_i [B * kv heads, reach, d], the
 * newest row last, which stay on the device; mask fp32 [1, 1, reach], 0 where a row is known and -1e9 elsewhere; cos, sin fp32 [1, d/2] or
 * position int32 [1]; recent, samples, coefficients, levels, spread, past_bytes, runs_i as in `decodeGraph`, in fp32 and int32,
 * all but coefficients, levels and spread staying on the device too; noise and what leaves bytes out likewise.
 * Outputs: next_X of every input X that stays, and all that is read back: result fp32 [B, P, 3], bytes, log-probabilities and
 * entropies in nats.
 */
export function unrolledGraph(source: Source, masks: readonly Mask[], guided = false): Graph {
  const b = Builder.of("unrolled", source, "gpu")
  const { g, m } = b
  const { global: G, local: L, patch: P } = m
  const d = headWidth(G)
  const count = logitsOf(m)
  const group = G.heads / G.kv_heads
  const places = attentionWindow(m)
  const slice = (x: Value, from: number, to: number, axis: number) =>
    g.node("Slice", [x, g.ints([from]), g.ints([to]), g.ints([axis])])

  const { previous, h, rotary } = b.globalInput(["batch", P], [-1, 1, G.width], 1)
  const mask = b.toMask(g.input("mask", "float32", [1, 1, places]))
  const attendGlobal: Attend = (qkv, layer) => {
    const names = cacheNames(layer)
    const [q, newK, newV] = b.queryKeyValue(qkv, G, rotary)
    // The oldest row leaves, the newest comes last: always the same shapes, so that one compiled shader serves all.
    const kept = (name: string, shape: (string | number)[], axis: number) =>
      slice(g.input(name, b.real, shape), 1, places, axis)
    const k = g.node(
      "Concat",
      [kept(names.k, ["heads", d, places], 2), g.node("Reshape", [newK, g.ints([-1, d, 1])])],
      {
        axis: 2,
      },
    )
    const v = g.node(
      "Concat",
      [kept(names.v, ["heads", places, d], 1), g.node("Reshape", [newV, g.ints([-1, 1, d])])],
      {
        axis: 1,
      },
    )
    g.output(nextName(names.k), k, b.real, ["heads", d, places])
    g.output(nextName(names.v), v, b.real, ["heads", places, d])
    const qh = g.node("Reshape", [q, g.ints([-1, group, d])])
    const p = g.node("Softmax", [g.node("Add", [g.node("MatMul", [qh, k]), mask])], { axis: -1 })
    return g.node("Reshape", [g.node("MatMul", [p, v]), g.ints([-1, 1, attentionWidth(G)])])
  }
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) stream = b.block(stream, "global", i, attendGlobal)
  const fromGlobal = b.toLocal(b.addNorm(stream, "global_norm").normed) // [B, P, D_L]

  const drawn = guided ? "drawn" : "batch"
  const noise = g.input("noise", "float32", [P, drawn, 1, count])
  const draw = drawInputs(g, "int32", masks)
  const guidance = guided ? g.input("guidance", "float32", [1]) : undefined
  const carried = carriedPast(m, true)
  const inputs = carried.map(({ name, type, shape }) => [name, g.input(name, type, shape)])
  let past = begin(b, Object.fromEntries(inputs) as Past)
  const fits = fitInputs(b)
  const everyByte = g.floats(Array.from({ length: count }, (_, byte) => byte))

  const none = g.node("Mul", [g.node("Gather", [previous, g.ints([0], [])], { axis: 1 }), g.int32s([0], [])]) // [B]
  const keysAndValues: Value[][] = Array.from({ length: L.layers }, () => ["", ""]) // each [B, kv heads, bytes, d]
  const bytes: Value[] = []
  const everyLogits: Value[] = []
  let last = g.ints([256], [1, 1])
  for (let p = 0; p < P; p++) {
    const { inputs, guesses, sound, earlier } = byteFeatures(b, past, fits)
    const embedded = g.node("Gather", [g.weight("local_embed.weight"), last])
    let inside = b.sum([slice(fromGlobal, p, p + 1, 1), embedded, ...inputs])
    const before = p ? g.node("Add", [none, g.int32s([p], [])]) : none // [B]
    const attendLocal: Attend = (qkv, layer) => {
      // Four kernels; split, joined, multiplied and summed one by one it is six.
      const given = [qkv, "", "", ...(keysAndValues[layer] as Value[]), before, g.int32s([p + 1], [])]
      const attributes = { num_heads: L.heads, kv_num_heads: L.kv_heads, scale: float(1) }
      const [mixed, ...grown] = g.nodesOut(3, "GroupQueryAttention", given, attributes)
      keysAndValues[layer] = grown
      return mixed as Value
    }
    for (let i = 0; i < L.layers; i++) inside = b.block(inside, "local", i, attendLocal)
    const logits = b.head(inside, 1, guesses, sound)
    const { own, steered } = guidance ? guidedLogits(g, logits, guidance) : { own: logits, steered: logits }

    const gumbel = g.node("Squeeze", [slice(noise, p, p + 1, 0), g.ints([0])]) // [B, 1, 256]
    const sums = perturbedLogits(g, steered, gumbel, draw, count)
    // ArgMax has no kernel here: the winner is where the largest stands.
    const best = g.node("Equal", [sums, g.node("ReduceMax", [sums, g.ints([2])], { keepdims: 1 })])
    const winner = g.node("Where", [best, everyByte, g.floats([-1], [])])
    const byte = g.node("ReduceMax", [winner, g.ints([2])], { keepdims: 1 }) // [B, 1, 1]
    const once = g.node("Squeeze", [byte, g.ints([2])])
    const flat = guidance ? g.node("Concat", [once, once], { axis: 0 }) : once
    last = b.toIndex(flat)
    past = appendByte(b, past, earlier, flat, last)
    bytes.push(byte)
    everyLogits.push(own)
  }

  for (const { name, type, shape } of carried) g.output(nextName(name), past[name] as Value, type, shape)

  const written = g.concat(bytes, 1) // [B, P, 1]
  const { logprob, entropy } = statistics(b, g.concat(everyLogits, 1), b.toIndex(written))
  g.output("result", g.concat([written, logprob, entropy], 2), "float32", [drawn, P, 3])
  return g
}
