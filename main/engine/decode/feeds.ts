import type { PatchPart } from "../../../contract/engine.ts"
import {
  hasLearnedPositions,
  headWidth,
  isRotary,
  type ModelConfig,
  type NGrams,
  type Notes,
} from "../../../contract/pack.ts"
import { farthestLook, lookbackInputs, lookbackSizes } from "../features/lookback.ts"
import { emptyRow, ngramIds } from "../features/ngrams.ts"
import { BYTE_COLUMNS, GUESSES, type Listener, patchSizes } from "../features/notes.ts"
import { cacheNames } from "../graph/names.ts"
import { rotaryAngle } from "../graph/rotary.ts"
import { type InferenceSession, Tensor } from "../onnxruntime.ts"

/** Inputs of a graph by their names. */
export type Feeds = Record<string, Tensor>

/** Global inputs of patches from..from+count-1: the bytes one patch earlier; the padding patch at `origin`. */
export function previousFeeds(
  config: ModelConfig,
  bytes: Uint8Array,
  from: number,
  count: number,
  origin: number,
): Feeds {
  const { patch, ngrams } = config
  const ids = new BigInt64Array(count * patch)
  for (let i = 0; i < ids.length; i++) {
    const padding = from === origin && i < patch
    ids[i] = BigInt(padding ? 256 + i : (bytes[(from - 1) * patch + i] as number))
  }
  const feeds: Feeds = { previous: new Tensor("int64", ids, [1, count, patch]) }
  if (ngrams?.patch_embedder) {
    const rows = new BigInt64Array(ids.length * ngrams.orders.length).fill(BigInt(emptyRow(ngrams)))
    const first = Math.max(from - 1, origin) * patch
    const known = endingNgrams(ngrams, bytes, first, (from + count - 1) * patch)
    rows.set(known, rows.length - known.length)
    feeds.previous_ngrams = new Tensor("int64", rows, [1, count, patch, ngrams.orders.length])
  }
  return feeds
}

/** The mask [count, past + count]: 0 where a place is seen, -1e9 elsewhere. */
export function maskOf(past: number, count: number, window: number): Tensor {
  const seen = past + count
  const mask = new Float32Array(count * seen).fill(-1e9)
  for (let i = 0; i < count; i++) mask.fill(0, i * seen + Math.max(0, past + i - window + 1), i * seen + past + i + 1)
  return new Tensor("float32", mask, [count, seen])
}

/** Position inputs of `count` places from `first` on. Angles are computed in float64: exact at any position. */
export function positionFeeds(config: ModelConfig, first: number, count: number): Feeds {
  const feeds: Feeds = {}
  if (hasLearnedPositions(config)) {
    const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt(first + i))
    feeds.position = new Tensor("int64", ids, [count])
  }
  if (!isRotary(config)) return feeds
  const half = headWidth(config.global) / 2
  const cos = new Float32Array(count * half)
  const sin = new Float32Array(count * half)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < half; j++) {
      const angle = rotaryAngle(first + i, j, half)
      cos[i * half + j] = Math.cos(angle)
      sin[i * half + j] = Math.sin(angle)
    }
  feeds.cos = new Tensor("float32", cos, [count, half])
  feeds.sin = new Tensor("float32", sin, [count, half])
  return feeds
}

/** What the local model is told of patches from..from+count-1 of `bytes`, and the bytes themselves, to be scored. */
export function byteFeeds(config: ModelConfig, bytes: Uint8Array, from: number, count: number): Feeds {
  const { patch, ngrams, lookback } = config
  const feeds: Feeds = {}
  const current = new BigInt64Array(count * patch)
  const shifted = new BigInt64Array(count * patch)
  for (let i = 0; i < current.length; i++) {
    current[i] = BigInt(bytes[from * patch + i] ?? 0)
    shifted[i] = i % patch ? (current[i - 1] as bigint) : 256n
  }
  feeds.current = new Tensor("int64", current, [count, patch])
  if (!config.aligned) feeds.local_previous = new Tensor("int64", shifted, [count, patch])
  const end = (from + count) * patch
  const padded = bytes.length >= end ? bytes.subarray(0, end) : Buffer.concat([bytes], end)
  // Only the bytes just before are needed.
  const start = Math.max(0, from * patch - farthestLook(config))
  const [near, at] = [padded.subarray(start), from * patch - start]
  const feed = (name: string, values: BigInt64Array, width: number) => {
    feeds[name] = new Tensor("int64", values, [count, patch, width])
  }
  if (ngrams) feed("ngram_ids", ngramIds(ngrams, near, at), ngrams.orders.length)
  if (lookback) {
    const { ids, guesses, expected, spread } = lookbackInputs(lookback, patch, near, at)
    const sizes = lookbackSizes(lookback)
    feed("lookback_ids", ids, sizes.columns)
    if (sizes.guesses) feed("guesses", guesses, sizes.guesses)
    if (expected.length) {
      const shape = [count * patch, lookback.lpc.length, 1]
      feeds.expected = new Tensor("float64", expected, shape)
      feeds.spread = new Tensor("float64", spread, shape)
    }
  }
  return feeds
}

