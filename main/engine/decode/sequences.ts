import { Bytes } from "../../../contract/bytes.ts"
import { attentionWindow, carriedWidth, hasLearnedPositions, headWidth, type Notes } from "../../../contract/pack.ts"
import { Listener } from "../features/notes.ts"
import { NEW_ROWS, NEXT_CARRIED } from "../graph/names.ts"
import { Tensor } from "../onnxruntime.ts"
import type { Feeds } from "./feeds.ts"
import { KvCache } from "./kv-cache.ts"
import type { Model } from "./model.ts"

/** Positions that the parallel graphs take at once; bounds their memory whatever the length of a file. */
export const CHUNK = 256

/**
 * Sequences of one length: their bytes, and what the global model keeps of them. The position of a patch is its number
 * from the first byte; its global input is the patch before (or the padding patch), so position k needs the cache rows
 * 0..k-1.
 *
 * Learned positions end at the context: there the last half of the context becomes the beginning of a new
 * sequence, which is read again (paper, section 5: sliding window by half).
 */
export class Sequences {
  cache: KvCache
  /** Patch at which the present sequence of positions began; moves with learned positions alone. */
  origin = 0
  /** Patches from the origin on whose rows were read, not decoded, chunk by chunk. */
  readPatches = 0
  /** Bytes so far, one array a sequence, from `origin` on: what the cache was built from, and the running patch. */
  private histories: Bytes[]
  /** With notes: what was heard of each sequence. */
  private listeners: Listener[] = []

  /** `count` sequences that nothing is known of. */
  constructor(
    readonly model: Model,
    readonly count: number,
  ) {
    const { config } = model
    const { global: g } = config
    const heads = count * g.kv_heads
    this.cache = new KvCache(g.layers, heads, headWidth(g), attentionWindow(config), count * carriedWidth(config))
    this.histories = Array.from({ length: count }, () => new Bytes())
  }

  /** Single sequences side by side, all of one length and of one origin. */
  static joined(singles: readonly Sequences[]): Sequences {
    const [first] = singles as [Sequences]
    const all = new Sequences(first.model, singles.length)
    all.cache = KvCache.joined(singles.map(({ cache }) => cache))
    all.origin = first.origin
    all.readPatches = first.readPatches
    all.histories = singles.map((single) => Bytes.of(single.history(0)))
    return all
  }

  /** Sequence b alone. */
  only(b: number): Sequences {
    const single = new Sequences(this.model, 1)
    single.origin = this.origin
    single.histories = [Bytes.of(this.history(b))]
    single.cache = this.cache.only(b, this.count)
    single.readPatches = this.readPatches
    return single
  }

  get config() {
    return this.model.config
  }

  /** Number of the patch that comes next. */
  get nextPatch(): number {
    return this.origin + this.cache.length
  }

  /** Bytes that the state stands for, of sequence b (a multiple of P, with those of the running patch after). */
  history(b: number): Uint8Array {
    return (this.histories[b] as Bytes).view()
  }

  append(b: number, bytes: Uint8Array): void {
    this.histories[b]?.append(bytes)
  }

  /** What was heard of sequence b, of which `history` is known by now. */
  listener(b: number, notes: Notes, history = this.history(b)): Listener {
    let listener = this.listeners[b]
    if (!listener) {
      listener = new Listener(notes, this.config.patch, this.model.instruments)
      this.listeners[b] = listener
    }
    listener.follow(history)
    return listener
  }

  /** One sequence stands after the patches of `bytes`, which were read. */
  wasRead(bytes: Uint8Array): void {
    this.readPatches = this.origin ? 0 : this.nextPatch
    this.histories = [Bytes.of(bytes)]
  }

  /** Patches that a parallel graph takes next, on the way to patch `until`. */
  chunk(until: number, most = CHUNK): number {
    const { context } = this.config
    const room = hasLearnedPositions(this.config) ? context - this.cache.length : most
    return Math.min(most, attentionWindow(this.config), until - this.nextPatch, room)
  }

  /** With learned positions at their end: begins anew half a context back. `next`: patches to come to, at least. */
  makeRoom(next: number): boolean {
    const { context } = this.config
    if (!hasLearnedPositions(this.config) || this.cache.length < context || this.nextPatch >= next) return false
    this.origin += Math.ceil(context / 2)
    this.readPatches = 0
    this.cache.clear()
    return true
  }

  /** Takes over what a graph says of `count` positions. */
  appendRows(out: Readonly<Record<string, unknown>>, count: number): void {
    const rows = (out[NEW_ROWS] as Tensor).data as Float32Array
    const carried = (out[NEXT_CARRIED] as Tensor | undefined)?.data as Float32Array
    const arrays = 2 * this.config.global.layers
    const each = rows.length / arrays
    this.cache.append(count, (i) => (i < arrays ? rows.subarray(i * each, (i + 1) * each) : carried))
  }

  /** What the last position left for the next one, where the model carries something. */
  carried(): Feeds {
    const width = carriedWidth(this.config)
    return width ? { carried: new Tensor("float32", this.cache.carried, [this.count, width]) } : {}
  }

  /**
   * Whole patches of `prompt` that need no prefill because sequence b read them just as it would read them now. Rows that
   * were decoded are not those that reading makes (in int8 the two have other weights), nor are rows of another chunk:
   * with them a run would depend on what ran before.
   */
  reusable(prompt: Uint8Array, b: number): number {
    const { patch, context } = this.config
    if (this.origin) return 0
    const known = this.history(b)
    const limit = Math.min(known.length, prompt.length)
    let same = 0
    while (same < limit && known[same] === prompt[same]) same++
    const whole = Math.floor(prompt.length / patch)
    if (hasLearnedPositions(this.config) && whole > context) return 0
    // Row k was made from patch k - 1: the same k patches give rows 0..k.
    const patches = Math.min(Math.floor(same / patch) + 1, this.readPatches, whole)
    const grid = Math.min(CHUNK, attentionWindow(this.config))
    const exact = patches === whole && this.readPatches === whole ? whole : patches - (patches % grid)
    return exact > 0 && exact <= this.cache.held && this.cache.canTruncate(exact) ? exact : 0
  }

  /** Whether this one sequence read `read` patches of `prompt`, decoded on to `whole` at least, and can go back there. */
  cameThrough(prompt: Uint8Array, read: number, whole: number): boolean {
    const { patch } = this.config
    if (this.count > 1 || this.origin || this.readPatches !== read || whole < read || whole > this.nextPatch)
      return false
    if (!Buffer.from(prompt.subarray(0, whole * patch)).equals(this.history(0).subarray(0, whole * patch))) return false
    return whole === this.nextPatch || (whole <= this.cache.held && this.cache.canTruncate(whole))
  }

  /** One sequence goes back to `patches` whole patches of `prompt`, of which `read` were read. */
  truncate(patches: number, prompt: Uint8Array, read = patches): void {
    this.cache.truncate(patches - this.origin)
    this.readPatches = read
    this.histories = [Bytes.of(prompt.subarray(0, patches * this.config.patch))]
    this.listeners = []
  }
}
