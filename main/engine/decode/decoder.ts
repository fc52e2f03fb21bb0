import { Bytes } from "../../../contract/bytes.ts"
import type { PatchPart } from "../../../contract/engine.ts"
import { attentionWindow, type Match, type ModelConfig, type NGrams, type Notes } from "../../../contract/pack.ts"
import { type Mask, masksOf, type Sampling } from "../../../contract/sampling.ts"
import type { DecodeKind } from "../compile/compile.ts"
import {
  farthestLook,
  longestLook,
  longestOrder,
  longestWindow,
  lookbackInputs,
  lookbackSizes,
} from "../features/lookback.ts"
import { fitPredictor, samplesOf } from "../features/lpc.ts"
import { distances, matchRuns } from "../features/match.ts"
import { emptyRow, ngramIds } from "../features/ngrams.ts"
import { BYTE_COLUMNS, GUESSES, Listener, patchSizes } from "../features/notes.ts"
import { cacheNames, NEW_ROWS } from "../graph/builder.ts"
import { carriedPast } from "../graph/byte-features.ts"
import { BARRED } from "../graph/sampling.ts"
import { type InferenceSession, Tensor } from "../onnxruntime.ts"
import type { Constraint } from "./constraint.ts"
import { DeviceKvCache, disposeOnDevice } from "./device-kv-cache.ts"
import { drawByDrafts } from "./drafts.ts"
import { gumbel } from "./gumbel.ts"
import { KvCache } from "./kv-cache.ts"
import type { Model } from "./model.ts"

type Feeds = Record<string, Tensor>
/** A patch as it was drawn, which becomes the sequence's or is let go of. */
type Attempt = { parts: PatchPart[]; keep: () => void; drop: () => void }

/** The graphs that decode with these settings. */
export function decodeKinds({ notes }: ModelConfig, sampling: Sampling): [DecodeKind, ...DecodeKind[]] {
  const masks = masksOf(sampling).join("")
  if (notes) return ["step", masks ? `draft-${masks}` : "draft"]
  return [masks ? `decode-${masks}` : "decode"]
}

/** Bytes that are decoded again at most, where a run goes on and its state is gone: a few seconds. */
const MOST_AGAIN = 4096

/** Positions that the parallel graphs take at once; bounds their memory whatever the length of a file. */
const CHUNK = 256

/** The same in bytes, where every byte is scored under a mixture of distributions: a dozen kilobytes each. */
const MIXED_BYTES = 2048

/**
 * Decodes B continuations of one prompt, patch by patch. The position of a patch is its number from the first byte;
 * its global input is the patch before (or the padding patch), so position k needs the cache rows 0..k-1.
 *
 * Learned positions end at the context: there the last half of the context becomes the beginning of a new
 * sequence, which is read again (paper, section 5: sliding window by half).
 */
export class Decoder {
  readonly config: ModelConfig
  private cache: KvCache
  /** Bytes so far, one array a sequence, from `origin` on: what the cache was built from, and the running patch. */
  private histories: Bytes[] = []
  /** Patch at which the present sequence of positions began; moves with learned positions alone. */
  private origin = 0
  /** Patches from the origin on whose rows were read, not decoded, chunk by chunk. */
  private readPatches = 0
  private readonly scratch: Scratch
  /** On a CPU: the ring's arrays as inputs, and the mask that says whether they are still those. */
  private heads: { mask: Float32Array; feeds: Feeds } | undefined
  /** With notes: what was heard of each sequence. */
  private listeners: Listener[] = []
  /** On a GPU: the cache as it stands there, once a patch was made. */
  private onDevice: DeviceKvCache | undefined

  constructor(
    private readonly model: Model,
    readonly batch: number,
  ) {
    this.config = model.config
    this.cache = this.emptyCache(batch)
    this.scratch = new Scratch(this.config, batch)
    this.histories = Array.from({ length: batch }, () => new Bytes())
  }

  private get gpu(): boolean {
    return this.model.device !== "cpu"
  }

