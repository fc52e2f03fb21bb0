import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defaultSampling, type Sampling } from "../../contract/sampling.ts"
import { Decoder } from "../../main/engine/decode/decoder.ts"
import { Model } from "../../main/engine/decode/model.ts"
import { scoreBytes } from "../../main/engine/decode/score.ts"
import { readSafetensors } from "../../main/packs/safetensors.ts"
import { floats, largestGap, logShare } from "../support/reference.ts"

const greedy: Sampling = { ...defaultSampling, temperature: 0 }
const cache = mkdtempSync(join(tmpdir(), "megabyte-parity-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

describe.each(["paper", "modern", "story", "picture", "sound", "tunes", "byte"])(
  "the ONNX graphs of the %s architecture",
  (name) => {
    const folder = join(import.meta.dirname, name)
    let model: Model
    let x: Uint8Array
    let expected: Float32Array

    beforeAll(() => {
      model = Model.load(folder, "fp32", 1, cache)
      const file = readSafetensors(join(folder, "expected.safetensors"))
      x = Uint8Array.from(floats(file.get("x")?.data))
      expected = floats(file.get("logits")?.data)
    })
    afterAll(() => model.release())

    /** log p(byte) of a row of PyTorch's logits. */
    const logp = (position: number, byte: number) =>
      logShare(expected.subarray(position * 256, (position + 1) * 256), byte)

    it("score: every logit equals PyTorch's within 1e-4", async () => {
      const { logits } = await scoreBytes(model, x, undefined, "logits")
      expect(largestGap(logits ?? [], expected)).toBeLessThan(1e-4)
    })

    it("step by step with forced bytes: every log-probability equals PyTorch's, also beyond the window", async () => {
      const { decoder } = await Decoder.start(model, new Uint8Array(), 1)
      const p = model.config.patch
      for (let k = 0; k * p < x.length; k++) {
        const bytes = x.subarray(k * p, (k + 1) * p)
        const [part] = await decoder.step(greedy, 0, [bytes])
        expect(part?.bytes).toEqual(bytes)
        expect(
          largestGap(
            part?.logprob ?? [],
            [...bytes].map((byte, i) => logp(k * p + i, byte)),
          ),
        ).toBeLessThan(1e-4)
      }
    })

    it("prefill, then a patch that begins at every phase, in a batch: as PyTorch", async () => {
      const p = model.config.patch
      const whole = model.config.context - 2
      for (let phase = 0; phase < p; phase++) {
        const prompt = x.subarray(0, whole * p + phase)
        const { decoder } = await Decoder.start(model, prompt, 3)
        const known = prompt.subarray(whole * p)
        const parts = await decoder.step(greedy, 0, [known, known, known])
        for (const part of parts) {
          expect([...part.bytes.subarray(0, phase)]).toEqual([...known])
          // Greedy: the byte after the known ones is PyTorch's likeliest.
          const row = expected.subarray(prompt.length * 256, (prompt.length + 1) * 256)
          expect(part.bytes[phase]).toBe(row.indexOf(Math.max(...row)))
          expect(part.logprob[phase]).toBeCloseTo(logp(prompt.length, part.bytes[phase] as number), 4)
        }
      }
    })

    it("the sum of step-by-step log-probabilities is the score's, far beyond the trained context", async () => {
      const long = Uint8Array.from({ length: 5 * x.length + 3 }, (_, i) => (i * i * 31 + (i >> 3)) & 255)
      const { logprob, entropy } = await scoreBytes(model, long)
      const { decoder } = await Decoder.start(model, new Uint8Array(), 1)
      const p = model.config.patch
      for (let k = 0; (k + 1) * p <= long.length; k++) {
        const [part] = await decoder.step(greedy, 0, [long.subarray(k * p, (k + 1) * p)])
        expect(largestGap(part?.logprob ?? [], logprob.subarray(k * p, (k + 1) * p))).toBeLessThan(1e-3)
        expect(largestGap(part?.entropy ?? [], entropy.subarray(k * p, (k + 1) * p))).toBeLessThan(1e-3)
      }
    })
  },
)
