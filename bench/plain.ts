import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Precision } from "../contract/pack.ts"
import { locator, WEIGHTS_FILE } from "../main/engine/compile/compile.ts"
import type { Model } from "../main/engine/decode/model.ts"
import { farthestLook, lookbackInputs, lookbackSizes } from "../main/engine/features/lookback.ts"
import { ngramIds } from "../main/engine/features/ngrams.ts"
import { type Attend, Builder, type Stream } from "../main/engine/graph/builder.ts"
import { lookbackRows, ngramRows } from "../main/engine/graph/byte-features.ts"
import { head, soundInputs } from "../main/engine/graph/head.ts"
import { cacheNames } from "../main/engine/graph/names.ts"
import { float, type Value } from "../main/engine/graph/onnx.ts"
import { globalInput, toLocal } from "../main/engine/graph/patches.ts"
import { InferenceSession, Tensor } from "../main/engine/onnxruntime.ts"

/**
 * The plain way to run the same model, to compare with: one session.run per byte (and one per patch for the global
 * model), caches passed in and out whole, sampling in JavaScript. Same weights, same precision, same numbers.
 */
export class Plain {
  private constructor(
    private readonly model: Model,
    private readonly globalSession: InferenceSession,
    private readonly localSession: InferenceSession,
  ) {}

  static async load(model: Model, precision: Precision, threads: number): Promise<Plain> {
    const { folder } = model.compiled
    const source = { model: model.config, precision, locate: locator(folder), file: WEIGHTS_FILE }
    const session = async (name: string, write: (b: Builder) => void) => {
      const b = Builder.of(name, source, "few")
      write(b)
      const path = join(folder, `${name}.onnx`)
      writeFileSync(path, b.g.encode())
      return InferenceSession.create(path, { intraOpNumThreads: threads, logSeverityLevel: 3 })
    }
    const global = await session("plain-global", writeGlobal)
    return new Plain(model, global, await session("plain-local", writeLocal))
  }

  /** Decodes `count` patches after `past` cache rows of zeros; returns the milliseconds of each patch by `clock`. */
  async decode(past: number, count: number, clock = () => performance.now()): Promise<number[]> {
    const { global: g, local: l, patch, ngrams, lookback } = this.model.config
    const d = g.width / g.heads
    const dl = l.width / l.heads
    let caches: Tensor[] = Array.from(
      { length: 2 * g.layers },
      () => new Tensor("float32", new Float32Array(past * g.kv_heads * d), [past, g.kv_heads, d]),
    )
    const history = new Uint8Array((past + count + 1) * patch)
    const times: number[] = []
    for (let k = past; k < past + count; k++) {
      const began = clock()
      const angles = Array.from({ length: d / 2 }, (_, j) => k * 10000 ** ((-2 * j) / d))
      const feeds: Record<string, Tensor> = {
        previous: new Tensor("int64", BigInt64Array.from(history.subarray((k - 1) * patch, k * patch), BigInt), [
          1,
          patch,
        ]),
        cos: new Tensor("float32", Float32Array.from(angles, Math.cos), [1, d / 2]),
        sin: new Tensor("float32", Float32Array.from(angles, Math.sin), [1, d / 2]),
      }
      caches.forEach((c, i) => {
        feeds[cacheName(i)] = c
      })
      const out = await this.globalSession.run(feeds)
      caches = caches.map((_, i) => out[`next_${cacheName(i)}`] as Tensor)
      const rows = (out.rows as Tensor).data as Float32Array
      let local: Tensor[] = Array.from(
        { length: 2 * l.layers },
        () => new Tensor("float32", new Float32Array(0), [1, l.kv_heads, 0, dl]),
      )
      let last = 256
      for (let p = 0; p < patch; p++) {
        const at = k * patch + p
        const inputs: Record<string, Tensor> = {
          row: new Tensor("float32", rows.subarray(p * l.width, (p + 1) * l.width), [1, 1, l.width]),
          last: new Tensor("int64", BigInt64Array.of(BigInt(last)), [1, 1]),
          place: new Tensor("int32", Int32Array.of(p), [1]),
          length: new Tensor("int32", Int32Array.of(p + 1), []),
        }
        const start = Math.max(0, at - farthestLook(this.model.config))
        const near = history.subarray(start, at + 1)
        if (ngrams)
          inputs.ngram_ids = new Tensor("int64", ngramIds(ngrams, near, at - start), [1, 1, ngrams.orders.length])
        if (lookback) {
          const { ids, guesses, expected, spread } = lookbackInputs(lookback, patch, near, at - start)
          const sizes = lookbackSizes(lookback)
          inputs.lookback_ids = new Tensor("int64", ids, [1, 1, sizes.columns])
          if (sizes.guesses) inputs.guesses = new Tensor("int64", guesses, [1, 1, sizes.guesses])
          if (expected.length) {
            inputs.expected = new Tensor("float64", expected, [1, expected.length, 1])
            inputs.spread = new Tensor("float64", spread, [1, expected.length, 1])
          }
        }
        local.forEach((c, i) => {
          inputs[cacheName(i)] = c
        })
        const step = await this.localSession.run(inputs)
        local = local.map((_, i) => step[`next_${cacheName(i)}`] as Tensor)
        last = draw((step.logits as Tensor).data as Float32Array)
        history[at] = last
      }
      times.push(clock() - began)
    }
    return times
  }

