import { statSync } from "node:fs"
import { join } from "node:path"
import type { LoadEvent } from "../../../contract/engine.ts"
import type { Device, Precision } from "../../../contract/pack.ts"
import type { Sampling } from "../../../contract/sampling.ts"
import { PackError } from "../../packs/error.ts"
import { CacheError } from "../compile/compile.ts"
import { decodeKinds } from "../decode/decoder.ts"
import { Model } from "../decode/model.ts"
import { type Loaded, Models } from "./models.ts"
import { fastestThreads } from "./threads.ts"

/** A pack that something is asked of; with `sampling` it is made ready to decode. */
export type Target = { pack: string; precision: Precision; threads: number; device: Device; sampling?: Sampling }
export type Emit = (event: LoadEvent) => void

export const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? ""

/** Whether an error's message is meant for a person, whatever the device. */
export const isForPerson = (error: unknown): error is Error => error instanceof PackError || error instanceof CacheError

/** Lets messages in: a run blocks this process's event loop, so an abort is seen between two patches. */
export const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The packs in memory, on the device that is asked for or, once that has failed, on the CPU. */
export class Loader {
  private readonly models = new Models()
  /** Once the GPU has failed, this process leaves it alone. */
  private gpuFailed = false

  /** @param cache folder of compiled graphs */
  constructor(private readonly cache: string) {}

  /** The model of a pack. @throws PackError, or what a device throws */
  async load(target: Target, emit: Emit): Promise<Loaded> {
    const { pack, threads, device } = target
    // The CPU that goes on for a GPU has no fp16.
    const precision = this.gpuFailed && target.precision === "fp16" ? "int8" : target.precision
    // A pack that was replaced in its place is another pack.
    const file = statSync(join(pack, "weights.safetensors"), { throwIfNoEntry: false })
    const key = JSON.stringify([pack, file?.mtimeMs, precision, threads, device])
    const known = this.models.use(key)
    if (known) {
      await this.makeReady(known.model, target)
      return known
    }
    emit({ type: "loading" })
    const start = performance.now()
    await this.models.makeRoom(file?.size ?? 0)
    const model = Model.load(pack, precision, threads, this.cache, device)
    await this.makeReady(model, target)
    emit({ type: "loaded", loadMs: performance.now() - start })
    return this.models.add({ key, model, dropped: 0, bytes: file?.size ?? 0 })
  }

  /** Makes the sessions that read and decode, so that the first patch does not wait for them. */
  private async makeReady(model: Model, { device, sampling }: Target): Promise<void> {
    if (!sampling) return
    if (device === "cpu" && !model.decodeThreads) model.decodeThreads = await fastestThreads(model, this.cache)
    for (const kind of decodeKinds(model.config, sampling)) await model.session(kind)
    await model.session("prefill")
  }

  /** What is done on a device and, where that fails, on the CPU after a word about it. */
  async withCpuFallback<T>(
    { device: wanted }: Target,
    emit: Emit,
    work: (device: Device) => Promise<T>,
    onCpu = () => work("cpu"),
  ): Promise<T> {
    const device = this.gpuFailed ? "cpu" : wanted
    try {
      return await work(device)
    } catch (error) {
      if (device === "cpu" || isForPerson(error)) throw error
      this.gpuFailed = true
      await this.models.clear()
      const message = `The GPU failed (${firstLine(error)}); nothing is lost, the processor goes on from there.`
      emit({ type: "fallback", message })
      return onCpu()
    }
  }

  /** After an error nothing is known of the decoders any more. */
  forgetDecoders(): void {
    this.models.forgetDecoders()
  }
}
