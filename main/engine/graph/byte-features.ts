import type { Match, ModelConfig } from "../../../contract/pack.ts"
import { MU_LAW, MU_LAW_BEGINS } from "../../../contract/samples.ts"
import {
  lengthRow,
  levelRow,
  longestLook,
  longestOrder,
  longestWindow,
  lookbackSizes,
  predictionWeights,
} from "../features/lookback.ts"
import { distances, LENGTHS } from "../features/match.ts"
import { coefficients } from "../features/ngrams.ts"
import type { Builder } from "./builder.ts"
import { type Expected, forComponents } from "./head.ts"
import { appendToNames, carriedNames, sureness } from "./name-match.ts"
import type { DataType, Dim, Value } from "./onnx.ts"

/**
 * What the local model sees of the bytes before, beside the global model's output: n-grams, bytes looked back at, and
 * guesses by linear prediction and matches. Here as nodes of a decode graph; lookback.ts computes the same for known bytes.
 */

/** The bytes before, in the forms that a decode graph carries from byte to byte: by the name of the input it begins with. */
export type Past = Record<string, Value>

/**
 * Linear predictors fitted for one patch: coefficients [B, fits, order], levels fp32 [B, fits], and their spread
 * [B, parts, 1], each as often as there are components around it.
 */
export type LpcFit = { coefficients: Value; levels: Value; spread: Value }

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
    if (match.names) carried.push(...carriedNames(match).map((named) => ({ type: "float32" as const, ...named })))
  })
  return carried
}

/** The inputs of linear prediction that hold for a whole patch, where the model has it. */
export function fitInputs(b: Builder): LpcFit | undefined {
  const count = b.m.lookback?.lpc.length
  if (!count) return undefined
  const real = b.gpu ? "float32" : "float64"
  return {
    coefficients: b.g.input("coefficients", real, ["batch", count, longestOrder(b.m)]),
    levels: b.g.input("levels", "float32", ["batch", count]),
    spread: forComponents(b, b.g.input("spread", real, ["batch", count, 1])),
  }
}

/**
 * What the past gives for the next byte: what is added to its local input, each [B, 1, D_L]; what the head takes, if any,
 * guesses [B, 1, guesses] and the samples expected; and for each match the bytes at its distances [B, distances], which
 * `appendByte` needs again.
 */
export type ByteFeatures = {
  inputs: Value[]
  guesses?: Value | undefined
  sound?: Expected | undefined
  earlier: Value[]
}

export function byteFeatures(b: Builder, past: Past, fits?: LpcFit): ByteFeatures {
  const { g, m } = b
  const inputs: Value[] = []
  const earlier = m.lookback?.matches.map((match) => earlierBytes(b, match, past)) ?? []
  if (m.ngrams) inputs.push(ngramInput(b, past.recent as Value))
  if (!m.lookback) return { inputs, earlier }
  const { lookback } = m
  const { offsets, lpc, matches } = lookback
  const guesses = fixedGuesses(b, past) // each [B, 1, some], whole numbers in fp32, as all that follows
  const columns: Value[] = [] // each [B, some], as the table's columns
  const lengths: Value[] = [] // each [B, 1]
  let sound: Expected | undefined
  if (offsets.length)
    columns.push(g.node("Gather", [past.recent as Value, g.ints(offsets.map((back) => back - 1))], { axis: 1 }))
  if (fits && past.samples) {
    const expected = g.node("MatMul", [fits.coefficients, past.samples]) // [B, fits, 1]
    columns.push(byteOfSample(b, expected))
    sound = { expected: forComponents(b, expected), spread: fits.spread }
  }
  matches.forEach((match, i) => {
    const runs = past[`runs_${i}`] as Value
    const nearer = match.names && b.gpu ? g.node("Mul", [runs, runOf(b, match, 1)]) : runs
    const { byte, length } = matchGuess(b, earlier[i] as Value, nearer)
    columns.push(byte)
    guesses.push(g.node("Unsqueeze", [byte, g.ints([1])]))
    lengths.push(match.names ? sureness(b, past, length) : length)
  })
  if (fits) columns.push(fits.levels)
  const rows = [
    ...[...offsets, ...lpc, ...matches].map((_, i) => 256 * i),
    ...lpc.map((_, i) => levelRow(lookback, i)),
    ...matches.map((_, i) => lengthRow(lookback, i)),
  ]
  const ids = b.toIndex(g.node("Add", [g.concat([...columns, ...lengths], 1), g.floats(rows)]))
  inputs.push(lookbackRows(b, ids, 1))
  return { inputs, guesses: guesses.length ? b.toIndex(g.concat(guesses, 2)) : undefined, sound, earlier }
}

