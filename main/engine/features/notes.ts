import constants from "../../../contract/constants.json" with { type: "json" }
import type { Notes } from "../../../contract/pack.ts"
import { SILENCE } from "../../../contract/samples.ts"

/**
 * Notes heard in the sound before a patch: the pitch period, how long it has lasted, what stood a bar ago. The same
 * numbers as in training/megabyte/features/notes.py, by the same constants; all are rows of an embedding table.
 *
 * A note is sound after silence. Its period is the smallest whole number of samples after which it repeats exactly; where
 * a patch has none (it grew softer), the note keeps the one that it had.
 */

const RATE = constants.notes.rate
/** Samples of silence at a patch's end that end a note. */
const GAP = constants.notes.gap
/** Periods in samples, and samples at least that repeat. */
const { shortestPeriod: SHORTEST, longestPeriod: LONGEST, overlap: OVERLAP } = constants.notes
/** Of a patch: its period (0: none), whether a note begins in it and ends in it. */
const STATES = 4 * (LONGEST + 1)
/** Patches since the last note or rest began, as far as they are told apart. */
const AGES = constants.notes.ages
/** Bits of the number of patches that came as a number of bars ago. */
const RUNS = constants.notes.runs
/** Of the time so far, of each pitch class: bits of how many such steps it has. */
const { shares: SHARES, shareSteps: SHARE_STEPS } = constants.notes
/** The byte where there is none. */
const NONE = 256

/** Rows of each column of the global model's table. */
export function patchSizes({ bar, bars, before }: Notes): number[] {
  const each = (count: number, sizes: number[]) => Array<number[]>(count).fill(sizes).flat()
  return [
    256,
    STATES,
    AGES,
    bar,
    ...each(bars.length, [STATES]),
    ...each(bars.length, [RUNS]),
    ...each(before, [LONGEST + 1, AGES]),
    ...each(12, [SHARES]),
  ]
}

/** Rows of each column of the local model's table: the byte a period ago, the place in the period, the byte recalled. */
export const BYTE_SIZES = [NONE + 1, LONGEST + 1, NONE + 1]
export const BYTE_COLUMNS = BYTE_SIZES.length

/** Guesses of a byte, where the head has logits of what is left after them: those a period ago and recalled. */
export const GUESSES = 2

export const total = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0)

const pitchClass = (period: number) => Math.round(69 + 12 * Math.log2(RATE / period / 440)) % 12

/** Bits of a whole number: 0 for 0, 1 for 1, 2 for 2 and 3, and so on. */
const bits = (x: number) => 32 - Math.clz32(x)

/** What was heard in a patch. */
type Heard = { period: number; silent: boolean; began: boolean; ended: boolean; since: number; state: number }

/** Listens to one sequence, patch by patch, and tells what is known before the next one. */
export class Listener {
  private readonly heard: Heard[] = []
  private before: Uint8Array | undefined
  private style = SILENCE
  /** For each of the bars: how many patches in a row came as they did so long ago. */
  private readonly runs: number[]
  private readonly sounding = new Array<number>(12).fill(0)
  /** The last patch in which a note began with each byte. */
  private readonly began = new Map<number, Uint8Array>()
  private readonly offsets: number[]

  /** @param instruments of each the first patches of its notes, which a header's style makes known from the beginning */
  constructor(
    private readonly notes: Notes,
    private readonly patch: number,
    private readonly instruments: readonly Uint8Array[] = [],
  ) {
    this.runs = notes.bars.map(() => 0)
    const sizes = patchSizes(notes)
    this.offsets = sizes.map((_, i) => total(sizes.slice(0, i)))
  }

  /** Patches heard so far. */
  get length(): number {
    return this.heard.length
  }

  /** Whether a note is due: a tune begins with one, and no rest is longer than a bar. */
  get isNoteDue(): boolean {
    const last = this.heard[this.length - 1]
    if (!last?.silent) return false
    const rest = this.length - last.since
    return last.since === 0 || rest >= this.notes.bar
  }

  /** The place in the next patch at which a note must end, as none is longer than a bar; undefined where it need not. */
  get endDue(): number | undefined {
    const last = this.heard[this.length - 1]
    if (!last || last.ended || !last.period || this.length + 1 - last.since < this.notes.bar) return undefined
    const within = ((this.length - last.since) * this.patch) % last.period
    const first = (last.period - within) % last.period
    // The last beginning of a period after which silence is long enough to be heard as an end.
    const most = this.patch - GAP
    return first <= most ? most - ((most - first) % last.period) : undefined
  }

  /** Hears what of `history`, the same sequence as ever, is whole patches and new. */
  follow(history: Uint8Array): void {
    const { patch } = this
    while ((this.length + 1) * patch <= history.length)
      this.hear(history.subarray(this.length * patch, (this.length + 1) * patch))
  }