/**
 * What was heard before each of patches from..from+count-1 of `bytes`; `inside`: and for each of their bytes. `listenerAt`: what has heard
 * the bytes before that place.
 */
export function noteFeeds(
  patch: number,
  listenerAt: (at: number) => Listener,
  notes: Notes,
  bytes: Uint8Array,
  { from, count, inside }: { from: number; count: number; inside: boolean },
): Feeds {
  const columns = patchSizes(notes).length
  const patchRows = new BigInt64Array(count * columns)
  const each = patch * BYTE_COLUMNS
  const byteRows = new BigInt64Array(inside ? count * each : 0)
  const guesses = new BigInt64Array(inside ? count * patch * GUESSES : 0)
  for (let i = 0; i < count; i++) {
    const at = (from + i) * patch
    const listener = listenerAt(at)
    patchRows.set(listener.patchRows().map(BigInt), i * columns)
    if (!inside) continue
    const padded = new Uint8Array(patch)
    padded.set(bytes.subarray(at, at + patch))
    const guessed = guesses.subarray(i * patch * GUESSES, (i + 1) * patch * GUESSES)
    listener.byteRows(padded, byteRows.subarray(i * each, (i + 1) * each), guessed)
  }
  const feeds: Feeds = { patch_rows: new Tensor("int64", patchRows, [1, count, columns]) }
  if (inside) feeds.note_rows = new Tensor("int64", byteRows, [count, patch, BYTE_COLUMNS])
  if (inside && notes.guesses) feeds.guesses = new Tensor("int64", guesses, [count, patch, GUESSES])
  return feeds
}

/** Those of `feeds` that a graph takes. */
export const chosenFeeds = (session: InferenceSession, feeds: Feeds): Feeds =>
  Object.fromEntries(session.inputNames.flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])))

/** Table rows of the n-grams that end at bytes from..to-1, these included: [to - from, orders]. */
export function endingNgrams(ngrams: NGrams, bytes: Uint8Array, from: number, to: number): BigInt64Array {
  const start = Math.max(0, from + 1 - Math.max(...ngrams.orders))
  return ngramIds(ngrams, bytes.subarray(start, to), from + 1 - start, to + 1 - start)
}

/** The keys and values of `layers` layers, `array(i)` (2 * layer for keys, + 1 for values) in `shape`. */
export function keysAndValues(layers: number, array: (i: number) => Float32Array, shape: number[]): Feeds {
  const feeds: Feeds = {}
  for (let layer = 0; layer < layers; layer++) {
    const names = cacheNames(layer)
    feeds[names.k] = new Tensor("float32", array(2 * layer), shape)
    feeds[names.v] = new Tensor("float32", array(2 * layer + 1), shape)
  }
  return feeds
}

/** What a head with an end draws where the document ends. */
const END = 256

/** A patch as it was drawn; `end`: the place in it at which the model ended the document. */
export type DrawnPart = PatchPart & { end?: number }

/** A patch a sequence, of `result` rows of byte, log-probability and entropy: row `at(b, p)` is byte p of sequence b. */
export function partsOf(
  result: Tensor,
  patch: number,
  batch: number,
  at: (b: number, p: number) => number,
): DrawnPart[] {
  const values = result.data as Float32Array
  return Array.from({ length: batch }, (_, b) => {
    const column = (i: number) => Float32Array.from({ length: patch }, (_, p) => values[3 * at(b, p) + i] as number)
    const bytes = column(0)
    const end = bytes.indexOf(END)
    return { bytes: Uint8Array.from(bytes), logprob: column(1), entropy: column(2), ...(end < 0 ? {} : { end }) }
  })
}

/** Inputs as a GPU's graphs take them: indices of 32 bits, no fp64. */
export function toGpuFeeds(feeds: Feeds): Feeds {
  const narrow = ([name, t]: [string, Tensor]): [string, Tensor] => {
    if (t.type === "float64") return [name, new Tensor("float32", Float32Array.from(t.data as Float64Array), t.dims)]
    if (t.type !== "int64") return [name, t]
    const numbers = Array.from(t.data as BigInt64Array, Number)
    return [name, new Tensor("int32", Int32Array.from(numbers), t.dims)]
  }
  return Object.fromEntries(Object.entries(feeds).map(narrow))
}
