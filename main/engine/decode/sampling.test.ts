import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defaultSampling, type Sampling } from "../../../contract/sampling.ts"
import { Constraint } from "./constraint.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"
import { scoreBytes } from "./score.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-sampling-"))
const folder = join(import.meta.dirname, "../../../test/parity/modern")
let model: Model
beforeAll(() => {
  model = Model.load(folder, "fp32", 1, cache)
})
afterAll(async () => {
  await model.release()
  rmSync(cache, { recursive: true, force: true })
})

const prompt = Uint8Array.from({ length: 24 }, (_, i) => i * 7)

/** The model's probabilities of the byte after `prompt`, after temperature and the masks, computed the plain way. */
async function expectedProbabilities({ temperature, topP, topK, minP }: Sampling, barred: number[]) {
  const { logits } = await scoreBytes(model, Uint8Array.from([...prompt, ...new Uint8Array(8)]), undefined, "logits")
  const row = [...(logits ?? []).slice(24 * 256, 25 * 256)].map((x) => x / temperature)
  for (const byte of barred) row[byte] = Number.NEGATIVE_INFINITY
  const top = Math.max(...row)
  const sum = row.reduce((s, x) => s + Math.exp(x - top), 0)
  const ranked = row.map((x, byte) => ({ byte, p: Math.exp(x - top) / sum })).sort((a, b) => b.p - a.p)
  let mass = 0
  const best = ranked[0]?.p ?? 0
  const kept = ranked.filter(({ p }, rank) => {
    const before = mass
    mass += p
    return before < topP && (topK === 0 || rank < topK) && p >= minP * best
  })
  const total = kept.reduce((s, { p }) => s + p, 0)
  const out = new Array<number>(256).fill(0)
  for (const { byte, p } of kept) out[byte] = p / total
  return out
}

/** Counts of the first byte over `rounds` runs of 64 variations with different seeds. */
async function draw(sampling: Sampling, rounds: number, barred: number[]): Promise<number[]> {
  const counts = new Array<number>(256).fill(0)
  for (let seed = 0; seed < rounds; seed++) {
    const { decoder } = await Decoder.start(model, prompt, 64)
    const constraints = Array.from({ length: 64 }, () => new Constraint(barred))
    for (const part of await decoder.step(sampling, seed, undefined, 0, constraints)) {
      const byte = part.bytes[0] as number
      counts[byte] = (counts[byte] ?? 0) + 1
    }
  }
  return counts
}