  private emptyCache(batch: number): KvCache {
    const { global: g } = this.config
    return new KvCache(g.layers, batch * g.kv_heads, g.width / g.heads, attentionWindow(this.config))
  }

  /** Bytes that the cached state stands for, of sequence b (a multiple of P, with those of the running patch after). */
  history(b: number): Uint8Array {
    return this.bytes(b).view()
  }

  private bytes(b: number): Bytes {
    return this.histories[b] as Bytes
  }

  /** What was heard of sequence b, of which `history` is known by now. */
  private listener(b: number, notes: Notes, history: Uint8Array): Listener {
    let listener = this.listeners[b]
    if (!listener) {
      listener = new Listener(notes, this.config.patch)
      this.listeners[b] = listener
    }
    listener.follow(history)
    return listener
  }

  /**
   * Whole patches of `prompt` that need no prefill because this decoder read them just as it would read them now. Rows that
   * were decoded are not those that reading makes (in int8 the two have other weights), nor are rows of another chunk:
   * with them a run would depend on what ran before.
   */
  reusable(prompt: Uint8Array, b: number): number {
    const { patch, position } = this.config
    if (this.origin) return 0
    const known = this.bytes(b).view()
    const limit = Math.min(known.length, prompt.length)
    let same = 0
    while (same < limit && known[same] === prompt[same]) same++
    const whole = Math.floor(prompt.length / patch)
    if (position === "learned" && whole > this.config.context) return 0
    // Row k was made from patch k - 1: the same k patches give rows 0..k.
    const patches = Math.min(Math.floor(same / patch) + 1, this.readPatches, whole)
    const grid = Math.min(CHUNK, attentionWindow(this.config))
    const exact = patches === whole && this.readPatches === whole ? whole : patches - (patches % grid)
    return exact > 0 && exact <= this.cache.held && this.cache.canTruncate(exact) ? exact : 0
  }

  /**
   * A decoder of `batch` sequences that all stand after `prompt`'s whole patches; its last bytes beyond them are for
   * the first `step`. Reuses the state of `from` where that came through the same bytes.
   * @param stop asked between chunks; true ends the prefill early
   */
  static async start(
    model: Model,
    prompt: Uint8Array,
    batch: number,
    from?: Decoder,
    stop?: () => boolean,
  ): Promise<{ decoder: Decoder; reused: number }> {
    const { patch } = model.config
    const whole = Math.floor(prompt.length / patch)
    let single = new Decoder(model, 1)
    let reused = 0
    for (let b = 0; from && b < from.batch; b++) {
      const same = from.reusable(prompt, b)
      if (same > reused) {
        reused = same
        single = from.batch === 1 ? from : from.sequence(b)
      }
    }
    if (reused) single.truncate(reused, prompt)
    if (reused < whole) await single.read(prompt.subarray(0, whole * patch), stop)
    if (batch === 1) return { decoder: single, reused }
    const decoder = new Decoder(model, batch)
    decoder.cache = single.cache.repeated(batch)
    decoder.readPatches = single.readPatches
    decoder.origin = single.origin
    decoder.histories = Array.from({ length: batch }, () => Bytes.of(single.history(0)))
    return { decoder, reused }
  }

  /**
   * A decoder that stands after `prompt`'s whole patches as one does that read only the first `began` bytes of it and
   * decoded the rest: `from` where it did just that, else one that decodes them again. Of more than a person would wait
   * for all is read, and what follows may be other bytes.
   */
  static async goOn(
    model: Model,
    prompt: Uint8Array,
    began: number,
    sampling: Sampling,
    from?: Decoder,
    stop?: () => boolean,
  ): Promise<{ decoder: Decoder; reused: number }> {
    const { patch } = model.config
    const whole = Math.floor(prompt.length / patch)
    if (from?.cameThrough(prompt, Math.floor(began / patch), whole)) {
      from.goBack(whole)
      return { decoder: from, reused: whole }
    }
    if (prompt.length - began > MOST_AGAIN) return Decoder.start(model, prompt, 1, from, stop)
    const { decoder, reused } = await Decoder.start(model, prompt.subarray(0, began), 1, from, stop)
    while (decoder.nextPatch < whole && !stop?.()) {
      const at = decoder.nextPatch * patch
      await decoder.step(sampling, 0, [prompt.subarray(at, at + patch)])
    }
    return { decoder, reused }
  }