  async release(): Promise<void> {
    await this.globalSession.release()
    await this.localSession.release()
  }
}

/** Name of cache `i`: 2 * layer for keys, + 1 for values. */
const cacheName = (i: number) => (i % 2 ? cacheNames(i >> 1).v : cacheNames(i >> 1).k)

/** One byte from the softmax at temperature 0.8. */
function draw(logits: Float32Array): number {
  const top = Math.max(...logits)
  const weights = Float64Array.from(logits, (x) => Math.exp((x - top) / 0.8))
  let left = Math.random() * weights.reduce((a, b) => a + b, 0)
  for (let i = 0; i < 256; i++) {
    left -= weights[i] as number
    if (left < 0) return i
  }
  return 255
}

function writeGlobal(b: Builder): void {
  const { g, m } = b
  const { global: G, patch: P } = m
  const d = G.width / G.heads
  const { h, rotary } = globalInput(b, [1, P], [1, 1, G.width], 1)
  const attend: Attend = (qkv, layer) => {
    const names = cacheNames(layer)
    const [q, k, v] = b.queryKeyValue(qkv, G, rotary)
    const whole = (name: string, out: string, row: Value) => {
      const past = g.input(name, "float32", ["past", G.kv_heads, d])
      const all = g.node("Concat", [past, g.node("Reshape", [row, g.ints([1, G.kv_heads, d])])], { axis: 0 })
      g.output(out, all, "float32", ["now", G.kv_heads, d])
      return all
    }
    const keys = whole(names.k, `next_${names.k}`, k)
    const values = whole(names.v, `next_${names.v}`, v)
    const qh = g.node("Reshape", [q, g.ints([G.kv_heads, -1, d])])
    const scores = g.node("FusedMatMul", [qh, keys], { transB: 1, transBatchB: 1 })
    const mixed = g.node("FusedMatMul", [g.node("Softmax", [scores], { axis: -1 }), values], { transBatchB: 1 })
    return g.node("Reshape", [mixed, g.ints([1, 1, G.width])])
  }
  let stream: Stream = { x: h }
  for (let i = 0; i < G.layers; i++) stream = b.block(stream, "global", i, attend)
  g.output("rows", toLocal(b, b.addNorm(stream, "global_norm").normed), "float32", [1, P, m.local.width])
}

function writeLocal(b: Builder): void {
  const { g, m } = b
  const { local: L } = m
  const dl = L.width / L.heads
  const row = g.input("row", "float32", [1, 1, L.width])
  const last = g.input("last", "int64", [1, 1])
  let y = g.node("Add", [row, g.node("Gather", [g.weight("local_embed.weight"), last])])
  if (m.ngrams) {
    const { orders, width } = m.ngrams
    const ids = g.input("ngram_ids", "int64", [1, 1, orders.length])
    y = g.node("Add", [y, ngramRows(b, ids, [1, 1, orders.length * width])])
  }
  const sizes = m.lookback && lookbackSizes(m.lookback)
  if (sizes) y = g.node("Add", [y, lookbackRows(b, g.input("lookback_ids", "int64", [1, 1, sizes.columns]), 1)])
  const place = g.input("place", "int32", [1])
  const length = g.input("length", "int32", [])
  const attend: Attend = (qkv, layer) => {
    const names = cacheNames(layer)
    const cache = (name: string) => g.input(name, "float32", [1, L.kv_heads, "bytes", dl])
    const inputs = [qkv, "", "", cache(names.k), cache(names.v), place, length]
    const heads = { num_heads: L.heads, kv_num_heads: L.kv_heads, scale: float(1) }
    const [mixed, k, v] = g.nodesOut(3, "GroupQueryAttention", inputs, heads) as [Value, Value, Value]
    g.output(`next_${names.k}`, k, "float32", [1, L.kv_heads, "now", dl])
    g.output(`next_${names.v}`, v, "float32", [1, L.kv_heads, "now", dl])
    return mixed
  }
  let stream: Stream = { x: y }
  for (let i = 0; i < L.layers; i++) stream = b.block(stream, "local", i, attend)
  const guesses = sizes?.guesses ? g.input("guesses", "int64", [1, 1, sizes.guesses]) : undefined
  g.output("logits", head(b, stream, 1, guesses, soundInputs(b, 1)), "float32", [1, 1, 256])
}
