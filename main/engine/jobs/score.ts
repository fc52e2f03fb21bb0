import type {
  AlternativesRequest,
  EngineResult,
  LoadEvent,
  ScoreEvent,
  ScoreRequest,
} from "../../../contract/engine.ts"
import type { Call } from "../../../contract/rpc.ts"
import { lastLogits, scoreBytes } from "../decode/score.ts"
import { likeliest } from "./alternatives.ts"
import { type Loader, yieldToEventLoop } from "./loader.ts"

/** Log-probability and entropy of every byte, in nats; of those that were read where the call is aborted. */
export function score(
  request: ScoreRequest,
  { emit, signal }: Call<ScoreEvent>,
  loader: Loader,
): Promise<EngineResult<"score">> {
  return loader.withCpuFallback(request, emit, async (device) => {
    const { model } = await loader.load({ ...request, device }, emit)
    const start = performance.now()
    const { logprob, entropy } = await scoreBytes(model, request.bytes, async (bytes) => {
      emit({ type: "progress", bytes })
      await yieldToEventLoop()
      return !signal.aborted
    })
    return { logprob: logprob.slice(), entropy: entropy.slice(), scoreMs: performance.now() - start }
  })
}

/** The likeliest bytes at each place of the last patch. */
export function alternatives(
  request: AlternativesRequest,
  { emit }: Call<LoadEvent>,
  loader: Loader,
): Promise<EngineResult<"alternatives">> {
  const { bytes, count } = request
  return loader.withCpuFallback(request, emit, async (device) => {
    const { model } = await loader.load({ ...request, device }, emit)
    const { patch, context } = model.config
    const dropped = Math.max(0, Math.ceil((bytes.length - context * patch) / patch)) * patch
    return likeliest(await lastLogits(model, bytes.subarray(dropped)), count)
  })
}
