import { attentionWindow, headWidth } from "../../../contract/pack.ts"
import {
  byteFeeds,
  type Feeds,
  keysAndValues,
  maskOf,
  noteFeeds,
  positionFeeds,
  previousFeeds,
  toGpuFeeds,
} from "./feeds.ts"
import { KvCache } from "./kv-cache.ts"
import type { Model } from "./model.ts"
import { Sequences } from "./sequences.ts"

/**
 * Runs a parallel graph on patches from..from+count-1 of `bytes`, the next ones of a single sequence; appends their cache
 * rows and returns its outputs.
 */
export async function runParallel(
  sequence: Sequences,
  graph: "prefill" | "score" | "logits",
  bytes: Uint8Array,
  from: number,
  count: number,
) {
  const { config, model, cache, origin } = sequence
  const { notes, global: g, aligned, patch } = config
  const layers = graph === "prefill" && !aligned ? g.layers - 1 : g.layers
  const feeds: Feeds = {
    ...previousFeeds(config, bytes, from, count, origin),
    mask: maskOf(cache.past, count, attentionWindow(config)),
    ...positionFeeds(config, cache.length, count),
    ...keysAndValues(layers, (i) => cache.view(i), [cache.past, g.kv_heads, headWidth(g)]),
    ...sequence.carried(),
  }
  const inside = graph !== "prefill"
  if (inside) Object.assign(feeds, byteFeeds(config, bytes, from, count))
  if (notes) {
    const listenerAt = (at: number) => sequence.listener(0, notes, bytes.subarray(0, at))
    Object.assign(feeds, noteFeeds(patch, listenerAt, notes, bytes, { from, count, inside }))
  }
  const session = await model.session(graph)
  const out = await session.run(model.device === "cpu" ? feeds : toGpuFeeds(feeds))
  sequence.appendRows(out, count)
  return out
}

/**
 * Prefill: a single sequence reads `bytes` (whole patches; the beginning may be known) in parallel.
 * @param stop asked between chunks; true ends it early
 */
export async function read(sequence: Sequences, bytes: Uint8Array, stop?: () => boolean): Promise<void> {
  const whole = bytes.length / sequence.config.patch
  while (sequence.nextPatch < whole && !stop?.()) {
    sequence.makeRoom(whole)
    await runParallel(sequence, "prefill", bytes, sequence.nextPatch, sequence.chunk(whole))
  }
  sequence.wasRead(bytes)
}

/** One sequence after `prompt`'s whole patches: one of `from` where it read them, which is then no longer to be used. */
export async function readPrompt(model: Model, prompt: Uint8Array, from?: Sequences, stop?: () => boolean) {
  const { patch } = model.config
  const whole = Math.floor(prompt.length / patch)
  let best = { reused: 0, b: 0 }
  for (let b = 0; from && b < from.count; b++) {
    const reused = from.reusable(prompt, b)
    if (reused > best.reused) best = { reused, b }
  }
  const { reused, b } = best
  const sequence = !from || !reused ? new Sequences(model, 1) : from.count === 1 ? from : from.only(b)
  if (reused) sequence.truncate(reused, prompt)
  if (reused < whole) await read(sequence, prompt.subarray(0, whole * patch), stop)
  return { sequence, reused }
}

/** Every sequence's bytes are read again from its origin on, as after `makeRoom`. */
export async function readAgain(sequences: Sequences): Promise<void> {
  const singles: Sequences[] = []
  for (let b = 0; b < sequences.count; b++) {
    const single = new Sequences(sequences.model, 1)
    single.origin = sequences.origin
    await read(single, sequences.history(b))
    singles.push(single)
  }
  sequences.origin = singles[0]?.origin ?? 0
  sequences.cache = KvCache.joined(singles.map(({ cache }) => cache))
}
