import type { Lookback, ModelConfig } from "../../../contract/pack.ts"
import { byteOf } from "../../../contract/samples.ts"
import { expectedAt, type Fit, fitPredictor, LEVELS, RECENT, samplesOf } from "./lpc.ts"
import { LENGTHS, Matcher } from "./match.ts"
import { LONGEST_WORD, NameMatcher } from "./names.ts"

/** Bytes before a place that its local input depends on directly: by n-grams and by looking back. */
export function longestLook({ ngrams, lookback }: ModelConfig): number {
  const terms = lookback?.predictions.flat().map(([back]) => back) ?? []
  return Math.max(0, ...(ngrams?.orders ?? []), ...(lookback?.offsets ?? []), ...terms)
}

/** Bytes before a patch that matter to its local inputs: those, what linear prediction is fitted to, and matches. */
export function farthestLook(m: ModelConfig): number {
  const { lpc = [], matches = [] } = m.lookback ?? {}
  const windows = [
    ...lpc.map(({ order, window }) => Math.max(window, order + RECENT)),
    ...matches.map(({ window, names }) => window + (names ? LONGEST_WORD : LENGTHS)),
  ]
  return Math.max(longestLook(m), ...windows)
}

/** Samples before a place that linear prediction takes, and bytes before it that matches are looked for in; 0: none. */
export const longestOrder = (m: ModelConfig) => Math.max(0, ...(m.lookback?.lpc ?? []).map(({ order }) => order))
export const longestWindow = (m: ModelConfig) => Math.max(0, ...(m.lookback?.matches ?? []).map(({ window }) => window))

/**
 * The sizes that looking back gives a model: columns embedded a byte, rows of their table, guesses a byte for which the
 * head has logits of what is left.
 */
export function lookbackSizes({ offsets, predictions, lpc, matches }: Lookback) {
  const found = lpc.length + matches.length
  return {
    columns: offsets.length + 2 * found,
    rows: (offsets.length + found) * 256 + lpc.length * LEVELS + matches.length * LENGTHS,
    guesses: predictions.length + matches.length,
  }
}

/** Table row of level 0 of fit `i`. */
export const levelRow = ({ offsets, lpc, matches }: Lookback, i: number) =>
  256 * (offsets.length + lpc.length + matches.length) + LEVELS * i

/** Table row of length 0 of match `i`. */
export const lengthRow = (lookback: Lookback, i: number) => levelRow(lookback, lookback.lpc.length) + LENGTHS * i

/**
 * What the local model sees of each byte from `start` (where a patch begins) on. Places before the first byte count
 * as 0, or as silence in linear prediction.
 * @returns ids [bytes, columns] rows of the lookback table: earlier bytes, those expected, levels, lengths; guesses
 * [bytes, guesses]; expected and spread [bytes, fits] samples by linear prediction
 */
export function lookbackInputs(lookback: Lookback, patch: number, bytes: Uint8Array, start: number) {
  const { offsets, predictions, lpc, matches } = lookback
  const sizes = lookbackSizes(lookback)
  const count = bytes.length - start
  const ids = new BigInt64Array(count * sizes.columns)
  const guesses = new BigInt64Array(count * sizes.guesses)
  const expected = new Float64Array(count * lpc.length)
  const spread = new Float64Array(count * lpc.length)
  const matchers = matches.map((m) => new (m.names ? NameMatcher : Matcher)(m, bytes, start))
  const sound = lpc.length ? samplesOf(bytes) : new Float64Array()
  let fits: Fit[] = []
  for (let t = start, id = 0, guess = 0, fit = 0; t < bytes.length; t++) {
    if ((t - start) % patch === 0) fits = lpc.map((l) => fitPredictor(l, sound, t))
    offsets.forEach((back, i) => {
      ids[id++] = BigInt(256 * i + (bytes[t - back] ?? 0))
    })
    for (const terms of predictions) {
      const sum = terms.reduce((total, [back, weight]) => total + weight * (bytes[t - back] ?? 0), 0)
      guesses[guess++] = BigInt(Math.min(255, Math.max(0, sum)))
    }
    const samples = fits.map(({ coefficients }) => expectedAt(coefficients, sound, t))
    const found = matchers.map((m) => m.guess())
    const nearest = [...samples.map(byteOf), ...found.map(({ byte }) => byte)]
    nearest.forEach((byte, i) => {
      ids[id++] = BigInt(256 * (offsets.length + i) + byte)
    })
    fits.forEach((f, i) => {
      ids[id++] = BigInt(levelRow(lookback, i) + f.level)
      expected[fit] = samples[i] as number
      spread[fit++] = f.spread
    })
    found.forEach(({ byte, length }, i) => {
      guesses[guess++] = BigInt(byte)
      ids[id++] = BigInt(lengthRow(lookback, i) + length)
    })
    for (const m of matchers) m.advance()
  }
  return { ids, guesses, expected, spread }
}

/** The fixed predictions as a matrix [longest, predictions] over the newest bytes, newest first. */
export function predictionWeights({ predictions }: Lookback, longest: number): Float32Array {
  const matrix = new Float32Array(longest * predictions.length)
  predictions.forEach((terms, column) => {
    for (const [back, weight] of terms) {
      const at = (back - 1) * predictions.length + column
      matrix[at] = (matrix[at] as number) + weight
    }
  })
  return matrix
}
