import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { defaultSampling } from "../../../contract/sampling.ts"
import { fakeEngine, patchOf, startedWith } from "../../../test/support/fake-engine.ts"
import { EngineClient, forkEngine } from "./client.ts"

const pack = join(import.meta.dirname, "../../../test/parity/modern")
const request = { pack, precision: "int8", threads: 1, seed: 4, sampling: defaultSampling, variations: 1 } as const
const prompt = Uint8Array.of(1, 2, 3)
let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "megabyte-hung-"))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

/** An engine that begins to write and then is never heard again. */
const silent = () =>
  fakeEngine(() => ({
    generate: (asked, { emit }) => {
      emit(startedWith(asked))
      return new Promise<never>(() => {})
    },
  }))

describe("an engine that hangs", () => {
  it("is noticed by its silence and ended", async () => {
    const port = silent()
    const engine = new EngineClient(port, { writing: 2, otherwise: 100 })
    const run = engine.generate({ ...request, prompt, length: 10 }, { patch: () => {} })
    await expect(run.result).rejects.toMatchObject({ code: "hung" })
    expect([port.killed, engine.isDead]).toEqual([true, true])
  })
  it("is not one that loads the model anew, after its GPU failed", async () => {
    const port = fakeEngine(() => ({
      generate: async (asked, { emit }) => {
        emit(startedWith(asked))
        emit({ type: "fallback", message: "The GPU failed." })
        await setTimeout(2500)
        emit(patchOf(asked, () => Uint8Array.of(7)))
        return { reason: "length", decodeMs: 1 }
      },
    }))
    const engine = new EngineClient(port, { writing: 1, otherwise: 1000 })
    const run = engine.generate({ ...request, prompt, length: 1 }, { patch: () => {} })
    expect([(await run.result).reason, port.killed]).toEqual(["length", false])
    engine.close()
  })
  it("is stopped within a second all the same", async () => {
    const port = silent()
    const engine = new EngineClient(port)
    const run = engine.generate({ ...request, prompt, length: 10 }, { patch: () => {} })
    run.cancel()
    expect((await run.result).reason).toBe("cancelled")
    expect(port.killed).toBe(true)
  })
})

describe("compiled graphs", () => {
  const bytesOf = async () => {
    const engine = new EngineClient(forkEngine(work))
    const made: number[] = []
    try {
      const listener = {
        patch: ({ parts: [part] }: { parts: { bytes: Uint8Array }[] }) => made.push(...(part?.bytes ?? [])),
      }
      await engine.generate({ ...request, prompt, length: 30 }, { patch: (p) => void listener.patch(p) }).result
      return made
    } finally {
      engine.close()
    }
  }
  it("that are damaged are made again, and give the same bytes", async () => {
    const right = await bytesOf()
    const [folder = ""] = readdirSync(work, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(work, name))
    const weights = join(folder, "weights.bin")
    const size = statSync(weights).size
    truncateSync(weights, size / 2) // half of it zeros, as after a power cut
    truncateSync(weights, size)
    expect(await bytesOf()).toEqual(right)
    const graph = join(folder, readdirSync(folder).find((name) => /^(decode|step|draft).*\.onnx$/.test(name)) ?? "")
    writeFileSync(graph, readFileSync(graph).subarray(0, 1000))
    expect(await bytesOf()).toEqual(right)
    writeFileSync(join(folder, "index.json"), "[")
    expect(await bytesOf()).toEqual(right)
  })
})