  /** Whether this one sequence read `read` patches of `prompt`, decoded on to `whole` at least, and can go back there. */
  private cameThrough(prompt: Uint8Array, read: number, whole: number): boolean {
    const { patch } = this.config
    if (this.batch > 1 || this.origin || this.readPatches !== read || whole < read || whole > this.nextPatch)
      return false
    if (!Buffer.from(prompt.subarray(0, whole * patch)).equals(this.history(0).subarray(0, whole * patch))) return false
    return whole === this.nextPatch || (whole <= this.cache.held && this.cache.canTruncate(whole))
  }

  /** Goes back to `whole` of its own patches, without a word about how it came there. */
  private goBack(whole: number): void {
    if (whole === this.nextPatch) return
    const { readPatches } = this
    this.truncate(whole, this.history(0))
    this.readPatches = readPatches
  }

  /** Sequence b alone. */
  private sequence(b: number): Decoder {
    const single = new Decoder(this.model, 1)
    single.origin = this.origin
    single.histories = [Bytes.of(this.history(b))]
    single.cache = this.cache.only(b, this.batch)
    single.readPatches = this.readPatches
    return single
  }

  /** Goes back to `patches` whole patches of `prompt`. */
  private truncate(patches: number, prompt: Uint8Array): void {
    this.release()
    this.cache.truncate(patches - this.origin)
    this.readPatches = patches
    this.histories = [Bytes.of(prompt.subarray(0, patches * this.config.patch))]
    this.listeners = []
  }

  /** Prefill: reads `bytes` (whole patches; the beginning may be known) in parallel, one sequence. */
  private async read(bytes: Uint8Array, stop?: () => boolean): Promise<void> {
    const { patch } = this.config
    const whole = bytes.length / patch
    while (this.nextPatch < whole && !stop?.()) {
      this.makeRoom(whole)
      await this.parallel("prefill", bytes, this.nextPatch, this.chunk(whole))
    }
    this.readPatches = this.origin ? 0 : this.nextPatch
    this.histories = [Bytes.of(bytes)]
  }

  /** Patches that a parallel graph takes next, on the way to patch `until`. */
  private chunk(until: number, most = CHUNK): number {
    const { context, position } = this.config
    const room = position === "learned" ? context - this.cache.length : most
    return Math.min(most, attentionWindow(this.config), until - this.nextPatch, room)
  }

  /** With learned positions at their end: begins anew half a context back. `next`: patches to come to, at least. */
  private makeRoom(next: number): boolean {
    const { context, position } = this.config
    if (position !== "learned" || this.cache.length < context || this.nextPatch >= next) return false
    this.origin += Math.ceil(context / 2)
    this.readPatches = 0
    this.cache.clear()
    return true
  }

  /** Runs a parallel graph on patches from..from+count-1 of `bytes`, appends their cache rows, returns its outputs. */
  private async parallel(graph: "prefill" | "score" | "logits", bytes: Uint8Array, from: number, count: number) {
    const { patch, ngrams, lookback, notes, global: g } = this.config
    const feeds: Feeds = {
      ...this.previous(bytes, from, count),
      mask: this.mask(count),
      ...this.positions(this.cache.length, count),
      ...this.cacheRows(graph === "prefill" ? g.layers - 1 : g.layers),
    }
    if (graph !== "prefill") {
      const current = new BigInt64Array(count * patch)
      const shifted = new BigInt64Array(count * patch)
      for (let i = 0; i < current.length; i++) {
        current[i] = BigInt(bytes[from * patch + i] ?? 0)
        shifted[i] = i % patch ? (current[i - 1] as bigint) : 256n
      }
      feeds.current = new Tensor("int64", current, [count, patch])
      feeds.local_previous = new Tensor("int64", shifted, [count, patch])
      const end = (from + count) * patch
      const padded = bytes.length >= end ? bytes.subarray(0, end) : Buffer.concat([bytes], end)
      // Only the bytes just before are needed.
      const start = Math.max(0, from * patch - farthestLook(this.config))
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
    }
    if (notes) Object.assign(feeds, this.noteRows(notes, bytes, from, count, graph !== "prefill"))
    const session = await this.model.session(graph)
    const out = await session.run(this.gpu ? toGpuFeeds(feeds) : feeds)
    this.appendRows(out, count)
    return out
  }