describe("sampling inside the graph", () => {
  const plain = { temperature: 1, topP: 1, topK: 0, minP: 0 }
  const ways: [string, Sampling][] = [
    ["plain softmax", plain],
    ["a temperature of 0.5", { ...plain, temperature: 0.5 }],
    ["top-k of 5", { ...plain, topK: 5 }],
    ["top-p of 0.7", { ...plain, topP: 0.7 }],
    ["min-p of 0.2", { ...plain, minP: 0.2 }],
    ["all at once", { temperature: 0.8, topP: 0.9, topK: 20, minP: 0.02 }],
  ]
  it.each([
    ...ways.map(([name, sampling]) => ({ name, sampling, bars: false })),
    ...ways.map(([name, sampling]) => ({ name: `${name}, without the likeliest bytes`, sampling, bars: true })),
  ])("draws from the softmax: $name", async ({ sampling, bars }) => {
    const whole = await expectedProbabilities(plain, [])
    const barred = bars ? [...whole.keys()].sort((a, b) => (whole[b] as number) - (whole[a] as number)).slice(0, 3) : []
    const p = await expectedProbabilities(sampling, barred)
    const rounds = 60
    const n = rounds * 64
    const counts = await draw(sampling, rounds, barred)
    // What was cut off is never drawn.
    counts.forEach((count, byte) => {
      if (p[byte] === 0) expect(count).toBe(0)
    })
    // Chi-squared; bytes expected less than five times are taken together.
    let chi = 0
    let cells = 0
    let rare = { expected: 0, seen: 0 }
    p.forEach((probability, byte) => {
      const expected = probability * n
      const seen = counts[byte] ?? 0
      if (expected >= 5) {
        chi += (seen - expected) ** 2 / expected
        cells++
      } else rare = { expected: rare.expected + expected, seen: rare.seen + seen }
    })
    if (rare.expected >= 5) {
      chi += (rare.seen - rare.expected) ** 2 / rare.expected
      cells++
    }
    const freedom = Math.max(1, cells - 1)
    // Wilson and Hilferty's bound for p = 0.0001; seeds are fixed, so that this holds always or never.
    const bound = freedom * (1 - 2 / (9 * freedom) + 3.72 * Math.sqrt(2 / (9 * freedom))) ** 3
    expect(chi).toBeLessThan(bound)
  })

  const run = async (sampling: Sampling, seed: number, from: Uint8Array, patches: number, batch = 1) => {
    const { decoder } = await Decoder.start(model, from, batch)
    const rest = from.subarray(from.length - (from.length % 8))
    const out = Array.from({ length: batch }, () => [] as number[])
    for (let k = 0; k < patches; k++) {
      const known = k === 0 && rest.length ? out.map(() => rest) : undefined
      const parts = await decoder.step(sampling, seed, known)
      for (const [b, part] of parts.entries()) out[b]?.push(...part.bytes)
    }
    return out
  }

  it("greedy repeats itself byte for byte, whatever the seed, and every variation is the same", async () => {
    const greedy = { ...defaultSampling, temperature: 0 }
    const [a] = await run(greedy, 1, prompt, 20)
    const both = await run(greedy, 2, prompt, 20, 2)
    expect(both[0]).toEqual(a)
    expect(both[1]).toEqual(a)
  })

  it("greedy takes the likeliest byte of those that are not barred", async () => {
    const greedy = { ...defaultSampling, temperature: 0 }
    const [likeliest = []] = await run(greedy, 1, prompt, 1)
    const p = await expectedProbabilities(plain, likeliest.slice(0, 1))
    const { decoder } = await Decoder.start(model, prompt, 1)
    const [part] = await decoder.step(greedy, 1, undefined, 0, [new Constraint(likeliest.slice(0, 1))])
    expect(part?.bytes[0]).toBe(p.indexOf(Math.max(...p)))
  })

  it("a word stays whole and an unfinished character is finished, in every variation, whatever is drawn", async () => {
    const hot = { ...plain, temperature: 3 }
    for (const given of ["word", "a word", "no word.", "finish\u00e9", "cut \u20ac"]) {
      const whole = new TextEncoder().encode(given)
      const from = given.endsWith("\u20ac") ? whole.subarray(0, -2) : whole
      const rest = from.subarray(from.length - (from.length % 8))
      const constraints = Array.from({ length: 32 }, () => new Constraint([0], from))
      const { decoder } = await Decoder.start(model, from, 32)
      const parts = await decoder.step(hot, 4, Array(32).fill(rest), 0, constraints)
      const more = await decoder.step(hot, 4, undefined, 0, constraints)
      parts.forEach(({ bytes }, b) => {
        const drawn = [...bytes.subarray(rest.length), ...(more[b]?.bytes ?? [])]
        const check = new Constraint([0], from)
        drawn.forEach((byte) => {
          expect(check.barred()[byte]).toBe(0)
          check.push([byte])
        })
      })
    }
  })

  it("the same seed gives the same bytes, another seed others, variations differ", async () => {
    const [a, b] = await run(defaultSampling, 5, prompt, 20, 2)
    const again = await run(defaultSampling, 5, prompt, 20, 2)
    const [other] = await run(defaultSampling, 6, prompt, 20)
    expect(again).toEqual([a, b])
    expect(a).not.toEqual(b)
    expect(other).not.toEqual(a)
  })

  it("a fork reads what was decoded, and goes on as a fresh start from there would", async () => {
    const { decoder } = await Decoder.start(model, prompt, 2)
    for (let k = 0; k < 10; k++) await decoder.step(defaultSampling, 3)
    const stem = decoder.history(1).slice(0, 8 * 8 + 3)
    const fork = await Decoder.start(model, stem, 1, decoder)
    expect(fork.reused).toBe(0)
    const greedy = { ...defaultSampling, temperature: 0 }
    const [part] = await fork.decoder.step(greedy, 0, [stem.subarray(64)])
    const fresh = await Decoder.start(model, stem, 1)
    const [same] = await fresh.decoder.step(greedy, 0, [stem.subarray(64)])
    expect(part?.bytes).toEqual(same?.bytes)
    expect(part?.logprob).toEqual(same?.logprob)
  })
})
