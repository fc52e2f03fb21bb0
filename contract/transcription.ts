/**
 * Notes of a sound that plays one at a time. Where its periods repeat exactly, as those of our synthesizer do, that is what
 * was played; elsewhere (a hummed tune, a recording) it is an estimate, and says so.
 */

/** Seconds from the beginning, seconds, MIDI pitch with its fraction, and whether its periods repeat exactly. */
export type Note = { start: number; length: number; pitch: number; exact: boolean }

/** Fundamentals that are looked for, in hertz. */
const [LOWEST, HIGHEST] = [100, 1000]
/** Seconds of silence between notes, and of the shortest note. */
const [GAP, SHORTEST] = [0.001, 0.02]
/** Samples below this are silence. */
const SILENT = 0.006
/** Seconds of one look at a sound that does not repeat exactly. */
const FRAME = 0.04
/** Largest mean difference to one period ago, as a share of the level, that is still a tone. */
const ROUGH = 0.35

/** @param samples -1..1; @param rate a second */
export function notesOf(samples: Float32Array, rate: number): Note[] {
  const listener = new Listener(rate)
  listener.hear(samples)
  return listener.notes
}

/** A stretch of sound that is not over yet, and what is known of its notes. */
type Stretch = {
  from: number
  /** The last sample that is not silent. */
  last: number
  /** Samples after which it repeats, once enough is there to tell; undefined where it does not. */
  period: number | undefined
  isTold: boolean
  /** Estimates up to `at`. */
  estimates: Note[]
  at: number
}

/** Hears the notes of a sound as it grows: what was heard is not listened to again. */
export class Listener {
  private samples = new Float32Array(4096)
  private length = 0
  private readonly done: Note[] = []
  private open: Stretch | undefined
  private readonly gap: number

  constructor(private readonly rate: number) {
    this.gap = Math.max(2, Math.round(GAP * rate))
  }

  /** Takes the samples that come next. */
  hear(more: Float32Array): void {
    const from = this.length
    this.length += more.length
    if (this.length > this.samples.length) {
      const larger = new Float32Array(Math.max(this.length, 2 * this.samples.length))
      larger.set(this.samples.subarray(0, from))
      this.samples = larger
    }
    this.samples.set(more, from)
    for (let i = from; i < this.length; i++) {
      if (Math.abs(this.samples[i] as number) < SILENT) continue
      if (this.open && i - this.open.last > this.gap) {
        for (const one of this.notesIn(this.open)) this.done.push(one)
        this.open = undefined
      }
      this.open ??= { from: i, last: i, period: undefined, isTold: false, estimates: [], at: i }
      this.open.last = i
    }
  }

  /** All notes up to here; the last of them may get longer. */
  get notes(): Note[] {
    return this.open ? [...this.done, ...this.notesIn(this.open)] : [...this.done]
  }

  private notesIn(stretch: Stretch): Note[] {
    const { samples, rate } = this
    const [from, to] = [stretch.from, stretch.last + 1]
    if (to - from < SHORTEST * rate) return []
    if (!stretch.isTold) {
      stretch.period = exactPeriod(samples, from, to, rate)
      stretch.isTold = to - from >= looked(rate)
    }
    if (stretch.period) return [note(from, to, rate / stretch.period, true, rate)]
    stretch.at = estimate(samples, stretch.at, to, rate, stretch.estimates)
    // A copy: the last of them goes on while the stretch does.
    return stretch.estimates.filter(({ length }) => length > 1.5 * FRAME).map((one) => ({ ...one }))
  }
}

const note = (from: number, to: number, hertz: number, exact: boolean, rate: number): Note => ({
  start: from / rate,
  length: (to - from) / rate,
  pitch: 69 + 12 * Math.log2(hertz / 440),
  exact,
})

/** Samples of a note's beginning by which it is told whether it repeats. */
const looked = (rate: number) => Math.max(2 * Math.floor(rate / LOWEST), Math.round(0.012 * rate))