/** The past with one more byte: `byte` fp32 [B, 1], and the same as an index. `earlier`: from `byteFeatures`. */
export function appendByte(b: Builder, past: Past, earlier: Value[], byte: Value, index: Value): Past {
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
  const equal = new Map<Value, Value>() // matches of the same window compare the same bytes
  m.lookback?.matches.forEach((match, i) => {
    const before = earlier[i] as Value
    const same = equal.get(before) ?? g.node("Equal", [before, byte])
    equal.set(before, same)
    const runs = past[`runs_${i}`] as Value
    if (match.names) {
      const { runs: alike, ...rest } = appendToNames(b, past, runs, same, index)
      Object.assign(next, rest, { [`runs_${i}`]: alike })
      return
    }
    const capped = g.node("Min", [g.node("Add", [runs, g.floats([1], [])]), runOf(b, match, LENGTHS - 1)])
    next[`runs_${i}`] = g.node("Where", [same, capped, runOf(b, match, 0)])
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

/**
 * A run of `length` at every distance. A GPU has no ArgMax: there runs carry a fraction that is the larger the nearer
 * they are, under a half so that no sum with it rounds up, and the longest and nearest is the largest number.
 */
function runOf({ g, gpu }: Builder, match: Match, length: number): Value {
  if (!gpu) return g.floats([length], [])
  const count = distances(match)
  const base = 2 ** (1 + Math.ceil(Math.log2(count)))
  return g.floats(Array.from({ length: count }, (_, i) => length + (count - 1 - i) / base))
}

/** The past as a graph carries it from byte to byte, from its inputs: runs with their fractions where they have them. */
export function begin(b: Builder, inputs: Past): Past {
  if (!b.gpu) return inputs
  const past = { ...inputs }
  b.m.lookback?.matches.forEach((match, i) => {
    if (match.names) return
    const whole = b.g.node("Floor", [past[`runs_${i}`] as Value])
    past[`runs_${i}`] = b.g.node("Add", [whole, runOf(b, match, 0)])
  })
  return past
}

/** The byte after the nearest of the longest matches (0 where there is none) and their length: fp32 [B, 1] each. */
function matchGuess(b: Builder, earlier: Value, runs: Value): { byte: Value; length: Value } {
  const { g } = b
  if (!b.gpu) {
    const at = g.node("ArgMax", [runs], { axis: 1 })
    const length = g.node("GatherElements", [runs, at], { axis: 1 })
    const any = g.node("Min", [length, g.floats([1], [])])
    return { byte: g.node("Mul", [g.node("GatherElements", [earlier, at], { axis: 1 }), any]), length }
  }
  const length = g.node("ReduceMax", [runs, g.ints([1])], { keepdims: 1 }) // and a fraction, which the index drops
  // No run equals 1 where the longest is shorter: then the byte is 0.
  const longest = g.node("Equal", [runs, g.node("Max", [length, g.floats([1], [])])])
  const followed = g.node("Where", [longest, earlier, g.floats([0], [])])
  return { byte: g.node("ReduceMax", [followed, g.ints([1])], { keepdims: 1 }), length }
}

/** Embeddings of the n-grams that end at the newest byte of `recent` [B, longest]: [B, 1, D_L]. */
function ngramInput(b: Builder, recent: Value): Value {
  const { g, m } = b
  if (!m.ngrams) throw new Error("no n-grams in this model")
  const { orders, rows, width } = m.ngrams
  const longest = Math.max(...orders)
  // fp32 is exact here: every sum stays below 2^24 (see training/megabyte/config.py).
  const newest =
    longest < longestLook(m) ? g.node("Slice", [recent, g.ints([0]), g.ints([longest]), g.ints([1])]) : recent
  // A GPU has no Mod: there the hash comes divided by the power of two, and the rest is its fraction.
  const scale = b.gpu ? 1 / rows : 1
  const hashes = coefficients(m.ngrams).map((c) => c * scale)
  const hash = g.node("MatMul", [newest, g.floats(hashes, [longest, orders.length])])
  const rest = b.gpu
    ? g.node("Mul", [g.node("Sub", [hash, g.node("Floor", [hash])]), g.floats([rows], [])])
    : g.node("Mod", [hash, g.floats([rows], [1])], { fmod: 1 })
  const row = g.node("Add", [rest, g.floats(orders.map((_, i) => i * rows))])
  return ngramRows(b, g.node("Cast", [row], { to: 6 }), [-1, 1, orders.length * width])
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

/** Lookback table rows `ids` [rows, places, columns], embedded and projected: [rows, places, D_L]. */
export function lookbackRows(b: Builder, ids: Value, places: number): Value {
  const { g, m } = b
  const rows = g.node("Gather", [g.weight("lookback_embed.weight"), ids])
  const width = m.lookback ? lookbackSizes(m.lookback).columns * m.lookback.width : 0
  return b.linear(g.node("Reshape", [rows, g.ints([-1, places, width])]), "lookback_to_local", false)
}

/**
 * The bytes of samples [B, fits, 1]: [B, fits], whole numbers in fp32. A sample's mu-law byte is the number of bytes that begin
 * at or below it: fewer nodes than by its logarithm.
 */
function byteOfSample({ g, gpu }: Builder, samples: Value): Value {
  const reached = g.node("GreaterOrEqual", [samples, gpu ? g.floats(MU_LAW_BEGINS) : g.doubles(MU_LAW_BEGINS)])
  return g.node("ReduceSum", [g.node("Cast", [reached], { to: 1 }), g.ints([2])], { keepdims: 0 })
}

/** What the fixed predictions guess from the newest bytes, [B, 1, predictions], where there are any. */
function fixedGuesses({ g, m }: Builder, past: Past): Value[] {
  const count = m.lookback?.predictions.length
  if (!m.lookback || !count || !past.recent) return []
  const longest = longestLook(m)
  const sums = g.node("MatMul", [past.recent, g.floats(predictionWeights(m.lookback, longest), [longest, count])])
  const clipped = g.node("Clip", [sums, g.floats([0], []), g.floats([255], [])])
  return [g.node("Unsqueeze", [clipped, g.ints([1])])]
}
