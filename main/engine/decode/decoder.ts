import type { PatchPart } from "../../../contract/engine.ts"
import { headWidth, type ModelConfig, type Notes } from "../../../contract/pack.ts"
import { isGuided, masksOf, type Sampling } from "../../../contract/sampling.ts"
import type { DecodeKind } from "../compile/compile.ts"
import { carriedPast } from "../graph/byte-features.ts"
import { Tensor } from "../onnxruntime.ts"
import type { Constraint } from "./constraint.ts"
import { DecodeInputs } from "./decode-inputs.ts"
import { DeviceKvCache, disposeOnDevice } from "./device-kv-cache.ts"
import { drawByDrafts } from "./drafts.ts"
import { chosenFeeds, type DrawnPart, type Feeds, keysAndValues, partsOf, positionFeeds, toGpuFeeds } from "./feeds.ts"
import type { Model } from "./model.ts"
import { readAgain, readPrompt } from "./prefill.ts"
import { Sequences } from "./sequences.ts"

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

/** Decodes continuations of one prompt, patch by patch. What is known of them by then are its `sequences`. */
export class Decoder {
  private readonly inputs: DecodeInputs
  /** On a CPU: the ring's arrays as inputs, and the mask that says whether they are still those. */
  private heads: { mask: Float32Array; feeds: Feeds } | undefined
  /** On a GPU: the cache as it stands there, once a patch was made. */
  private onDevice: DeviceKvCache | undefined

  /** @param batch sequences that draw: all, or under guidance the first half; the others are the same, their style left open */
  private constructor(
    private readonly sequences: Sequences,
    readonly batch: number,
  ) {
    this.inputs = new DecodeInputs(sequences.config, sequences.count, batch)
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
    const { sequence, reused } = await readPrompt(model, prompt, from?.sequences, stop)
    const isTaken = sequence === from?.sequences
    if (isTaken) from?.release()
    if (batch === 1 && !open) return { decoder: new Decoder(sequence, 1), reused }
    const singles = Array<Sequences>(batch).fill(sequence)
    if (open) {
      const { sequence: away } = await readPrompt(model, open, isTaken ? undefined : from?.sequences, stop)
      singles.push(...Array<Sequences>(batch).fill(away))
    }
    return { decoder: new Decoder(Sequences.joined(singles), batch), reused }
  }