/** The smallest period, in samples, after which the beginning of a note repeats exactly; undefined for none. */
function exactPeriod(samples: Float32Array, from: number, to: number, rate: number): number | undefined {
  const longest = Math.floor(rate / LOWEST)
  const end = Math.min(to, from + looked(rate))
  for (let period = Math.floor(rate / HIGHEST); period <= longest; period++) {
    if (end - from < 1.2 * period) return undefined
    let i = from
    while (i + period < end && samples[i] === samples[i + period]) i++
    if (i + period >= end) return period
  }
  return undefined
}

/**
 * Adds the notes from `at` on by the least difference to one period ago, look by look; those of one pitch are one.
 * @returns where the next look begins
 */
function estimate(samples: Float32Array, at: number, to: number, rate: number, notes: Note[]): number {
  const size = Math.round(FRAME * rate)
  let next = at
  for (; next + size <= to; next += size) {
    const hertz = tone(samples, next, size, rate)
    if (!hertz) continue
    const heard = note(next, next + size, hertz, false, rate)
    const last = notes.at(-1)
    const joins = last && Math.abs(last.pitch - heard.pitch) < 0.7 && heard.start - (last.start + last.length) < 0.001
    if (joins) last.length += heard.length
    else notes.push(heard)
  }
  return next
}

/** Frequency of a frame: the shortest period whose difference is near the least of all (de Cheveigne and Kawahara 2002). */
function tone(samples: Float32Array, at: number, size: number, rate: number): number | undefined {
  const [shortest, longest] = [Math.floor(rate / HIGHEST), Math.min(Math.floor(rate / LOWEST), size >> 1)]
  const count = size - longest
  const differences = Array.from({ length: longest + 1 }, (_, period) => {
    let [difference, level] = [0, 0]
    for (let i = at; i < at + count; i++) {
      const [a, b] = [samples[i] as number, samples[i + period] as number]
      difference += Math.abs(a - b)
      level += Math.abs(a) + Math.abs(b)
    }
    return level ? difference / level : 1
  })
  const of = (period: number) => differences[period] as number
  let least = shortest
  for (let period = shortest; period <= longest; period++) if (of(period) < of(least)) least = period
  if (of(least) > ROUGH) return undefined
  let period = shortest
  while (period < least && of(period) > of(least) + 0.1) period++
  while (period < longest && of(period + 1) < of(period)) period++
  const [before, here, after] = [of(period - 1), of(period), of(Math.min(period + 1, longest))]
  const bend = before - 2 * here + after
  return rate / (period + (bend > 0 ? (before - after) / (2 * bend) : 0))
}

const HEADER = [0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6, 0, 0, 0, 1, 0x01, 0xf4] // one track, 500 ticks a beat
const TEMPO = [0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20] // half a second a beat: a tick is a millisecond

/** Notes as a standard MIDI file, format 0, a tick a millisecond. */
export function writeMidi(notes: readonly Note[]): Uint8Array<ArrayBuffer> {
  const events = notes.flatMap(({ start, length, pitch }) => {
    const key = Math.max(0, Math.min(127, Math.round(pitch)))
    const [on, off] = [Math.round(1000 * start), Math.round(1000 * (start + length))]
    return [
      { at: on, bytes: [0x90, key, 84] },
      { at: Math.max(on + 1, off), bytes: [0x80, key, 0] },
    ]
  })
  events.sort((a, b) => a.at - b.at || (a.bytes[0] as number) - (b.bytes[0] as number))
  const track: number[] = [...TEMPO]
  let now = 0
  for (const { at, bytes } of events) {
    track.push(...variableLength(at - now), ...bytes)
    now = at
  }
  track.push(0, 0xff, 0x2f, 0)
  const size = [24, 16, 8, 0].map((shift) => (track.length >> shift) & 255)
  return Uint8Array.from([...HEADER, 0x4d, 0x54, 0x72, 0x6b, ...size, ...track])
}

/** A number as MIDI writes it: seven bits a byte, all but the last with the eighth set. */
function variableLength(value: number): number[] {
  const bytes = [value & 127]
  for (let rest = value >> 7; rest; rest >>= 7) bytes.unshift((rest & 127) | 128)
  return bytes
}
