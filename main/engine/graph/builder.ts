import {
  attentionWidth,
  hasLearnedPositions,
  headWidth,
  isRotary,
  type ModelConfig,
  type Precision,
  type Stage,
} from "../../../contract/pack.ts"
import { MU_LAW_EDGES } from "../../../contract/samples.ts"
import { lookbackSizes } from "../features/lookback.ts"
import { COMPONENTS, FLOOR } from "../features/lpc.ts"
import { GUESSES, patchSizes } from "../features/notes.ts"
import { type Dim, type ExternalTensor, float, Graph, type Value } from "./onnx.ts"

/**
 * The parts that the graphs of the MEGABYTE decoder (Yu et al. 2023, arXiv 2305.07185) are made of. The graphs:
 *
 *   decode-cpu.ts  one patch: a step of the global model, P steps of the local model, sampling inside
 *   decode-gpu.ts  the same for a GPU, the steps written out
 *   parallel.ts    many known patches at once: the global cache rows (prefill), or those and every byte's
 *                  log-probability (score)
 *
 * Keys and values of the global model never pass through a graph output whole. The caller keeps them and feeds its
 * arrays as they are; a graph returns the new rows alone.
 */

/** Where a weight's prepared form lies in the weights file. Forms are named in compile.ts. */
export type Locate = (name: string) => ExternalTensor

/** Turns one packed projection into what attention adds: [rows, heads * head width]. */
export type Attend = (qkv: Value, layer: number) => Value

/** The residual stream before part `i` of a stage (two a block) with half of its channels from the place before. */
export type Shift = (x: Value, i: number) => Value

/** Angles of rotary positions, and which of them each place takes. */
export type Rotary = { cos: Value; sin: Value; ids: Value }

/** The residual stream: x, and what is still to be added to it. */
export type Stream = { x: Value; added?: Value }

/** What a graph is written from: a model and its weights in one precision. `file`: beside the graph, holds the weights. */
export type Source = { model: ModelConfig; precision: Precision; locate: Locate; file: string }

/** What a graph is for: many rows at a time on a CPU, a row or a few there (decoding), or a GPU. */
export type Use = "many" | "few" | "gpu"

