import {
  attentionWidth,
  hasLearnedPositions,
  headWidth,
  logitsOf,
  type ModelConfig,
  type Stage,
} from "../../../contract/pack.ts"
import { PackError } from "../../packs/error.ts"
import type { StoredTensor } from "../../packs/safetensors.ts"
import { lookbackSizes } from "../features/lookback.ts"
import { COMPONENTS } from "../features/lpc.ts"
import { BYTE_COLUMNS, BYTE_SIZES, GUESSES, patchSizes, total } from "../features/notes.ts"
import { fromHalf } from "../float16.ts"
import { type Blocks, blockOf, dequantize, quantize } from "./quantize.ts"

/** Name and shape of every tensor that a model of this configuration has; the names are those of training/megabyte/model.py. */
export function expectedShapes(m: ModelConfig): Map<string, number[]> {
  const shapes = new Map<string, number[]>()
  const linear = (name: string, out: number, into: number, bias = m.bias) => {
    shapes.set(`${name}.weight`, [out, into])
    if (bias) shapes.set(`${name}.bias`, [out])
  }
  const norm = (name: string, width: number) => {
    shapes.set(`${name}.weight`, [width])
    if (m.norm === "layernorm") shapes.set(`${name}.bias`, [width])
  }
  const blocks = (prefix: string, s: Stage) => {
    const kv = headWidth(s) * s.kv_heads
    const inner = attentionWidth(s)
    for (let i = 0; i < s.layers; i++) {
      const at = `${prefix}_blocks.${i}`
      norm(`${at}.attention_norm`, s.width)
      linear(`${at}.qkv`, inner + 2 * kv, s.width)
      linear(`${at}.attention_out`, s.width, inner)
      norm(`${at}.ff_norm`, s.width)
      linear(`${at}.ff_in`, m.feed_forward === "swiglu" ? 2 * s.ff : s.ff, s.width)
      linear(`${at}.ff_out`, s.width, s.ff)
    }
    norm(`${prefix}_norm`, s.width)
  }
  const { global: g, local: l, patch: p } = m
  if (m.patch_embedder === "table") shapes.set("patch_embed.weight", [257 * p, g.width])
  else if (m.patch_embedder === "projected") {
    shapes.set("patch_embed.weight", [257, l.width])
    shapes.set("patch_start.weight", [1, g.width])
    shapes.set("patch_embed_norm.weight", [p * l.width])
    shapes.set("patch_embed_norm.bias", [p * l.width])
    linear("patch_to_global", g.width, p * l.width, true)
    shapes.set("patch_norm.weight", [g.width])
    shapes.set("patch_norm.bias", [g.width])
  } else shapes.set("patch_embed.weight", [256 + p, g.width / p])
  if (hasLearnedPositions(m)) shapes.set("patch_position", [m.context, g.width])
  blocks("global", g)
  if (m.global_to_local === "slice") linear("to_local", l.width, g.width / p)
  else if (m.global_to_local === "full") linear("to_local", p * l.width, g.width)
  shapes.set("local_embed.weight", [257, l.width])
  shapes.set("local_position", [p, l.width])
  if (m.ngrams) {
    const { orders, rows, width } = m.ngrams
    shapes.set("ngram_embed.weight", [orders.length * rows, width])
    linear("ngram_to_local", l.width, orders.length * width, false)
    if (m.ngrams.patch_embedder) linear("ngram_to_patch", g.width / p, orders.length * width, false)
  }
  if (m.lookback) {
    const { columns, rows, guesses } = lookbackSizes(m.lookback)
    shapes.set("lookback_embed.weight", [rows, m.lookback.width])
    linear("lookback_to_local", l.width, columns * m.lookback.width, false)
    if (guesses) linear("head_rest", guesses * 256, l.width, false)
    const fits = m.lookback.lpc.length
    if (fits) linear("head_mixture", 3 * COMPONENTS * fits + 1, l.width, true)
  }
  if (m.notes) {
    shapes.set("notes_patch_embed.weight", [total(patchSizes(m.notes)), g.width])
    shapes.set("notes_byte_embed.weight", [total(BYTE_SIZES), m.notes.width])
    linear("notes_to_local", l.width, BYTE_COLUMNS * m.notes.width, false)
    if (m.notes.guesses) linear("head_rest", GUESSES * 256, l.width, false)
  }
  blocks("local", l)
  if (!m.tied_head) linear("head", logitsOf(m), l.width, m.head_bias ?? false)
  return shapes
}

/** The weights of one model: matrices and vectors by name, as stored, read as needed. */
export class Weights {
  /** @throws PackError when a tensor is missing, foreign, of another shape, or not a finite number. */
  constructor(
    readonly model: ModelConfig,
    private readonly tensors: Map<string, StoredTensor>,
    private readonly path: string,
  ) {
    const bad = (why: string) => new PackError(`The weights ${path} do not fit their pack.json: ${why}.`)
    const expected = expectedShapes(model)
    for (const [name, shape] of expected) {
      const t = tensors.get(name)
      if (!t) throw bad(`tensor "${name}" is missing`)
      if (String(t.shape) !== String(shape)) throw bad(`tensor "${name}" is [${t.shape}], not [${shape}]`)
      if (t.dtype === "I8") {
        const s = tensors.get(`${name}.scale`)
        const [rows = 0, columns = 0] = shape
        const block = blockOf(columns)
        if (!block || s?.dtype !== "F16" || String(s.shape) !== String([rows, columns / block]))
          throw bad(`tensor "${name}" is of 8 bits without fitting fp16 scales`)
      }
    }
    for (const name of tensors.keys())
      if (!expected.has(name) && !expected.has(name.replace(/\.scale$/, ""))) throw bad(`it has no use for "${name}"`)
  }

  /** Reads every number once. @throws PackError when one is not finite */
  check(): void {
    for (const [name, t] of this.tensors) if (t.dtype !== "I8") this.numbers(name)
  }

  shape(name: string): number[] {
    const t = this.tensors.get(name)
    if (!t) throw new Error(`no tensor ${name}`)
    return t.shape
  }

  private raw(name: string): StoredTensor {
    const t = this.tensors.get(name)
    if (!t) throw new Error(`no tensor ${name}`)
    return t
  }

  /** Copies out, as a safetensors offset need not be a multiple of 2 or 4. */
  private numbers(name: string): Float32Array {
    const { dtype, data } = this.raw(name)
    const copy = new Uint8Array(data).buffer
    const values = dtype === "F16" ? fromHalf(new Uint16Array(copy)) : new Float32Array(copy)
    if (!values.every(Number.isFinite))
      throw new PackError(`The weights ${this.path} are damaged: tensor "${name}" holds values that are not numbers.`)
    return values
  }

  /** fp32 values, row-major. */
  floats(name: string): Float32Array {
    return this.raw(name).dtype === "I8" ? dequantize(this.stored8(name)) : this.numbers(name)
  }

  private stored8(name: string): Blocks {
    const { data } = this.raw(name)
    return { q: new Int8Array(data.buffer, data.byteOffset, data.length), scales: this.numbers(`${name}.scale`) }
  }

  /** 8-bit blocks: those stored, or quantised now. `block`: from `blockOf`. */
  blocks(name: string, block: number): Blocks {
    return this.raw(name).dtype === "I8" ? this.stored8(name) : quantize(this.floats(name), block)
  }
}
