import { logitsOf, type Match, type ModelConfig, type NGrams } from "../../../contract/pack.ts"
import { SILENCE } from "../../../contract/samples.ts"
import { type Mask, masksOf, type Sampling } from "../../../contract/sampling.ts"
import { farthestLook, longestLook, longestOrder, longestWindow } from "../features/lookback.ts"
import { fitPredictor, samplesOf } from "../features/lpc.ts"
import { distances, matchRuns } from "../features/match.ts"
import { namesBefore } from "../features/names.ts"
import { emptyRow } from "../features/ngrams.ts"
import type { Listener } from "../features/notes.ts"
import { BARRED } from "../graph/sampling.ts"
import { Tensor } from "../onnxruntime.ts"
import { endingNgrams, type Feeds } from "./feeds.ts"
import { gumbel } from "./gumbel.ts"

/** The byte of silence, flagged. */
const SILENT = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte === SILENCE))

/** The decode graph's small inputs, allocated once and filled in place for every patch. */
export class DecodeInputs {
  readonly feeds: Feeds
  private readonly previous: BigInt64Array
  private readonly previousNgrams: BigInt64Array
  private readonly noise: Float32Array
  private readonly recent: Float32Array
  private readonly prediction: FeatureInputs | undefined
  private readonly matching: FeatureInputs | undefined
  private readonly longest: number
  private readonly patch: number
  /** What noise there is for at every place: bytes, and the end where the model has one. */
  private readonly count: number
  private readonly ngrams: NGrams | undefined

  /** @param drawn of the `batch` sequences those that draw, the first ones; the others get the same bytes */
  constructor(
    config: ModelConfig,
    private readonly batch: number,
    private readonly drawn: number,
  ) {
    const p = config.patch
    this.patch = p
    this.count = logitsOf(config)
    this.longest = longestLook(config)
    this.previous = new BigInt64Array(batch * p)
    this.ngrams = config.ngrams?.patch_embedder ? config.ngrams : undefined
    const orders = this.ngrams?.orders.length ?? 0
    this.previousNgrams = new BigInt64Array(batch * p * orders)
    this.noise = new Float32Array(p * drawn * this.count)
    this.recent = new Float32Array(batch * this.longest)
    this.feeds = {
      previous: new Tensor("int64", this.previous, [batch, p]),
      noise: new Tensor("float32", this.noise, [p, drawn, 1, this.count]),
    }
    if (orders) this.feeds.previous_ngrams = new Tensor("int64", this.previousNgrams, [batch, p, orders])
    this.prediction = predictionOf(config, batch)
    this.matching = matchingOf(config, batch)
    Object.assign(this.feeds, this.prediction?.feeds, this.matching?.feeds)
    if (this.longest) this.feeds.recent = new Tensor("float32", this.recent, [batch, this.longest])
  }

  /** The last patch of every history, which is number `index`; the padding patch without one. */
  fillPrevious(index: number | undefined, historyOf: (b: number) => Uint8Array): void {
    const { patch, ngrams } = this
    if (index === undefined && ngrams) this.previousNgrams.fill(BigInt(emptyRow(ngrams)))
    for (let b = 0; b < this.batch; b++) {
      const history = historyOf(b)
      const first = (index ?? 0) * patch
      for (let p = 0; p < patch; p++)
        this.previous[b * patch + p] = BigInt(index === undefined ? 256 + p : (history[first + p] as number))
      if (index !== undefined && ngrams)
        this.previousNgrams.set(endingNgrams(ngrams, history, first, first + patch), b * patch * ngrams.orders.length)
    }
  }

  /** What the bytes before give. `onDevice`: the bytes themselves are there already; only what is fitted to them is not. */
  fillPast(historyOf: (b: number) => Uint8Array, onDevice: boolean): void {
    for (let b = 0; b < this.batch; b++) {
      const history = historyOf(b)
      this.prediction?.fill(b, history)
      if (onDevice) continue
      for (let i = 0; i < this.longest; i++) this.recent[b * this.longest + i] = history[history.length - 1 - i] ?? 0
      this.matching?.fill(b, history)
    }
  }

  /**
   * Each byte's Gumbel noise, tempered, from `position` on; none where the draw is greedy. Known bytes get so much that they must win.
   */
  fillNoise(sampling: Sampling, seed: number, position: number, known?: Uint8Array[]): void {
    const { temperature } = sampling
    for (let p = 0; p < this.patch; p++)
      for (let b = 0; b < this.drawn; b++) {
        const row = this.noise.subarray((p * this.drawn + b) * this.count, (p * this.drawn + b + 1) * this.count)
        if (temperature === 0) row.fill(0)
        else gumbel(row, seed, b, position + p)
        if (temperature !== 1) for (let i = 0; i < row.length; i++) row[i] = temperature * (row[i] as number)
        const byte = known?.[b]?.[p]
        if (byte !== undefined) row[byte] = 1e37
      }
  }

