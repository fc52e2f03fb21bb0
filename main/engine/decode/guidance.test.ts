import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { defaultSampling, type Sampling } from "../../../contract/sampling.ts"
import { logShare } from "../../../test/support/reference.ts"
import { EngineClient, forkEngine } from "../../host/engine/client.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"
import { lastLogits } from "./score.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-guidance-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const pack = join(import.meta.dirname, "../../../test/parity/picture")
const guided: Sampling = { ...defaultSampling, guidance: 2.5 }

/** Two headers of one patch, told apart by their bytes, and a row and a half of picture. */
function prompts(patch: number): { styled: Uint8Array; open: Uint8Array } {
  const rest = Uint8Array.from({ length: patch + (patch >> 1) }, (_, i) => (i * 37) % 256)
  const after = (style: number) => Uint8Array.from([...new Uint8Array(patch).fill(style), ...rest])
  return { styled: after(3), open: after(0) }
}

describe("guidance", () => {
  let model: Model
  beforeAll(() => {
    model = Model.load(pack, "fp32", 1, cache)
  })
  afterAll(() => model.release())

  it("draws from logits led away from those of the open style", async () => {
    const { patch } = model.config
    const { styled, open } = prompts(patch)
    const given = styled.subarray(2 * patch)
    const { decoder } = await Decoder.start(model, styled, 1, undefined, undefined, open)
    const [part] = await decoder.step({ ...guided, temperature: 0 }, 0, [given])
    // Byte by byte: what both versions of the document say with the bytes so far, by the parallel graph.
    const made = part?.bytes ?? new Uint8Array()
    for (let p = given.length; p < patch; p++) {
      const logits = async (head: Uint8Array) => {
        const all = await lastLogits(model, Uint8Array.from([...head.subarray(0, 2 * patch), ...made]))
        return all.subarray(p * 256, (p + 1) * 256)
      }
      const [own, away] = [await logits(styled), await logits(open)]
      const led = own.map((x, i) => (away[i] as number) + 2.5 * (x - (away[i] as number)))
      expect(made[p]).toBe(led.indexOf(Math.max(...led)))
      // What is told of the byte is what the model says of it with its style, not what led to it.
      expect(part?.logprob[p]).toBeCloseTo(logShare(own, made[p] as number), 3)
    }
  })

  it("of 1 changes nothing, and each of several futures is what it is alone", async () => {
    const { styled, open } = prompts(model.config.patch)
    const bytesOf = async (sampling: Sampling, batch: number, away?: Uint8Array) => {
      const { decoder } = await Decoder.start(model, styled, batch, undefined, undefined, away)
      const made: number[][] = Array.from({ length: batch }, () => [])
      for (let k = 0; k < 4; k++)
        for (const [b, { bytes }] of (await decoder.step(sampling, 5)).entries()) made[b]?.push(...bytes)
      return made
    }
    expect(await bytesOf({ ...guided, guidance: 1 }, 2, open)).toEqual(await bytesOf(defaultSampling, 2))
    const three = await bytesOf(guided, 3, open)
    expect(three[0]).toEqual((await bytesOf(guided, 1, open))[0])
    expect(three).not.toEqual(await bytesOf(defaultSampling, 3))
  })

  it.skipIf(!inject("gpu").works)("makes the same bytes on the GPU", async () => {
    const gpu = await Model.load(pack, "fp32", 1, cache, "webgpu")
    const { styled, open } = prompts(model.config.patch)
    const [a, b] = [model, gpu].map((on) => Decoder.start(on, styled, 2, undefined, undefined, open))
    const [onCpu, onGpu] = [(await (a as typeof b))?.decoder, (await b)?.decoder]
    for (let k = 0; k < 3; k++) {
      const [x, y] = [await onCpu?.step(guided, 5), await onGpu?.step(guided, 5)]
      expect(y?.map(({ bytes }) => [...bytes])).toEqual(x?.map(({ bytes }) => [...bytes]))
    }
    onGpu?.release()
    await gpu.release()
  })

  it("goes on where it was stopped, byte for byte, and leaves no trace in runs without it", async () => {
    const engine = new EngineClient(forkEngine(cache))
    const { patch } = model.config
    const { styled, open } = prompts(patch)
    const headers = { header: open.slice(0, patch), cutHeader: open.slice(0, patch) }
    const base = { pack, precision: "int8", threads: 1, seed: 9, variations: 1 } as const
    const made = async (
      prompt: Uint8Array<ArrayBuffer>,
      length: number,
      more: { began?: number; sampling: Sampling },
    ) => {
      const bytes: number[] = []
      await engine.generate(
        { ...base, prompt, length, open: headers, ...more },
        { patch: ({ parts }) => void bytes.push(...(parts[0]?.bytes ?? [])) },
      ).result
      return bytes
    }
    try {
      const prompt = Uint8Array.from(styled)
      const plain = await made(prompt, 4 * patch, { sampling: defaultSampling })
      const whole = await made(prompt, 6 * patch, { sampling: guided })
      const first = await made(prompt, 2 * patch + 1, { sampling: guided })
      const again = Uint8Array.from([...prompt, ...first])
      const second = await made(again, 6 * patch - first.length, { sampling: guided, began: prompt.length })
      expect([...first, ...second]).toEqual(whole)
      expect(await made(prompt, 4 * patch, { sampling: defaultSampling })).toEqual(plain)
    } finally {
      engine.close()
    }
  })
})
