import type { EngineResult, GenerateEvent, GenerateRequest, PatchPart } from "../../../contract/engine.ts"
import type { Device } from "../../../contract/pack.ts"
import type { Call } from "../../../contract/rpc.ts"
import { isGuided } from "../../../contract/sampling.ts"
import { Constraint } from "../decode/constraint.ts"
import { Decoder } from "../decode/decoder.ts"
import type { DrawnPart } from "../decode/feeds.ts"
import { StoppingCriteria } from "../decode/stopping.ts"
import { type Loader, yieldToEventLoop } from "./loader.ts"

type Begun = {
  decoder: Decoder
  /** What of the prompt the model looks at, and how many of its first bytes it does not. */
  used: Uint8Array
  dropped: number
}

/** Decodes after a prompt, patch by patch, until every variation has what was asked for. @throws what the CPU throws */
export async function generate(
  request: GenerateRequest,
  { emit, signal }: Call<GenerateEvent>,
  loader: Loader,
): Promise<EngineResult<"generate">> {
  const { prompt, variations, sampling, seed } = request
  const begun = await loader.withCpuFallback(request, emit, (device) =>
    begin({ ...request, device }, { emit, signal }, loader),
  )
  const { used, dropped } = begun
  let { decoder } = begun
  const { patch } = decoder.config

  const decodeBegan = performance.now()
  const done = (reason: EngineResult<"generate">["reason"]) => ({ reason, decodeMs: performance.now() - decodeBegan })
  const rest = used.subarray(Math.floor(used.length / patch) * patch)
  let forced: Uint8Array | undefined = rest.length ? rest : undefined
  const ends = Array.from({ length: variations }, () => new Ending(request))
  const constraints = Array.from(
    { length: variations },
    () => new Constraint(request.barred, request.isText ? prompt : undefined),
  )
  while (!ends.every(({ criteria }) => criteria.isDone)) {
    await yieldToEventLoop()
    if (signal.aborted) return done("cancelled")
    const index = decoder.nextPatch
    const known = forced ? Array.from({ length: variations }, () => forced as Uint8Array) : undefined
    const skip = forced?.length ?? 0
    const parts = await loader.withCpuFallback(
      request,
      emit,
      () => decoder.step(sampling, seed, known, dropped, constraints),
      async () => {
        const state = await loader.load({ ...request, device: "cpu" }, emit)
        decoder = await decoder.movedTo(state.model)
        Object.assign(state, { decoder, dropped })
        return decoder.step(sampling, seed, known, dropped, constraints)
      },
    )
    forced = undefined
    const fresh = parts.map((part, b) => (ends[b] as Ending).take(part, skip))
    emit({ type: "patch", index: index + dropped / patch, parts: fresh })
  }
  return done(ends.every(({ hasEnded }) => hasEnded) ? "end" : "length")
}

/** Loads the pack and reads the prompt, or what is known of it from the run before. */
async function begin(
  request: GenerateRequest & { device: Device },
  { emit, signal }: Call<GenerateEvent>,
  loader: Loader,
): Promise<Begun> {
  const { prompt, variations, sampling, cutHeader = new Uint8Array() } = request
  const isCancelled = () => signal.aborted
  const state = await loader.load(request, emit)
  const { patch, context, notes } = state.model.config
  const began = performance.now()
  const before = state.decoder
  // Of a long prompt the end that the model was trained to look at is read, by whole patches or bars; never more where
  // more is known: a run does not depend on what ran before.
  const grid = patch * (notes?.bar ?? 1)
  const first = Math.min(request.began ?? prompt.length, prompt.length)
  const dropped = Math.max(0, Math.ceil((first - context * patch) / grid)) * grid
  const cut = (head: Uint8Array) => Buffer.concat([head, prompt.subarray(head.length + dropped)])
  const used = dropped ? cut(cutHeader) : prompt
  const open = isGuided(sampling) ? request.open : undefined
  const opened = open && cut(dropped ? open.cutHeader : open.header)
  const isResumed = first < prompt.length && variations === 1
  const { decoder, reused } = await (isResumed
    ? Decoder.resume(state.model, used, first - dropped, sampling, before, isCancelled, opened)
    : Decoder.start(state.model, used, variations, before, isCancelled, opened))
  if (before !== decoder) before?.release()
  Object.assign(state, { decoder, dropped })
  emit({ type: "started", used: used.length, reused, prefillMs: performance.now() - began })
  return { decoder, used, dropped }
}

/** Where one variation ends: by its length, or at the byte that says so. */
class Ending {
  readonly criteria: StoppingCriteria
  hasEnded = false

  constructor(private readonly request: GenerateRequest) {
    this.criteria = new StoppingCriteria(request.length, request.unit, request.prompt)
  }

  /** What of a patch is wanted, after `skip` bytes that were given. */
  take(part: DrawnPart, skip: number): PatchPart {
    const { stopAt } = this.request
    let count = this.criteria.take(part.bytes.subarray(skip))
    const marked = stopAt === undefined ? -1 : part.bytes.subarray(skip, skip + count).indexOf(stopAt)
    const stop = marked < 0 && part.end !== undefined && part.end < skip + count ? part.end - skip : marked
    if (stop >= 0) {
      count = stop
      this.hasEnded = true
      this.criteria.end()
    }
    const cut = <T extends Uint8Array | Float32Array>(a: T) => a.slice(skip, skip + count) as T
    return { bytes: cut(part.bytes), logprob: cut(part.logprob), entropy: cut(part.entropy) }
  }
}
