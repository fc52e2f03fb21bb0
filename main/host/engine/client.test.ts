import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Characters } from "../../../contract/characters.ts"
import { defaultSampling } from "../../../contract/sampling.ts"
import type { ChildPort } from "../../process/child.ts"
import { EngineClient, forkEngine, type GenerateListener } from "./client.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-engine-"))
const pack = join(import.meta.dirname, "../../../test/parity/modern")
const base = { pack, precision: "fp32", threads: 1, seed: 4, sampling: defaultSampling } as const
afterAll(() => rmSync(cache, { recursive: true, force: true }))

describe("the engine's process", () => {
  let port: ChildPort
  let engine: EngineClient
  beforeAll(() => {
    port = forkEngine(cache)
    engine = new EngineClient(port)
  })
  afterAll(() => engine.close())
  const prompt = Uint8Array.from([1, 2, 3])

  it("reports every finished patch with its index, bytes, log-probabilities and entropy", async () => {
    const patches: { index: number; parts: { bytes: Uint8Array; logprob: Float32Array; entropy: Float32Array }[] }[] =
      []
    const run = engine.generate({ ...base, prompt, length: 30, variations: 2 }, { patch: (p) => void patches.push(p) })
    expect((await run.result).reason).toBe("length")
    expect(patches.map((p) => p.index)).toEqual([0, 1, 2, 3, 4])
    // The first patch holds 3 known bytes; the last is cut at the length asked for.
    expect(patches.map((p) => p.parts[1]?.bytes.length)).toEqual([5, 8, 8, 8, 1])
    for (const { parts } of patches)
      for (const part of parts) {
        expect(part.logprob.length).toBe(part.bytes.length)
        expect(part.logprob.every((x) => x <= 0)).toBe(true)
        expect(part.entropy.every((x) => x >= 0 && x <= Math.log(256) + 1e-4)).toBe(true)
      }
  })

  it("makes so many characters, as a decoder of UTF-8 counts them, where that is asked for", async () => {
    const made = [new Characters(), new Characters()]
    const patch: GenerateListener["patch"] = ({ parts }) => {
      for (const [b, part] of parts.entries()) for (const byte of part.bytes) made[b]?.push(byte)
    }
    const run = engine.generate({ ...base, prompt, length: 30, unit: "characters", variations: 2 }, { patch })
    expect((await run.result).reason).toBe("length")
    expect(made.map(({ count }) => count)).toEqual([30, 30])
  })

  it("stops within one patch of a cancel", async () => {
    let seen = 0
    const run = engine.generate(
      { ...base, prompt, length: 1e6, variations: 1 },
      {
        patch: () => {
          if (++seen === 10) run.cancel()
        },
      },
    )
    expect((await run.result).reason).toBe("cancelled")
    expect(seen).toBeLessThan(200)
  })

  it("does not read the same prompt again, and reads what was decoded", async () => {
    const long = Uint8Array.from({ length: 43 }, (_, i) => i)
    const run = async (from: Uint8Array<ArrayBuffer>, variations: number) => {
      const made: number[] = []
      let reused = 0
      const started: GenerateListener["started"] = (s) => {
        reused = s.reused
      }
      const patch: GenerateListener["patch"] = (p) => void made.push(...(p.parts[0]?.bytes ?? []))
      await engine.generate({ ...base, prompt: from, length: 61, variations }, { started, patch }).result
      return { reused, made }
    }
    const first = await run(long, 1)
    const again = await run(long, 2)
    expect([again.reused, again.made]).toEqual([5, first.made])
    expect((await run(Uint8Array.from([...long, ...first.made.slice(0, 40)]), 1)).reused).toBe(0)
  })

  it("after a stop goes on to the very bytes of an unbroken run, also in the middle of a patch", async () => {
    const made = async (from: Uint8Array<ArrayBuffer>, length: number) => {
      const bytes = [...from]
      const request = { ...base, prompt: from, length, variations: 1 }
      await engine.generate(request, { patch: (p) => void bytes.push(...(p.parts[0]?.bytes ?? [])) }).result
      return Uint8Array.from(bytes)
    }
    const unbroken = await made(prompt, 90)
    const first = await made(prompt, 29)
    expect(await made(first, 61)).toEqual(unbroken)
  })

  it.each([
    ["paper", "fp32"],
    ["modern", "int8"],
    ["story", "int8"],
    ["picture", "int8"],
    ["tunes", "int8"],
    ["byte", "fp32"],
  ] as const)(
    "stops and goes on far beyond the context as if it had never been stopped: %s in %s",
    async (name, precision) => {
      const made = async (by: EngineClient, from: Uint8Array<ArrayBuffer>, length: number) => {
        const bytes = [...from]
        const began = prompt.length
        const what = { ...base, pack: join(pack, "..", name), precision }
        const request = { ...what, prompt: from, began, length, variations: 1 }
        await by.generate(request, { patch: (p) => void bytes.push(...(p.parts[0]?.bytes ?? [])) }).result
        return Uint8Array.from(bytes)
      }
      const unbroken = await made(engine, prompt, 700)
      let stopped = prompt
      for (const length of [301, 90]) stopped = await made(engine, stopped, length)
      // The last time in an engine that knows nothing of it.
      const other = new EngineClient(forkEngine(cache))
      stopped = await made(other, stopped, 309)
      other.close()
      expect(stopped).toEqual(unbroken)
    },
  )

  it("ends a variation at the stop byte and leaves the byte out", async () => {
    const bytes: number[] = []
    const open = engine.generate(
      { ...base, prompt, length: 64, variations: 1 },
      { patch: (p) => void bytes.push(...(p.parts[0]?.bytes ?? [])) },
    )
    await open.result
    const stopAt = bytes[20] as number
    const until = bytes.slice(0, bytes.indexOf(stopAt))
    const stopped: number[] = []
    const run = engine.generate(
      { ...base, prompt, length: 64, variations: 1, stopAt },
      { patch: (p) => void stopped.push(...(p.parts[0]?.bytes ?? [])) },
    )
    expect((await run.result).reason).toBe("end")
    expect(stopped).toEqual(until)
  })

  describe("with a text", () => {
    const story = join(import.meta.dirname, "../../../test/parity/story")
    const text = { ...base, pack: story, sampling: { ...defaultSampling, temperature: 2 } }
    const utf8 = (s: string) => new TextEncoder().encode(s)
    const made = async (request: Parameters<EngineClient["generate"]>[0]) => {
      const bytes: number[][] = Array.from({ length: request.variations }, () => [])
      let used = 0
      const listener: GenerateListener = {
        started: (event) => {
          used = event.used
        },
        patch: ({ parts }) => parts.forEach((part, b) => void bytes[b]?.push(...part.bytes)),
      }
      await engine.generate(request, listener).result
      return { bytes, used }
    }

    it("keeps the prompt's last word whole, and never draws what is barred", async () => {
      const barred = [0, 1, 2, ...utf8(" .,")]
      const request = { ...text, prompt: utf8("by the sea"), length: 40, variations: 32, isText: true, barred }
      for (const bytes of (await made(request)).bytes) {
        const [first = ""] = new TextDecoder().decode(Uint8Array.from(bytes))
        expect(first).not.toMatch(/[\p{L}\p{N}\p{M}'’]/u)
        expect(bytes.filter((byte) => barred.includes(byte))).toEqual([])
      }
    })

    it("takes a long prompt's end, after the header that says so", async () => {
      const [header, cutHeader] = [Uint8Array.of(2, 2, 1, 1), Uint8Array.of(2, 2, 2, 2)]
      const words = utf8("the fox and the owl ".repeat(30)) // 600 bytes; the context has 256
      const prompt = Uint8Array.from([...header, ...words])
      const request = { ...text, prompt, cutHeader, length: 90, variations: 1 }
      expect((await made(request)).used).toBe(256)
      const greedy = { ...request, sampling: { ...defaultSampling, temperature: 0 } }
      const short = Uint8Array.from([...cutHeader, ...words.subarray(words.length - 252)])
      expect((await made({ ...greedy, prompt: short })).bytes).toEqual((await made(greedy)).bytes)
    })
  })

  it("refuses what is not in the contract", async () => {
    const run = engine.generate({ ...base, prompt, length: -1, variations: 1 }, { patch: () => {} })
    await expect(run.result).rejects.toMatchObject({ code: "invalid" })
  })

  it("tells those who wait when it dies, and those who come later", async () => {
    const run = engine.generate({ ...base, prompt, length: 1e6, variations: 1 }, { patch: () => port.kill() })
    await expect(run.result).rejects.toMatchObject({ code: "closed" })
    await expect(engine.score({ ...base, bytes: prompt }).result).rejects.toMatchObject({ code: "closed" })
  })
})
