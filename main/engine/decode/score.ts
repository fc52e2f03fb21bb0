import type { Tensor } from "../onnxruntime.ts"
import type { Model } from "./model.ts"
import { read, readAgain, runParallel } from "./prefill.ts"
import { CHUNK, Sequences } from "./sequences.ts"

/** Bytes of a chunk, where every byte is scored under a mixture of distributions: a dozen kilobytes each. */
const MIXED_BYTES = 2048

const numbers = (tensor: unknown) => (tensor as Tensor).data as Float32Array

/**
 * Log-probability and entropy (nats) of every byte of `bytes`, all patches of a chunk in parallel.
 * @param progress told the bytes done after each chunk; returns false to stop
 * @param largest patches of a chunk at most
 */
export async function scoreBytes(
  model: Model,
  bytes: Uint8Array,
  progress?: (done: number) => Promise<boolean> | boolean,
  want: "score" | "logits" = "score",
  largest = CHUNK,
): Promise<{ logprob: Float32Array; entropy: Float32Array; logits?: Float32Array }> {
  const { patch, lookback } = model.config
  const sequence = new Sequences(model, 1)
  const patches = Math.ceil(bytes.length / patch)
  const most = Math.min(largest, lookback?.lpc.length ? Math.ceil(MIXED_BYTES / patch) : CHUNK)
  const logprob = new Float32Array(patches * patch)
  const entropy = new Float32Array(patches * patch)
  const logits = want === "logits" ? new Float32Array(patches * patch * 256) : undefined
  let scored = 0
  while (scored < patches) {
    sequence.makeRoom(patches)
    const from = sequence.nextPatch
    // Patches read again for their context were scored already; a chunk does not mix the two.
    const count = sequence.chunk(from < scored ? scored : patches, most)
    if (from < scored) {
      await runParallel(sequence, "prefill", bytes, from, count)
      continue
    }
    const out = await runParallel(sequence, want, bytes, from, count)
    logprob.set(numbers(out.logprob), from * patch)
    entropy.set(numbers(out.entropy), from * patch)
    logits?.set(numbers(out.logits), from * patch * 256)
    scored = from + count
    if (progress && !(await progress(Math.min(bytes.length, scored * patch)))) break
  }
  const end = Math.min(bytes.length, scored * patch)
  const result = { logprob: logprob.subarray(0, end), entropy: entropy.subarray(0, end) }
  return logits ? { ...result, logits: logits.subarray(0, end * 256) } : result
}

/**
 * What the model says at each place of the last patch of `bytes`, the bytes before it known.
 * @returns logits [places, 256]
 */
export async function lastLogits(model: Model, bytes: Uint8Array): Promise<Float32Array> {
  const { patch } = model.config
  const last = Math.ceil(bytes.length / patch) - 1
  const sequence = new Sequences(model, 1)
  await read(sequence, bytes.subarray(0, last * patch))
  if (sequence.makeRoom(last + 1)) await readAgain(sequence)
  const out = await runParallel(sequence, "logits", bytes, last, 1)
  return numbers(out.logits).slice(0, (bytes.length - last * patch) * 256)
}
