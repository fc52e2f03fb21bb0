import type { ModelConfig, Precision, Stage } from "../../../contract/pack.ts"
import { MU_LAW_EDGES } from "../../../contract/samples.ts"
import { lookbackSizes } from "../features/lookback.ts"
import { COMPONENTS, FLOOR } from "../features/lpc.ts"
import { type DataType, type Dim, type ExternalTensor, float, Graph, type Value } from "./onnx.ts"
import {
  carriedPast,
  type Expected,
  fitInputs,
  forComponents,
  fromPast,
  lookbackRows,
  ngramRows,
  type Past,
  pushByte,
} from "./past.ts"

/**
 * The MEGABYTE decoder (Yu et al. 2023, arXiv 2305.07185) as ONNX graphs.
 *
 *   decodeGraph    one patch: a step of the global model, P steps of the local model, sampling inside (for a GPU:
 *                  unrolled.ts)
 *   parallelGraph  many known patches at once: the global cache rows (prefill), or those and every
 *                  byte's log-probability (score)
 *
 * Keys and values of the global model never pass through a graph output whole. The caller keeps them and feeds its
 * arrays as they are; a graph returns the new rows alone.
 */

/** Where a weight's prepared form lies in the weights file. Forms are named in compile.ts. */
export type Locate = (name: string) => ExternalTensor

/** Turns one packed projection into what attention adds: [rows, heads * head width]. */
export type Attend = (qkv: Value, layer: number) => Value

/** Angles of rotary positions, and which of them each place takes. */
type Rotary = { cos: Value; sin: Value; ids: Value }

/** The residual stream: x, and what is still to be added to it. */
export type Stream = { x: Value; added?: Value }

/** What a graph is written from: a model and its weights in one precision. `file`: beside the graph, holds the weights. */
export type Source = { model: ModelConfig; precision: Precision; locate: Locate; file: string }

/** What a graph is for: many rows at a time on a CPU, a row or a few there (decoding), or a GPU. */
export type Use = "many" | "few" | "gpu"

/** Writes the parts that all graphs are made of. */
export class Builder {
  constructor(
    readonly g: Graph,
    private readonly source: Source,
    private readonly use: Use,
  ) {}

  /** A builder that begins a graph. */
  static of(name: string, source: Source, use: Use): Builder {
    return new Builder(new Graph(name, source.locate, source.file), source, use)
  }

  /** The same builder, writing into the body of a Loop. */
  within(g: Graph): Builder {
    return new Builder(g, this.source, this.use)
  }

  get m(): ModelConfig {
    return this.source.model
  }

  /** Only what a GPU's provider has: no FusedMatMul, Sign, Mod or LogSoftmax, and indices of 32 bits. */
  get gpu(): boolean {
    return this.use === "gpu"
  }

  /** Type of what flows between the layers, and of the device's cache. Logits and all that is sampled from are fp32. */
  get real(): "float32" | "float16" {
    return this.source.precision === "fp16" ? "float16" : "float32"
  }

  /** A constant of that type. */
  reals(values: ArrayLike<number>, dims?: number[]): Value {
    return this.real === "float16" ? this.g.halves(values, dims) : this.g.floats(values, dims)
  }

  /** fp32 as what flows between the layers. */
  toReal(x: Value): Value {
    return this.real === "float16" ? this.g.node("Cast", [x], { to: 10 }) : x
  }

  /** What flows between the layers as fp32. */
  toFloat(x: Value): Value {
    return this.real === "float16" ? this.g.node("Cast", [x], { to: 1 }) : x
  }

  /** The mask of -1e9 and 0 as what is added to scores: in fp16 not so far down that the sum is infinite. */
  toMask(mask: Value): Value {
    return this.real === "float16" ? this.toReal(this.g.node("Max", [mask, this.g.floats([-3e4], [])])) : mask
  }

  /** Type of byte values and of other indices. */
  get index(): "int32" | "int64" {
    return this.gpu ? "int32" : "int64"
  }

  /** Whole numbers in fp32 or fp64 as indices. */
  toIndex(x: Value): Value {
    return this.g.node("Cast", [x], { to: this.gpu ? 6 : 7 })
  }

