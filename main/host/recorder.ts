import { setTimeout } from "node:timers/promises"
import type { Item } from "../../contract/app.ts"
import { type LengthUnit, lengthIn } from "../../contract/characters.ts"
import type { PatchPart } from "../../contract/engine.ts"
import type { Library } from "./library.ts"
import type { Windows } from "./windows.ts"

/** Milliseconds between two bundles of patches to the windows: one animation frame. */
const FRAME = 16
/** Milliseconds between two writes of what is being generated to the library. */
const FLUSH = 1000

type Part = { bytes: number[]; bits: number[] }
/** An item being written, and what of it is not yet sent or on disk. */
type Track = { item: Item; unsent: Part; unsaved: Part; made: number; nats: number }

const fresh = (): Part => ({ bytes: [], bits: [] })

/** Nats to bits, to a thousandth: what a window shows and the library keeps. */
export const bitsOf = (logprob: Float32Array) => Array.from(logprob, (x) => Math.round((-x / Math.LN2) * 1000) / 1000)

/** What a run makes of several items side by side: sent to the windows frame by frame, saved every second. */
export class Recorder {
  private readonly tracks: Track[]
  private readonly timers: NodeJS.Timeout[]
  /** Whether the disk did not take what was there the last time. */
  private isFull = false
  /** How much each item has got, in `unit`. */
  made = 0

  constructor(
    items: Item[],
    private readonly unit: LengthUnit,
    private readonly library: Library,
    private readonly windows: Windows,
  ) {
    this.tracks = items.map((item) => {
      const made = item.bytes - item.given
      return { item, unsent: fresh(), unsaved: fresh(), made, nats: made * item.bitsPerByte * Math.LN2 }
    })
    this.timers = [setInterval(() => this.send(), FRAME), setInterval(() => this.save(), FLUSH)]
  }

  /** Takes a patch: a part for each item. */
  take(parts: PatchPart[]): void {
    parts.forEach((part, i) => {
      const track = this.tracks[i] as Track
      const bits = bitsOf(part.logprob)
      for (const pending of [track.unsent, track.unsaved]) {
        pending.bytes.push(...part.bytes)
        pending.bits.push(...bits)
      }
      track.made += part.bytes.length
      track.nats -= part.logprob.reduce((a, x) => a + x, 0)
    })
  }

  /** Whether nothing at all has come. */
  get isEmpty(): boolean {
    return this.tracks.every(({ item, made }) => made === item.bytes - item.given)
  }

  private send(): void {
    const tracks = this.tracks.filter((track) => track.unsent.bytes.length)
    if (!tracks.length) return
    const parts = tracks.map(({ item, unsent: { bytes, bits } }) => ({
      id: item.id,
      bytes: Uint8Array.from(bytes),
      bits: Float32Array.from(bits),
    }))
    this.windows.broadcast({ type: "patches", parts })
    this.made += Math.max(...tracks.map((track) => lengthIn(this.unit, track.unsent.bytes)))
    for (const track of tracks) track.unsent = fresh()
  }

  /** Saves what is not on the disk yet; what the disk does not take waits for the next time. Returns whether all is saved. */
  private save(): boolean {
    try {
      for (const track of this.tracks) {
        const { bytes, bits } = track.unsaved
        if (bytes.length) this.library.append(track.item.id, Uint8Array.from(bytes), bits)
        track.unsaved = fresh()
      }
    } catch (error) {
      if (!this.isFull) this.windows.tellUnsaved(error)
      this.isFull = true
      return false
    }
    if (this.isFull) this.windows.tellSaved()
    this.isFull = false
    return true
  }

  /** Sends and saves what is pending, so that what is read next is whole. */
  flush(): void {
    this.send()
    this.save()
  }

  /**
   * Ends the recording, once all is saved or a person has had `enough` of waiting; then `keep` writes each item's ordinary
   * file, and its entry says what has become of it.
   */
  async end(status: Item["status"], keep: (id: string) => Promise<void>, enough: () => boolean): Promise<void> {
    for (const timer of this.timers) clearInterval(timer)
    this.send()
    while (!this.save() && !enough()) await setTimeout(FLUSH / 4)
    for (const { item } of this.tracks) await keep(item.id).catch((error) => this.windows.tellUnsaved(error))
    for (const { item, made, nats, unsaved } of this.tracks) {
      const lost = unsaved.bytes.length
      const bitsPerByte = made ? nats / Math.LN2 / made : 0
      const change = { status: lost ? "interrupted" : status, bytes: item.given + made - lost, bitsPerByte } as const
      this.windows.broadcast({ type: "item", item: this.library.updateLater(item.id, change) })
    }
  }
}