  /** Leaves the bytes of `flags` out of sequence b's draw at place p. */
  bar(b: number, p: number, flags: Uint8Array): void {
    const at = (p * this.drawn + b) * this.count
    for (let byte = 0; byte < 256; byte++) if (flags[byte]) this.noise[at + byte] = BARRED
  }

  /** Has a note of sequence b begin or end where that is due and the `given` bytes leave it open. */
  due(b: number, listener: Listener, given: number): void {
    if (listener.isNoteDue && !given) this.bar(b, 0, SILENT)
    const end = listener.endDue
    if (end !== undefined && given <= end) this.noise[(end * this.drawn + b) * this.count + SILENCE] = 1e37
  }

  /** The inputs that leave bytes out, and that of guidance where not all sequences draw. */
  masks(sampling: Sampling): Feeds {
    const { temperature, topP, topK, minP, guidance = 1 } = sampling
    const one = (value: number) => new Tensor("float32", Float32Array.of(value), [1])
    const guided: Feeds = this.drawn < this.batch ? { guidance: one(guidance) } : {}
    const inputs: Record<Mask, () => Feeds> = {
      p: () => ({ inverse_temperature: one(1 / temperature), top_p: one(topP) }),
      k: () => ({ last_rank: new Tensor("int64", BigInt64Array.of(BigInt(topK - 1)), [1]) }),
      m: () => ({ below_top: one(temperature * Math.log(minP)) }),
    }
    return Object.assign(guided, ...masksOf(sampling).map((mask) => inputs[mask]()))
  }
}

/** Inputs of the decode graph that stand for the bytes before a patch, and how to fill them for sequence b. */
type FeatureInputs = { feeds: Feeds; fill(b: number, history: Uint8Array): void }

/** For matches: the last bytes, and how long the match at each distance is. */
function matchingOf(config: ModelConfig, batch: number): FeatureInputs | undefined {
  const matches = config.lookback?.matches ?? []
  if (!matches.length) return undefined
  const window = longestWindow(config)
  const past = new Float32Array(batch * window)
  const runs = matches.map((m) => new Float32Array(batch * distances(m)))
  const feeds: Feeds = { past_bytes: new Tensor("float32", past, [batch, window]) }
  for (const [i, r] of runs.entries()) feeds[`runs_${i}`] = new Tensor("float32", r, [batch, r.length / batch])
  const named = matches.find(({ names }) => names)
  const names = new Float32Array(named ? batch * named.window : 0)
  const word = { letters: new Float32Array(batch), goes_on: new Float32Array(batch), opens: new Float32Array(batch) }
  if (named) {
    feeds.names = new Tensor("float32", names, [batch, named.window])
    for (const [name, values] of Object.entries(word)) feeds[name] = new Tensor("float32", values, [batch, 1])
  }
  return {
    feeds,
    fill(b, history) {
      for (let i = 0; i < window; i++) past[b * window + i] = history[history.length - 1 - i] ?? -1
      for (const [i, r] of runs.entries()) {
        const match = matches[i] as Match
        const count = r.length / batch
        const own = r.subarray(b * count, (b + 1) * count)
        if (match !== named) {
          matchRuns(match, history, history.length, own)
          continue
        }
        const begun = namesBefore(match, history, own, names.subarray(b * count, (b + 1) * count))
        word.letters[b] = begun.letters
        word.goes_on[b] = begun.goesOn
        word.opens[b] = begun.opens
      }
    },
  }
}

/** For linear prediction: the last samples, and what each predictor makes of those before. */
function predictionOf(config: ModelConfig, batch: number): FeatureInputs | undefined {
  const { lookback } = config
  const lpc = lookback?.lpc ?? []
  if (!lpc.length) return undefined
  const order = longestOrder(config)
  const farthest = farthestLook(config)
  const samples = new Float64Array(batch * order)
  const coefficients = new Float64Array(batch * order * lpc.length)
  const levels = new Float32Array(batch * lpc.length)
  const spread = new Float64Array(batch * lpc.length)
  return {
    feeds: {
      samples: new Tensor("float64", samples, [batch, order, 1]),
      coefficients: new Tensor("float64", coefficients, [batch, lpc.length, order]),
      levels: new Tensor("float32", levels, [batch, lpc.length]),
      spread: new Tensor("float64", spread, [batch, lpc.length, 1]),
    },
    fill(b, history) {
      const sound = samplesOf(history.subarray(Math.max(0, history.length - farthest)))
      for (let i = 0; i < order; i++) samples[b * order + i] = sound[sound.length - 1 - i] ?? 0
      lpc.forEach((l, i) => {
        const found = fitPredictor(l, sound, sound.length)
        const at = b * lpc.length + i
        coefficients.set(found.coefficients, at * order) // zeros after it where another order is longer
        levels[at] = found.level
        spread[at] = found.spread
      })
    },
  }
}
