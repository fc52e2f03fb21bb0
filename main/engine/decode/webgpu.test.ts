import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest"
import { defaultSampling, type Sampling } from "../../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../host/engine/client.ts"
import { readSafetensors } from "../../packs/safetensors.ts"
import { deviceNames } from "../graph/decode-gpu.ts"
import { Constraint } from "./constraint.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"
import { scoreBytes } from "./score.ts"

/** Needs a GPU, or a driver in software (test/support/vulkan.ts). No node of these graphs may fall back to the CPU. */
const cache = mkdtempSync(join(tmpdir(), "megabyte-webgpu-"))
const packs = join(import.meta.dirname, "../../../test/parity")
const greedy: Sampling = { ...defaultSampling, temperature: 0 }
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** In fp32 a mixture with what is expected of sound is exact to a rounding error of probability, not of its logarithm. */
const tolerance = (name: string, logp: number) => 5e-4 + (name === "sound" ? 3e-7 * Math.exp(-logp) : 0)

describe.skipIf(!inject("gpu").works).each(["paper", "modern", "story", "picture", "sound", "byte"])(
  "on the GPU the %s architecture",
  (name) => {
    let cpu: Model
    let gpu: Model
    let prompt: Uint8Array
    beforeAll(() => {
      cpu = Model.load(join(packs, name), "fp32", 1, cache)
      gpu = Model.load(join(packs, name), "fp32", 1, cache, "webgpu")
      // Three patches and a bit of the fourth.
      prompt = Uint8Array.from(
        { length: 3 * cpu.config.patch + (cpu.config.patch >> 1) },
        (_, i) => 100 + ((i * 7) % 50),
      )
    })
    afterAll(async () => {
      await cpu.release()
      await gpu.release()
    })

    it("makes the CPU's bytes, greedy and seeded, two at once, beyond the window and the context", async () => {
      const { patch, context } = cpu.config
      const known = prompt.subarray(3 * patch)
      const [a, b] = [await Decoder.start(cpu, prompt, 2), await Decoder.start(gpu, prompt, 2)]
      for (let k = 3; k < context + 4; k++) {
        const how = k % 2 ? greedy : defaultSampling
        const forced = k === 3 && known.length ? [known, known] : undefined
        const [onCpu, onGpu] = [await a.decoder.step(how, 5, forced), await b.decoder.step(how, 5, forced)]
        expect(onGpu.map((part) => [...part.bytes])).toEqual(onCpu.map((part) => [...part.bytes]))
        for (const [v, part] of onGpu.entries())
          for (const what of ["logprob", "entropy"] as const)
            part[what].forEach((x, p) => {
              expect(x).toBeCloseTo(onCpu[v]?.[what][p] as number, 3)
            })
      }
      b.decoder.release()
    })

    it("leaves out what the CPU leaves out, and draws again where it does", async () => {
      const text = new TextEncoder().encode("a word")
      const whole = text.length - (text.length % cpu.config.patch)
      const made = async (model: Model) => {
        const { decoder } = await Decoder.start(model, text, 8)
        const constraints = Array.from({ length: 8 }, () => new Constraint([32, 33], text))
        const known = Array.from({ length: 8 }, () => text.subarray(whole))
        const bytes: number[][] = []
        for (let k = 0; k < 5; k++) {
          const sampling = { ...defaultSampling, temperature: 2, topP: k % 2 ? 0.9 : 1 }
          const parts = await decoder.step(sampling, 3, k ? undefined : known, 0, constraints)
          bytes.push(...parts.map((part) => [...part.bytes]))
        }
        decoder.release()
        return bytes
      }
      expect(await made(gpu)).toEqual(await made(cpu))
    })

    it("scores as the CPU", async () => {
      const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 31 + (i >> 3)) & 255)
      const [a, b] = [await scoreBytes(cpu, bytes), await scoreBytes(gpu, bytes)]
      b.logprob.forEach((x, i) => {
        const onCpu = a.logprob[i] as number
        expect(Math.abs(x - onCpu)).toBeLessThan(tolerance(name, onCpu))
      })
    })

    it("gives PyTorch's logits for the same checkpoint", async () => {
      const file = readSafetensors(join(packs, name, "expected.safetensors"))
      const numbers = (key: string) => new Float32Array(new Uint8Array(file.get(key)?.data ?? []).buffer)
      const { logits } = await scoreBytes(gpu, Uint8Array.from(numbers("x")), undefined, "logits")
      const expected = numbers("logits")
      expect(logits?.length).toBe(expected.length)
      expected.forEach((x, i) => {
        const gap = Math.abs(x - (logits?.[i] as number))
        if (!(gap < 2 * tolerance(name, x))) expect.fail(`logit ${i} is ${gap} from PyTorch's ${x}`)
      })
    })

    it("keeps its cache and its past on the device and reads back three numbers a byte", async () => {
      const { decoder } = await Decoder.start(gpu, prompt, 1)
      const session = await gpu.session("decode")
      const run = vi.spyOn(session, "run")
      await decoder.step(greedy, 1)
      const out = Object.values(await (run.mock.results[0]?.value as ReturnType<typeof session.run>))
      run.mockRestore()
      const { global, patch } = gpu.config
      expect(out.filter((t) => t.location === "gpu-buffer").length).toBe(deviceNames(gpu.config).length)
      expect(deviceNames(gpu.config).length).toBeGreaterThanOrEqual(2 * global.layers)
      expect(out.filter((t) => t.location === "cpu").map((t) => t.size)).toEqual([3 * patch])
      decoder.release()
    })
  },
)