  /** x [..., in] -> [..., out] by the matrix `name` ([out, in] as stored). */
  linear(x: Value, name: string, bias = this.m.bias): Value {
    const { g } = this
    const prepared = this.source.locate(`${name}.weight`)
    let y: Value
    if (prepared.type === "uint8" && this.use === "few") {
      // One scale for all activations: twice as fast as MatMulNBits, and close enough where rows are few.
      const columns = perChannel(`${name}.weight`)
      const inputs = [x, g.weight(columns), g.weight(`${columns}.scale`), "", bias ? g.weight(`${name}.bias`) : ""]
      return g.node("DynamicQuantizeMatMul", inputs)
    }
    if (prepared.type === "uint8") {
      const [out = 0, blocks = 0, block = 0] = prepared.dims
      const inputs = [x, g.weight(`${name}.weight`), g.weight(`${name}.weight.scale`)]
      // accuracy_level 4: activations in 8 bits too, the only fast kernel on a CPU.
      // A GPU keeps them in fp32: there 8 bits save memory traffic, and nothing is gained by rounding.
      const attributes = { K: blocks * block, N: out, bits: 8, block_size: block, accuracy_level: this.gpu ? 0 : 4 }
      y = g.node("MatMulNBits", inputs, attributes)
    } else y = g.node("MatMul", [x, g.weight(`${name}.weight`)])
    return bias ? g.node("Add", [y, g.weight(`${name}.bias`)]) : y
  }

  norm(x: Value, name: string): Value {
    const { g, m } = this
    const attributes = { axis: -1, epsilon: float(1e-5) }
    if (m.norm === "rmsnorm") return g.node("SimplifiedLayerNormalization", [x, g.weight(`${name}.weight`)], attributes)
    return g.node("LayerNormalization", [x, g.weight(`${name}.weight`), g.weight(`${name}.bias`)], attributes)
  }

  /** x + added and the norm of that, in one node. */
  addNorm({ x, added }: Stream, name: string): { sum: Value; normed: Value } {
    if (!added) return { sum: x, normed: this.norm(x, name) }
    const { g, m } = this
    const rms = m.norm === "rmsnorm"
    const op = rms ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization"
    const weights = rms ? [g.weight(`${name}.weight`)] : [g.weight(`${name}.weight`), g.weight(`${name}.bias`)]
    const out = g.nodesOut(4, op, [x, added, ...weights], { epsilon: float(1e-5) })
    return { sum: out[3] as Value, normed: out[0] as Value }
  }

  /** The sum of `parts`; of three or more the last is left to the norm, the others' batch may be broadcast. */
  sum(parts: Value[]): Stream {
    const rest = [...parts]
    const added = parts.length > 2 ? rest.pop() : undefined
    const x = rest.reduce((a, b) => this.g.node("Add", [a, b]))
    return added ? { x, added } : { x }
  }

  /** Pre-norm block: x + attention(norm(x)), then x + feed_forward(norm(x)); the last sum is left to the next norm. */
  block(stream: Stream, prefix: string, layer: number, attend: Attend): Stream {
    const { g, m } = this
    const at = `${prefix}_blocks.${layer}`
    const first = this.addNorm(stream, `${at}.attention_norm`)
    const mixed = attend(this.linear(first.normed, `${at}.qkv`), layer)
    const second = this.addNorm({ x: first.sum, added: this.linear(mixed, `${at}.attention_out`) }, `${at}.ff_norm`)
    let h = this.linear(second.normed, `${at}.ff_in`)
    if (m.feed_forward === "swiglu") {
      const [gate, up] = g.nodesOut(2, "Split", [h], { axis: -1, num_outputs: 2 }) as [Value, Value]
      h = g.node("Mul", [g.node("QuickGelu", [gate], { alpha: float(1) }), up])
    } else h = g.node("Relu", [h])
    return { x: second.sum, added: this.linear(h, `${at}.ff_out`) }
  }

