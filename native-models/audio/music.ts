import type { Note } from "../../contract/transcription.ts"

/** What the notes of a tune are like, for the report: whether it is music, in numbers. */

/** Seconds of a patch, on which notes begin, and of a bar of training. */
const PATCH = 0.012
const BAR = 96 * PATCH
const MAJOR = [0, 2, 4, 5, 7, 9, 11]
/** Share of a tune's time in one scale from which on it stays in one key. */
const ONE_KEY = 0.95

export type Music = {
  /** Share of sounding time within 40 cents of the scale of twelve, A being 440 Hz. */
  inTune: number
  /** Steps from note to note, an octave down to an octave up. */
  intervals: number[]
  /** Lengths from one note to the next as ratios to the commonest, in quarter octaves from an eighth to eightfold. */
  lengths: number[]
  /** Time on the degrees of the scale that most of it lies in, in semitones from its first. */
  degrees: number[]
  /** Whether nearly all of it lies in that scale. */
  oneKey: boolean
  /** Share of bars that are some bar before, note for note. */
  comesBack: number
}

const shares = (counts: number[]) => {
  const all = counts.reduce((sum, x) => sum + x, 0)
  return counts.map((x) => (all ? x / all : 0))
}
const add = (counts: number[], at: number, by: number) => {
  counts[at] = (counts[at] ?? 0) + by
}
const clamp = (x: number, most: number) => Math.max(-most, Math.min(most, x))

/** The measures of one tune's notes. */
export function musicOf(notes: readonly Note[]): Music {
  const key = (pitch: number) => Math.round(pitch)
  const [all, tuned] = [notes, notes.filter(({ pitch }) => Math.abs(pitch - key(pitch)) <= 0.4)].map((some) =>
    some.reduce((sum, { length }) => sum + length, 0),
  ) as [number, number]
  const intervals = new Array<number>(25).fill(0)
  const steps: number[] = []
  for (const [i, next] of notes.entries()) {
    const last = notes[i - 1]
    if (!last) continue
    add(intervals, 12 + clamp(key(next.pitch) - key(last.pitch), 12), 1)
    steps.push(Math.max(1, Math.round((next.start - last.start) / PATCH)))
  }
  const counted = new Map<number, number>()
  for (const step of steps) counted.set(step, (counted.get(step) ?? 0) + 1)
  const commonest = [...counted].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 1
  const lengths = new Array<number>(25).fill(0)
  for (const step of steps) add(lengths, 12 + clamp(Math.round(4 * Math.log2(step / commonest)), 12), 1)

  const time = new Array<number>(12).fill(0)
  for (const { pitch, length } of notes) add(time, ((key(pitch) % 12) + 12) % 12, length)
  const inside = time.map((_, first) => MAJOR.reduce((sum, degree) => sum + (time[(first + degree) % 12] as number), 0))
  const first = inside.indexOf(Math.max(...inside))
  const degrees = shares(time.map((_, degree) => time[(first + degree) % 12] as number))

  const bars = new Map<number, string>()
  for (const { start, pitch } of notes) {
    const bar = Math.floor(start / BAR + 1e-6)
    const place = Math.round((start - bar * BAR) / PATCH)
    bars.set(bar, `${bars.get(bar) ?? ""} ${place}:${key(pitch)}`)
  }
  const written = [...bars.values()]
  const known = written.filter((bar, i) => written.indexOf(bar) < i).length
  return {
    inTune: all ? tuned / all : 0,
    intervals: shares(intervals),
    lengths: shares(lengths),
    degrees,
    oneKey: all > 0 && (inside[first] as number) >= ONE_KEY * all,
    comesBack: written.length ? known / written.length : 0,
  }
}

/** The mean of several tunes' measures; `oneKey` as the share of them. */
export function meanMusic(tunes: readonly Music[]): Omit<Music, "oneKey"> & { oneKey: number } {
  const mean = (of: (tune: Music) => number) => tunes.reduce((sum, tune) => sum + of(tune), 0) / tunes.length
  const means = (of: (tune: Music) => number[]) => of(tunes[0] as Music).map((_, i) => mean((tune) => of(tune)[i] ?? 0))
  return {
    inTune: mean((t) => t.inTune),
    intervals: means((t) => t.intervals),
    lengths: means((t) => t.lengths),
    degrees: means((t) => t.degrees),
    oneKey: mean((t) => Number(t.oneKey)),
    comesBack: mean((t) => t.comesBack),
  }
}

/** Half the sum of the differences of two distributions: 0 the same, 1 nothing in common. */
export const distance = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] ?? 0)), 0) / 2
