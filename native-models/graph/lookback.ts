import type { Lookback, ModelConfig } from "../../contract/pack.ts"
import { type Fit, fitPredictor, guessAt, LEVELS } from "./lpc.ts"

/** Bytes before a place that its local input depends on directly: by n-grams and by looking back. */
export function longestLook({ ngrams, lookback }: ModelConfig): number {
  const terms = lookback?.predictions.flat().map(([back]) => back) ?? []
  return Math.max(0, ...(ngrams?.orders ?? []), ...(lookback?.offsets ?? []), ...terms)
}

/** Bytes before a patch that matter to its local inputs: those, and what linear prediction is fitted to. */
export function farthestLook(m: ModelConfig): number {
  return Math.max(longestLook(m), ...(m.lookback?.lpc.map(({ window }) => window) ?? []))
}

/** The sizes that looking back gives a model: columns embedded a byte, rows of their table, guesses a byte. */
export function lookbackSizes({ offsets, predictions, lpc }: Lookback) {
  return {
    columns: offsets.length + 2 * lpc.length,
    rows: (offsets.length + lpc.length) * 256 + lpc.length * LEVELS,
    guesses: predictions.length + lpc.length,
  }
}

/** Table row of the level of fit `i`. */
export const levelRow = ({ offsets, lpc }: Lookback, i: number, level: number) =>
  256 * (offsets.length + lpc.length) + LEVELS * i + level

/**
 * What the local model sees of each byte from `start` (where a patch begins) on. Places before the first byte count
 * as 0, or as silence in linear prediction.
 * @returns ids [bytes, columns] rows of the lookback table: earlier bytes, guesses, levels; guesses [bytes, guesses]
 */
export function lookbackInputs(lookback: Lookback, patch: number, bytes: Uint8Array, start: number) {
  const { offsets, predictions, lpc } = lookback
  const sizes = lookbackSizes(lookback)
  const ids = new BigInt64Array((bytes.length - start) * sizes.columns)
  const guesses = new BigInt64Array((bytes.length - start) * sizes.guesses)
  let fits: Fit[] = []
  for (let t = start, id = 0, guess = 0; t < bytes.length; t++) {
    if ((t - start) % patch === 0) fits = lpc.map((l) => fitPredictor(l, bytes, t))
    offsets.forEach((back, i) => {
      ids[id++] = BigInt(256 * i + (bytes[t - back] ?? 0))
    })
    for (const terms of predictions) {
      const sum = terms.reduce((total, [back, weight]) => total + weight * (bytes[t - back] ?? 0), 0)
      guesses[guess++] = BigInt(Math.min(255, Math.max(0, sum)))
    }
    fits.forEach((f, i) => {
      const byte = guessAt(f, bytes, t)
      guesses[guess++] = BigInt(byte)
      ids[id++] = BigInt(256 * (offsets.length + i) + byte)
    })
    fits.forEach((f, i) => {
      ids[id++] = BigInt(levelRow(lookback, i, f.level))
    })
  }
  return { ids, guesses }
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