  /** Packed projection [rows, ...] -> q, k (rotated by cos and sin [rows, d/2] where given) and v, each [rows, width]. */
  queryKeyValue(qkv: Value, stage: Stage, rotary?: Rotary): [Value, Value, Value] {
    const { g } = this
    const kv = (stage.width / stage.heads) * stage.kv_heads
    if (!rotary)
      return g.nodesOut(3, "Split", [qkv, g.ints([stage.width, kv, kv])], { axis: -1 }) as [Value, Value, Value]
    const [qk, v] = g.nodesOut(2, "Split", [qkv, g.ints([stage.width + kv, kv])], { axis: -1 }) as [Value, Value]
    const turned = g.node("RotaryEmbedding", [qk, rotary.ids, rotary.cos, rotary.sin], {
      num_heads: stage.heads + stage.kv_heads,
      rotary_embedding_dim: stage.width / stage.heads,
    })
    const [q, k] = g.nodesOut(2, "Split", [turned, g.ints([stage.width, kv])], { axis: -1 }) as [Value, Value]
    return [q, k, v]
  }

  /**
   * The graph's inputs previous (`dims`), previous_ngrams [...dims, orders] where the patch embedder sees n-grams, and cos and sin or position (`count` places), and what they give: patches as
   * vectors (paper, section 2.2.1) in the shape `to`, with learned positions added or rotary ones to turn by.
   */
  globalInput(dims: Dim[], to: number[], count: Dim): { previous: Value; h: Value; rotary?: Rotary } {
    const { g, m, index } = this
    const half = m.global.width / m.global.heads / 2
    const previous = g.input("previous", index, dims)
    let embedded = g.node("Gather", [g.weight("patch_embed.weight"), previous])
    if (m.ngrams?.patch_embedder) {
      const ids = g.input("previous_ngrams", index, [...dims, m.ngrams.orders.length])
      const rows = [...dims.map(() => 0), m.ngrams.orders.length * m.ngrams.width] // 0: as it is
      embedded = g.node("Add", [embedded, ngramRows(this, ids, rows, "ngram_to_patch")])
    }
    const h = g.node("Reshape", [embedded, g.ints(to)])
    if (m.position === "learned") {
      const position = g.input("position", index, [count])
      return { previous, h: g.node("Add", [h, g.node("Gather", [g.weight("patch_position"), position])]) }
    }
    const cos = this.toReal(g.input("cos", "float32", [count, half]))
    const sin = this.toReal(g.input("sin", "float32", [count, half]))
    return { previous, h, rotary: { cos, sin, ids: g.ints([0]) } }
  }

  /** Global output [rows, D_G] -> the local model's share of its input [rows, P, D_L] (paper, equation 5). */
  toLocal(h: Value): Value {
    const { g, m } = this
    const { width } = m.global
    const sliced = m.global_to_local === "slice"
    const from = sliced ? g.node("Reshape", [h, g.ints([-1, m.patch, width / m.patch])]) : h
    const y = this.linear(from, "to_local")
    const shaped = sliced ? y : g.node("Reshape", [y, g.ints([-1, m.patch, m.local.width])])
    return g.node("Add", [shaped, g.weight("local_position")])
  }

  /**
   * Logits [rows, places, 256] of local states. `guess` [rows, places, guesses], indices, where the model makes
   * guesses: the logits of what is left after a guess are turned to its place and added. `sound`, of rows * places rows,
   * where the model expects samples: the logits are of the mixture with them.
   */
  head(y: Stream, places: number, guess?: Value, sound?: Expected): Value {
    const { normed } = this.addNorm(y, "local_norm")
    const logits = this.plainHead(normed, places, guess)
    return sound ? this.mixture(normed, places, logits, sound) : logits
  }

  /** The inputs expected and spread of known bytes, `rows` of them, where the model has linear prediction. */
  soundInputs(rows: Dim): Expected | undefined {
    const fits = this.m.lookback?.lpc.length
    if (!fits) return undefined
    const type = this.gpu ? "float32" : "float64"
    const input = (name: string) => forComponents(this, this.g.input(name, type, [rows, fits, 1]))
    return { expected: input("expected"), spread: input("spread") }
  }

  private plainHead(normed: Value, places: number, guess?: Value): Value {
    const { g, m } = this
    const logits = this.toFloat(this.linear(normed, "head", false))
    if (!guess || !m.lookback) return logits
    const rest = this.toFloat(this.linear(normed, "head_rest", false))
    const { guesses } = lookbackSizes(m.lookback)
    const split = g.node("Reshape", [rest, g.ints([-1, places, guesses, 256])])
    // What is left of every byte after each guess, modulo 256: a row of a table, as that takes one node.
    const left = g.node("Gather", [this.leftovers(), guess])
    const turned = g.node("GatherElements", [split, left], { axis: 3 })
    const sum =
      guesses > 1
        ? g.node("ReduceSum", [turned, g.ints([2])], { keepdims: 0 })
        : g.node("Reshape", [turned, g.ints([-1, places, 256])])
    return g.node("Add", [logits, sum])
  }