  private hear(given: Uint8Array): void {
    const { heard, notes } = this
    const bytes = given.slice() // the history's memory may move
    const at = heard.length
    const last = heard[at - 1]
    const silent = bytes.every((byte) => byte === bytes[0])
    if (at === 0 && silent) this.begin(bytes[0] as number)
    const tail = silenceAt(bytes)
    const ended = silent || tail > 0
    const began = !silent && (last?.ended ?? true)
    const rest = silent && !last?.silent
    const since = began || rest ? at : (last?.since ?? 0)
    const own = silent ? 0 : periodOf(began ? undefined : this.before, bytes, tail)
    const period = silent ? 0 : own || (began ? 0 : (last?.period ?? 0))
    const state = 4 * period + 2 * Number(began) + Number(ended)
    notes.bars.forEach((bars, i) => {
      const lag = notes.bar * bars
      this.runs[i] = at >= lag && heard[at - lag]?.state === state ? (this.runs[i] as number) + 1 : 0
    })
    if (period) {
      const pitch = pitchClass(period)
      this.sounding[pitch] = (this.sounding[pitch] as number) + 1
    }
    if (began) this.began.set(bytes[0] as number, bytes)
    heard.push({ period, silent, began, ended, since, state })
    this.before = bytes
  }

  /** Takes in the header's style, and with it what its instrument sounds like. */
  private begin(style: number): void {
    this.style = style
    const known = this.instruments[(style - SILENCE - 1) % this.instruments.length]
    for (let at = 0; known && at < known.length; at += this.patch)
      this.began.set(known[at] as number, known.subarray(at, at + this.patch))
  }

  /** Rows of the global model's table for the next patch. */
  patchRows(): number[] {
    const { heard, notes } = this
    const at = heard.length
    const last = heard[at - 1]
    const state = (patch: number) => heard[patch]?.state ?? 0
    const age = (from: number, to: number) => Math.min(AGES - 1, to - from)
    const columns = [
      last ? this.style : SILENCE,
      state(at - 1),
      last ? age(last.since, at - 1) : 0,
      at % notes.bar,
      ...notes.bars.map((bars) => state(at - notes.bar * bars)),
      ...this.runs.map((run) => Math.min(RUNS - 1, bits(run))),
    ]
    let since = last?.since ?? 0
    for (let i = 0; i < notes.before; i++) {
      const note = since > 0 ? heard[since - 1] : undefined
      columns.push(note?.period ?? 0, note ? age(note.since, since) : 0)
      since = note?.since ?? 0
    }
    const all = total(this.sounding)
    columns.push(...this.sounding.map((count) => bits(Math.floor((SHARE_STEPS * count) / Math.max(1, all)))))
    return columns.map((row, i) => row + (this.offsets[i] as number))
  }

  /**
   * Rows of the local model's table for the bytes of the next patch, [patch * BYTE_COLUMNS] into `rows`, and the bytes
   * guessed, [patch * GUESSES] into `guesses`. Those of a byte depend on those before it alone.
   */
  byteRows(bytes: Uint8Array, rows: BigInt64Array, guesses: BigInt64Array): void {
    const { patch } = this
    const last = this.heard[this.length - 1]
    const period = last && !last.ended ? last.period : 0
    const place = last ? (this.length - last.since) * patch : 0
    const recalled = this.recalled(bytes[0] as number)
    for (let p = 0; p < patch; p++) {
      const before = p < period ? this.before?.[patch + p - period] : bytes[p - period]
      const ago = period ? before : undefined
      const known = p > 0 ? recalled?.[p] : undefined
      rows[p * BYTE_COLUMNS] = BigInt(ago ?? NONE)
      rows[p * BYTE_COLUMNS + 1] = BigInt(NONE + 1 + (period ? (place + p) % period : LONGEST))
      rows[p * BYTE_COLUMNS + 2] = BigInt(NONE + 1 + LONGEST + 1 + (known ?? NONE))
      guesses[p * GUESSES] = BigInt(ago ?? SILENCE)
      guesses[p * GUESSES + 1] = BigInt(known ?? SILENCE)
    }
  }

  /** The last patch in which a note began with `first`, where a note may begin now. */
  recalled(first: number): Uint8Array | undefined {
    return this.heard[this.length - 1]?.ended ? this.began.get(first) : undefined
  }

  /** The likeliest bytes of the next patch: those a period ago, or silence. */
  guess(): Uint8Array<ArrayBuffer> {
    const guess = new Uint8Array(this.patch).fill(SILENCE)
    const last = this.heard[this.length - 1]
    if (!last || last.ended || !last.period || !this.before) return guess
    for (let p = 0; p < this.patch; p++)
      guess[p] = (p < last.period ? this.before[this.patch + p - last.period] : guess[p - last.period]) as number
    return guess
  }
}

/** Samples of silence at the end of a patch, or 0 for fewer than GAP. */
function silenceAt(bytes: Uint8Array): number {
  let count = 0
  while (count < bytes.length && bytes[bytes.length - 1 - count] === SILENCE) count++
  return count >= GAP ? count : 0
}

/** The smallest period of a patch with the one before it, if any, `tail` samples left out; 0 for none. */
function periodOf(before: Uint8Array | undefined, bytes: Uint8Array, tail: number): number {
  const sound = before ? Uint8Array.of(...before, ...bytes) : bytes
  const end = sound.length - tail
  for (let period = SHORTEST; period <= LONGEST && end - period >= OVERLAP; period++) {
    let at = 0
    while (at < end - period && sound[at] === sound[at + period]) at++
    if (at === end - period) return period
  }
  return 0
}
