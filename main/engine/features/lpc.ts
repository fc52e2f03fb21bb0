import FFT from "fft.js"
import constants from "../../../contract/constants.json" with { type: "json" }
import type { Lpc } from "../../../contract/pack.ts"
import { MU_LAW } from "../../../contract/samples.ts"

/**
 * Backward-adaptive linear prediction of mu-law sound (as in G.728): coefficients are fitted to the samples that are
 * known already, anew for every patch. The same numbers as in training/megabyte/features/lpc.py, by the same constants.
 */

/** Steps of how wrong a fit was of late, in quarter octaves. */
export const LEVELS = constants.lpc.levels

/** Samples that this is measured on. */
export const RECENT = constants.lpc.recent

/** The spread of silence. */
const LEAST = 2 ** constants.lpc.quietestOctave

/** Logistic distributions around what a fit expects. */
export const COMPONENTS = constants.lpc.components

/** A byte's probability under them is at least this. */
export const FLOOR = constants.lpc.floor

/**
 * What is fitted is as if there were white noise 33 dB down (training/megabyte/features/lpc.py tells why), and never nothing; over
 * which share of a window its newest samples are tapered; steps of LEVELS an octave.
 */
const { noise, ridge, taper, levelsPerOctave, quietestOctave } = constants.lpc

/**
 * One predictor for one patch: the weight of each of the last samples, newest first, its mean error of late, and that as
 * a step 0..LEVELS-1.
 */
export type Fit = { coefficients: Float64Array; spread: number; level: number }

const windows = new Map<number, Float64Array>()

/** Weights of the samples before a patch, oldest first: half a Hann window, tapered over the newest twentieth. */
function analysisWindow(length: number): Float64Array {
  let weights = windows.get(length)
  if (!weights) {
    const newest = Math.floor(length / taper)
    weights = Float64Array.from({ length }, (_, i) => {
      const rise = Math.sin(((Math.PI / 2) * (i + 0.5)) / length) ** 2
      return rise * Math.min(1, (length - i - 0.5) / newest)
    })
    windows.set(length, weights)
  }
  return weights
}

/** The samples -1..1 of mu-law bytes. */
export const samplesOf = (bytes: Uint8Array) => Float64Array.from(bytes, (byte) => MU_LAW[byte] as number)

/** Fits a predictor to the `window` samples before `end`; before the first there is silence. */
export function fitPredictor({ order, window }: Lpc, samples: Float64Array, end: number): Fit {
  const weights = analysisWindow(window)
  const x = new Float64Array(window)
  const start = end - window
  for (let i = Math.max(0, -start); i < window; i++) x[i] = (weights[i] as number) * (samples[start + i] as number)
  const r = autocorrelation(x, order)
  r[0] = (r[0] as number) * (1 + noise) + ridge
  const coefficients = levinson(r)
  let error = 0
  for (let t = Math.max(0, end - RECENT); t < end; t++)
    error += Math.abs((samples[t] as number) - expectedAt(coefficients, samples, t))
  const spread = Math.max(LEAST, error / RECENT)
  const level = Math.floor((Math.log2(spread) - quietestOctave) * levelsPerOctave)
  return { coefficients, spread, level: Math.min(LEVELS - 1, Math.max(0, level)) }
}

const transforms = new Map<number, { fft: FFT; padded: Float64Array; power: Float64Array; spectrum: Float64Array }>()

/** Sums of x[i] * x[i - lag] for lags 0..order, by the Fourier transform of the power spectrum (Wiener and Khinchin). */
function autocorrelation(x: Float64Array, order: number): Float64Array {
  const size = 2 ** Math.ceil(Math.log2(x.length + order))
  let transform = transforms.get(size)
  if (!transform) {
    const [padded, power] = [new Float64Array(size), new Float64Array(size)]
    transform = { fft: new FFT(size), padded, power, spectrum: new Float64Array(2 * size) }
    transforms.set(size, transform)
  }
  const { fft, padded, power, spectrum } = transform
  padded.set(x)
  padded.fill(0, x.length)
  fft.realTransform(spectrum, padded)
  // Real and even, so that the same transform leads back.
  for (let i = 0; i <= size / 2; i++) {
    const energy = (spectrum[2 * i] as number) ** 2 + (spectrum[2 * i + 1] as number) ** 2
    power[i] = energy
    if (i) power[size - i] = energy
  }
  fft.realTransform(spectrum, power)
  return Float64Array.from({ length: order + 1 }, (_, lag) => (spectrum[2 * lag] as number) / size)
}

/** Autocorrelation [order + 1] -> coefficients [order] (Levinson and Durbin's recursion). */
function levinson(r: Float64Array): Float64Array {
  const order = r.length - 1
  const a = new Float64Array(order)
  let error = r[0] as number
  for (let i = 0; i < order; i++) {
    const k = ((r[i + 1] as number) - convolved(a, r, i, i)) / error
    for (let low = 0, high = i - 1; low <= high; low++, high--) {
      const [x, y] = [a[low] as number, a[high] as number]
      a[low] = x - k * y
      a[high] = y - k * x
    }
    a[i] = k
    error *= 1 - k * k
  }
  return a
}

/** The sum of a[j] * x[from - j] for j below `count`, four at a time: one would wait for itself. */
function convolved(a: Float64Array, x: Float64Array, from: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let j = 0
  for (; j + 4 <= count; j += 4) {
    s0 += (a[j] as number) * (x[from - j] as number)
    s1 += (a[j + 1] as number) * (x[from - j - 1] as number)
    s2 += (a[j + 2] as number) * (x[from - j - 2] as number)
    s3 += (a[j + 3] as number) * (x[from - j - 3] as number)
  }
  for (; j < count; j++) s0 += (a[j] as number) * (x[from - j] as number)
  return s0 + s1 + s2 + s3
}

/** The sample that coefficients expect at place `t`, from those before it. */
export const expectedAt = (coefficients: Float64Array, samples: Float64Array, t: number) =>
  convolved(coefficients, samples, t - 1, Math.min(coefficients.length, t))
