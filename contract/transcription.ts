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
  const notes: Note[] = []
  for (const [from, to] of sounding(samples, Math.max(2, Math.round(GAP * rate)))) {
    if (to - from < SHORTEST * rate) continue
    const period = exactPeriod(samples, from, to, rate)
    if (period) notes.push(note(from, to, rate / period, true, rate))
    else notes.push(...estimated(samples, from, to, rate))
  }
  return notes
}

const note = (from: number, to: number, hertz: number, exact: boolean, rate: number): Note => ({
  start: from / rate,
  length: (to - from) / rate,
  pitch: 69 + 12 * Math.log2(hertz / 440),
  exact,
})

/** Stretches between silences of at least `gap` samples. */
function sounding(samples: Float32Array, gap: number): [number, number][] {
  const found: [number, number][] = []
  let [from, last] = [-1, -1]
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i] as number) < SILENT) continue
    if (from >= 0 && i - last > gap) {
      found.push([from, last + 1])
      from = i
    }
    if (from < 0) from = i
    last = i
  }
  if (from >= 0) found.push([from, last + 1])
  return found
}

/** The smallest period, in samples, after which the beginning of a note repeats exactly; undefined for none. */
function exactPeriod(samples: Float32Array, from: number, to: number, rate: number): number | undefined {
  const longest = Math.floor(rate / LOWEST)
  const end = Math.min(to, from + Math.max(2 * longest, Math.round(0.012 * rate)))
  for (let period = Math.floor(rate / HIGHEST); period <= longest; period++) {
    if (end - from < 1.2 * period) return undefined
    let i = from
    while (i + period < end && samples[i] === samples[i + period]) i++
    if (i + period >= end) return period
  }
  return undefined
}

/** Notes of a stretch by the least difference to one period ago, look by look; those of one pitch are one. */
function estimated(samples: Float32Array, from: number, to: number, rate: number): Note[] {
  const size = Math.round(FRAME * rate)
  const notes: Note[] = []
  for (let at = from; at + size <= to; at += size) {
    const hertz = tone(samples, at, size, rate)
    if (!hertz) continue
    const next = note(at, at + size, hertz, false, rate)
    const last = notes.at(-1)
    const joins = last && Math.abs(last.pitch - next.pitch) < 0.7 && next.start - (last.start + last.length) < 0.001
    if (joins) last.length += next.length
    else notes.push(next)
  }
  return notes.filter(({ length }) => length > 1.5 * FRAME)
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
