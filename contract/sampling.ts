import { z } from "zod"

/** How often something worthless is made again, each time with the next seed. */
export const MOST_AGAIN = 3

/** The seed after this one. */
export const nextSeed = (seed: number) => (seed + 1) % 2 ** 32

export const MOST_GUIDANCE = 5

/** How a byte is drawn from the model's 256 probabilities. */
export const Sampling = z.object({
  /** 0 is greedy: always the likeliest byte. */
  temperature: z.number().min(0).max(10),
  /** Smallest set of likeliest bytes whose probabilities reach this sum; 1: all. */
  topP: z.number().gt(0).max(1),
  /** The k likeliest bytes; 0: all. */
  topK: z.int().min(0).max(256),
  /** Bytes at least this share of the likeliest one's probability; 0: all. */
  minP: z.number().min(0).max(1),
  /**
   * How much more the style counts than in what the model learned: logits are moved away from those with the style left
   * open, to as many times the distance (classifier-free guidance, arXiv 2207.12598). Left out or 1: as learned.
   */
  guidance: z.number().min(1).max(MOST_GUIDANCE).optional(),
})
export type Sampling = z.infer<typeof Sampling>
/** Other ways to sample a pack that its makers chose by measurement: with less chance than by default, and with more. */
export const Presets = z.object({ tame: Sampling, wild: Sampling }).partial()
export type Presets = z.infer<typeof Presets>

const range = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([least, most]) => least < most, { error: "the least value must come first" })

/** Between which values a pack was tried: least and most. */
export const Ranges = z
  .object({
    temperature: range(z.number().min(0).max(10)),
    topP: range(z.number().min(0).max(1)),
    minP: range(z.number().min(0).max(1)),
    guidance: range(z.number().min(1).max(MOST_GUIDANCE)),
  })
  .partial()
export type Ranges = z.infer<typeof Ranges>

/** Whether one setting lies outside of the range that a pack was tried in. */
export function isOutside(sampling: Sampling, key: keyof Ranges, ranges: Ranges = {}): boolean {
  const [least, most] = ranges[key] ?? [0, Number.POSITIVE_INFINITY]
  const value = sampling[key] ?? 1
  return value < least || value > most
}

/** What of a sampling lies outside of the ranges that a pack was tried in, each in a few words. */
export function outside(sampling: Sampling, ranges: Ranges = {}): string[] {
  const names = { temperature: "temperature", topP: "top-p", minP: "min-p", guidance: "guidance" } as const
  return (Object.keys(names) as (keyof typeof names)[])
    .filter((key) => isOutside(sampling, key, ranges))
    .map((key) => `${names[key]} ${sampling[key] ?? 1} (tried: ${ranges[key]?.join(" to ")})`)
}

/** Whether a style counts for more than it was learned. */
export const isGuided = ({ guidance = 1 }: Sampling) => guidance > 1

/** What leaves bytes out of a draw: top-p, top-k, min-p. */
export type Mask = "p" | "k" | "m"

/** What leaves bytes out with these settings; greedy, nothing has to. */
export function masksOf({ temperature, topP, topK, minP }: Sampling): Mask[] {
  if (temperature === 0) return []
  return [...(topP < 1 ? (["p"] as const) : []), ...(topK ? (["k"] as const) : []), ...(minP ? (["m"] as const) : [])]
}

export const defaultSampling: Sampling = { temperature: 0.8, topP: 0.95, topK: 0, minP: 0 }
