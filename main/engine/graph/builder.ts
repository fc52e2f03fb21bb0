import constants from "../../../contract/constants.json" with { type: "json" }
import { attentionWidth, headWidth, type ModelConfig, type Precision, type Stage } from "../../../contract/pack.ts"
import { perChannel } from "./names.ts"
import { type Dim, type ExternalTensor, float, Graph, type Value } from "./onnx.ts"

/**
 * The parts that the graphs of the MEGABYTE decoder (Yu et al. 2023, arXiv 2305.07185) are made of. The graphs:
 *
 *   decode-cpu.ts  one patch: a step of the global model, P steps of the local model, sampling inside
 *   decode-gpu.ts  the same for a GPU, the steps written out
 *   parallel.ts    many known patches at once: the global cache rows (prefill), or those and every byte's
 *                  log-probability (score)
 *
 * patches.ts is the way into the global model and out of it, byte-features.ts what the local model sees of the bytes before,
 * head.ts and sampling.ts what it says.
 *
 * Keys and values of the global model never pass through a graph output whole. The caller keeps them and feeds its
 * arrays as they are; a graph returns the new rows alone.
 */

/** What keeps norms from dividing by nothing where a model says nothing of it. */
const EPSILON = constants.norm.epsilon

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
    const attributes = { axis: -1, epsilon: float(m.norm_epsilon ?? EPSILON) }
    if (m.norm === "rmsnorm") return g.node("SimplifiedLayerNormalization", [x, g.weight(`${name}.weight`)], attributes)
    return this.layerNorm(x, name, m.norm_epsilon)
  }

  /** Layer norm, also where the model's own is another. */
  layerNorm(x: Value, name: string, epsilon = EPSILON): Value {
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
    const out = g.nodesOut(4, op, [x, added, ...weights], { epsilon: float(m.norm_epsilon ?? EPSILON) })
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
