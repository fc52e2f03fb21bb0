import { attentionWidth, attentionWindow, headWidth, type ModelConfig } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import { type Attend, Builder, type Source, type Stream } from "./builder.ts"
import { appendByte, begin, byteFeatures, carriedPast, fitInputs, type Past } from "./byte-features.ts"
import { head } from "./head.ts"
import { cacheNames } from "./names.ts"
import { type Dim, float, type Graph, type Value } from "./onnx.ts"
import { globalInput, toLocal } from "./patches.ts"
import { ByteSampler, statistics } from "./sampling.ts"

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
  const { patch: P } = m
  const { previous, fromGlobal } = slidingGlobalStep(b)
  const sampler = new ByteSampler(b, masks, guided)
  const carried = carriedPast(m, true)
  const inputs = carried.map(({ name, type, shape }) => [name, g.input(name, type, shape)])
  let past = begin(b, Object.fromEntries(inputs) as Past)
  const fits = fitInputs(b)
  const everyByte = g.floats(Array.from({ length: sampler.count }, (_, byte) => byte))
  const attend = growingAttention(b, previous)
  const bytes: Value[] = []
  const everyLogits: Value[] = []
  let last = g.ints([256], [1, 1])
  for (let p = 0; p < P; p++) {
    const { inputs, guesses, sound, earlier } = byteFeatures(b, past, fits)
    const embedded = g.node("Gather", [g.weight("local_embed.weight"), last])
    let inside = b.sum([slice(g, fromGlobal, p, p + 1, 1), embedded, ...inputs])
    const attendAt = attend(p)
    for (let i = 0; i < m.local.layers; i++) inside = b.block(inside, "local", i, attendAt)
    const noise = () => g.node("Squeeze", [slice(g, sampler.noise, p, p + 1, 0), g.ints([0])]) // [B, 1, 256]
    const { own, sums } = sampler.perturbed(g, head(b, inside, 1, guesses, sound), noise)
    // ArgMax has no kernel here: the winner is where the largest stands.
    const best = g.node("Equal", [sums, g.node("ReduceMax", [sums, g.ints([2])], { keepdims: 1 })])
    const winner = g.node("Where", [best, everyByte, g.floats([-1], [])])
    const byte = g.node("ReduceMax", [winner, g.ints([2])], { keepdims: 1 }) // [B, 1, 1]
    const flat = sampler.forAllRows(g, g.node("Squeeze", [byte, g.ints([2])]))
    last = b.toIndex(flat)
    past = appendByte(b, past, earlier, flat, last)
    bytes.push(byte)
    everyLogits.push(own)
  }

  for (const { name, type, shape } of carried) g.output(nextName(name), past[name] as Value, type, shape)

  const written = g.concat(bytes, 1) // [B, P, 1]
  const { logprob, entropy } = statistics(b, g.concat(everyLogits, 1), b.toIndex(written))
  g.output("result", g.concat([written, logprob, entropy], 2), "float32", [sampler.rows, P, 3])
  return g
}

const slice = (g: Graph, x: Value, from: number, to: number, axis: number) =>
  g.node("Slice", [x, g.ints([from]), g.ints([to]), g.ints([axis])])

/** A step of the global model, whose cache slides by a row; `fromGlobal` [B, P, D_L]. */
function slidingGlobalStep(b: Builder): { previous: Value; fromGlobal: Value } {
  const { g, m } = b
  const { global: G } = m
  const d = headWidth(G)
  const group = G.heads / G.kv_heads
  const places = attentionWindow(m)
  const { previous, h, rotary } = globalInput(b, ["batch", m.patch], [-1, 1, G.width], 1)
  const mask = b.toMask(g.input("mask", "float32", [1, 1, places]))
  /** The oldest row leaves, the newest comes last: always the same shapes, so that one compiled shader serves all. */
  const slide = (name: string, newest: Value, shape: Dim[], row: number[], axis: number) => {
    const kept = slice(g, g.input(name, b.real, shape), 1, places, axis)
    return g.node("Concat", [kept, g.node("Reshape", [newest, g.ints(row)])], { axis })
  }
  const attend: Attend = (qkv, layer) => {
    const names = cacheNames(layer)
    const [q, newK, newV] = b.queryKeyValue(qkv, G, rotary)
    const k = slide(names.k, newK, ["heads", d, places], [-1, d, 1], 2)
    const v = slide(names.v, newV, ["heads", places, d], [-1, 1, d], 1)
    g.output(nextName(names.k), k, b.real, ["heads", d, places])
    g.output(nextName(names.v), v, b.real, ["heads", places, d])
    const qh = g.node("Reshape", [q, g.ints([-1, group, d])])
    const p = g.node("Softmax", [g.node("Add", [g.node("MatMul", [qh, k]), mask])], { axis: -1 })
    return g.node("Reshape", [g.node("MatMul", [p, v]), g.ints([-1, 1, attentionWidth(G)])])
  }
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) stream = b.block(stream, "global", i, attend)
  return { previous, fromGlobal: toLocal(b, b.addNorm(stream, "global_norm").normed) }
}

/** Attention of the local model at place p, after those of the places before; keeps their keys and values. */
function growingAttention({ g, m }: Builder, previous: Value): (p: number) => Attend {
  const { local: L } = m
  const none = g.node("Mul", [g.node("Gather", [previous, g.ints([0], [])], { axis: 1 }), g.int32s([0], [])]) // [B]
  const keysAndValues: Value[][] = Array.from({ length: L.layers }, () => ["", ""]) // each [B, kv heads, bytes, d]
  return (p) => {
    const before = p ? g.node("Add", [none, g.int32s([p], [])]) : none // [B]
    return (qkv, layer) => {
      // Four kernels; split, joined, multiplied and summed one by one it is six.
      const given = [qkv, "", "", ...(keysAndValues[layer] as Value[]), before, g.int32s([p + 1], [])]
      const attributes = { num_heads: L.heads, kv_num_heads: L.kv_heads, scale: float(1) }
      const [mixed, ...grown] = g.nodesOut(3, "GroupQueryAttention", given, attributes)
      keysAndValues[layer] = grown
      return mixed as Value
    }
  }
}
