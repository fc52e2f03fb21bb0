import type { Match, ModelConfig } from "../../contract/pack.ts"
import { MU_LAW, MU_LAW_BEGINS } from "../../contract/samples.ts"
import { lengthRow, longestLook, longestOrder, longestWindow, lookbackSizes, predictionWeights } from "./lookback.ts"
import { COMPONENTS } from "./lpc.ts"
import { distances, LENGTHS } from "./match.ts"
import type { Builder } from "./megabyte.ts"
import { coefficients } from "./ngrams.ts"
import type { DataType, Dim, Value } from "./onnx.ts"

/**
 * What the local model sees of the bytes before, beside the global model's output: n-grams, bytes looked back at, and
 * guesses by linear prediction and matches. Here as nodes of a decode graph; lookback.ts computes the same for known bytes.
 */

/** The bytes before, in the forms that a decode graph carries from byte to byte: by the name of the input it begins with. */
export type Past = Record<string, Value>

/**
 * Linear predictors fitted for one patch: coefficients [B, fits, order], levels as table rows [B, fits], and their spread
 * [B, parts, 1], each as often as there are components around it.
 */
export type Fits = { coefficients: Value; levels: Value; spread: Value }

/** Names, types and shapes of what is carried. */
export function carriedPast(m: ModelConfig, gpu: boolean): { name: string; type: DataType; shape: Dim[] }[] {
  const longest = longestLook(m)
  const order = longestOrder(m)
  const window = longestWindow(m)
  const carried: ReturnType<typeof carriedPast> = []
  if (longest) carried.push({ name: "recent", type: "float32", shape: ["batch", longest] })
  // A GPU has no fp64; a guess may then be one off where a sum falls between two bytes.
  if (order) carried.push({ name: "samples", type: gpu ? "float32" : "float64", shape: ["batch", order, 1] })
  if (window) carried.push({ name: "past_bytes", type: "float32", shape: ["batch", window] })
  m.lookback?.matches.forEach((match, i) => {
    carried.push({ name: `runs_${i}`, type: "float32", shape: ["batch", distances(match)] })
  })
  return carried
}

/** The inputs of linear prediction that hold for a whole patch, where the model has it. */
export function fitInputs(b: Builder): Fits | undefined {
  const count = b.m.lookback?.lpc.length
  if (!count) return undefined
  const real = b.gpu ? "float32" : "float64"
  return {
    coefficients: b.g.input("coefficients", real, ["batch", count, longestOrder(b.m)]),
    levels: b.g.input("levels", b.index, ["batch", count]),
    spread: forComponents(b, b.g.input("spread", real, ["batch", count, 1])),
  }
}

/** [rows, fits, 1] -> [rows, parts, 1]: each fit as often as there are components around it. */
export function forComponents({ g, m }: Builder, x: Value): Value {
  const fits = m.lookback?.lpc.length ?? 0
  const each = Array.from({ length: fits * COMPONENTS }, (_, i) => Math.floor(i / COMPONENTS))
  return g.node("Gather", [x, g.ints(each)], { axis: 1 })
}

/** Samples expected by linear prediction and their spread, both fp64 (fp32 on a GPU) [rows, parts, 1]. */
export type Expected = { expected: Value; spread: Value }

/**
 * What the past gives for the next byte: what is added to its local input, each [B, 1, D_L]; what the head takes, if any,
 * guesses [B, 1, guesses] and the samples expected; and for each match the bytes at its distances [B, distances], which
 * `pushByte` needs again.
 */
export type Found = { inputs: Value[]; guesses?: Value | undefined; sound?: Expected | undefined; earlier: Value[] }