  /** What was heard before each of patches from..from+count-1 of `bytes`; `inside`: and for each of their bytes. */
  private noteRows(notes: Notes, bytes: Uint8Array, from: number, count: number, inside: boolean): Feeds {
    const { patch } = this.config
    const columns = patchSizes(notes).length
    const patchRows = new BigInt64Array(count * columns)
    const each = patch * BYTE_COLUMNS
    const byteRows = new BigInt64Array(inside ? count * each : 0)
    const guesses = new BigInt64Array(inside ? count * patch * GUESSES : 0)
    for (let i = 0; i < count; i++) {
      const at = (from + i) * patch
      const listener = this.listener(0, notes, bytes.subarray(0, at))
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

  private appendRows(out: Readonly<Record<string, unknown>>, count: number): void {
    const rows = (out[NEW_ROWS] as Tensor).data as Float32Array
    const each = rows.length / (2 * this.config.global.layers)
    this.cache.append(count, (i) => rows.subarray(i * each, (i + 1) * each))
  }

  /**
   * What the model says at each place of the last patch of `bytes`, the bytes before it known.
   * @returns logits [places, 256]
   */
  static async lastLogits(model: Model, bytes: Uint8Array): Promise<Float32Array> {
    const { patch } = model.config
    const last = Math.ceil(bytes.length / patch) - 1
    const d = new Decoder(model, 1)
    await d.read(bytes.subarray(0, last * patch))
    if (d.makeRoom(last + 1)) await d.readAgain()
    const out = await d.parallel("logits", bytes, last, 1)
    return ((out.logits as Tensor).data as Float32Array).slice(0, (bytes.length - last * patch) * 256)
  }

  /** The cache as the parallel graphs take it, one sequence: [past, kv heads, d] a layer. */
  private cacheRows(layers: number): Feeds {
    const { global: g } = this.config
    return keysAndValues(layers, (i) => this.cache.view(i), [this.cache.past, g.kv_heads, g.width / g.heads])
  }

  /** The cache as the decode graph takes it: [batch * kv heads, places, d] a layer, and which places are seen. */
  private cacheByHead(): Feeds {
    const { global: g } = this.config
    const ring = this.cache.byHead()
    const { places, mask } = ring
    // A tensor looks at the ring's own array, so that it is the same one until the ring grows.
    if (this.heads?.mask !== mask) {
      const shape = [this.batch * g.kv_heads, places, g.width / g.heads]
      const feeds = {
        ...keysAndValues(g.layers, (i) => ring.array(i), shape),
        mask: new Tensor("float32", mask, [places]),
        places: new Tensor("int64", BigInt64Array.of(1n, BigInt(places)), [2]),
      }
      this.heads = { mask, feeds }
    }
    return this.heads.feeds
  }

  /** Global inputs of patches from..from+count-1: the bytes one patch earlier; the padding patch at the origin. */
  private previous(bytes: Uint8Array, from: number, count: number): Feeds {
    const { patch, ngrams } = this.config
    const ids = new BigInt64Array(count * patch)
    for (let i = 0; i < ids.length; i++) {
      const padding = from === this.origin && i < patch
      ids[i] = BigInt(padding ? 256 + i : (bytes[(from - 1) * patch + i] as number))
    }
    const feeds: Feeds = { previous: new Tensor("int64", ids, [1, count, patch]) }
    if (ngrams?.patch_embedder) {
      const rows = new BigInt64Array(ids.length * ngrams.orders.length).fill(BigInt(emptyRow(ngrams)))
      const first = Math.max(from - 1, this.origin) * patch
      const known = endingNgrams(ngrams, bytes, first, (from + count - 1) * patch)
      rows.set(known, rows.length - known.length)
      feeds.previous_ngrams = new Tensor("int64", rows, [1, count, patch, ngrams.orders.length])
    }
    return feeds
  }

  /** [count, past + count]: 0 where a place is seen, -1e9 elsewhere. */
  private mask(count: number): Tensor {
    const { past } = this.cache
    const seen = past + count
    const window = attentionWindow(this.config)
    const mask = new Float32Array(count * seen).fill(-1e9)
    for (let i = 0; i < count; i++) mask.fill(0, i * seen + Math.max(0, past + i - window + 1), i * seen + past + i + 1)
    return new Tensor("float32", mask, [count, seen])
  }

  /** Position inputs of `count` places from `first` on. Angles are computed in float64: exact at any position. */
  private positions(first: number, count: number): Feeds {
    const { position, global: g } = this.config
    if (position === "learned") {
      const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt(first + i))
      return { position: new Tensor("int64", ids, [count]) }
    }
    const half = g.width / g.heads / 2
    const cos = new Float32Array(count * half)
    const sin = new Float32Array(count * half)
    for (let i = 0; i < count; i++)
      for (let j = 0; j < half; j++) {
        const angle = (first + i) * 10000 ** (-j / half)
        cos[i * half + j] = Math.cos(angle)
        sin[i * half + j] = Math.sin(angle)
      }
    return { cos: new Tensor("float32", cos, [count, half]), sin: new Tensor("float32", sin, [count, half]) }
  }

  /** Number of the patch that `step` makes next. */
  get nextPatch(): number {
    return this.origin + this.cache.length
  }

  /**
   * Decodes the next patch of every sequence.
   * @param known bytes per sequence that the patch begins with, forced
   * @param dropped bytes of the whole sequence before the first one this decoder knows
   * @param constraints what may not be drawn, one a sequence; they take in what is
   * @returns per sequence P bytes with the log-probability of each and the entropy before it, in nats
   */
  async step(
    sampling: Sampling,
    seed: number,
    known?: Uint8Array[],
    dropped = 0,
    constraints?: Constraint[],
  ): Promise<PatchPart[]> {
    const { patch } = this.config
    if (this.makeRoom(this.nextPatch + 1)) await this.readAgain()
    const { scratch, batch } = this
    const index = this.nextPatch
    scratch.fillPrevious(index === this.origin ? undefined : index - 1, (b) => this.history(b))
    const feeds: Feeds = { ...scratch.feeds, ...scratch.masks(sampling), ...this.positions(this.cache.length, 1) }
    scratch.fillPast((b) => this.history(b), this.onDevice !== undefined)
    const { notes } = this.config
    const attempt = notes
      ? await this.byDrafts(feeds, sampling, notes)
      : this.gpu
        ? await this.onGpu(feeds, sampling)
        : await this.onCpu(feeds, sampling)
    const given = Array.from({ length: batch }, (_, b) => known?.[b] ?? new Uint8Array())
    let forced = given
    for (;;) {
      scratch.fillNoise(sampling, seed, dropped + index * patch, forced)
      constraints?.forEach((constraint, b) => {
        const first = forced[b]?.length ?? 0
        const drawn = forced[b]?.subarray(given[b]?.length)
        for (let p = first; p < patch; p++) scratch.bar(b, p, p === first ? constraint.barred(drawn) : constraint.never)
      })
      const { parts, keep, drop } = await attempt()
      const drawn = parts.map(({ bytes }, b) => bytes.subarray(given[b]?.length))
      const broken = constraints?.map((constraint, b) => constraint.brokenAt(drawn[b] as Uint8Array))
      if (broken?.some((at) => at !== undefined)) {
        drop()
        forced = parts.map(({ bytes }, b) => {
          const at = broken[b]
          return at === undefined ? bytes : bytes.subarray(0, (given[b]?.length ?? 0) + at)
        })
        continue
      }
      keep()
      constraints?.forEach((constraint, b) => void constraint.push(drawn[b] as Uint8Array))
      for (const [b, { bytes }] of parts.entries()) this.bytes(b).append(bytes)
      return parts
    }
  }

  /** What draws the next patch: as often as it takes, then to be kept. */
  private async onCpu(feeds: Feeds, sampling: Sampling): Promise<() => Promise<Attempt>> {
    const { patch } = this.config
    const session = await this.model.session(decodeKinds(this.config, sampling)[0])
    const all = { ...feeds, ...this.cacheByHead() }
    return async () => {
      const out = await session.run(all)
      const parts = partsOf(out.result as Tensor, patch, this.batch, (b, p) => p * this.batch + b)
      return { parts, keep: () => this.appendRows(out, 1), drop: () => {} }
    }
  }

  /** The same where notes tell what comes next; see drafts.ts. */
  private async byDrafts(feeds: Feeds, sampling: Sampling, notes: Notes): Promise<() => Promise<Attempt>> {
    const { batch } = this
    const listeners = Array.from({ length: batch }, (_, b) => this.listener(b, notes, this.history(b)))
    const rows = BigInt64Array.from(listeners.flatMap((listener) => listener.patchRows().map(BigInt)))
    const patchRows = new Tensor("int64", rows, [batch, rows.length / batch])
    const [global, local] = decodeKinds(this.config, sampling)
    const step = await this.model.session(global)
    const draft = await this.model.session(local as DecodeKind)
    const given = { ...feeds, ...this.cacheByHead(), patch_rows: patchRows }
    const out = await step.run(chosenFeeds(step, given))
    const inputs = chosenFeeds(draft, { ...given, from_global: out.from_global as Tensor })
    return async () => {
      const parts = await drawByDrafts(draft, inputs, listeners, this.config.patch)
      return { parts, keep: () => this.appendRows(out, 1), drop: () => {} }
    }
  }

  /** The same on a GPU: the cache stays there, and one small tensor comes back. */
  private async onGpu(feeds: Feeds, sampling: Sampling): Promise<() => Promise<Attempt>> {
    faultOnPurpose(this.nextPatch)
    const { patch } = this.config
    const session = await this.model.session(decodeKinds(this.config, sampling)[0])
    let device: DeviceKvCache | undefined
    let kept: Feeds = {}
    return async () => {
      const given = toGpuFeeds(feeds)
      if (!device) {
        device = this.onDevice ??= this.toDevice(given)
        kept = device.feeds()
      }
      const out = await session.run({ ...given, ...kept })
      const parts = partsOf(out.result as Tensor, patch, this.batch, (b, p) => b * patch + p)
      const keep = () => {
        device?.take(out)
        this.cache.advance()
      }
      return { parts, keep, drop: () => disposeOnDevice(out as Feeds) }
    }
  }

  /** The cache and the bytes before (among the inputs `given`), for the device to keep. */
  private toDevice(given: Feeds): DeviceKvCache {
    const past = carriedPast(this.config, true).map(({ name }) => [name, given[name] as Tensor])
    const half = this.model.precision === "fp16"
    return new DeviceKvCache(this.config, this.cache, this.batch, Object.fromEntries(past), half)
  }

  /** Lets go of what is held on a device. */
  release(): void {
    this.onDevice?.dispose()
    this.onDevice = undefined
  }

  /** A decoder whose sequences came through `histories` (whole patches each, of one length): every one is read again. */
  static async resume(model: Model, histories: Uint8Array[]): Promise<Decoder> {
    const decoder = new Decoder(model, histories.length)
    decoder.histories = histories.map((bytes) => Bytes.of(bytes))
    await decoder.readAgain()
    return decoder
  }

  /** After `makeRoom`: every sequence's kept half is read as a new sequence of positions. */
  private async readAgain(): Promise<void> {
    this.release()
    const singles: Decoder[] = []
    for (let b = 0; b < this.batch; b++) {
      const single = new Decoder(this.model, 1)
      single.origin = this.origin
      await single.read(this.history(b))
      singles.push(single)
    }
    this.origin = singles[0]?.origin ?? 0
    if (this.batch === 1) this.cache = (singles[0] as Decoder).cache
    else for (const [b, single] of singles.entries()) this.cache.setSequence(b, single.cache)
  }

  /**
   * Log-probability and entropy (nats) of every byte of `bytes`, all patches of a chunk in parallel.
   * @param progress told the bytes done after each chunk; returns false to stop
   */
  static async score(
    model: Model,
    bytes: Uint8Array,
    progress?: (done: number) => Promise<boolean> | boolean,
    want: "score" | "logits" = "score",
  ): Promise<{ logprob: Float32Array; entropy: Float32Array; logits?: Float32Array }> {
    const { patch, lookback } = model.config
    const d = new Decoder(model, 1)
    const patches = Math.ceil(bytes.length / patch)
    const most = lookback?.lpc.length ? Math.ceil(MIXED_BYTES / patch) : CHUNK
    const logprob = new Float32Array(patches * patch)
    const entropy = new Float32Array(patches * patch)
    const logits = want === "logits" ? new Float32Array(patches * patch * 256) : undefined
    let scored = 0
    while (scored < patches) {
      d.makeRoom(patches)
      const from = d.nextPatch
      // Patches read again for their context were scored already; a chunk does not mix the two.
      const count = d.chunk(from < scored ? scored : patches, most)
      if (from < scored) {
        await d.parallel("prefill", bytes, from, count)
        continue
      }
      const out = await d.parallel(want, bytes, from, count)
      logprob.set((out.logprob as Tensor).data as Float32Array, from * patch)
      entropy.set((out.entropy as Tensor).data as Float32Array, from * patch)
      logits?.set((out.logits as Tensor).data as Float32Array, from * patch * 256)
      scored = from + count
      if (progress && !(await progress(Math.min(bytes.length, scored * patch)))) break
    }
    const end = Math.min(bytes.length, scored * patch)
    const result = { logprob: logprob.subarray(0, end), entropy: entropy.subarray(0, end) }
    return logits ? { ...result, logits: logits.subarray(0, end * 256) } : result
  }
}

/** Those of `feeds` that a graph takes. */
const chosenFeeds = (session: InferenceSession, feeds: Feeds): Feeds =>
  Object.fromEntries(session.inputNames.flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])))