describe.skipIf(!inject("gpu").works)("a GPU that fails", () => {
  const target = { pack: join(packs, "modern"), precision: "fp32", threads: 1 } as const
  const request = { ...target, prompt: Uint8Array.of(1, 2, 3), length: 90, variations: 2, seed: 4, sampling: greedy }
  afterEach(() => {
    delete process.env.MEGABYTE_FAULT
  })
  const made = async (device: "cpu" | "webgpu", engine: EngineClient) => {
    const bytes: number[][] = [[], []]
    const said: string[] = []
    const patch = ({ parts }: { parts: { bytes: Uint8Array }[] }) =>
      parts.forEach((part, b) => void bytes[b]?.push(...part.bytes))
    const run = engine.generate({ ...request, device }, { patch, fallback: (line) => void said.push(line) })
    expect((await run.result).reason).toBe("length")
    return { bytes, said }
  }

  it.each([0, 5])("at patch %i is told, and the CPU goes on to the same bytes", async (patch) => {
    const sound = new EngineClient(forkEngine(cache))
    process.env.MEGABYTE_FAULT = String(patch)
    const failing = new EngineClient(forkEngine(cache))
    try {
      const expected = await made("cpu", sound)
      const { bytes, said } = await made("webgpu", failing)
      expect(said).toEqual([expect.stringMatching(/^The GPU failed \(a fault.*nothing is lost/)])
      expect(bytes).toEqual(expected.bytes)
      // It is left alone from then on, without another word.
      expect((await made("webgpu", failing)).said).toEqual([])
    } finally {
      sound.close()
      failing.close()
    }
  })

  it("while it works, forks and goes on as the CPU does", async () => {
    const engine = new EngineClient(forkEngine(cache))
    try {
      const one = await made("webgpu", engine)
      expect(one.said).toEqual([])
      expect((await made("cpu", engine)).bytes).toEqual(one.bytes)
      const prompt = Uint8Array.from([1, 2, 3, ...(one.bytes[1] ?? []).slice(0, 37)])
      const rest: number[] = []
      await engine.generate(
        { ...request, device: "webgpu", prompt, length: 53, variations: 1 },
        { patch: ({ parts }) => void rest.push(...(parts[0]?.bytes ?? [])) },
      ).result
      expect([...prompt.subarray(3), ...rest]).toEqual(one.bytes[1])
    } finally {
      engine.close()
    }
  })
})