export function fromPast(b: Builder, past: Past, fits?: Fits): Found {
  const { g, m } = b
  const inputs: Value[] = []
  const earlier = m.lookback?.matches.map((match) => earlierBytes(b, match, past)) ?? []
  if (m.ngrams) inputs.push(ngramInput(b, past.recent as Value))
  if (!m.lookback) return { inputs, earlier }
  const { lookback } = m
  const { offsets, lpc, matches } = lookback
  const guesses = fixedGuesses(b, past) // each [B, 1, some], whole numbers: int64, or fp32 on a GPU
  const nearest: Value[] = [] // each [B, some], the same
  const levels: Value[] = [] // each [B, some], table rows
  const lengths: Value[] = [] // each [B, 1], fp32
  let sound: Expected | undefined
  if (fits && past.samples) {
    const expected = g.node("MatMul", [fits.coefficients, past.samples]) // [B, fits, 1]
    nearest.push(byteOfSample(b, expected))
    levels.push(fits.levels)
    sound = { expected: forComponents(b, expected), spread: fits.spread }
  }
  matches.forEach((match, i) => {
    const found = matchGuess(b, match, earlier[i] as Value, past[`runs_${i}`] as Value)
    const byte = b.gpu ? found.byte : b.toIndex(found.byte)
    nearest.push(byte)
    guesses.push(g.node("Unsqueeze", [byte, g.ints([1])]))
    lengths.push(found.length)
  })
  if (lengths.length) {
    const rows = g.floats(lengths.map((_, i) => lengthRow(lookback, i)))
    levels.push(b.toIndex(g.node("Add", [g.concat(lengths, 1), rows])))
  }

  const columns: Value[] = []
  if (offsets.length) {
    const bytes = g.node("Gather", [past.recent as Value, g.ints(offsets.map((back) => back - 1))], { axis: 1 })
    columns.push(b.toIndex(g.node("Add", [bytes, g.floats(offsets.map((_, i) => 256 * i))])))
  }
  if (nearest.length) {
    const flat = g.concat(nearest, 1)
    const tables = [...lpc, ...matches].map((_, i) => 256 * (offsets.length + i))
    columns.push(b.gpu ? b.toIndex(g.node("Add", [flat, g.floats(tables)])) : g.node("Add", [flat, g.ints(tables)]))
  }
  inputs.push(lookbackRows(b, g.concat([...columns, ...levels], 1), 1))
  return { inputs, guesses: guesses.length ? g.concat(guesses, 2) : undefined, sound, earlier }
}

/** The past with one more byte: `byte` fp32 [B, 1], and the same as an index. `earlier`: from `fromPast`. */
export function pushByte(b: Builder, past: Past, earlier: Value[], byte: Value, index: Value): Past {
  const { g, m, gpu } = b
  const next: Past = {}
  /** The newest in front, the oldest dropped. */
  const pushed = (name: string, newest: Value, length: number, axis: number) => {
    const before = past[name]
    if (!before) return
    const kept = g.node("Slice", [before, g.ints([0]), g.ints([length - 1]), g.ints([axis])])
    next[name] = g.node("Concat", [newest, kept], { axis })
  }
  pushed("recent", byte, longestLook(m), 1)
  if (past.samples) {
    const table = gpu ? g.floats(MU_LAW) : g.doubles(MU_LAW)
    pushed("samples", g.node("Unsqueeze", [g.node("Gather", [table, index]), g.ints([1])]), longestOrder(m), 1)
  }
  m.lookback?.matches.forEach((_, i) => {
    const longer = g.node("Add", [past[`runs_${i}`] as Value, g.floats([1], [])])
    const capped = g.node("Clip", [longer, g.floats([0], []), g.floats([LENGTHS - 1], [])])
    const same = g.node("Equal", [earlier[i] as Value, byte])
    next[`runs_${i}`] = g.node("Where", [same, capped, g.floats([0], [])])
  })
  pushed("past_bytes", byte, longestWindow(m), 1)
  return next
}

/** The bytes at a match's distances before the next place: [B, distances], the nearest first. */
function earlierBytes(b: Builder, { window, unit }: Match, past: Past): Value {
  const { g } = b
  const all = past.past_bytes as Value
  if (unit === 1 && window === longestWindow(b.m)) return all
  return g.node("Slice", [all, g.ints([unit - 1]), g.ints([window]), g.ints([1]), g.ints([unit])])
}

