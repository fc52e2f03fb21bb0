import { type Sound, secondBytes } from "../../contract/modality/audio.ts"
import { decodeSamples, sampleBytes } from "../../contract/samples.ts"
import type { Content } from "../lib/content.ts"

/** Seconds of sound handed on at once, at least, but for the end; and seconds ahead of what is heard when more is. */
const SLICE = 0.5
const AHEAD = 0.75
/** How much longer than measured the rest may take to be made without a gap. */
const MARGIN = 1.15
/** Seconds over which the speed of making is measured before it is believed. */
const MEASURED = 0.5

/** What sound is handed to: the sound card, or a test. Times are in seconds, of its own clock. */
export type Speaker = {
  readonly time: number
  /** Sounds `samples` from `at` on. */
  schedule(samples: Float32Array<ArrayBuffer>, rate: number, at: number): void
  /** Drops all that has not sounded yet. */
  hush(): void
  volume: number
  close(): void
}

/** Where a player stands. `byte`: what is heard; `waiting`: it will go on once enough is made. */
export type Playing = { byte: number; playing: boolean; waiting: boolean }

/** What is known of a sound that is still being made: the bytes that it will have, as far as one can tell. */
export type Live = { total: number } | undefined

/**
 * Plays an item's sound from any time, also while it is still being made. It begins, and after a gap goes on, when what is
 * made and what will be made meanwhile, at the speed of late, last to the end.
 */
export class Player {
  /** Times that the sound ran dry before its end. */
  gaps = 0
  loop = false
  private playing = false
  private waiting = false
  /** The byte handed on next, and the speaker's time at which it will sound. */
  private next = 0
  private at = 0
  /** Bytes that were there when the making was first looked at, and when. */
  private began: { bytes: number; time: number } | undefined

  constructor(
    private readonly content: Content,
    private readonly sound: Sound,
    private readonly speaker: Speaker,
    private readonly live: () => Live,
  ) {}

  private get second(): number {
    return secondBytes(this.sound)
  }

  /** The byte that is heard. */
  get byte(): number {
    if (!this.playing || this.waiting) return this.next
    const left = Math.max(0, this.at - this.speaker.time) * this.second
    return this.aligned(Math.max(0, this.next - left))
  }

  get state(): Playing {
    return { byte: this.byte, playing: this.playing, waiting: this.waiting }
  }

  set volume(volume: number) {
    this.speaker.volume = volume
  }

  private aligned(byte: number): number {
    return Math.floor(byte) - (Math.floor(byte) % sampleBytes(this.sound))
  }

  play(): void {
    if (this.playing) return
    if (this.next >= this.content.length && !this.live()) this.next = 0
    this.playing = true
    this.waiting = true
    this.turn()
  }

  pause(): void {
    if (!this.playing) return
    this.next = this.byte
    this.playing = false
    this.waiting = false
    this.speaker.hush()
  }

  /** Goes on from `byte`, playing or not. */
  seek(byte: number): void {
    const { playing } = this
    this.pause()
    this.next = this.aligned(Math.max(0, Math.min(byte, this.content.length)))
    if (playing) this.play()
  }

  close(): void {
    this.pause()
    this.speaker.close()
  }

  /** Hands on what is due; to be called every twentieth of a second or so. */
  turn(): void {
    this.measure()
    if (!this.playing) return
    const { speaker, content, second } = this
    if (this.waiting) {
      if (!this.isEnough()) return
      this.waiting = false
      this.at = speaker.time + 0.05
    }
    while (this.at - speaker.time < AHEAD && this.next < content.length) {
      const there = content.length - this.next
      // A short slice only at the end of all: what comes later could not be joined to it in time.
      if (there < SLICE * second && this.live()) break
      const end = this.aligned(Math.min(content.length, this.next + 2 * SLICE * second))
      const samples = decodeSamples(content.bytes.slice(this.next, end), this.sound) as Float32Array<ArrayBuffer>
      speaker.schedule(samples, this.sound.rate, this.at)
      this.at += samples.length / this.sound.rate
      this.next = end
    }
    if (speaker.time < this.at) return
    if (this.live()) {
      this.gaps++
      this.waiting = true
    } else if (this.next >= content.length) this.end()
  }

  private end(): void {
    this.next = 0
    if (this.loop && this.content.length) {
      this.waiting = true
      this.turn()
    } else this.playing = false
  }

  /** Bytes a second that are made, once that is known. */
  private speed(): number | undefined {
    if (!this.began) return undefined
    const passed = this.speaker.time - this.began.time
    return passed >= MEASURED ? (this.content.length - this.began.bytes) / passed : undefined
  }

  private measure(): void {
    if (!this.live()) this.began = undefined
    else this.began ??= { bytes: this.content.length, time: this.speaker.time }
  }

  /** Whether playing can begin here and will not run dry. */
  private isEnough(): boolean {
    const live = this.live()
    const there = this.content.length - this.next
    if (!live) return true
    if (there < SLICE * this.second) return false
    const speed = this.speed()
    if (!speed) return false
    const toMake = Math.max(0, live.total - this.content.length) / speed
    // Nothing runs dry if the last byte is there in time, as all before it come at the same speed.
    return MARGIN * toMake <= (live.total - this.next) / this.second
  }
}

/** The sound card. */
export function webSpeaker(): Speaker {
  const context = new AudioContext()
  void context.resume() // its clock stands still until then
  const gain = context.createGain()
  gain.connect(context.destination)
  const sources = new Set<AudioBufferSourceNode>()
  return {
    get time() {
      return context.currentTime
    },
    get volume() {
      return gain.gain.value
    },
    set volume(volume) {
      gain.gain.value = volume
    },
    schedule(samples, rate, at) {
      const buffer = context.createBuffer(1, Math.max(1, samples.length), rate)
      buffer.copyToChannel(samples, 0)
      const source = context.createBufferSource()
      source.buffer = buffer
      source.connect(gain)
      source.onended = () => sources.delete(source)
      sources.add(source)
      source.start(at)
    },
    hush() {
      for (const source of sources) source.stop()
      sources.clear()
    },
    close: () => void context.close(),
  }
}
