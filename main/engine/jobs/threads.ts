import { cpus } from "node:os"
import { basename, join } from "node:path"
import { z } from "zod"
import { defaultSampling } from "../../../contract/sampling.ts"
import { readMeasured, remember, THREADS_FILE } from "../../files/measured.ts"
import { Decoder } from "../decode/decoder.ts"
import type { Model } from "../decode/model.ts"

/**
 * How many threads decode a model the fastest. One a core is often too many: each of a patch's small products waits for
 * the slowest core, be it an efficient one or one that is busy elsewhere.
 */

const Threads = z.int().min(1)

/** Patches that are timed after the first, and milliseconds after which three must do for a slow model. */
const [TIMED, ENOUGH] = [11, 1000]
/** More threads are taken only if they save this share of the time: what they leave free serves the rest of the machine. */
const WORTH = 0.05

/** The numbers that are tried: 1, 2, 4 … and one a core. */
export function candidates(cores: number): number[] {
  const doubled = Array.from({ length: Math.ceil(Math.log2(Math.max(1, cores))) }, (_, i) => 2 ** i)
  return [...doubled, Math.max(1, cores)]
}

/** The fewest threads among those tried in turn that are as fast as any; no more are tried once more are slower. */
export async function fewestFastest(tried: number[], measure: (threads: number) => Promise<number>): Promise<number> {
  let [best, fastest] = [1, Number.POSITIVE_INFINITY]
  for (const threads of tried) {
    const ms = await measure(threads)
    if (ms < (1 - WORTH) * fastest) [best, fastest] = [threads, ms]
    else if (ms > (1 + WORTH) * fastest) break
  }
  return best
}

/** Measures `model` where that has not happened on this machine yet, and remembers the answer in `cache`. */
export async function fastestThreads(model: Model, cache: string): Promise<number> {
  const path = join(cache, THREADS_FILE)
  const key = `${basename(model.compiled.folder)} ${cpus()[0]?.model} x ${cpus().length}`
  const known = readMeasured(path, Threads)[key]
  if (known) return known
  const threads = await fewestFastest(candidates(cpus().length), (n) => msPerPatch(model, n))
  remember(path, Threads, key, threads)
  return threads
}

async function msPerPatch(model: Model, threads: number): Promise<number> {
  const trial = model.withThreads(threads)
  const { decoder } = await Decoder.start(trial, new Uint8Array(), 1)
  await decoder.step(defaultSampling, 1)
  const start = performance.now()
  const times: number[] = []
  while (times.length < TIMED && (times.length < 3 || performance.now() - start < ENOUGH)) {
    const began = performance.now()
    await decoder.step(defaultSampling, 1)
    times.push(performance.now() - began)
  }
  await trial.release()
  return times.sort((a, b) => a - b)[times.length >> 1] as number
}