/** Table rows of the n-grams that end at bytes from..to-1, these included: [to - from, orders]. */
function endingNgrams(ngrams: NGrams, bytes: Uint8Array, from: number, to: number): BigInt64Array {
  const start = Math.max(0, from + 1 - Math.max(...ngrams.orders))
  return ngramIds(ngrams, bytes.subarray(start, to), from + 1 - start, to + 1 - start)
}

/** The keys and values of `layers` layers, `array(i)` (2 * layer for keys, + 1 for values) in `shape`. */
function keysAndValues(layers: number, array: (i: number) => Float32Array, shape: number[]): Feeds {
  const feeds: Feeds = {}
  for (let layer = 0; layer < layers; layer++) {
    const names = cacheNames(layer)
    feeds[names.k] = new Tensor("float32", array(2 * layer), shape)
    feeds[names.v] = new Tensor("float32", array(2 * layer + 1), shape)
  }
  return feeds
}

/** A patch a sequence, of `result` rows of byte, log-probability and entropy: row `at(b, p)` is byte p of sequence b. */
function partsOf(result: Tensor, patch: number, batch: number, at: (b: number, p: number) => number): PatchPart[] {
  const values = result.data as Float32Array
  return Array.from({ length: batch }, (_, b) => {
    const column = (i: number) => Float32Array.from({ length: patch }, (_, p) => values[3 * at(b, p) + i] as number)
    return { bytes: Uint8Array.from(column(0)), logprob: column(1), entropy: column(2) }
  })
}