/** Samples expected by linear prediction and their spread, both fp64 (fp32 on a GPU) [rows, parts, 1]. */
export type Expected = { expected: Value; spread: Value }

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

  /** Guesses of a byte for which the head has logits of what is left. */
  get guesses(): number {
    const { lookback, notes } = this.m
    return lookback ? lookbackSizes(lookback).guesses : notes?.guesses ? GUESSES : 0
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
    const attributes = { axis: -1, epsilon: float(m.norm_epsilon ?? 1e-5) }
    if (m.norm === "rmsnorm") return g.node("SimplifiedLayerNormalization", [x, g.weight(`${name}.weight`)], attributes)
    return this.layerNorm(x, name, m.norm_epsilon)
  }

  private layerNorm(x: Value, name: string, epsilon = 1e-5): Value {
    const { g } = this
    const inputs = [x, g.weight(`${name}.weight`), g.weight(`${name}.bias`)]
    return g.node("LayerNormalization", inputs, { axis: -1, epsilon: float(epsilon) })
  }

  /** x + added and the norm of that, in one node; of that shifted, where it is. */
  addNorm({ x, added }: Stream, name: string, shifted?: (sum: Value) => Value): { sum: Value; normed: Value } {
    if (shifted) {
      const sum = added ? this.g.node("Add", [x, added]) : x
      return { sum, normed: this.norm(shifted(sum), name) }
    }
    if (!added) return { sum: x, normed: this.norm(x, name) }
    const { g, m } = this
    const rms = m.norm === "rmsnorm"
    const op = rms ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization"
    const weights = rms ? [g.weight(`${name}.weight`)] : [g.weight(`${name}.weight`), g.weight(`${name}.bias`)]
    const out = g.nodesOut(4, op, [x, added, ...weights], { epsilon: float(m.norm_epsilon ?? 1e-5) })
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
  block(stream: Stream, prefix: string, layer: number, attend: Attend, shift?: Shift): Stream {
    const { g, m } = this
    const at = `${prefix}_blocks.${layer}`
    const first = this.addNorm(stream, `${at}.attention_norm`, shift && ((sum) => shift(sum, 2 * layer)))
    const mixed = attend(this.linear(first.normed, `${at}.qkv`), layer)
    const attended = { x: first.sum, added: this.linear(mixed, `${at}.attention_out`) }
    const second = this.addNorm(attended, `${at}.ff_norm`, shift && ((sum) => shift(sum, 2 * layer + 1)))
    let h = this.linear(second.normed, `${at}.ff_in`)
    if (m.feed_forward === "swiglu") {
      const [gate, up] = g.nodesOut(2, "Split", [h], { axis: -1, num_outputs: 2 }) as [Value, Value]
      h = g.node("Mul", [g.node("QuickGelu", [gate], { alpha: float(1) }), up])
    } else h = g.node({ relu: "Relu", gelu: "Gelu", gelu_tanh: "FastGelu" }[m.feed_forward], [h])
    return { x: second.sum, added: this.linear(h, `${at}.ff_out`) }
  }

  /**
   * Token shift, where the model has it: the second half of the stream's channels come from the place before. `before`
   * makes of the second half, before part `i` of a stage, that of the places before.
   */
  shift(before: (half: Value, i: number) => Value): Shift | undefined {
    if (!this.m.token_shift) return undefined
    return (x, i) => {
      const [stays, moves] = this.g.nodesOut(2, "Split", [x], { axis: -1, num_outputs: 2 }) as [Value, Value]
      return this.g.node("Concat", [stays, before(moves, i)], { axis: -1 })
    }
  }

  /**
   * The input `carried` [rows, carriedWidth] of models that have one: halves of the stream before each block's two parts,
   * each [rows, 1, D_G / 2], and the local inputs of the last patch [rows, P * D_L].
   */
  carried(rows: Dim): { halves: Value[]; local: Value } | undefined {
    const { g, m } = this
    if (!m.aligned) return undefined
    const halves = Array<number>(m.token_shift ? 2 * m.global.layers : 0).fill(m.global.width / 2)
    const sizes = [...halves, m.patch * m.local.width]
    const whole = g.input("carried", "float32", [rows, sizes.reduce((a, b) => a + b)])
    const parts = sizes.length > 1 ? g.nodesOut(sizes.length, "Split", [whole, g.ints(sizes)], { axis: 1 }) : [whole]
    return {
      halves: parts.slice(0, -1).map((half) => g.node("Unsqueeze", [half, g.ints([1])])),
      local: parts.at(-1) as Value,
    }
  }

  /** Packed projection [rows, ...] -> q, k (rotated by cos and sin [rows, d/2] where given) and v, each [rows, width]. */
  queryKeyValue(qkv: Value, stage: Stage, rotary?: Rotary): [Value, Value, Value] {
    const { g } = this
    const kv = headWidth(stage) * stage.kv_heads
    const width = attentionWidth(stage)
    if (!rotary) return g.nodesOut(3, "Split", [qkv, g.ints([width, kv, kv])], { axis: -1 }) as [Value, Value, Value]
    const [qk, v] = g.nodesOut(2, "Split", [qkv, g.ints([width + kv, kv])], { axis: -1 }) as [Value, Value]
    const turned = g.node("RotaryEmbedding", [qk, rotary.ids, rotary.cos, rotary.sin], {
      num_heads: stage.heads + stage.kv_heads,
      rotary_embedding_dim: headWidth(stage),
    })
    const [q, k] = g.nodesOut(2, "Split", [turned, g.ints([width, kv])], { axis: -1 }) as [Value, Value]
    return [q, k, v]
  }

  /**
   * The graph's inputs previous (`dims`), previous_ngrams [...dims, orders] where the patch embedder sees n-grams, and cos and sin or position (`count` places), and what they give: patches as
   * vectors (paper, section 2.2.1) in the shape `to`, with learned positions added or rotary ones to turn by.
   */
  globalInput(dims: Dim[], to: number[], count: Dim): { previous: Value; h: Value; rotary?: Rotary } {
    const { g, m, index } = this
    const half = headWidth(m.global) / 2
    const previous = g.input("previous", index, dims)
    let embedded = this.embedPatch(previous, to)
    if (m.ngrams?.patch_embedder) {
      const ids = g.input("previous_ngrams", index, [...dims, m.ngrams.orders.length])
      const rows = [...dims.map(() => 0), m.ngrams.orders.length * m.ngrams.width] // 0: as it is
      embedded = g.node("Add", [embedded, ngramRows(this, ids, rows, "ngram_to_patch")])
    }
    let h = m.patch_embedder ? embedded : g.node("Reshape", [embedded, g.ints(to)])
    if (m.notes) {
      const ids = g.input("patch_rows", index, [...dims.slice(0, -1), patchSizes(m.notes).length])
      const rows = g.node("Gather", [g.weight("notes_patch_embed.weight"), ids])
      // One vector a patch: [B, 1, D_G] where each sequence has one, else [1, n, D_G].
      const summed = g.node("ReduceSum", [rows, g.ints([-2])], { keepdims: dims.length === 2 ? 1 : 0 })
      h = g.node("Add", [h, summed])
    }
    if (hasLearnedPositions(m)) {
      const position = g.input("position", index, [count])
      h = g.node("Add", [h, g.node("Gather", [g.weight("patch_position"), position])])
    }
    if (!isRotary(m)) return { previous, h }
    const cos = this.toReal(g.input("cos", "float32", [count, half]))
    const sin = this.toReal(g.input("sin", "float32", [count, half]))
    return { previous, h, rotary: { cos, sin, ids: g.ints([0]) } }
  }

  /** The bytes of patches as vectors, of the shape `to` where a patch is more than its embeddings side by side. */
  private embedPatch(previous: Value, to: number[]): Value {
    const { g, m, index } = this
    const table = g.weight("patch_embed.weight")
    if (!m.patch_embedder) return g.node("Gather", [table, previous])
    const constant = (values: number[], dims?: number[]) =>
      index === "int32" ? g.int32s(values, dims) : g.ints(values, dims)
    // The padding patch's numbers, 256 + p, are all the same row here.
    const known = g.node("Min", [previous, constant([256], [])])
    if (m.patch_embedder === "table") {
      const rows = Array.from({ length: m.patch }, (_, p) => 257 * p)
      const each = g.node("Gather", [table, g.node("Add", [known, constant(rows)])])
      return g.node("Reshape", [g.node("ReduceSum", [each, g.ints([-2])], { keepdims: 0 }), g.ints(to)])
    }
    const flat = g.node("Reshape", [
      g.node("Gather", [table, known]),
      g.ints([...to.slice(0, -1), m.patch * m.local.width]),
    ])
    const projected = this.linear(this.layerNorm(flat, "patch_embed_norm"), "patch_to_global", true)
    const h = this.layerNorm(projected, "patch_norm")
    return g.node("Where", [this.isPadding(previous, to), g.weight("patch_start.weight"), h])
  }

  /** Whether a patch is the padding patch: [...to without its last, 1]. */
  isPadding(previous: Value, to: number[]): Value {
    const { g } = this
    const first = g.node("Gather", [previous, g.ints([0])], { axis: -1 })
    const byte = g.node("Reshape", [g.node("Cast", [first], { to: 1 }), g.ints([...to.slice(0, -1), 1])])
    return g.node("Less", [g.floats([255.5], []), byte])
  }

  /** Global output [rows, D_G] -> the local model's share of its input [rows, P, D_L] (paper, equation 5). */
  toLocal(h: Value): Value {
    const { g, m } = this
    const { width } = m.global
    if (m.global_to_local === "first") {
      const first = g.node("Reshape", [h, g.ints([-1, 1, width])])
      const padded = g.node("Pad", [first, g.ints([0, 0, 0, 0, m.patch - 1, 0]), this.reals([0], [])])
      return g.node("Add", [padded, g.weight("local_position")])
    }
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
    const logits = this.toFloat(this.linear(normed, "head", m.head_bias ?? false))
    if (!guess) return logits
    const rest = this.toFloat(this.linear(normed, "head_rest", false))
    const { guesses } = this
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

/** Name of the output of what is carried to the next patch beside the cache. */
export const NEXT_CARRIED = "next_carried"

/** [rows, fits, 1] -> [rows, parts, 1]: each fit as often as there are components around it. */
export function forComponents({ g, m }: Builder, x: Value): Value {
  const fits = m.lookback?.lpc.length ?? 0
  const each = Array.from({ length: fits * COMPONENTS }, (_, i) => Math.floor(i / COMPONENTS))
  return g.node("Gather", [x, g.ints(each)], { axis: 1 })
}

/** N-gram table rows `ids`, embedded and projected by `to`: [...shape without its last, width of that]. */
export function ngramRows(
  b: Builder,
  ids: Value,
  shape: number[],
  to: "ngram_to_local" | "ngram_to_patch" = "ngram_to_local",
): Value {
  const rows = b.g.node("Gather", [b.g.weight("ngram_embed.weight"), ids])
  return b.linear(b.g.node("Reshape", [rows, b.g.ints(shape)]), to, false)
}
