import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import type { Precision } from "../../../contract/pack.ts"
import { defaultSampling } from "../../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../host/engine/client.ts"
import { tryDevices } from "../../host/engine/devices.ts"

/** SwiftShader has no fp16; lavapipe has, from Mesa 25 on (Debian bookworm: mesa-vulkan-drivers from its backports). */
const cache = mkdtempSync(join(tmpdir(), "megabyte-fp16-"))
const packs = join(import.meta.dirname, "../../../test/parity")
let engine: EngineClient
beforeAll(() => {
  engine = new EngineClient(forkEngine(cache))
})
afterAll(() => {
  engine.close()
  rmSync(cache, { recursive: true, force: true })
})

describe.skipIf(!inject("gpu").half)("a GPU with fp16", () => {
  it("is found to have it", async () => {
    expect(await tryDevices(forkEngine, cache)).toContainEqual({ device: "webgpu", works: true, half: true })
  })

  const target = (name: string, precision: Precision) =>
    ({ pack: join(packs, name), precision, threads: 1, device: precision === "fp16" ? "webgpu" : "cpu" }) as const

  it.each(["paper", "modern", "story", "picture", "sound", "byte"])(
    "scores as the CPU in fp32 to within 0.01 bits a byte, and each patch that it makes as it scores it: %s",
    async (name) => {
      const bytes = Uint8Array.from({ length: 299 }, (_, i) => (i * i * 31 + (i >> 3)) & 255)
      const bits = async (precision: Precision, what: Uint8Array<ArrayBuffer>) => {
        const { logprob } = await engine.score({ ...target(name, precision), bytes: what }).result
        return Array.from(logprob, (x) => -x / Math.LN2)
      }
      const mean = (all: number[]) => all.reduce((a, b) => a + b, 0) / all.length
      const inHalf = await bits("fp16", bytes)
      expect(Math.abs(mean(inHalf) - mean(await bits("fp32", bytes)))).toBeLessThan(0.01)

      const made: number[] = []
      const told: number[] = []
      const from = bytes.slice(0, 21)
      const request = { prompt: from, length: 40, variations: 1, seed: 5, sampling: defaultSampling }
      await engine.generate(
        { ...target(name, "fp16"), ...request },
        {
          patch: ({ parts: [part] }) => {
            made.push(...(part?.bytes ?? []))
            told.push(...Array.from(part?.logprob ?? [], (x) => -x / Math.LN2))
          },
        },
      ).result
      expect(made).toHaveLength(40)
      const scored = (await bits("fp16", Uint8Array.from([...from, ...made]))).slice(21)
      expect(Math.abs(mean(scored) - mean(told))).toBeLessThan(0.01)
    },
  )
})
