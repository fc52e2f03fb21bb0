import { readFileSync } from "node:fs"
import { join } from "node:path"
import decode from "audio-decode"
import { describe, expect, it } from "vitest"
import { hasPictures, isMp4, tableFirst } from "./mp4.ts"
import type { Source } from "./source.ts"

const file = (name: string) => readFileSync(join(import.meta.dirname, "../../../test/sounds", name))

/** Samples that a decoder gives for each piece of 500 bytes, and at the end. */
async function piecewise(source: Source): Promise<number[][]> {
  const decoder = await decode.m4a()
  const made: number[][] = []
  for (let at = 0; at < source.length; at += 500) {
    const { channelData } = await decoder(source.subarray(at, Math.min(at + 500, source.length)))
    made.push([...(channelData[0] ?? [])])
  }
  made.push([...((await decoder()).channelData[0] ?? [])])
  return made
}

describe("an MP4 whose table of samples lies at its end", () => {
  const tone = file("tone.m4a") // as ffmpeg leaves it

  it("with the table first gives the same samples, as soon as their pieces come", async () => {
    const [late, early] = [await piecewise(tone), await piecewise(tableFirst(tone))]
    expect(late.flat().length).toBeGreaterThan(40000)
    expect(early.flat()).toEqual(late.flat())
    const whole = tone.length / 500
    expect(late.slice(0, whole - 1).flat()).toEqual([])
    expect(early.slice(0, whole / 2).flat().length).toBeGreaterThan(10000)
  })
  it("read at once or in pieces is the same file, and one that has its table first is left as it is", () => {
    const moved = tableFirst(tone)
    const whole = Buffer.from(moved.subarray(0, moved.length))
    expect(whole.length).toBe(moved.length)
    for (const size of [7, 1000, 6000]) {
      const pieces = []
      for (let at = 0; at < whole.length; at += size) pieces.push(moved.subarray(at, Math.min(at + size, whole.length)))
      expect(Buffer.concat(pieces)).toEqual(whole)
    }
    expect(tableFirst(whole)).toBe(whole)
  })
  it("is told from a video, and a damaged one is neither", () => {
    expect([isMp4(tone), hasPictures(tone)]).toEqual([true, false])
    expect([isMp4(file("film.mp4")), hasPictures(file("film.mp4"))]).toEqual([true, true])
    const damaged = Buffer.from(tone)
    damaged.writeUInt32BE(3, 28)
    expect(hasPictures(damaged)).toBe(false)
    expect(tableFirst(damaged)).toBe(damaged)
  })
})
