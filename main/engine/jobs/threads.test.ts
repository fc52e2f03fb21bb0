import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { defaultSampling } from "../../../contract/sampling.ts"
import { THREADS_FILE } from "../../files/measured.ts"
import { Decoder } from "../decode/decoder.ts"
import { Model } from "../decode/model.ts"
import { candidates, fastestThreads, fewestFastest } from "./threads.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-threads-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

describe("threads", () => {
  it("tries 1, 2, 4 and so on up to the number of cores", () => {
    expect([1, 2, 6, 8].map(candidates)).toEqual([[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]])
  })

  it("takes the fewest that are as fast as any, and stops where more are slower", async () => {
    const asked: number[] = []
    const of = (times: Record<number, number>) =>
      fewestFastest([1, 2, 4, 8], async (threads) => {
        asked.push(threads)
        return times[threads] as number
      })
    expect(await of({ 1: 10, 2: 6, 4: 5.9, 8: 5.8 })).toBe(2)
    expect(await of({ 1: 10, 2: 9, 4: 6, 8: 5 })).toBe(8)
    asked.length = 0
    expect(await of({ 1: 10, 2: 20, 4: 1, 8: 1 })).toBe(1)
    expect(asked).toEqual([1, 2])
  })

  it("measures a model once, remembers it, and its bytes do not depend on the number", async () => {
    const model = Model.load(join(import.meta.dirname, "../../../test/parity/modern"), "int8", 0, cache)
    const threads = await fastestThreads(model, cache)
    expect(Object.values(JSON.parse(readFileSync(join(cache, THREADS_FILE), "utf8")))).toEqual([threads])
    const [key = ""] = Object.keys(JSON.parse(readFileSync(join(cache, THREADS_FILE), "utf8")))
    writeFileSync(join(cache, THREADS_FILE), JSON.stringify({ [key]: 7 }))
    expect(await fastestThreads(model, cache)).toBe(7)
    const made = async (n: number) => {
      const { decoder } = await Decoder.start(model.withThreads(n), Uint8Array.of(1, 2, 3), 1)
      const known = [Uint8Array.of(1, 2, 3)]
      const parts = [await decoder.step(defaultSampling, 5, known), await decoder.step(defaultSampling, 5)]
      return parts.map((p) => [...(p[0]?.bytes ?? [])])
    }
    expect(await made(2)).toEqual(await made(1))
  })
})