  /** log_mixture of training/megabyte/lpc.py: what `logits` say, mixed with logistic distributions around `sound`. */
  private mixture(normed: Value, places: number, logits: Value, { expected, spread }: Expected): Value {
    const { g, m } = this
    const parts = COMPONENTS * (m.lookback?.lpc.length ?? 0)
    // Sigmoids near 1 are subtracted: in fp32 that tells in the tails, and a processor has fp64.
    const exact = (x: Value) => (this.gpu ? this.toFloat(x) : g.node("Cast", [x], { to: 11 }))
    const constant = (values: ArrayLike<number>, dims?: number[]) =>
      this.gpu ? g.floats(values, dims) : g.doubles(values, dims)
    const raw = exact(this.linear(normed, "head_mixture", true))
    const columns = g.node("Reshape", [raw, g.ints([-1, 3 * parts + 1, 1])])
    const split = (x: Value, sizes: number[]) => g.nodesOut(sizes.length, "Split", [x, g.ints(sizes)], { axis: 1 })
    const [weights, narrow, beside] = split(columns, [parts + 1, parts, parts]) as [Value, Value, Value]
    const [ofParts, ofLogits] = split(g.node("Softmax", [weights], { axis: 1 }), [parts, 1]) as [Value, Value]
    const inverse = g.node("Div", [g.node("Exp", [narrow]), spread])
    const middle = g.node("Add", [expected, g.node("Mul", [beside, spread])])
    const away = g.node("Mul", [g.node("Sub", [constant(MU_LAW_EDGES), middle]), inverse]) // [rows, parts, 257]
    const each = g.node("Mul", [g.node("Sigmoid", [away]), ofParts])
    const below = g.node("ReduceSum", [each, g.ints([1])], { keepdims: 1 }) // [rows, 1, 257]
    const edge = (from: number) => g.node("Slice", [below, g.ints([from]), g.ints([from + 256]), g.ints([2])])
    const between = g.node("Clip", [g.node("Sub", [edge(1), edge(0)]), constant([FLOOR], []), constant([1], [])])
    const flat = places === 1 ? logits : g.node("Reshape", [logits, g.ints([-1, 1, 256])])
    const said = g.node("Mul", [g.node("Softmax", [exact(flat)], { axis: -1 }), ofLogits])
    const mixed = g.node("Log", [g.node("Add", [between, said])])
    const logp = this.gpu ? mixed : g.node("Cast", [mixed], { to: 1 })
    return places === 1 ? logp : g.node("Reshape", [logp, g.ints([-1, places, 256])])
  }

  /** [guess, byte] -> byte - guess modulo 256. */
  private leftovers(): Value {
    const table = Array.from({ length: 65536 }, (_, i) => ((i & 255) - (i >> 8)) & 255)
    return this.gpu ? this.g.int32s(table, [256, 256]) : this.g.ints(table, [256, 256])
  }

  /** Mix of values for q [heads, rows, d] over k, v [places, heads, d] under `mask`: kept where they lie. */
  attendOver(q: Value, k: Value, v: Value, mask: Value): Value {
    const { g } = this
    if (this.gpu) {
      const keys = g.node("Transpose", [k], { perm: [1, 2, 0] })
      const p = g.node("Softmax", [g.node("Add", [g.node("MatMul", [q, keys]), mask])], { axis: -1 })
      return g.node("MatMul", [p, g.node("Transpose", [v], { perm: [1, 0, 2] })])
    }
    const scores = g.node("FusedMatMul", [q, k], { transB: 1, transBatchB: 1 })
    const p = g.node("Softmax", [g.node("Add", [scores, mask])], { axis: -1 })
    return g.node("FusedMatMul", [p, v], { transBatchB: 1 })
  }

