import { Bytes } from "../../../contract/bytes.ts"
import type { PatchPart } from "../../../contract/engine.ts"
import {
  attentionWindow,
  carriedWidth,
  hasLearnedPositions,
  headWidth,
  type ModelConfig,
  type Notes,
} from "../../../contract/pack.ts"
import { isGuided, masksOf, type Sampling } from "../../../contract/sampling.ts"
import type { DecodeKind } from "../compile/compile.ts"
import { Listener } from "../features/notes.ts"
import { carriedPast } from "../graph/byte-features.ts"
import { NEW_ROWS, NEXT_CARRIED } from "../graph/names.ts"
import { Tensor } from "../onnxruntime.ts"
import type { Constraint } from "./constraint.ts"
import { DecodeInputs } from "./decode-inputs.ts"
import { DeviceKvCache, disposeOnDevice } from "./device-kv-cache.ts"
import { drawByDrafts } from "./drafts.ts"
import {
  byteFeeds,
  chosenFeeds,
  type DrawnPart,
  type Feeds,
  keysAndValues,
  maskOf,
  noteFeeds,
  partsOf,
  positionFeeds,
  previousFeeds,
  toGpuFeeds,
} from "./feeds.ts"
import { KvCache } from "./kv-cache.ts"
import type { Model } from "./model.ts"

/** A patch as it was drawn, which becomes the sequence's or is let go of. */
type Attempt = { parts: DrawnPart[]; keep: () => void; drop: () => void }

/** The graphs that decode with these settings. */
export function decodeKinds(
  { notes }: ModelConfig,
  sampling: Sampling,
  guided = isGuided(sampling),
): [DecodeKind, ...DecodeKind[]] {
  const masks = masksOf(sampling).join("")
  if (notes) return ["step", masks ? `draft-${masks}` : "draft"]
  const letters = guided ? `${masks}g` : masks
  return [letters ? `decode-${letters}` : "decode"]
}

/** Bytes that are decoded again at most, where a run goes on and its state is gone: a few seconds. */
const MOST_AGAIN = 4096

/** Positions that the parallel graphs take at once; bounds their memory whatever the length of a file. */
const CHUNK = 256

/** The same in bytes, where every byte is scored under a mixture of distributions: a dozen kilobytes each. */
const MIXED_BYTES = 2048