/** Inputs as a GPU's graphs take them: indices of 32 bits, no fp64. */
function toGpuFeeds(feeds: Feeds): Feeds {
  const narrow = ([name, t]: [string, Tensor]): [string, Tensor] => {
    if (t.type === "float64") return [name, new Tensor("float32", Float32Array.from(t.data as Float64Array), t.dims)]
    if (t.type !== "int64") return [name, t]
    const numbers = Array.from(t.data as BigInt64Array, Number)
    return [name, new Tensor("int32", Int32Array.from(numbers), t.dims)]
  }
  return Object.fromEntries(Object.entries(feeds).map(narrow))
}

/** A device's failure put in by MEGABYTE_FAULT, the number of a patch: for the tests of what follows then. */
function faultOnPurpose(patch: number): void {
  if (process.env.MEGABYTE_FAULT === String(patch)) throw new Error("a fault put in on purpose")
}

/** The decode graph's small inputs, allocated once and filled in place for every patch. */
class Scratch {
  readonly feeds: Feeds
  private readonly previous: BigInt64Array
  private readonly previousNgrams: BigInt64Array
  private readonly noise: Float32Array
  private readonly recent: Float32Array
  private readonly prediction: FeatureInputs | undefined
  private readonly matching: FeatureInputs | undefined
  private readonly longest: number
  private readonly patch: number
  private readonly ngrams: NGrams | undefined