  /** log softmax over the last axis. */
  logSoftmax(x: Value): Value {
    const { g } = this
    if (!this.gpu) return g.node("LogSoftmax", [x], { axis: -1 })
    const shifted = g.node("Sub", [x, g.node("ReduceMax", [x, g.ints([-1])], { keepdims: 1 })])
    const total = g.node("ReduceSum", [g.node("Exp", [shifted]), g.ints([-1])], { keepdims: 1 })
    return g.node("Sub", [shifted, g.node("Log", [total])])
  }
}

/** Name of a matrix's form with one scale a channel. */
export const perChannel = (name: string) => `${name}.per_channel`

/** Names of the global cache's inputs of layer i. */
export const cacheNames = (i: number) => ({ k: `k_${i}`, v: `v_${i}` })

/** Name of the output that has all new rows of the cache, keys and then values of each layer: one costs less than many. */
export const NEW_ROWS = "new_rows"

/**
 * One patch for a batch of B sequences.
 *
 * Inputs: previous int64 [B, P] the last patch's bytes (256 + p where there is none); k_i, v_i fp32
 * [B * kv heads, places, d] the rows before, in any order; mask fp32 [places], 0 where a place is seen and -1e30 where not;
 * places int64 [2], 1 and their number; cos, sin fp32 [1, d/2] of this position, or position int64 [1] where positions are learned;
 * recent fp32 [B, longest look back] newest first, with n-grams or lookback; samples fp64 [B, longest order, 1] newest
 * first, coefficients fp64 [B, fits, longest order], levels fp32 [B, fits] and spread fp64 [B, fits, 1] with linear prediction; past_bytes fp32
 * [B, longest window] newest first (-1 before the beginning) and runs_i fp32 [B, distances] with matches; noise fp32
 * [P, B, 1, 256] Gumbel noise a byte (Gumbel-max: the largest sum of logit and noise is a draw from the softmax), so much
 * for a known byte that no other can win, times the temperature without masks; with masks inverse_temperature, top_p,
 * log_min_p fp32 [1] and last_rank int64 [1], the last of the top k.
 * Outputs: bytes int64 [P, B, 1], logprob and entropy fp32 [P, B, 1] in nats (of the untempered model), new_rows
 * fp32 [2 * layers * B * kv heads, 1, d].
 */
