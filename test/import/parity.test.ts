import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defaultSampling, type Sampling } from "../../contract/sampling.ts"
import { Decoder } from "../../main/engine/decode/decoder.ts"
import { Model } from "../../main/engine/decode/model.ts"
import { scoreBytes } from "../../main/engine/decode/score.ts"
import { type ImportOptions, importModel } from "../../main/import/index.ts"
import { readSafetensors } from "../../main/packs/safetensors.ts"
import { floats, largestGap, logShare } from "../support/reference.ts"

/** What the packages themselves say, by fixtures.py: the same within this of every logit and log-probability. */
const GAP = 1e-4

const greedy: Sampling = { ...defaultSampling, temperature: 0 }
const temporary = mkdtempSync(join(tmpdir(), "megabyte-import-"))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

describe.each<[string, ImportOptions]>([
  ["megabyte.pt", { heads: 2, context: 8 }],
  ["megabyte-positions.pt", {}],
  ["megabyte-end.safetensors", { context: 8 }],
  ["megabyte-module.pt", {}],
  ["bgpt-text.pth", { heads: 1 }],
])("%s, imported", (file, options) => {
  const name = file.replace(/\..*/, "")
  let model: Model
  let x: Uint8Array
  /** What the package says before each byte, [bytes, tokens]. */
  let expected: Float32Array[]

  beforeAll(() => {
    const folder = join(temporary, name)
    importModel(join(import.meta.dirname, file), folder, { name, file }, options)
    model = Model.load(folder, "fp32", 1, join(temporary, "cache"))
    const known = readSafetensors(join(import.meta.dirname, `${name}.expected.safetensors`))
    x = Uint8Array.from(floats(known.get("x")?.data))
    const logits = floats(known.get("logits")?.data)
    const tokens = logits.length / x.length
    expected = Array.from(x, (_, i) => logits.subarray(i * tokens, (i + 1) * tokens))
  })
  afterAll(() => model?.release())

  /** log p(byte) at a place, as the package has it. */
  const logp = (place: number, byte: number) => logShare(expected[place] as Float32Array, byte)
  const everyLogp = () => [...x].map((byte, i) => logp(i, byte))

  it("scores whole sequences as the package does: every logit, and every byte's share", async () => {
    const { logits = new Float32Array(), logprob } = await scoreBytes(model, x, undefined, "logits")
    for (const [i, row] of expected.entries()) {
      const bytes = row.subarray(0, 256)
      expect(largestGap(logits.subarray(i * 256, i * 256 + bytes.length), bytes)).toBeLessThan(GAP)
    }
    expect(largestGap(logprob, everyLogp())).toBeLessThan(GAP)
  })

  it("step by step, from nothing and after a prefill that ends at every place", async () => {
    const p = model.config.patch
    const all = everyLogp()
    for (let given = 0; given < x.length; given++) {
      const { decoder } = await Decoder.start(model, x.subarray(0, given), 2)
      for (let at = decoder.nextPatch * p; at < x.length; at += p) {
        const bytes = x.subarray(at, at + p)
        for (const part of await decoder.step(greedy, 0, [bytes, bytes])) {
          expect(part.bytes.subarray(0, bytes.length)).toEqual(bytes)
          const places = all.slice(at, at + bytes.length)
          expect(largestGap(part.logprob.subarray(0, bytes.length), places)).toBeLessThan(GAP)
        }
      }
    }
  })

  it("goes on with the byte that the package finds likeliest, at every place of a patch", async () => {
    for (let given = 0; given < x.length; given++) {
      const p = model.config.patch
      const { decoder } = await Decoder.start(model, x.subarray(0, given), 1)
      const [part] = await decoder.step(greedy, 0, [x.subarray(decoder.nextPatch * p, given)])
      const row = expected[given] as Float32Array
      const best = row.indexOf(Math.max(...row))
      const place = given % p
      if (best === 256) expect(part?.end).toBe(place)
      else expect(part?.bytes[place]).toBe(best)
      expect(part?.logprob[place]).toBeCloseTo(logp(given, best), 3)
    }
  })

  it("far beyond its context, step by step as at once", async () => {
    const tokens = Math.min(256, expected[0]?.length ?? 0)
    const long = Uint8Array.from({ length: 150 }, (_, i) => ((i * i * 31 + (i >> 3)) & 255) % tokens)
    const { logprob } = await scoreBytes(model, long)
    const { decoder } = await Decoder.start(model, new Uint8Array(), 1)
    const p = model.config.patch
    for (let at = 0; at + p <= long.length; at += p) {
      const [part] = await decoder.step(greedy, 0, [long.subarray(at, at + p)])
      expect(largestGap(part?.logprob ?? [], logprob.subarray(at, at + p))).toBeLessThan(GAP)
    }
  })
})
