import { describe, expect, it } from "vitest"
import { SILENCE } from "../../../contract/samples.ts"
import { BYTE_COLUMNS, GUESSES, Listener, patchSizes, total } from "./notes.ts"

const notes = { bar: 4, bars: [1, 2], before: 2, width: 8, guesses: true }
const patch = 96

/** A note of `period` samples over `patches`, made of whole periods. */
function note(period: number, patches: number): number[] {
  const whole = Math.floor((patches * patch - 8) / period) * period
  return Array.from({ length: patches * patch }, (_, i) =>
    i < whole ? 130 + ((i % period) * 60) / period + (i % period ? 0 : -20) : SILENCE,
  ).map(Math.floor)
}

/** What is told before the next patch, by column, counted from each column's first row. */
function told(listener: Listener): number[] {
  const sizes = patchSizes(notes)
  return listener.patchRows().map((row, i) => row - total(sizes.slice(0, i)))
}

describe("notes that are heard", () => {
  const listener = new Listener(notes, patch)
  const sound = Uint8Array.from([...note(20, 3), ...note(31, 2), ...note(20, 3)])
  listener.follow(sound.subarray(0, 7 * patch))

  it("are told by period, age, place in the bar, and what stood a bar ago", () => {
    const [style, state, age, place, barAgo] = told(listener)
    expect(style).toBe(SILENCE)
    expect(state).toBe(4 * 20)
    expect(age).toBe(1)
    expect(place).toBe(7 % 4)
    expect(barAgo).toBe(4 * 31 + 2)
  })

  it("are remembered: the last ones with their lengths", () => {
    const before = told(listener).slice(4 + 2 * notes.bars.length, 8 + 2 * notes.bars.length)
    expect(before).toEqual([31, 2, 20, 3])
  })

  it("give the likeliest next bytes, and what was a period ago", () => {
    const next = sound.subarray(7 * patch)
    const whole = Math.floor((3 * patch - 8) / 20) * 20 - 2 * patch
    expect(listener.guess().subarray(0, whole)).toEqual(next.subarray(0, whole))
    const rows = new BigInt64Array(patch * BYTE_COLUMNS)
    const guesses = new BigInt64Array(patch * GUESSES)
    listener.byteRows(next, rows, guesses)
    for (let p = 0; p < whole; p++) expect(Number(rows[p * BYTE_COLUMNS])).toBe(next[p])
    for (let p = 0; p < whole; p++) expect(Number(guesses[p * GUESSES])).toBe(next[p])
  })

  it("come back: after a note's end the one that began alike is recalled", () => {
    const after = new Listener(notes, patch)
    after.follow(sound)
    expect(after.recalled(sound[0] as number)).toEqual(sound.subarray(5 * patch, 6 * patch))
    expect(listener.recalled(sound[0] as number)).toBeUndefined()
  })

  it("are known from the beginning where a header tells the instrument", () => {
    const first = sound.slice(0, patch)
    const known = new Listener(notes, patch, [new Uint8Array(), first])
    known.follow(new Uint8Array(patch).fill(SILENCE + 2))
    expect(known.recalled(first[0] as number)).toEqual(first)
    const other = new Listener(notes, patch, [new Uint8Array(), first])
    other.follow(new Uint8Array(patch).fill(SILENCE))
    expect(other.recalled(first[0] as number)).toBeUndefined()
  })

  it("are due at the beginning and after a bar of rest", () => {
    const waiting = new Listener(notes, patch)
    const silence = new Uint8Array(patch).fill(SILENCE)
    waiting.follow(silence)
    expect(waiting.isNoteDue).toBe(true)
    const resting = new Listener(notes, patch)
    resting.follow(Uint8Array.from([...note(20, 2), ...new Uint8Array(3 * patch).fill(SILENCE)]))
    expect(resting.isNoteDue).toBe(false)
    resting.follow(Uint8Array.from([...note(20, 2), ...new Uint8Array(4 * patch).fill(SILENCE)]))
    expect(resting.isNoteDue).toBe(true)
  })

  it("end after a bar at the latest, at the beginning of a period", () => {
    const long = new Listener({ ...notes, bar: 3 }, patch)
    const held = Uint8Array.from(note(20, 9))
    long.follow(held.subarray(0, patch))
    expect(long.endDue).toBeUndefined()
    long.follow(held.subarray(0, 2 * patch))
    const end = long.endDue as number
    expect((2 * patch + end) % 20).toBe(0)
    expect(end).toBeLessThanOrEqual(patch - 8)
    expect(end + 20).toBeGreaterThan(patch - 8)
  })
})