export function decodeGraph(source: Source, masked: boolean): Graph {
  const b = Builder.of("decode", source, "few")
  const { g, m } = b
  const { global: G, local: L, patch: P } = m
  const d = G.width / G.heads
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
    return g.node("Reshape", [mixed, g.ints([-1, 1, G.width])])
  }
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) stream = b.block(stream, "global", i, attendGlobal)
  g.output(NEW_ROWS, g.concat(rows, 0), "float32", ["rows", 1, d])
  const local = b.toLocal(b.addNorm(stream, "global_norm").normed) // [B, P, D_L]
  // [P, B, 1, D_L]: a turn's share in one node.
  const fromGlobal = g.node("Unsqueeze", [g.node("Transpose", [local], { perm: [1, 0, 2] }), g.ints([2])])

  const noise = g.input("noise", "float32", [P, "batch", 1, 256])
  const draw = drawInputs(g, "int64", masked)

  // Local keys and values of the patch so far, empty at first: [B, kv heads, bytes, d].
  const dl = L.width / L.heads
  const batch = g.node("Shape", [previous], { start: 0, end: 1 })
  const emptyShape = g.node("Concat", [batch, g.ints([L.kv_heads, 0, dl])], { axis: 0 })
  const empty = g.node("Expand", [g.floats([0], [1, 1, 1, 1]), emptyShape])
  const start = g.node("Expand", [g.ints([256], [1, 1]), g.node("Concat", [batch, g.ints([1])], { axis: 0 })])
  // What attention is told at each turn: the places before, [P, B], and with the new one [P].
  const turns = Array.from({ length: P }, (_, p) => p)
  const everyPlace = g.node("Expand", [g.int32s(turns, [P, 1]), g.node("Concat", [g.ints([P]), batch], { axis: 0 })])
  const lengths = g.int32s(turns.map((p) => p + 1))
  const states: { value: Value; type: DataType; shape: (number | string)[] }[] = [
    { value: start, type: "int64", shape: ["batch", 1] },
  ]
  for (let i = 0; i < 2 * L.layers; i++)
    states.push({ value: empty, type: "float32", shape: ["batch", L.kv_heads, "bytes", dl] })
  const carried = carriedPast(m, false)
  for (const { name, type, shape } of carried) states.push({ value: g.input(name, type, shape), type, shape })
  const fits = fitInputs(b)
  const stacks = [
    { type: "float32" as const, shape: ["batch", 1] },
    { type: "float32" as const, shape: ["batch", 1, 256] },
  ]

  const loop = g.loop(P, states, stacks, (body, turn, [last = "", ...rest]) => {
    const lb = b.within(body)
    const cache = rest.slice(0, 2 * L.layers)
    const past: Past = Object.fromEntries(carried.map(({ name }, i) => [name, rest[2 * L.layers + i] as Value]))
    const { inputs, guesses, sound, earlier } = fromPast(lb, past, fits)
    const ofTurn = (values: Value) => body.node("Gather", [values, turn], { axis: 0 })
    let inside = lb.sum([ofTurn(fromGlobal), body.node("Gather", [body.weight("local_embed.weight"), last]), ...inputs])
    const [places, length] = [ofTurn(everyPlace), ofTurn(lengths)]
    const attendLocal: Attend = (qkv, layer) => {
      // One node for all of attention: on 1 x P scores the cost is nodes, not numbers.
      const [k, v] = cache.slice(2 * layer, 2 * layer + 2) as [Value, Value]
      const [mixed, nextK, nextV] = body.nodesOut(3, "GroupQueryAttention", [qkv, "", "", k, v, places, length], {
        num_heads: L.heads,
        kv_num_heads: L.kv_heads,
        scale: float(1),
      }) as [Value, Value, Value]
      cache.splice(2 * layer, 2, nextK, nextV)
      return mixed
    }
    for (let i = 0; i < L.layers; i++) inside = lb.block(inside, "local", i, attendLocal)
    const logits = lb.head(inside, 1, guesses, sound)

    const byte = body.node("ArgMax", [contest(body, logits, ofTurn(noise), draw)], { axis: 2, keepdims: 0 })
    const real = body.node("Cast", [byte], { to: 1 })
    const next = pushByte(lb, past, earlier, real, byte)
    // In fp32: what is carried and stacked at once would be copied.
    return { states: [byte, ...cache, ...carried.map(({ name }) => next[name] as Value)], stacks: [real, logits] }
  })

  const [written, logits] = loop.stacks as [Value, Value]
  const bytes = b.toIndex(written)
  statistics(b, logits, bytes, [P, "batch", 1])
  g.output("bytes", bytes, "int64", [P, "batch", 1])
  return g
}

/** The graph's inputs that say how to draw. `masked`: with top-p, top-k or min-p. */
export function drawInputs(g: Graph, index: "int32" | "int64", masked: boolean): Masks | undefined {
  if (!masked) return undefined
  return {
    inverseTemperature: g.input("inverse_temperature", "float32", [1]),
    topP: g.input("top_p", "float32", [1]),
    logMinP: g.input("log_min_p", "float32", [1]),
    lastRank: g.input("last_rank", index, [1]),
  }
}
export type Masks = { inverseTemperature: Value; topP: Value; logMinP: Value; lastRank: Value }

/**
 * What competes for the next byte, [B, 1, 256]: logits and `noise`; with masks tempered logits, far below where they are
 * masked. Without masks it is the noise that comes tempered: where the largest sum stands is the same, for a node less.
 */
export function contest(g: Graph, logits: Value, noise: Value, masks?: Masks): Value {
  if (!masks) return g.node("Add", [logits, noise])
  const scaled = g.node("Mul", [logits, masks.inverseTemperature])
  // Each mask keeps the first ranks, so the three together are one smallest logit.
  const [values] = g.nodesOut(2, "TopK", [scaled, g.ints([256])]) as [Value, Value]
  const before = g.node("CumSum", [g.node("Softmax", [values], { axis: -1 }), g.ints([2], [])], { exclusive: 1 })
  const within = g.node("Where", [g.node("Less", [before, masks.topP]), values, g.floats([1e30], [])])
  const top = g.node("Slice", [values, g.ints([0]), g.ints([1]), g.ints([2])])
  const least = [
    g.node("ReduceMin", [within, g.ints([2])], { keepdims: 1 }),
    g.node("Add", [top, masks.logMinP]),
    g.node("Gather", [values, masks.lastRank], { axis: 2 }),
  ]
  const cutoff = least.reduce((a, b) => g.node("Max", [a, b]))
  const kept = g.node("Where", [g.node("GreaterOrEqual", [scaled, cutoff]), scaled, g.floats([-1e30], [])])
  return g.node("Add", [kept, noise])
}