  constructor(
    config: ModelConfig,
    private readonly batch: number,
  ) {
    const p = config.patch
    this.patch = p
    this.longest = longestLook(config)
    this.previous = new BigInt64Array(batch * p)
    this.ngrams = config.ngrams?.patch_embedder ? config.ngrams : undefined
    const orders = this.ngrams?.orders.length ?? 0
    this.previousNgrams = new BigInt64Array(batch * p * orders)
    this.noise = new Float32Array(p * batch * 256)
    this.recent = new Float32Array(batch * this.longest)
    this.feeds = {
      previous: new Tensor("int64", this.previous, [batch, p]),
      noise: new Tensor("float32", this.noise, [p, batch, 1, 256]),
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
      for (let b = 0; b < this.batch; b++) {
        const row = this.noise.subarray((p * this.batch + b) * 256, (p * this.batch + b + 1) * 256)
        if (temperature === 0) row.fill(0)
        else gumbel(row, seed, b, position + p)
        if (temperature !== 1) for (let i = 0; i < row.length; i++) row[i] = temperature * (row[i] as number)
        const byte = known?.[b]?.[p]
        if (byte !== undefined) row[byte] = 1e37
      }
  }

  /** Leaves the bytes of `flags` out of sequence b's draw at place p. */
  bar(b: number, p: number, flags: Uint8Array): void {
    const at = (p * this.batch + b) * 256
    for (let byte = 0; byte < 256; byte++) if (flags[byte]) this.noise[at + byte] = BARRED
  }

  /** The inputs that leave bytes out. */
  masks(sampling: Sampling): Feeds {
    const { temperature, topP, topK, minP } = sampling
    const one = (value: number) => new Tensor("float32", Float32Array.of(value), [1])
    const inputs: Record<Mask, () => Feeds> = {
      p: () => ({ inverse_temperature: one(1 / temperature), top_p: one(topP) }),
      k: () => ({ last_rank: new Tensor("int64", BigInt64Array.of(BigInt(topK - 1)), [1]) }),
      m: () => ({ below_top: one(temperature * Math.log(minP)) }),
    }
    return Object.assign({}, ...masksOf(sampling).map((mask) => inputs[mask]()))
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
  return {
    feeds,
    fill(b, history) {
      for (let i = 0; i < window; i++) past[b * window + i] = history[history.length - 1 - i] ?? -1
      for (const [i, r] of runs.entries()) {
        const count = r.length / batch
        matchRuns(matches[i] as Match, history, history.length, r.subarray(b * count, (b + 1) * count))
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
