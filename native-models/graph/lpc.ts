import type { Lpc } from "../../contract/pack.ts"
import { byteOf, MU_LAW } from "../../contract/samples.ts"

/**
 * Backward-adaptive linear prediction of mu-law sound (as in G.728): coefficients are fitted to the samples that are
 * known already, anew for every patch. The same numbers as in training/megabyte/lpc.py.
 */

/** Steps of how large an error a fit expects, in quarter octaves. */
export const LEVELS = 64

/** One predictor for one patch: the weight of each of the last samples, newest first, and its level. */
export type Fit = { coefficients: Float64Array; level: number }

const windows = new Map<number, { weights: Float64Array; energy: number }>()

/** Weights of the samples before a patch, oldest first: half a Hann window, tapered over the newest twentieth. */
function analysisWindow(length: number) {
  let found = windows.get(length)
  if (!found) {
    const taper = Math.floor(length / 20)
    const weights = Float64Array.from({ length }, (_, i) => {
      const rise = Math.sin(((Math.PI / 2) * (i + 0.5)) / length) ** 2
      return rise * Math.min(1, (length - i - 0.5) / taper)
    })
    found = { weights, energy: weights.reduce((sum, w) => sum + w * w, 0) }
    windows.set(length, found)
  }
  return found
}

/** Fits a predictor to the `window` bytes before `end`; before the first byte there is silence. */
export function fitPredictor({ order, window }: Lpc, bytes: Uint8Array, end: number): Fit {
  const { weights, energy } = analysisWindow(window)
  const x = new Float64Array(window)
  for (let i = Math.max(0, window - end); i < window; i++)
    x[i] = (weights[i] as number) * (MU_LAW[bytes[end - window + i] as number] as number)
  const r = autocorrelation(x, order)
  r[0] = (r[0] as number) * (1 + 1e-6) + 1e-7
  const { coefficients, error } = levinson(r)
  const level = Math.floor((Math.log2(error / energy) / 2 + 15) * 4)
  return { coefficients, level: Math.min(LEVELS - 1, Math.max(0, level)) }
}

/** Sums of x[i] * x[i - lag] for lags 0..order. Four at a time, so that x[i] is read once for them. */
function autocorrelation(x: Float64Array, order: number): Float64Array {
  const lags = (order & ~3) + 4
  const padded = new Float64Array(x.length + lags)
  padded.set(x, lags)
  const r = new Float64Array(lags)
  for (let lag = 0; lag < lags; lag += 4) {
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = lags + lag; i < padded.length; i++) {
      const now = padded[i] as number
      const j = i - lag
      a += now * (padded[j] as number)
      b += now * (padded[j - 1] as number)
      c += now * (padded[j - 2] as number)
      d += now * (padded[j - 3] as number)
    }
    r[lag] = a
    r[lag + 1] = b
    r[lag + 2] = c
    r[lag + 3] = d
  }
  return r.slice(0, order + 1)
}

/** Autocorrelation [order + 1] -> coefficients [order] and the energy of the error (Levinson and Durbin's recursion). */
function levinson(r: Float64Array): { coefficients: Float64Array; error: number } {
  const order = r.length - 1
  const a = new Float64Array(order)
  const before = new Float64Array(order)
  let error = r[0] as number
  for (let i = 0; i < order; i++) {
    let sum = r[i + 1] as number
    for (let j = 0; j < i; j++) sum -= (a[j] as number) * (r[i - j] as number)
    const k = sum / error
    before.set(a)
    for (let j = 0; j < i; j++) a[j] = (before[j] as number) - k * (before[i - 1 - j] as number)
    a[i] = k
    error *= 1 - k * k
  }
  return { coefficients: a, error }
}

/** The byte that a fit guesses for place `t`, from the bytes before it. */
export function guessAt({ coefficients }: Fit, bytes: Uint8Array, t: number): number {
  let sum = 0
  const known = Math.min(coefficients.length, t)
  for (let back = 1; back <= known; back++)
    sum += (coefficients[back - 1] as number) * (MU_LAW[bytes[t - back] as number] as number)
  return byteOf(sum)
}