  /**
   * A decoder that stands after `prompt`'s whole patches as one does that read only the first `began` bytes of it and
   * decoded the rest: `from` where it did just that, else one that decodes them again. Of more than a person would wait
   * for all is read, and what follows may be other bytes.
   */
  static async resume(
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
    if (!open && from?.sequences.cameThrough(prompt, Math.floor(began / patch), whole)) {
      from.rewind(whole)
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

  /** The same sequences on another model, such as the CPU's: every one is read again. */
  async movedTo(model: Model): Promise<Decoder> {
    const sequences = new Sequences(model, this.sequences.count)
    for (let b = 0; b < sequences.count; b++) sequences.append(b, this.history(b))
    await readAgain(sequences)
    return new Decoder(sequences, this.batch)
  }

  get config(): ModelConfig {
    return this.sequences.config
  }

  private get model(): Model {
    return this.sequences.model
  }

  private get guided(): boolean {
    return this.sequences.count > this.batch
  }

  /** Number of the patch that `step` makes next. */
  get nextPatch(): number {
    return this.sequences.nextPatch
  }

  /** Bytes of sequence b so far. */
  history(b: number): Uint8Array {
    return this.sequences.history(b)
  }

  /** Goes back to `whole` of its own patches; those that it read count as read. */
  private rewind(whole: number): void {
    if (whole === this.nextPatch) return
    this.release()
    this.sequences.truncate(whole, this.history(0), this.sequences.readPatches)
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
    const { inputs, batch, sequences } = this
    if (sequences.makeRoom(this.nextPatch + 1)) {
      this.release()
      await readAgain(sequences)
    }
    const index = this.nextPatch
    inputs.fillPrevious(index === sequences.origin ? undefined : index - 1, (b) => sequences.history(b))
    const feeds: Feeds = {
      ...inputs.feeds,
      ...inputs.masks(sampling),
      ...positionFeeds(this.config, sequences.cache.length, 1),
    }
    inputs.fillPast((b) => sequences.history(b), this.onDevice !== undefined)
    const { notes } = this.config
    const attempt = notes
      ? await this.byDrafts(feeds, sampling, notes)
      : this.model.device === "cpu"
        ? await this.onCpu(feeds, sampling)
        : await this.onGpu(feeds, sampling)
    const given = Array.from({ length: batch }, (_, b) => known?.[b] ?? new Uint8Array())
    let forced = given
    for (;;) {
      inputs.fillNoise(sampling, seed, dropped + index * patch, forced)
      if (notes) for (let b = 0; b < batch; b++) inputs.due(b, sequences.listener(b, notes), forced[b]?.length ?? 0)
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
      for (let b = 0; b < sequences.count; b++) sequences.append(b, (parts[b % batch] as PatchPart).bytes)
      return parts
    }
  }

  /** What draws the next patch: as often as it takes, then to be kept. */
  private async onCpu(feeds: Feeds, sampling: Sampling): Promise<() => Promise<Attempt>> {
    const { patch } = this.config
    const session = await this.model.session(decodeKinds(this.config, sampling, this.guided)[0])
    const all = { ...feeds, ...this.cacheByHead(), ...this.sequences.carried() }
    return async () => {
      const out = await session.run(all)
      const parts = partsOf(out.result as Tensor, patch, this.batch, (b, p) => p * this.batch + b)
      return { parts, keep: () => this.sequences.appendRows(out, 1), drop: () => {} }
    }
  }

  /** The same where notes tell what comes next; see drafts.ts. */
  private async byDrafts(feeds: Feeds, sampling: Sampling, notes: Notes): Promise<() => Promise<Attempt>> {
    const { batch } = this
    const listeners = Array.from({ length: batch }, (_, b) => this.sequences.listener(b, notes))
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
      return { parts, keep: () => this.sequences.appendRows(out, 1), drop: () => {} }
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
        this.sequences.cache.advance()
      }
      return { parts, keep, drop: () => disposeOnDevice(out as Feeds) }
    }
  }

  /** The cache as the decode graph takes it: [batch * kv heads, places, d] a layer, and which places are seen. */
  private cacheByHead(): Feeds {
    const { global: g } = this.config
    const ring = this.sequences.cache.byHead()
    const { places, mask } = ring
    // A tensor looks at the ring's own array, so that it is the same one until the ring grows.
    if (this.heads?.mask !== mask) {
      const shape = [this.sequences.count * g.kv_heads, places, headWidth(g)]
      const feeds = {
        ...keysAndValues(g.layers, (i) => ring.array(i), shape),
        mask: new Tensor("float32", mask, [places]),
        places: new Tensor("int64", BigInt64Array.of(1n, BigInt(places)), [2]),
      }
      this.heads = { mask, feeds }
    }
    return this.heads.feeds
  }

  /** The cache and the bytes before (among the inputs `given`), for the device to keep. */
  private toDevice(given: Feeds): DeviceKvCache {
    const past = carriedPast(this.config, true).map(({ name }) => [name, given[name] as Tensor])
    const half = this.model.precision === "fp16"
    return new DeviceKvCache(this.config, this.sequences.cache, this.sequences.count, Object.fromEntries(past), half)
  }

  /** Lets go of what is held on a device. */
  release(): void {
    this.onDevice?.dispose()
    this.onDevice = undefined
  }
}

/** A device's failure put in by MEGABYTE_FAULT, the number of a patch: for the tests of what follows then. */
function faultOnPurpose(patch: number): void {
  if (process.env.MEGABYTE_FAULT === String(patch)) throw new Error("a fault put in on purpose")
}