// Over 400 lines: one sequence's state (cache, bytes, positions) is read, decoded, scored and gone back in by the same few
// private steps. What is fed lies in feeds.ts and decode-inputs.ts.

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
  private readonly inputs: DecodeInputs
  /** On a CPU: the ring's arrays as inputs, and the mask that says whether they are still those. */
  private heads: { mask: Float32Array; feeds: Feeds } | undefined
  /** With notes: what was heard of each sequence. */
  private listeners: Listener[] = []
  /** On a GPU: the cache as it stands there, once a patch was made. */
  private onDevice: DeviceKvCache | undefined

  /** Sequences that are decoded: with guidance, after the B that are made the same with their style left open. */
  private readonly rows: number

  constructor(
    private readonly model: Model,
    readonly batch: number,
    private readonly guided = false,
  ) {
    this.config = model.config
    this.rows = guided ? 2 * batch : batch
    this.cache = this.emptyCache(this.rows)
    this.inputs = new DecodeInputs(this.config, this.rows, batch)
    this.histories = Array.from({ length: this.rows }, () => new Bytes())
  }

  private get gpu(): boolean {
    return this.model.device !== "cpu"
  }

  private emptyCache(batch: number): KvCache {
    const { global: g } = this.config
    const reach = attentionWindow(this.config)
    return new KvCache(g.layers, batch * g.kv_heads, headWidth(g), reach, batch * carriedWidth(this.config))
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
      listener = new Listener(notes, this.config.patch, this.model.instruments)
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
    const { patch } = this.config
    if (this.origin) return 0
    const known = this.bytes(b).view()
    const limit = Math.min(known.length, prompt.length)
    let same = 0
    while (same < limit && known[same] === prompt[same]) same++
    const whole = Math.floor(prompt.length / patch)
    if (hasLearnedPositions(this.config) && whole > this.config.context) return 0
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
   * @param open the prompt with its style left open, as long, where guidance leads away from it
   */
  static async start(
    model: Model,
    prompt: Uint8Array,
    batch: number,
    from?: Decoder,
    stop?: () => boolean,
    open?: Uint8Array,
  ): Promise<{ decoder: Decoder; reused: number }> {
    const { decoder: single, reused } = await Decoder.afterPrompt(model, prompt, from, stop)
    if (batch === 1 && !open) return { decoder: single, reused }
    const decoder = new Decoder(model, batch, open !== undefined)
    decoder.cache = single.cache.repeated(decoder.rows)
    decoder.readPatches = single.readPatches
    decoder.origin = single.origin
    decoder.histories = Array.from({ length: decoder.rows }, () => Bytes.of(single.history(0)))
    if (open) {
      const { decoder: other } = await Decoder.afterPrompt(model, open, from === single ? undefined : from, stop)
      for (let b = batch; b < decoder.rows; b++) {
        decoder.cache.setSequence(b, other.cache)
        decoder.histories[b] = Bytes.of(other.history(0))
      }
    }
    return { decoder, reused }
  }

  /** One sequence after `prompt`'s whole patches. */
  private static async afterPrompt(model: Model, prompt: Uint8Array, from?: Decoder, stop?: () => boolean) {
    const { patch } = model.config
    const whole = Math.floor(prompt.length / patch)
    let decoder = new Decoder(model, 1)
    let reused = 0
    for (let b = 0; from && b < from.rows; b++) {
      const same = from.reusable(prompt, b)
      if (same > reused) {
        reused = same
        decoder = from.rows === 1 ? from : from.sequence(b)
      }
    }
    if (reused) decoder.truncate(reused, prompt)
    if (reused < whole) await decoder.read(prompt.subarray(0, whole * patch), stop)
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
    open?: Uint8Array,
  ): Promise<{ decoder: Decoder; reused: number }> {
    const { patch } = model.config
    const whole = Math.floor(prompt.length / patch)
    if (!open && from?.cameThrough(prompt, Math.floor(began / patch), whole)) {
      from.goBack(whole)
      return { decoder: from, reused: whole }
    }
    if (prompt.length - began > MOST_AGAIN) return Decoder.start(model, prompt, 1, from, stop, open)
    const beginning = open?.subarray(0, began)
    const { decoder, reused } = await Decoder.start(model, prompt.subarray(0, began), 1, from, stop, beginning)
    while (decoder.nextPatch < whole && !stop?.()) {
      const at = decoder.nextPatch * patch
      await decoder.step(sampling, 0, [prompt.subarray(at, at + patch)])
    }
    return { decoder, reused }
  }

  /** Whether this one sequence read `read` patches of `prompt`, decoded on to `whole` at least, and can go back there. */
  private cameThrough(prompt: Uint8Array, read: number, whole: number): boolean {
    const { patch } = this.config
    if (this.rows > 1 || this.origin || this.readPatches !== read || whole < read || whole > this.nextPatch)
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
    single.cache = this.cache.only(b, this.rows)
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
    const { context } = this.config
    const room = hasLearnedPositions(this.config) ? context - this.cache.length : most
    return Math.min(most, attentionWindow(this.config), until - this.nextPatch, room)
  }

  /** With learned positions at their end: begins anew half a context back. `next`: patches to come to, at least. */
  private makeRoom(next: number): boolean {
    const { context } = this.config
    if (!hasLearnedPositions(this.config) || this.cache.length < context || this.nextPatch >= next) return false
    this.origin += Math.ceil(context / 2)
    this.readPatches = 0
    this.cache.clear()
    return true
  }

  /** Runs a parallel graph on patches from..from+count-1 of `bytes`, appends their cache rows, returns its outputs. */
  private async parallel(graph: "prefill" | "score" | "logits", bytes: Uint8Array, from: number, count: number) {
    const { notes, global: g, aligned } = this.config
    const feeds: Feeds = {
      ...previousFeeds(this.config, bytes, from, count, this.origin),
      mask: maskOf(this.cache.past, count, attentionWindow(this.config)),
      ...positionFeeds(this.config, this.cache.length, count),
      ...this.cacheRows(graph === "prefill" && !aligned ? g.layers - 1 : g.layers),
      ...this.carried(),
    }
    if (graph !== "prefill") Object.assign(feeds, byteFeeds(this.config, bytes, from, count))
    if (notes)
      Object.assign(
        feeds,
        noteFeeds(this.config.patch, (at) => this.listener(0, notes, bytes.subarray(0, at)), notes, bytes, {
          from,
          count,
          inside: graph !== "prefill",
        }),
      )
    const session = await this.model.session(graph)
    const out = await session.run(this.gpu ? toGpuFeeds(feeds) : feeds)
    this.appendRows(out, count)
    return out
  }

  private appendRows(out: Readonly<Record<string, unknown>>, count: number): void {
    const rows = (out[NEW_ROWS] as Tensor).data as Float32Array
    const carried = (out[NEXT_CARRIED] as Tensor | undefined)?.data as Float32Array
    const arrays = 2 * this.config.global.layers
    const each = rows.length / arrays
    this.cache.append(count, (i) => (i < arrays ? rows.subarray(i * each, (i + 1) * each) : carried))
  }

  /** What the last position left for the next one, where the model carries something. */
  private carried(): Feeds {
    const width = carriedWidth(this.config)
    return width ? { carried: new Tensor("float32", this.cache.carried, [this.rows, width]) } : {}
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
    return keysAndValues(layers, (i) => this.cache.view(i), [this.cache.past, g.kv_heads, headWidth(g)])
  }

  /** The cache as the decode graph takes it: [batch * kv heads, places, d] a layer, and which places are seen. */
  private cacheByHead(): Feeds {
    const { global: g } = this.config
    const ring = this.cache.byHead()
    const { places, mask } = ring
    // A tensor looks at the ring's own array, so that it is the same one until the ring grows.
    if (this.heads?.mask !== mask) {
      const shape = [this.rows * g.kv_heads, places, headWidth(g)]
      const feeds = {
        ...keysAndValues(g.layers, (i) => ring.array(i), shape),
        mask: new Tensor("float32", mask, [places]),
        places: new Tensor("int64", BigInt64Array.of(1n, BigInt(places)), [2]),
      }
      this.heads = { mask, feeds }
    }
    return this.heads.feeds
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
  ): Promise<DrawnPart[]> {
    const { patch } = this.config
    if (this.makeRoom(this.nextPatch + 1)) await this.readAgain()
    const { inputs, batch } = this
    const index = this.nextPatch
    inputs.fillPrevious(index === this.origin ? undefined : index - 1, (b) => this.history(b))
    const feeds: Feeds = {
      ...inputs.feeds,
      ...inputs.masks(sampling),
      ...positionFeeds(this.config, this.cache.length, 1),
    }
    inputs.fillPast((b) => this.history(b), this.onDevice !== undefined)
    const { notes } = this.config
    const attempt = notes
      ? await this.byDrafts(feeds, sampling, notes)
      : this.gpu
        ? await this.onGpu(feeds, sampling)
        : await this.onCpu(feeds, sampling)
    const given = Array.from({ length: batch }, (_, b) => known?.[b] ?? new Uint8Array())
    let forced = given
    for (;;) {
      inputs.fillNoise(sampling, seed, dropped + index * patch, forced)
      if (notes)
        for (let b = 0; b < batch; b++) inputs.due(b, this.listener(b, notes, this.history(b)), forced[b]?.length ?? 0)
      constraints?.forEach((constraint, b) => {
        const first = forced[b]?.length ?? 0
        const drawn = forced[b]?.subarray(given[b]?.length)
        for (let p = first; p < patch; p++) inputs.bar(b, p, p === first ? constraint.barred(drawn) : constraint.never)
      })
      const { parts, keep, drop } = await attempt()
      const drawn = parts.map(({ bytes, end }, b) => bytes.subarray(given[b]?.length, end))
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
      for (let b = 0; b < this.rows; b++) this.bytes(b).append((parts[b % batch] as PatchPart).bytes)
      return parts
    }
  }

  /** What draws the next patch: as often as it takes, then to be kept. */
  private async onCpu(feeds: Feeds, sampling: Sampling): Promise<() => Promise<Attempt>> {
    const { patch } = this.config
    const session = await this.model.session(decodeKinds(this.config, sampling, this.guided)[0])
    const all = { ...feeds, ...this.cacheByHead(), ...this.carried() }
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
    const session = await this.model.session(decodeKinds(this.config, sampling, this.guided)[0])
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
    return new DeviceKvCache(this.config, this.cache, this.rows, Object.fromEntries(past), half)
  }

  /** Lets go of what is held on a device. */
  release(): void {
    this.onDevice?.dispose()
    this.onDevice = undefined
  }

  /** The same sequences on another model, such as the CPU's: every one is read again. */
  async resumeOn(model: Model): Promise<Decoder> {
    const decoder = new Decoder(model, this.batch, this.guided)
    decoder.histories = this.histories.map((bytes) => Bytes.of(bytes.view()))
    await decoder.readAgain()
    return decoder
  }

  /** After `makeRoom`: every sequence's kept half is read as a new sequence of positions. */
  private async readAgain(): Promise<void> {
    this.release()
    const singles: Decoder[] = []
    for (let b = 0; b < this.rows; b++) {
      const single = new Decoder(this.model, 1)
      single.origin = this.origin
      await single.read(this.history(b))
      singles.push(single)
    }
    this.origin = singles[0]?.origin ?? 0
    if (this.rows === 1) this.cache = (singles[0] as Decoder).cache
    else for (const [b, single] of singles.entries()) this.cache.setSequence(b, single.cache)
  }

  /**
   * Log-probability and entropy (nats) of every byte of `bytes`, all patches of a chunk in parallel.
   * @param progress told the bytes done after each chunk; returns false to stop
   * @param largest patches of a chunk at most
   */
  static async score(
    model: Model,
    bytes: Uint8Array,
    progress?: (done: number) => Promise<boolean> | boolean,
    want: "score" | "logits" = "score",
    largest = CHUNK,
  ): Promise<{ logprob: Float32Array; entropy: Float32Array; logits?: Float32Array }> {
    const { patch, lookback } = model.config
    const d = new Decoder(model, 1)
    const patches = Math.ceil(bytes.length / patch)
    const most = Math.min(largest, lookback?.lpc.length ? Math.ceil(MIXED_BYTES / patch) : CHUNK)
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

/** A device's failure put in by MEGABYTE_FAULT, the number of a patch: for the tests of what follows then. */
function faultOnPurpose(patch: number): void {
  if (process.env.MEGABYTE_FAULT === String(patch)) throw new Error("a fault put in on purpose")
}