/** Outputs logprob (of `bytes`) and entropy in nats, both of `shape`, from logits [...shape, 256]. */
export function statistics(b: Builder, logits: Value, bytes: Value, shape: (number | string)[]): void {
  const { g } = b
  const logp = b.logSoftmax(logits)
  const chosen = g.node("GatherElements", [logp, g.node("Unsqueeze", [bytes, g.ints([-1])])], { axis: -1 })
  g.output("logprob", g.node("Squeeze", [chosen, g.ints([-1])]), "float32", shape)
  const weighted = g.node("Mul", [g.node("Exp", [logp]), logp])
  const sum = g.node("ReduceSum", [weighted, g.ints([-1])], { keepdims: 0 })
  g.output("entropy", g.node("Neg", [sum]), "float32", shape)
}

/**
 * Known patches in parallel, one sequence. Without `score` it stops at the last layer's keys and values (prefill).
 *
 * Inputs: previous int64 [1, n, P] the patches one earlier (256 + p for the padding patch); k_i, v_i fp32
 * [past, kv heads, d]; mask fp32 [n, past + n], 0 where a place is seen and -1e9 where not; cos, sin fp32 [n, d/2] or
 * position int64 [n]; with score: current int64 [n, P] the bytes to score, local_previous int64 [n, P] those
 * shifted by one inside their patch (256 first), ngram_ids int64 [n, P, orders] with n-grams, lookback_ids int64 [n, P, columns] and
 * guesses int64 [n, P, guesses] with lookback, expected and spread fp64 [n * P, fits, 1] with linear prediction.
 * Outputs: new_rows fp32 [2 * layers * n, kv heads, d]; with score: logprob and entropy fp32 [n, P] in nats, logits [n, P, 256]
 * only when asked for (tests compare them with PyTorch's).
 */
