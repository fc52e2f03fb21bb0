import { statSync } from "node:fs"
import { join } from "node:path"
import { type EngineEvent, EngineRequest, type GenerateRequest, type ScoreRequest } from "../../contract/engine.ts"
import { PackError } from "../../native-models/graph/safetensors.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"

/**
 * The engine's own process: loads packs, decodes, scores. It speaks the messages of contract/engine.ts with whoever
 * spawned it, through Node's IPC channel or Electron's parent port. Requests run one after the other.
 */

type ParentPort = { on(event: "message", f: (e: { data: unknown }) => void): void; postMessage(message: unknown): void }
const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort
const send = (event: EngineEvent) => {
  if (parentPort) parentPort.postMessage(event)
  // Without a host there is nobody to work for.
  else process.send?.(event, undefined, undefined, (error) => error && process.exit(0))
}
const cache = process.env.MEGABYTE_CACHE
if (!cache) throw new Error("MEGABYTE_CACHE is not set")

/** The model in memory; another pack or precision takes its place. */
let loaded: { key: string; model: Model; decoder?: Decoder; dropped: number } | undefined
const cancelled = new Set<number>()
let queue = Promise.resolve()

/** Lets messages in: a run blocks this process's event loop, so a cancel is seen between two patches. */
const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

async function load(request: GenerateRequest | ScoreRequest) {
  const { id, pack, precision, threads } = request
  // A pack that was replaced in its place is another pack.
  const changed = statSync(join(pack, "weights.safetensors"), { throwIfNoEntry: false })?.mtimeMs
  const key = JSON.stringify([pack, changed, precision, threads])
  if (loaded?.key === key) return loaded
  send({ type: "loading", id })
  const start = performance.now()
  await loaded?.model.release()
  loaded = undefined
  const model = Model.load(pack, precision, threads, cache as string)
  if (request.type === "generate") await model.session("decode")
  loaded = { key, model, dropped: 0 }
  send({ type: "loaded", id, loadMs: performance.now() - start })
  return loaded
}

async function generate(request: GenerateRequest): Promise<void> {
  const { id, prompt, variations, sampling, seed, length } = request
  const state = await load(request)
  const { patch, context } = state.model.config
  const isCancelled = () => cancelled.has(id)

  const began = performance.now()
  let from = state.decoder
  let dropped = state.dropped
  if (!from || !mostReusable(from, prompt.subarray(dropped))) {
    // Nothing known of it: the end that the model was trained to look at is read, on the grid of whole patches.
    from = undefined
    dropped = Math.max(0, Math.ceil((prompt.length - context * patch) / patch)) * patch
  }
  const used = prompt.subarray(dropped)
  const { decoder, reused } = await Decoder.start(state.model, used, variations, from, isCancelled)
  Object.assign(state, { decoder, dropped })
  send({ type: "started", id, used: used.length, reused, prefillMs: performance.now() - began })

  const decodeBegan = performance.now()
  const done = (reason: "length" | "end" | "cancelled") =>
    send({ type: "done", id, reason, decodeMs: performance.now() - decodeBegan })
  const rest = used.subarray(Math.floor(used.length / patch) * patch)
  let forced: Uint8Array | undefined = rest.length ? rest : undefined
  const left = new Array<number>(variations).fill(length)
  const ended = new Array<boolean>(variations).fill(false)
  while (left.some((n) => n > 0)) {
    await breathe()
    if (isCancelled()) return void done("cancelled")
    const index = decoder.nextPatch
    const known = forced ? Array.from({ length: variations }, () => forced as Uint8Array) : undefined
    const skip = forced?.length ?? 0
    const parts = await decoder.step(sampling, seed, known, dropped)
    forced = undefined
    const fresh = parts.map((part, b) => {
      let count = Math.min(left[b] as number, patch - skip)
      const stop = request.stopAt === undefined ? -1 : part.bytes.subarray(skip, skip + count).indexOf(request.stopAt)
      if (stop >= 0) {
        count = stop
        ended[b] = true
      }
      left[b] = stop >= 0 ? 0 : (left[b] as number) - count
      const cut = <T extends Uint8Array | Float32Array>(a: T) => a.slice(skip, skip + count) as T
      return { bytes: cut(part.bytes), logprob: cut(part.logprob), entropy: cut(part.entropy) }
    })
    send({ type: "patch", id, index: index + dropped / patch, parts: fresh })
  }
  done(ended.every(Boolean) ? "end" : "length")
}

function mostReusable(decoder: Decoder, prompt: Uint8Array): number {
  let most = 0
  for (let b = 0; b < decoder.batch; b++) most = Math.max(most, decoder.reusable(prompt, b))
  return most
}

async function score(request: ScoreRequest): Promise<void> {
  const { id, bytes } = request
  const { model } = await load(request)
  const start = performance.now()
  const { logprob, entropy } = await Decoder.score(model, bytes, async (done) => {
    send({ type: "progress", id, bytes: done })
    await breathe()
    return !cancelled.has(id)
  })
  send({ type: "scored", id, logprob: logprob.slice(), entropy: entropy.slice(), scoreMs: performance.now() - start })
}

function receive(message: unknown): void {
  const parsed = EngineRequest.safeParse(message)
  if (!parsed.success) {
    const id = (message as { id?: unknown })?.id
    const why = parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")
    send({ type: "error", id: typeof id === "number" ? id : -1, message: `The request was not valid (${why}).` })
    return
  }
  const request = parsed.data
  if (request.type === "cancel") {
    cancelled.add(request.id)
    return
  }
  queue = queue.then(async () => {
    try {
      await (request.type === "generate" ? generate(request) : score(request))
    } catch (error) {
      if (loaded) delete loaded.decoder
      send({ type: "error", id: request.id, message: lineFor(error) })
    }
    cancelled.delete(request.id)
  })
}

function lineFor(error: unknown): string {
  if (error instanceof PackError) return error.message
  const why = error instanceof Error ? error.message.split("\n")[0] : String(error)
  return `The engine failed (${why}); what was generated so far is kept.`
}

if (parentPort) parentPort.on("message", (e) => receive(e.data))
else {
  process.on("message", receive)
  process.on("disconnect", () => process.exit(0))
}
