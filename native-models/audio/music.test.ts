import { expect, it } from "vitest"
import { distance, meanMusic, musicOf } from "./music.ts"

/** Notes of 16 patches each. */
const tune = (pitches: number[]) =>
  pitches.map((pitch, i) => ({ start: i * 16 * 0.012, length: 0.19, pitch, exact: true }))

it("a tune in one key whose bars come back is told from one that wanders", () => {
  const bar = [60, 62, 64, 65, 67, 71]
  const known = musicOf(tune([...bar, ...bar, 69, 67, 65, 64, 62, 60, ...bar]))
  expect(known.oneKey).toBe(true)
  expect(known.inTune).toBe(1)
  expect(known.comesBack).toBe(0.5)
  expect(known.degrees[0]).toBeGreaterThan(0.1)
  expect(known.lengths[12]).toBe(1)
  expect(known.intervals[12 + 2]).toBeGreaterThan(known.intervals[12 + 5] as number)

  const other = musicOf(tune(Array.from({ length: 24 }, (_, i) => 60.45 + ((i * 7) % 12))))
  expect(other.oneKey).toBe(false)
  expect(other.inTune).toBe(0)
  expect(distance(known.intervals, other.intervals)).toBeGreaterThan(0.5)
  expect(meanMusic([known, other]).oneKey).toBe(0.5)
})

it("a distance is 0 to itself and 1 to what has nothing in common", () => {
  expect(distance([0.5, 0.5, 0], [0.5, 0.5, 0])).toBe(0)
  expect(distance([1, 0], [0, 1])).toBe(1)
})
