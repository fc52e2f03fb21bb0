import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import type { Precision } from "../../../contract/pack.ts"
import { defaultSampling } from "../../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../host/engine/client.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-order-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const pack = join(import.meta.dirname, "../../../test/parity/modern")

type Run = { prompt: Uint8Array<ArrayBuffer>; seed: number; variations: number; length: number }

/** All orders of 0..n-1. */
const orders = (n: number): number[][] =>
  n === 0 ? [[]] : orders(n - 1).flatMap((o) => Array.from({ length: n }, (_, at) => o.toSpliced(at, 0, n - 1)))

describe("the same seed and settings give the same bytes, whatever ran before", () => {
  it.each(["int8", "fp32"] satisfies Precision[])("in %s", async (precision) => {
    const engine = new EngineClient(forkEngine(cache))
    const bytesOf = async ({ prompt, seed, variations, length }: Run) => {
      const made: number[][] = Array.from({ length: variations }, () => [])
      const request = { pack, precision, threads: 1, sampling: defaultSampling, prompt, seed, variations, length }
      await engine.generate(request, {
        patch: ({ parts }) => parts.forEach((part, b) => void made[b]?.push(...part.bytes)),
      }).result
      return made
    }
    try {
      const stem = Uint8Array.from({ length: 70 }, (_, i) => (i * 7) % 251)
      const first: Run = { prompt: stem, seed: 1, variations: 1, length: 100 }
      const [made = []] = await bytesOf(first)
      const grown = Uint8Array.from([...stem, ...made])
      const runs: Run[] = [
        first,
        // Another seed, a branch from what was decoded, its continuation, several at once, and far beyond the context.
        { prompt: stem, seed: 2, variations: 3, length: 40 },
        { prompt: grown.slice(0, 117), seed: 3, variations: 1, length: 60 },
        { prompt: grown, seed: 1, variations: 2, length: 60 },
        { prompt: Uint8Array.from([...grown, ...grown, ...grown, ...grown]), seed: 4, variations: 1, length: 50 },
      ]
      const alone: number[][][] = []
      for (const run of runs) {
        const fresh = new EngineClient(forkEngine(cache))
        const made: number[][] = Array.from({ length: run.variations }, () => [])
        const request = { pack, precision, threads: 1, sampling: defaultSampling, ...run }
        await fresh.generate(request, {
          patch: ({ parts }) => parts.forEach((part, b) => void made[b]?.push(...part.bytes)),
        }).result
        fresh.close()
        alone.push(made)
      }
      for (const order of orders(runs.length).filter((_, i) => i % 5 === 0))
        for (const i of order) expect(await bytesOf(runs[i] as Run)).toEqual(alone[i])
    } finally {
      engine.close()
    }
  })
})
