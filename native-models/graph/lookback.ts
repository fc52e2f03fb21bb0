import type { Lookback, ModelConfig } from "../../contract/pack.ts"

/** Bytes before a place that its local input depends on directly: by n-grams and by looking back. */
export function longestLook({ ngrams, lookback }: ModelConfig): number {
  const terms = lookback?.predictions.flat().map(([back]) => back) ?? []
  return Math.max(0, ...(ngrams?.orders ?? []), ...(lookback?.offsets ?? []), ...terms)
}

/** Table rows of the single bytes before each byte from `start` on: [bytes.length - start, offsets]; 0 before the start. */
export function lookbackIds({ offsets }: Lookback, bytes: Uint8Array, start: number): BigInt64Array {
  const ids = new BigInt64Array((bytes.length - start) * offsets.length)
  for (let t = start, at = 0; t < bytes.length; t++)
    offsets.forEach((back, i) => {
      ids[at++] = BigInt(256 * i + (bytes[t - back] ?? 0))
    })
  return ids
}

/** What each prediction guesses for each byte from `start` on: [bytes.length - start, predictions], 0..255. */
export function guesses({ predictions }: Lookback, bytes: Uint8Array, start: number): BigInt64Array {
  const result = new BigInt64Array((bytes.length - start) * predictions.length)
  for (let t = start, at = 0; t < bytes.length; t++)
    for (const terms of predictions) {
      const sum = terms.reduce((total, [back, weight]) => total + weight * (bytes[t - back] ?? 0), 0)
      result[at++] = BigInt(Math.min(255, Math.max(0, sum)))
    }
  return result
}

/** The predictions as a matrix [longest, predictions] over the newest bytes, newest first. */
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