/** The byte after the nearest of the longest matches (0 where there is none) and their length: fp32 [B, 1] each. */
function matchGuess(b: Builder, match: Match, earlier: Value, runs: Value): { byte: Value; length: Value } {
  const { g } = b
  const count = distances(match)
  const found = (byte: Value, length: Value) => {
    const any = g.node("Min", [length, g.floats([1], [])])
    return { byte: g.node("Mul", [byte, any]), length }
  }
  if (!b.gpu) {
    const at = g.node("ArgMax", [runs], { axis: 1 })
    const length = g.node("GatherElements", [runs, at], { axis: 1 })
    return found(g.node("GatherElements", [earlier, at], { axis: 1 }), length)
  }
  // ArgMax has no kernel here: the nearer of two equal runs gets the larger number, exact in fp32.
  const base = 2 ** Math.ceil(Math.log2(count))
  const nearness = g.floats(Array.from({ length: count }, (_, i) => (count - 1 - i) / base))
  const order = g.node("Add", [runs, nearness])
  const top = g.node("ReduceMax", [order, g.ints([1])], { keepdims: 1 })
  const followed = g.node("Where", [g.node("Equal", [order, top]), earlier, g.floats([-1], [])])
  return found(g.node("ReduceMax", [followed, g.ints([1])], { keepdims: 1 }), g.node("Floor", [top]))
}

/** Embeddings of the n-grams that end at the newest byte of `recent` [B, longest]: [B, 1, D_L]. */
function ngramInput(b: Builder, recent: Value): Value {
  const { g, m } = b
  if (!m.ngrams) throw new Error("no n-grams in this model")
  const { orders, rows, width } = m.ngrams
  const longest = Math.max(...orders)
  // fp32 is exact here: every sum stays below 2^24 (see model.py).
  const newest =
    longest < longestLook(m) ? g.node("Slice", [recent, g.ints([0]), g.ints([longest]), g.ints([1])]) : recent
  const hash = g.node("MatMul", [newest, g.floats(coefficients(m.ngrams), [longest, orders.length])])
  const row = g.node("Add", [b.modulo(hash, rows), g.floats(orders.map((_, i) => i * rows))])
  return ngramRows(b, g.node("Cast", [row], { to: 6 }), [-1, 1, orders.length * width])
}

/** N-gram table rows `ids`, embedded and projected: [...shape without its last, D_L]. */
export function ngramRows(b: Builder, ids: Value, shape: number[]): Value {
  const rows = b.g.node("Gather", [b.g.weight("ngram_embed.weight"), ids])
  return b.linear(b.g.node("Reshape", [rows, b.g.ints(shape)]), "ngram_to_local", false)
}

/** Lookback table rows `ids` [rows, places, columns], embedded and projected: [rows, places, D_L]. */
export function lookbackRows(b: Builder, ids: Value, places: number): Value {
  const { g, m } = b
  const rows = g.node("Gather", [g.weight("lookback_embed.weight"), ids])
  const width = m.lookback ? lookbackSizes(m.lookback).columns * m.lookback.width : 0
  return b.linear(g.node("Reshape", [rows, g.ints([-1, places, width])]), "lookback_to_local", false)
}

/**
 * The bytes of samples [B, fits, 1]: [B, fits], whole numbers. A sample's mu-law byte is the number of bytes that begin
 * at or below it: fewer nodes than by its logarithm.
 */
function byteOfSample({ g, gpu }: Builder, samples: Value): Value {
  const reached = g.node("GreaterOrEqual", [samples, gpu ? g.floats(MU_LAW_BEGINS) : g.doubles(MU_LAW_BEGINS)])
  return g.node("ReduceSum", [g.node("Cast", [reached], { to: gpu ? 1 : 7 }), g.ints([2])], { keepdims: 0 })
}

/** What the fixed predictions guess from the newest bytes, [B, 1, predictions], where there are any. */
function fixedGuesses({ g, m, gpu }: Builder, past: Past): Value[] {
  const count = m.lookback?.predictions.length
  if (!m.lookback || !count || !past.recent) return []
  const longest = longestLook(m)
  const sums = g.node("MatMul", [past.recent, g.floats(predictionWeights(m.lookback, longest), [longest, count])])
  const clipped = g.node("Clip", [sums, g.floats([0], []), g.floats([255], [])])
  return [g.node("Unsqueeze", [gpu ? clipped : g.node("Cast", [clipped], { to: 7 }), g.ints([1])])]
}
