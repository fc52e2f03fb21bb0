import { defaultSampling } from "../contract/sampling.ts"
import type { Decoder } from "../main/engine/decode/decoder.ts"

/** What the benchmarks of decoding have in common: what is read, what is timed and what is told of the times. */

/** Sorts `times`. */
export const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number

/**
 * Milliseconds of processor time of this process. On one thread it is the time that a machine with nothing else to do
 * would take; what others do at the same time changes it least.
 */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** `length` bytes to decode after: speed does not depend on what they say. */
export const anyPrompt = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) & 127)

/** Milliseconds of each of the next `patches`, drawn as people draw them. */
export async function timePatches(decoder: Decoder, patches: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < patches; i++) {
    const began = performance.now()
    await decoder.step(defaultSampling, 1)
    times.push(performance.now() - began)
  }
  return times
}