export function parallelGraph(source: Source, want: { score: boolean; logits?: boolean }, gpu = false): Graph {
  const b = Builder.of(want.score ? "score" : "prefill", source, gpu ? "gpu" : "many")
  const { g, m, index } = b
  const { global: G, local: L, patch: P } = m
  const d = G.width / G.heads
  const group = G.heads / G.kv_heads

  const { h, rotary } = b.globalInput([1, "n", P], [1, -1, G.width], "n")
  const mask = b.toMask(g.input("mask", "float32", ["n", "seen"]))
  // Each query head of a group stands under the others: rows of [group * n] share their key head.
  const groupMask = g.node("Concat", Array<Value>(group).fill(mask), { axis: 0 })
  const rows: Value[] = []
  const cacheRows = (layer: number, qkv: Value) => {
    const names = cacheNames(layer)
    const [q, k, v] = b.queryKeyValue(qkv, G, rotary)
    const shape = g.ints([-1, G.kv_heads, d])
    const newK = g.node("Reshape", [k, shape])
    const newV = g.node("Reshape", [v, shape])
    rows.push(newK, newV)
    return { q, newK, newV, names }
  }
  const attendGlobal: Attend = (qkv, layer) => {
    const { q, newK, newV, names } = cacheRows(layer, qkv)
    const past = (name: string) => b.toReal(g.input(name, "float32", ["past", G.kv_heads, d]))
    const keys = g.node("Concat", [past(names.k), newK], { axis: 0 })
    const values = g.node("Concat", [past(names.v), newV], { axis: 0 })
    return groupedAttention(b, q, G, keys, values, groupMask, [1, -1, G.width])
  }
  const last = G.layers - 1
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) {
    if (i === last && !want.score) {
      const at = `global_blocks.${i}`
      cacheRows(i, b.linear(b.addNorm(stream, `${at}.attention_norm`).normed, `${at}.qkv`))
    } else stream = b.block(stream, "global", i, attendGlobal)
  }
  g.output(NEW_ROWS, b.toFloat(g.concat(rows, 0)), "float32", ["rows", G.kv_heads, d])
  if (!want.score) return g

  const globalOutput = g.node("Reshape", [b.addNorm(stream, "global_norm").normed, g.ints([-1, G.width])])
  const localPrevious = g.input("local_previous", index, ["n", P])
  // Each [n, P, D_L].
  const parts = [b.toLocal(globalOutput), g.node("Gather", [g.weight("local_embed.weight"), localPrevious])]
  if (m.ngrams) {
    const { orders, width } = m.ngrams
    const ids = g.input("ngram_ids", index, ["n", P, orders.length])
    parts.push(ngramRows(b, ids, [-1, P, orders.length * width]))
  }
  if (m.lookback) {
    const ids = g.input("lookback_ids", index, ["n", P, lookbackSizes(m.lookback).columns])
    parts.push(lookbackRows(b, ids, P))
  }
  const causal = Array.from({ length: P * P }, (_, i) => (i % P <= Math.floor(i / P) ? 0 : -3e4))
  const localMask = g.node("Concat", Array<Value>(L.heads / L.kv_heads).fill(b.reals(causal, [P, P])), { axis: 0 })
  const dl = L.width / L.heads
  const localGroup = L.heads / L.kv_heads
  const attendLocal: Attend = (qkv) => {
    const [q, k, v] = b.queryKeyValue(qkv, L)
    // [n, P, heads * d] -> [n, kv heads, group * P, d]
    const split = (x: Value, shape: number[], perm: number[]) =>
      g.node("Transpose", [g.node("Reshape", [x, g.ints(shape)])], { perm })
    const q5 = split(q, [-1, P, L.kv_heads, localGroup, dl], [0, 2, 3, 1, 4])
    const qh = g.node("Reshape", [q5, g.ints([-1, L.kv_heads, localGroup * P, dl])])
    const kh = split(k, [-1, P, L.kv_heads, dl], [0, 2, 1, 3])
    const vh = split(v, [-1, P, L.kv_heads, dl], [0, 2, 1, 3])
    const scores = gpu
      ? g.node("MatMul", [qh, g.node("Transpose", [kh], { perm: [0, 1, 3, 2] })])
      : g.node("FusedMatMul", [qh, kh], { transB: 1 })
    const p = g.node("Softmax", [g.node("Add", [scores, localMask])], { axis: -1 })
    const mixed = g.node("Reshape", [g.node("MatMul", [p, vh]), g.ints([-1, L.kv_heads, localGroup, P, dl])])
    return g.node("Reshape", [g.node("Transpose", [mixed], { perm: [0, 3, 1, 2, 4] }), g.ints([-1, P, L.width])])
  }
  let inside = b.sum(parts)
  for (let i = 0; i < L.layers; i++) inside = b.block(inside, "local", i, attendLocal)
  const guesses = m.lookback && lookbackSizes(m.lookback).guesses
  const guess = guesses ? g.input("guesses", index, ["n", P, guesses]) : undefined
  const logits = b.head(inside, P, guess, b.soundInputs("places"))
  statistics(b, logits, g.input("current", index, ["n", P]), ["n", P])
  if (want.logits) g.output("logits", logits, "float32", ["n", P, 256])
  return g
}

/** Attention of q [1, n, heads * d] over keys and values [places, kv heads, d] under mask [group * n, places]. */
function groupedAttention(
  b: Builder,
  q: Value,
  s: Stage,
  keys: Value,
  values: Value,
  mask: Value,
  shape: number[],
): Value {
  const { g } = b
  const d = s.width / s.heads
  const group = s.heads / s.kv_heads
  const q4 = g.node("Reshape", [q, g.ints([-1, s.kv_heads, group, d])])
  const rows = g.node("Transpose", [q4], { perm: [1, 2, 0, 3] }) // [kv heads, group, n, d]
  const qh = g.node("Reshape", [rows, g.ints([s.kv_heads, -1, d])])
  const mixed = b.attendOver(qh, keys, values, mask)
  const apart = g.node("Reshape", [mixed, g.ints([s.kv_heads, group, -1, d])])
  return g.node("Reshape", [g.node("Transpose", [apart], { perm: [2, 0, 1, 3] }), g.ints(shape)])
}
